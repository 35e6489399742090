package main

import (
	"fmt"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/meshchaos/meshchaos/report"
)

// mutantProgress shows how many mutants are done: a bar on a terminal, else a line
// for each.
type mutantProgress struct {
	*progress
	bar      *mpb.Bar
	survived atomic.Int64 // and not under the lock, which end holds while the bar is drawn for the last time
}

func (p *mutantProgress) begin(mutants int) {
	p.phase(fmt.Sprintf("%d mutants", mutants))
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.live {
		return
	}
	p.bars = mpb.New(mpb.WithOutput(fileOf(p.w)), mpb.WithWidth(64))
	p.bar = p.bars.New(int64(mutants), mpb.BarStyle(), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.CountersNoUnit("%d of %d", decor.WCSyncSpace)),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return fmt.Sprintf("%d survived", p.survived.Load()) }), decor.Elapsed(decor.ET_STYLE_GO, decor.WCSyncSpace)))
	p.of = map[string]*mpb.Bar{"": p.bar}
}

func (p *mutantProgress) done(m report.Mutant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.Fate == report.Survived {
		p.survived.Add(1)
	}
	if p.live {
		p.bar.Increment()
		return
	}
	fmt.Fprintf(p.w, "%s   %s: %s\n", p.clock(), m.ID, m.Fate)
}
