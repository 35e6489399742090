package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/loadgen"
)

// plainEvery is how often a load reports where there is no terminal.
const plainEvery = 5 * time.Second

// progress shows how far a run has come: bars on a terminal, else plain lines.
// Phases and loads are told of by goroutines of their own.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	live  bool
	began time.Time
	bars  *mpb.Progress
	of    map[string]*mpb.Bar
	said  map[string]time.Duration
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, live: isTerminal(w), began: time.Now()}
}

func (p *progress) observe(e runner.Event) {
	if e.Load == nil {
		p.phase(e.Phase)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live {
		p.bar(*e.Load)
		return
	}
	if last := p.said[e.Load.Cohort]; e.Load.Elapsed.Duration-last >= plainEvery {
		p.said[e.Load.Cohort] = e.Load.Elapsed.Duration
		fmt.Fprintf(p.w, "%s   %s\n", p.clock(), wordProgress(*e.Load))
	}
}

// phase begins a phase on a line of its own.
func (p *progress) phase(words string) {
	p.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = map[string]time.Duration{}
	remark(p.w, p.clock()+" "+words)
}

// end takes the bars of a phase away.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bars == nil {
		return
	}
	for _, bar := range p.of {
		bar.Abort(true)
	}
	p.bars.Wait()
	p.bars, p.of = nil, nil
}

func (p *progress) clock() string {
	return fmt.Sprintf("%6.1fs", time.Since(p.began).Seconds())
}

// bar shows one cohort; without a number to come to it only counts.
func (p *progress) bar(load loadgen.Progress) {
	if p.bars == nil {
		p.bars, p.of = mpb.New(mpb.WithOutput(fileOf(p.w)), mpb.WithWidth(64)), map[string]*mpb.Bar{}
	}
	bar := p.of[load.Cohort]
	if bar == nil {
		var style mpb.BarFillerBuilder = mpb.BarStyle()
		count := decor.CountersNoUnit("%d of %d", decor.WCSyncSpace)
		if load.Planned == 0 {
			style, count = mpb.NopStyle(), decor.CurrentNoUnit("%d", decor.WCSyncSpace)
		}
		bar = p.bars.New(load.Planned, style, mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(load.Cohort, decor.WCSyncSpaceR), count),
			mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO)))
		p.of[load.Cohort] = bar
	}
	bar.SetCurrent(load.Sent)
}

func wordProgress(l loadgen.Progress) string {
	words := fmt.Sprintf("%s: %d requests", l.Cohort, l.Sent)
	if l.Planned > 0 {
		words = fmt.Sprintf("%s: %d of %d requests", l.Cohort, l.Sent, l.Planned)
	}
	if l.Errors > 0 {
		words += fmt.Sprintf(", %d errors", l.Errors)
	}
	return words
}

// wordTarget says what a cohort sends, and as whom.
func wordTarget(p loadgen.Plan) string {
	if p.TCP != nil {
		return "TCP " + p.TCP.Address
	}
	words := p.HTTP.Method + " " + p.HTTP.URL
	if p.HTTP.Login != nil {
		words += ", signed in as " + p.HTTP.Login.Form["username"]
	}
	for _, name := range slices.Sorted(maps.Keys(p.HTTP.Header)) {
		words += fmt.Sprintf(", %s: %s", name, p.HTTP.Header[name])
	}
	return words
}
