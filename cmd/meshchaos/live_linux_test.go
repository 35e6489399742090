package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// clocks are what differs from one live view to the next: when, for how long.
var clocks = regexp.MustCompile(`(?m)^ *[0-9]+\.[0-9]s|\b[0-9.]+s(,|:|$)`)

// What is seen of a run in terminals of several sizes, with colours and without, and what
// is left of it there.
func TestALiveViewIsAsItsGolden(t *testing.T) {
	for _, c := range []struct {
		columns, rows int
		plain         bool // as NO_COLOR wants it
	}{{80, 24, false}, {200, 50, false}, {40, 10, false}, {80, 24, true}} {
		name := fmt.Sprintf("%dx%d", c.columns, c.rows)
		if c.plain {
			name += "-plain"
		}
		t.Run(name, func(t *testing.T) {
			if c.plain {
				t.Setenv("NO_COLOR", "1")
			}
			screen, tty := watch(t, c.columns)
			screen.resize(c.columns, c.rows)
			view := newProgress(tty)
			underWay(view)
			shown := screen.await(`p99 9ms`) // the last that is drawn
			view.end()
			left := screen.last(tty)
			if colored := strings.Contains(screen.raw, "\x1b[31m"); colored == c.plain {
				t.Errorf("it is coloured: %v", colored)
			}
			got := clocks.ReplaceAllStringFunc(shown+"\n---\n"+left, func(clock string) string {
				return regexp.MustCompile("[0-9]").ReplaceAllString(clock, "0")
			})
			golden := filepath.Join("testdata", "live", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("it is another (-want +got):\n%s", diff)
			}
		})
	}
}

// frames counts what is written.
type frames []string

// Write implements io.Writer.
func (f *frames) Write(text []byte) (int, error) {
	*f = append(*f, string(text))
	return len(text), nil
}

// A frame that comes in one write and erases only what it does not write over does not
// flicker.
func TestAFrameIsOneWriteAndClearsNothingFirst(t *testing.T) {
	var written frames
	b := &board{to: &written, size: func() (int, int) { return 80, 24 }}
	view := &progress{w: &written, board: b, over: make(chan struct{})} // as if it were drawing already
	underWay(view)
	written = nil
	for range 10 {
		b.draw(view.lines(79))
	}
	if len(written) != 10 {
		t.Fatalf("ten frames are %d writes", len(written))
	}
	for _, frame := range written {
		if text, erase := strings.Index(frame, "load"), strings.Index(frame, "\x1b[K"); erase < text || strings.Contains(frame, "\x1b[2J") || len(frame) > 500 {
			t.Errorf("of %d bytes: %q", len(frame), frame)
		}
	}
	t.Logf("a frame is %d bytes", len(written[9]))
}
