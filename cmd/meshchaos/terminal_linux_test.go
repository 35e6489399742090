package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/meshchaos/meshchaos/scenarios"
)

// openTerminal returns both ends of a terminal of 80 columns: what is written to
// the one can be read from the other.
func openTerminal(t *testing.T) (screen, tty *os.File) {
	t.Helper()
	t.Setenv("TERM", "xterm")
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	fd := int(screen.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return screen, tty
}

// seen returns what a command line prints on a terminal, and its exit status.
func seen(t *testing.T, args ...string) ([]string, int) {
	t.Helper()
	screen, tty := openTerminal(t)
	all := make(chan string)
	go func() {
		text, _ := io.ReadAll(screen) // ends with an error, for the other end is closed
		all <- string(text)
	}()
	status := execute(t.Context(), args, tty, tty)
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.ReplaceAll(<-all, "\r\n", "\n"), "\n"), status
}

func TestWhatIsWrongIsFoldedOnATerminal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "wrong.yaml")
	text := `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: wrong}
spec:
  app: bookinfo
  apply: [{fault: {service: ratings, delay: 10ms, percent: 0.5}}]
  load: {pages: {get: "http://productpage:9080/productpage", connections: 8, requests: forty}}
  expect: [pages.status[200] == pages.sent]
`
	for _, text := range []string{text, strings.Replace(text, "forty", "40", 1)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		lines, _ := seen(t, "validate", file)
		if len(lines) < 3 {
			t.Errorf("it printed %q", lines)
		}
		for _, line := range lines {
			if utf8.RuneCountInString(line) > 80 && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("wider than 80 columns: %s", line)
			}
		}
	}
}

func TestWhatOneOfSeveralWarnsOfIsFoldedOnATerminal(t *testing.T) {
	screen, tty := openTerminal(t)
	words := strings.Repeat("a word, ", 12) + "the last"
	beside([]*scenarios.Scenario{{Name: "a"}}, 2, streams{out: io.Discard, err: tty}, func(_ *scenarios.Scenario, to streams) outcome {
		remark(to.err, words)
		return outcome{word: "pass"}
	})
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(screen) // ends with an error, for the other end is closed
	if got := string(text); !strings.Contains(got, "a word,\r\n  a word,") || !strings.Contains(got, "the last\r\n") {
		t.Errorf("it printed %q", got)
	}
}

func TestHelpFitsATerminal(t *testing.T) {
	of := [][]string{{"--help"}}
	for _, cmd := range newRoot(io.Discard, io.Discard).Commands() {
		of = append(of, []string{cmd.Name(), "--help"})
	}
	for _, args := range of {
		lines, status := seen(t, args...)
		if status != exitPass || len(lines) < 3 {
			t.Errorf("%s: status %d: %q", args, status, lines)
		}
		for _, line := range lines {
			if utf8.RuneCountInString(line) > 80 {
				t.Errorf("%s is wider than 80 columns: %s", args, line)
			}
			if strings.Contains(line, "(default 0)") || strings.Contains(line, "(default 0s)") {
				t.Errorf("%s says a default that is none: %s", args, line)
			}
		}
	}
}

func TestWhatIsSaidOfAFileOrAPhaseIsFoldedOnATerminal(t *testing.T) {
	t.Chdir(t.TempDir())
	lines, _ := seen(t, "init", "delay-jason")
	if len(lines) < 3 || slices.ContainsFunc(lines, func(line string) bool { return len(line) > 80 }) {
		t.Errorf("it printed %q", lines)
	}
	screen, tty := openTerminal(t)
	view := newProgress(tty)
	view.phase(strings.Repeat("a word, ", 12) + "the last")
	view.end()
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(screen) // ends with an error, for the other end is closed
	if got := string(text); !strings.HasPrefix(got, "   0.0s a word,") || !strings.Contains(got, "\r\n     a word,") {
		t.Errorf("it printed %q", got)
	}
}

func TestATerminalWithoutColoursGetsNone(t *testing.T) {
	_, tty := openTerminal(t)
	t.Setenv("NO_COLOR", "")
	for term, want := range map[string]bool{"xterm": true, "dumb": false, "": false} {
		if t.Setenv("TERM", term); colorful(tty) != want {
			t.Errorf("TERM=%s: colours %v, want %v", term, !want, want)
		}
	}
}

func TestWhatCannotBePrintedIsAnError(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	record := filepath.Join("..", "..", "test", "records", "delay-jason.json")
	for _, args := range [][]string{
		{"list"}, {"list", "-o", "name"}, {"list", "-o", "json"}, {"validate", "delay-jason"}, {"show", "delay-jason"},
		{"version"}, {"--version"}, {"--help"}, {"help", "run"}, {"run", "--help"}, {}, {"schema"}, {"schema", "report"},
		{"manifests", "bookinfo"}, {"plan", "delay-jason"}, {"plan", "delay-jason", "-o", "yaml"}, {"mutate", "delay-jason", "--list"},
		{"judge", record}, {"judge", record, "-o", "json"}, {"judge", record, "-q"}, {"compare", record, record}, {"history", record},
		{"report", record, "--report-dir", t.TempDir()}, {"completion", "bash"}, {"completion", "zsh"}, {"run", "nowhere", "-o", "json"},
	} {
		var said strings.Builder
		if status := execute(t.Context(), args, full, &said); status != exitInconclusive || !strings.Contains(said.String(), ": ") || !strings.Contains(said.String(), "no space left") {
			t.Errorf("%s: status %d, %s", args, status, &said)
		}
	}
}
