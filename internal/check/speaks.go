package check

import (
	"maps"
	"slices"
	"sort"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// maxFailures is how many numbers of failures are tried one by one.
const maxFailures = 1_000

// unnamed is the status of answers of which no line can say anything: a line names
// those from 100.
const unnamed = 99

// Speaks says whether the line says something of a failure that a cohort had in a
// window. It counts it, by its status, its check, its version, or, of a transport
// error, as one, or is a split of the cohort, of which each answer must be of a
// version that is listed; and it would have come out otherwise if there had been
// another number of such failures, and all else as it was. One that names them
// beside something else that is enough for it passes over them.
func (e *Expectation) Speaks(w Windows, l Load, o loadgen.Outcome) bool {
	var counting []mention
	for _, m := range e.mentions {
		if m.load == l && m.of(o) {
			counting = append(counting, m)
		}
	}
	if len(counting) == 0 {
		return false
	}
	as := e.findings(w)
	result, _ := w.result(l)
	if result == nil || verdictOf(as) == report.Inconclusive {
		return true // it is no pass, and says why
	}
	judge := func(outcomes []loadgen.Outcome) []finding { return e.findings(w.withOutcomes(l, outcomes)) }
	return slices.ContainsFunc(counting, func(m mention) bool {
		t := trial{all: result.Outcomes, as: as, judge: judge}
		t.alike = func(other loadgen.Outcome) bool {
			return m.of(other) && other.Status == o.Status && other.GRPC == o.GRPC && (other.Error != "") == (o.Error != "")
		}
		t.beside = func(other loadgen.Outcome) bool {
			return other.Failed() && !t.alike(other) && slices.ContainsFunc(e.mentions, func(m mention) bool { return m.load == l && m.of(other) })
		}
		return t.fewer(t.all) || t.fewer(t.with(0)) || t.needed() || t.more()
	})
}

// trial holds a line against another number of failures of one kind.
type trial struct {
	all    []loadgen.Outcome
	alike  outcomes  // the failures whose number is another one
	beside outcomes  // the other failures that the line counts
	as     []finding // how the line came out
	judge  func([]loadgen.Outcome) []finding
}

// count is how many of the outcomes are such.
func count(all []loadgen.Outcome, such outcomes) int64 {
	var n int64
	for _, o := range all {
		if such(o) {
			n += o.Count
		}
	}
	return n
}

// changed returns the outcomes with so many of such as answers of which the line says nothing.
func changed(all []loadgen.Outcome, such outcomes, n int64) []loadgen.Outcome {
	other := all
	for i, o := range all {
		if such(o) {
			take := min(n, o.Count)
			other, n = exchanged(other, i, neutral(other, o.Request), take), n-take
		}
	}
	return other
}

// with returns the outcomes with so many of the other failures that the line counts:
// where some of any kind are asked for, each kind makes up for the others.
func (t trial) with(others int64) []loadgen.Outcome {
	return changed(t.all, t.beside, count(t.all, t.beside)-others)
}

// needed says whether the line turns without those failures where no fewer of the others
// would do beside them.
func (t trial) needed() bool {
	all := count(t.all, t.beside)
	least := sort.Search(int(all), func(n int) bool { return !turned(t.as, t.judge(t.with(int64(n)))) })
	first := t.with(int64(least))
	return t.turns(first, changed(first, t.alike, count(first, t.alike)))
}

// turns says whether of two cases, that differ by the number of those failures
// alone, the line comes out in the first as it did, and in the other otherwise.
func (t trial) turns(first, other []loadgen.Outcome) bool {
	one := t.judge(first)
	return !turned(t.as, one) && turned(one, t.judge(other))
}

// fewer says whether the line turns if some of the failures are answers of which
// it says nothing.
func (t trial) fewer(first []loadgen.Outcome) bool {
	return tried(count(first, t.alike), func(n int64) bool { return t.turns(first, changed(first, t.alike, n)) })
}

// more says whether the line turns if some of the other outcomes are such failures,
// rather than answers of which it says nothing.
func (t trial) more() bool {
	like := t.all[slices.IndexFunc(t.all, t.alike)]
	for from, o := range t.all {
		if like.Request, like.Count = o.Request, 0; t.alike(o) || !t.alike(like) { // a line may say it of another request alone
			continue
		}
		all := append(slices.Clone(t.all), like)
		if tried(o.Count, func(n int64) bool {
			return t.turns(exchanged(all, from, neutral(all, o.Request), n), exchanged(all, from, len(t.all), n))
		}) {
			return true
		}
	}
	return false
}

// tried says whether something holds of a number from 1 to most.
func tried(most int64, holds func(int64) bool) bool {
	if most > 0 && holds(most) {
		return true
	}
	for n := range min(most-1, maxFailures) {
		if holds(n + 1) {
			return true
		}
	}
	return false
}

// neutral is where the answers to a request stand of which no line can say anything;
// behind the last, if there are none.
func neutral(outcomes []loadgen.Outcome, request string) int {
	if i := slices.IndexFunc(outcomes, func(o loadgen.Outcome) bool { return o.Status == unnamed && o.Request == request }); i >= 0 {
		return i
	}
	return len(outcomes)
}

// exchanged returns the outcomes with so many of one as others.
func exchanged(outcomes []loadgen.Outcome, from, into int, count int64) []loadgen.Outcome {
	outcomes = slices.Clone(outcomes)
	if into == len(outcomes) {
		outcomes = append(outcomes, loadgen.Outcome{Status: unnamed, Request: outcomes[from].Request})
	}
	outcomes[from].Count -= count
	outcomes[into].Count += count
	return outcomes
}

// withOutcomes returns the windows as they were but for the outcomes of a cohort.
func (w Windows) withOutcomes(l Load, outcomes []loadgen.Outcome) Windows {
	window := *w.named(l.Window)
	result := *window.Loads[l.Cohort]
	result.Outcomes = outcomes
	window.Loads = maps.Clone(window.Loads)
	window.Loads[l.Cohort] = &result
	switch l.Window {
	case report.Baseline:
		w.Baseline = &window
	case report.Recovery:
		w.Recovery = &window
	default:
		w.During = &window
	}
	return w
}
