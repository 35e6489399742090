package check

import (
	"slices"

	"github.com/meshchaos/meshchaos/report"
)

// maxTried is how many values of a count are tried one by one.
const maxTried = 10_000

// Hinges says whether the line would have come out otherwise if a quantity of the
// proxies had been another number that it could have been, and all else as it was.
// One that does not says nothing of it, though it names it. Own is how many more of
// them the rule in question could have made; nil: that is not known.
func (e *Expectation) Hinges(w Windows, n Need, own *int64) bool {
	as := e.findings(w)
	if verdictOf(as) == report.Inconclusive || w.During == nil {
		return true
	}
	most := w.most(n)
	if most == 0 {
		most = allSent(w.During)
	}
	most = max(most, 0) // none
	if own != nil {
		most = min(most, w.countOf(n.Function, n)+*own)
	}
	turned := func(value int64) bool { return turned(as, e.findings(w.with(n, value))) }
	for value := range min(most, maxTried) + 1 {
		if turned(value) {
			return true
		}
	}
	return turned(most)
}

// HingesOn says whether the line would have come out otherwise for each of some
// numbers of a quantity of the proxies, and all else as it was.
func (e *Expectation) HingesOn(w Windows, n Need, values ...int64) bool {
	as := e.findings(w)
	if verdictOf(as) == report.Inconclusive || w.During == nil {
		return true
	}
	return !slices.ContainsFunc(values, func(value int64) bool { return !turned(as, e.findings(w.with(n, value))) })
}

// turned says whether a part of the line holds in one of two cases, and is false
// in the other. That it cannot be judged in either says nothing.
func turned(one, other []finding) bool {
	for i := range one {
		verdicts := []report.Verdict{one[i].verdict, other[i].verdict}
		if slices.Contains(verdicts, report.Pass) && slices.Contains(verdicts, report.Fail) {
			return true
		}
	}
	return false
}

// with returns the windows as they were but for a quantity of the proxies.
func (w Windows) with(n Need, value int64) Windows {
	during := *w.During
	during.Quantities = slices.Clone(during.Quantities)
	for i, q := range during.Quantities {
		if n.is(q) {
			during.Quantities[i].Value, during.Quantities[i].AtLeast = &value, false
		}
	}
	w.During = &during
	return w
}
