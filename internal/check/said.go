package check

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/report"
)

// said are the lines beside a sentence, and those of other steps, which are about the
// same baseline and the same recovery.
type said struct{ beside, others []*Expectation }

// versus is a comparison of a line: of an observed quantity, with a limit.
type versus struct{ observed, limit term }

// about notes quantities that a line is about.
func (n *named) about(quantities ...string) {
	for _, q := range quantities {
		q = asCount(q)
		if !slices.Contains(n.quantities, q) {
			n.quantities = append(n.quantities, q)
		}
	}
}

// aboutSeen notes the quantities that the line has named, and not those of a whole load by
// which what it says of one of its requests is limited.
func (c *compiler) aboutSeen() {
	for _, q := range slices.Sorted(maps.Keys(c.seen.named)) {
		of, _, _ := strings.Cut(q, " ")
		window, name, _ := strings.Cut(of, ".")
		same := func(l Load) bool { return l.Window == window && l.name() == name }
		if windows := []string{report.Baseline, report.During, report.Recovery}; slices.Contains(windows, window) && !slices.ContainsFunc(c.loads, same) {
			continue
		}
		c.about(q)
	}
}

// asCount names a share as the count that it is a share by: who knows one and what was
// sent knows the other.
func asCount(quantity string) string {
	return strings.Replace(quantity, " "+shares+" ", " "+counts+" ", 1)
}

// shared says whether a quantity is of the baseline or the recovery, which all steps
// have together.
func shared(quantity string) bool {
	return strings.HasPrefix(quantity, report.Baseline+".") || strings.HasPrefix(quantity, report.Recovery+".")
}

// covers refuses an amount that no line is about. How many requests a load sent goes
// with whatever is said of that load.
func (s said) covers(c *compiler, t term) error {
	for _, named := range t.names {
		if !s.about(named.quantity) {
			return &Error{Offset: t.at, Message: fmt.Sprintf("no expectation is about %s, so that a pass says nothing of it", named.text), Hint: "write one, or leave it out"}
		}
	}
	for _, l := range c.loads {
		if !s.names(l) {
			return &Error{Offset: t.at, Message: fmt.Sprintf("no expectation is about %s, so that a pass says nothing of it", wordLoad(l)), Hint: "write one, or leave it out"}
		}
	}
	return nil
}

// wordLoad is a load as a line names it.
func wordLoad(l Load) string {
	if l.Window == report.During {
		return l.name()
	}
	return l.Window + "." + l.name()
}

func (s said) about(quantity string) bool {
	in := func(e *Expectation) bool { return slices.Contains(e.quantities, asCount(quantity)) }
	return slices.ContainsFunc(s.beside, in) || shared(quantity) && slices.ContainsFunc(s.others, in)
}

func (s said) names(l Load) bool {
	in := func(e *Expectation) bool { return slices.Contains(e.loads, l) }
	return slices.ContainsFunc(s.beside, in) || l.Window != report.During && slices.ContainsFunc(s.others, in)
}

// limits are those that lines set to an amount: constants, also where a line is about a
// multiple of it, or has something added, and other quantities that it is compared with.
func (s said) limits(t term) []limit {
	var all []limit
	note := func(e *Expectation) {
		for _, v := range e.versus {
			if limit := v.limitOf(t); limit != nil {
				all = append(all, limit)
			}
		}
	}
	for _, e := range s.beside {
		note(e)
	}
	if !slices.ContainsFunc(t.form.quantities(), func(q string) bool { return !shared(q) }) {
		for _, e := range s.others {
			note(e)
		}
	}
	return all
}

// limitOf is the limit that a comparison sets to an amount; nil: none.
func (v versus) limitOf(t term) limit {
	if at := turning(t.form, v.observed.form.minus(v.limit.form)); at != nil {
		return func(Windows) *big.Rat { return at }
	}
	switch t.form.key() {
	case v.observed.form.key():
		return func(w Windows) *big.Rat { return v.limit.eval(w).exact().amount }
	case v.limit.form.key():
		return func(w Windows) *big.Rat { return v.observed.eval(w).exact().amount }
	}
	return nil
}

// turning is the value of an amount at which a difference is 0; nil: other quantities
// have a part in it.
func turning(amount, difference linear) *big.Rat {
	names := amount.quantities()
	if len(names) == 0 || difference.factors[names[0]] == nil {
		return nil
	}
	times := new(big.Rat).Quo(difference.factors[names[0]], amount.factors[names[0]])
	rest := difference.minus(amount.times(times))
	if !rest.isConstant() {
		return nil
	}
	return new(big.Rat).Neg(new(big.Rat).Quo(rest.constant, times))
}
