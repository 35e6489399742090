package main

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// together is what is said while runs go on beside each other: lines that stay, and, on a
// terminal, one for each that is under way, which is written over.
type together struct {
	mu    sync.Mutex
	to    io.Writer
	board *board // nil: there is no terminal that can be written over
	runs  []*abreast
	over  chan struct{}
	drawn chan struct{}
}

// abreast is one of the runs.
type abreast struct {
	name, words string
	since       time.Time
}

func newTogether(to io.Writer) *together {
	t := &together{to: to, over: make(chan struct{}), drawn: make(chan struct{})}
	if !movable(to) {
		go t.keep(plainEvery, t.tell)
		return t
	}
	t.board = newBoard(to)
	go t.keep(drawEvery, t.draw)
	return t
}

// say writes lines that stay, whatever is under way.
func (t *together) say(write func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.board != nil {
		t.board.wipe()
	}
	write()
}

// begins says that a run does, and returns what is to hear of its phases.
func (t *together) begins(name string, number, of int) (tell func(words string)) {
	run := &abreast{name: name, since: time.Now()}
	t.say(func() {
		t.runs = append(t.runs, run)
		fmt.Fprintf(t.to, "%s begins (%d of %d)\n", name, number, of)
	})
	return func(words string) {
		t.mu.Lock()
		defer t.mu.Unlock()
		run.words, run.since = words, time.Now()
	}
}

// ended says that a run has, and how.
func (t *together) ended(name, word string) {
	t.say(func() {
		t.runs = slices.DeleteFunc(t.runs, func(run *abreast) bool { return run.name == name })
		fmt.Fprintf(t.to, "%s has ended: %s\n", name, word)
	})
}

// end takes away what tells of what goes on.
func (t *together) end() {
	close(t.over)
	<-t.drawn
	t.say(func() {})
}

// keep tells again and again of what goes on, until all is over.
func (t *together) keep(every time.Duration, tell func()) {
	defer close(t.drawn)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-t.over:
			return
		case <-ticker.C:
		}
		t.mu.Lock()
		tell()
		t.mu.Unlock()
	}
}

// tell says what each run is at, where nothing can be written over.
func (t *together) tell() {
	for _, run := range t.runs {
		fmt.Fprintf(t.to, "%s: %s\n", run.name, run.at())
	}
}

// draw writes what each run is at over what stood there.
func (t *together) draw() {
	var lines []styled
	name := 0
	for _, run := range t.runs {
		name = max(name, len(run.name))
	}
	for _, run := range t.runs {
		lines = append(lines, styled{{text: fmt.Sprintf("  %-*s  %s", name, run.name, run.at())}})
	}
	t.board.draw(lines)
}

func (r *abreast) at() string {
	return fmt.Sprintf("%s, for %.0fs", r.words, time.Since(r.since).Seconds())
}
