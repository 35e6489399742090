package main

import (
	"fmt"
	"time"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/report"
)

// mutantProgress shows how many mutants are done: a line that is written over on a
// terminal, else one for each.
type mutantProgress struct {
	*progress
	all, ran, survived int
}

func (p *mutantProgress) begin(mutants int) {
	p.phase(plural.Of(mutants, "mutant"))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = mutants
	p.extra = func(int) []styled {
		return []styled{{{text: fmt.Sprintf("  %d of %d done, %d survived", p.ran, p.all, p.survived)}}}
	}
}

func (p *mutantProgress) done(m report.Mutant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ran++
	if m.Fate == report.Survived {
		p.survived++
	}
	if p.board == nil {
		fmt.Fprintf(p.w, "%s   %s: %s\n", p.clock(time.Now()), m.ID, m.Fate)
	}
}
