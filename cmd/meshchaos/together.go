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
		go t.keepTelling()
		return t
	}
	t.board = newBoard(to)
	go t.keepDrawing()
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

// keepTelling says from time to time what each run is at, where nothing can be written over.
func (t *together) keepTelling() {
	defer close(t.drawn)
	ticker := time.NewTicker(plainEvery)
	defer ticker.Stop()
	for {
		select {
		case <-t.over:
			return
		case <-ticker.C:
		}
		t.mu.Lock()
		for _, run := range t.runs {
			fmt.Fprintf(t.to, "%s: %s, for %.0fs\n", run.name, run.words, time.Since(run.since).Seconds())
		}
		t.mu.Unlock()
	}
}

func (t *together) keepDrawing() {
	defer close(t.drawn)
	ticker := time.NewTicker(drawEvery)
	defer ticker.Stop()
	for {
		select {
		case <-t.over:
			return
		case <-ticker.C:
		}
		t.mu.Lock()
		var lines []styled
		name := 0
		for _, run := range t.runs {
			name = max(name, len(run.name))
		}
		for _, run := range t.runs {
			lines = append(lines, styled{{text: fmt.Sprintf("  %-*s  %s, for %.0fs", name, run.name, run.words, time.Since(run.since).Seconds())}})
		}
		t.board.draw(lines)
		t.mu.Unlock()
	}
}
