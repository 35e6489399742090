package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/loadgen"
)

const (
	drawEvery  = 200 * time.Millisecond // on a terminal
	plainEvery = 10 * time.Second       // elsewhere: how long a load says nothing
	plainFirst = 3 * time.Second        // but for the first time
)

// progress shows how far a run has come. On a terminal its last lines tell what goes on,
// and each phase that has ended leaves one; elsewhere there is a line for what begins, and
// one now and then for what goes on. Phases and loads are told of by goroutines of their
// own.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	began time.Time

	words string // the phase under way; empty: none
	since time.Time
	again string // what it waits for
	at    runner.At
	given bool // something was given
	loads []*pace
	said  time.Time                // when a line was written last, where none can be written over
	extra func(width int) []styled // of mutants: how many are done

	tell func(words string) // hears of each phase; nil: nobody does

	board *board // nil: there is no terminal that can be written over
	color bool
	over  chan struct{} // closed: nothing is drawn any more; nil: nothing is
	drawn chan struct{}
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, began: time.Now()}
	if movable(w) {
		p.board, p.color = newBoard(w), colorful(w)
	}
	return p
}

// observe hears what happens in a run.
func (p *progress) observe(e runner.Event) {
	switch {
	case e.Load != nil:
		p.load(*e.Load)
	case e.Again:
		p.goOn(e.Phase)
	default:
		p.begin(e.Phase, e.At)
	}
}

// goOn notes what goes on and takes long, which is a line where nothing was said for
// long.
func (p *progress) goOn(words string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.again = words
	if now := time.Now(); p.board == nil && now.Sub(p.said) > plainEvery { // a load says so itself then, if it can
		p.say(now, " "+words)
	}
}

// hold says at once what is waited for in the place of what went on.
func (p *progress) hold(words string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.again = words
	if p.board == nil {
		p.say(time.Now(), " "+words)
	}
}

// say writes a line that stays, where none can be written over.
func (p *progress) say(now time.Time, words string) {
	remark(p.w, p.clock(now)+words)
	p.said = now
}

// phase begins a phase that is not part of a run.
func (p *progress) phase(words string) { p.begin(words, runner.At{}) }

func (p *progress) begin(words string, at runner.At) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tell != nil {
		p.tell(words)
	}
	if p.board == nil {
		p.say(time.Now(), " "+words)
	}
	p.leave()
	p.words, p.again, p.since, p.at, p.loads, p.extra = words, "", time.Now(), at, nil, nil
	p.given = p.given || at.Part == runner.PartGiven
	if p.board != nil && p.over == nil {
		p.over, p.drawn = make(chan struct{}), make(chan struct{})
		go p.keepDrawing(p.over, p.drawn)
	}
}

// leave has the phase that was under way leave its line.
func (p *progress) leave() {
	if p.board == nil || p.words == "" {
		return
	}
	p.board.wipe()
	remark(p.w, p.clock(p.since)+" "+p.ended())
	p.words = ""
}

// ended words a phase that has ended: how long it took, and what its loads came to.
func (p *progress) ended() string {
	words := fmt.Sprintf("%s, %.1fs", p.words, time.Since(p.since).Seconds())
	var loads []string
	for _, l := range p.loads {
		loads = append(loads, l.ended())
	}
	if len(loads) > 0 {
		words += ": " + strings.Join(loads, "; ")
	}
	return words
}

// end takes away what tells of what goes on.
func (p *progress) end() {
	p.mu.Lock()
	p.leave()
	over, drawn := p.over, p.drawn
	p.over = nil
	p.mu.Unlock()
	if over != nil {
		close(over)
		<-drawn
	}
}

// keepDrawing draws until it is over.
func (p *progress) keepDrawing(over, drawn chan struct{}) {
	defer close(drawn)
	ticker := time.NewTicker(drawEvery)
	defer ticker.Stop()
	for {
		p.mu.Lock()
		if p.words != "" {
			width, _ := p.board.size()
			p.board.draw(p.lines(width - 1))
		}
		p.mu.Unlock()
		select {
		case <-over:
			return
		case <-ticker.C:
		}
	}
}

// load notes how far a cohort is.
func (p *progress) load(l loadgen.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, known := slices.BinarySearchFunc(p.loads, l.Cohort, func(have *pace, name string) int { return strings.Compare(have.last.Cohort, name) })
	if !known {
		p.loads = slices.Insert(p.loads, i, &pace{})
	}
	of := p.loads[i]
	of.add(l)
	if p.board != nil {
		return
	}
	if due := of.said + plainEvery; of.said == 0 && l.Elapsed.Duration < plainFirst || of.said > 0 && l.Elapsed.Duration < due {
		return
	}
	of.said = max(l.Elapsed.Duration, time.Nanosecond)
	p.say(time.Now(), "   "+of.words())
}

func (p *progress) clock(at time.Time) string {
	return fmt.Sprintf("%6.1fs", at.Sub(p.began).Seconds())
}

// lines are what goes on now: where in the run that is, what, and each cohort.
func (p *progress) lines(width int) []styled {
	clock := p.clock(time.Now()) + " "
	words := p.words
	if since := time.Since(p.since); since >= time.Second { // of no time it would read as how long it is to last
		words += fmt.Sprintf(", for %.0fs", since.Seconds())
	}
	if p.again != "" {
		words = p.again
	}
	var lines []styled
	if where := p.where(); len(where) > 0 {
		where[0] = append(styled{{text: clock}}, where[0]...)
		lines = append(lines, wrapped(where, 2, width, len(clock))...)
		clock = strings.Repeat(" ", len(clock))
	}
	var said []styled
	for _, word := range strings.Fields(words) {
		said = append(said, plainly(word))
	}
	said[0] = plainly(clock + said[0][0].text)
	lines = append(lines, wrapped(said, 1, width, len(clock))...)
	name := 0
	for _, l := range p.loads {
		name = max(name, len(l.last.Cohort))
	}
	for _, l := range p.loads {
		lines = append(lines, p.fit(l, name, width)...)
	}
	if p.extra != nil {
		lines = append(lines, p.extra(width)...)
	}
	return lines
}

// where are the parts of a run, with the one under way in brackets.
func (p *progress) where() []styled {
	if p.at.Part == "" {
		return nil
	}
	parts := []runner.Part{runner.PartBaseline, runner.PartApply, runner.PartLoad, runner.PartUndo, runner.PartRecovery}
	if p.given {
		parts = append([]runner.Part{runner.PartGiven}, parts...)
	}
	var fields []styled
	for _, part := range parts {
		one := styled{{text: string(part)}}
		if part == p.at.Part {
			one = styled{{text: "[" + string(part) + "]", style: p.style("1")}}
		}
		fields = append(fields, one)
	}
	if p.at.Of > 0 {
		fields = append(fields, styled{{text: fmt.Sprintf("step %d of %d: %s", p.at.Number, p.at.Of, p.at.Step)}})
	}
	return fields
}

// style is one that is shown, if colours are.
func (p *progress) style(of string) string {
	if p.color {
		return of
	}
	return ""
}
