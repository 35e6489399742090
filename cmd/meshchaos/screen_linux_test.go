package main

import (
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// screen is what a terminal shows that folds long lines, and folds them anew when it
// becomes another size.
type screen struct {
	t     *testing.T
	fd    int
	mu    sync.Mutex
	width int
	lines [][]rune // before they are folded
	line  int      // of the cursor
	at    int      // of the cursor, in it
	raw   string
	rest  string // the beginning of an escape
	news  chan struct{}
	ended chan struct{}
}

// watch shows what is written to a terminal.
func watch(t *testing.T, columns int) (*screen, *os.File) {
	t.Helper()
	master, tty := openTerminal(t)
	s := &screen{t: t, fd: int(master.Fd()), lines: [][]rune{nil}, news: make(chan struct{}, 1), ended: make(chan struct{})}
	s.resize(columns, 24)
	go func() {
		defer close(s.ended)
		buffer := make([]byte, 4096)
		for {
			n, err := master.Read(buffer)
			s.take(string(buffer[:n]))
			if err != nil { // the other end is closed
				return
			}
		}
	}()
	return s, tty
}

func (s *screen) resize(columns, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.width = columns
	if err := unix.IoctlSetWinsize(s.fd, unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(rows), Col: uint16(columns)}); err != nil {
		s.t.Fatal(err)
	}
}

// escape is one that the program may use: up, erase to the end of the line or of the
// screen, and styles.
var escape = regexp.MustCompile(`^\x1b\[([0-9;]*)([AJKm])`)

func (s *screen) take(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw += text
	text = s.rest + text
	for s.rest = ""; text != ""; {
		if text[0] != '\x1b' {
			r := []rune(text)[0]
			s.put(r)
			text = text[len(string(r)):]
			continue
		}
		m := escape.FindStringSubmatch(text)
		if m == nil {
			s.rest = text
			break
		}
		text = text[len(m[0]):]
		s.obey(m[2], m[1])
	}
	select {
	case s.news <- struct{}{}:
	default:
	}
}

func (s *screen) put(r rune) {
	switch r {
	case '\r':
		s.at -= s.at % s.width
	case '\n':
		if s.line++; s.line == len(s.lines) {
			s.lines = append(s.lines, nil)
		}
		s.at %= s.width
	default:
		for len(s.lines[s.line]) <= s.at {
			s.lines[s.line] = append(s.lines[s.line], ' ')
		}
		s.lines[s.line][s.at] = r
		s.at++
	}
}

func (s *screen) obey(what, number string) {
	switch what {
	case "A":
		up, _ := strconv.Atoi(number)
		for range up {
			if s.at >= s.width {
				s.at -= s.width
				continue
			}
			s.line--
			if s.line < 0 {
				s.t.Fatalf("it goes above the first line: %q", s.raw)
			}
			s.at += max(0, len(s.lines[s.line])-1) / s.width * s.width
		}
	case "K", "J":
		s.lines[s.line] = s.lines[s.line][:min(s.at, len(s.lines[s.line]))]
		if what == "J" {
			s.lines = s.lines[:s.line+1]
		}
	}
}

// shows is what there is.
func (s *screen) shows() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, line := range s.lines {
		all = append(all, string(line))
	}
	return strings.Join(all, "\n")
}

// await waits until it shows something.
func (s *screen) await(pattern string) string {
	s.t.Helper()
	for late := time.After(time.Minute); ; {
		text := s.shows()
		if regexp.MustCompile(pattern).MatchString(text) {
			return text
		}
		select {
		case <-s.news:
		case <-late:
			s.t.Fatalf("it never shows %s, but\n%s", pattern, text)
		}
	}
}

// last is what is left when all has been written.
func (s *screen) last(tty io.Closer) string {
	s.t.Helper()
	if err := tty.Close(); err != nil {
		s.t.Fatal(err)
	}
	<-s.ended
	return s.shows()
}
