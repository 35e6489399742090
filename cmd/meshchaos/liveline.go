package main

import (
	"fmt"
	"io"
	"time"
)

// waitEvery is how often what is waited for is told of where there is no terminal.
const waitEvery = 5 * time.Second

// liveLine shows what is waited for. On a terminal it is one line, written over; elsewhere
// it is a line each time that it has become another, and never more often than waitEvery.
type liveLine struct {
	w     io.Writer
	width int // columns of the terminal; 0: there is none
	began time.Time
	said  string
	at    time.Time
}

func newLiveLine(w io.Writer) *liveLine {
	l := &liveLine{w: w, began: time.Now()}
	if movable(w) {
		l.width = columns(w)
	}
	return l
}

// wait shows words that the next ones take the place of.
func (l *liveLine) wait(words string) {
	if l.width > 0 {
		l.width = columns(l.w) // it may have become another
		line := []rune(l.clock() + " " + words)
		fmt.Fprintf(l.w, "\r\x1b[K%s", string(line[:min(len(line), l.width-1)]))
		return
	}
	if words == l.said || !l.at.IsZero() && time.Since(l.at) < waitEvery {
		return
	}
	l.said, l.at = words, time.Now()
	fmt.Fprintf(l.w, "%s %s\n", l.clock(), words)
}

// tell writes a line that stays.
func (l *liveLine) tell(words string) {
	l.clear()
	fmt.Fprintf(l.w, "%s %s\n", l.clock(), words)
}

// clear takes away what wait shows.
func (l *liveLine) clear() {
	if l.width > 0 {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
}

func (l *liveLine) clock() string { return fmt.Sprintf("%6.1fs", time.Since(l.began).Seconds()) }
