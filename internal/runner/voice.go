package runner

import (
	"fmt"
	"sync"
	"time"
)

// A phase that lasts so long is told of again and again.
const (
	sayAgainAfter = 10 * time.Second
	sayAgainEvery = time.Second
)

// voice tells a user who waits what begins, and where that takes long, what it waits
// for.
type voice struct {
	mu      sync.Mutex
	tell    func(Event) // nil: nobody hears it
	place   At          // where in the run that is
	phase   string      // the one that began last
	began   time.Time
	waiting string // what it waits for; empty: nothing is known
}

// enter has what is told from now on be of another place of the run.
func (v *voice) enter(at At) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.place = at
}

// begin tells of a phase. What goes on, such as an undoing that is tried again, is
// told once.
func (v *voice) begin(phase string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.waiting = ""; phase == v.phase {
		return
	}
	v.phase, v.began = phase, time.Now()
	v.say(Event{Phase: phase})
}

// waitFor says what the phase waits for, which is told if that takes long.
func (v *voice) waitFor(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.waiting = fmt.Sprintf(format, args...)
}

// progress tells of how far a load is.
func (v *voice) progress(e Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.say(e)
}

// say needs the lock.
func (v *voice) say(e Event) {
	if e.At = v.place; v.tell != nil {
		v.tell(e)
	}
}

// keepTalking has the voice tell again and again what takes long, until stop is called;
// after that nothing is told.
func (v *voice) keepTalking() (stop func()) {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(sayAgainEvery)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				v.again()
			}
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}

func (v *voice) again() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.phase == "" || time.Since(v.began) < sayAgainAfter {
		return
	}
	words := fmt.Sprintf("%s, for %s", v.phase, time.Since(v.began).Round(time.Second))
	if v.waiting != "" {
		words += ": " + v.waiting
	}
	v.say(Event{Phase: words, Again: true})
}
