// Package compare says what has changed between two runs of a scenario, and whether
// that is more than chance; and shows it. It is all from their records.
//
// Whatever is tested shares one alpha, by Holm's procedure: of two runs of what has not
// changed, one pair in a thousand is said to have. docs/compare.md says which values
// are tested by what, and which of their changes are regressions.
//
// The package may import internal/chance, internal/check, loadgen, report and
// report/summary.
package compare

import (
	"cmp"
	"slices"

	"github.com/meshchaos/meshchaos/internal/chance"
	"github.com/meshchaos/meshchaos/report"
)

// alpha is the chance that, of all the tests of a comparison, any finds a difference
// where there is none.
const alpha = 0.001

// Run is a record, and the file that it was read from.
type Run struct {
	File   string // empty: it was not read
	Record *report.Record
	Judge  Judge // nil: nobody can
}

// IsOf says whether both are records of one run.
func (r Run) IsOf(other Run) bool {
	return r.Record.Run != "" && r.Record.Run == other.Record.Run && r.Record.Started.Equal(other.Record.Started)
}

// Judge says what an expectation of another run comes to by what this one observed; it is
// not known where it cannot be read as one of this.
type Judge func(report.Expectation) (judged report.Expectation, known bool)

// Pair is two runs of one scenario.
type Pair struct{ Before, Now Run }

// Compare compares the runs of each pair.
func Compare(pairs ...Pair) *report.Comparison {
	c := &report.Comparison{APIVersion: report.APIVersion, Kind: report.KindComparison, Alpha: alpha, Scenarios: []report.Compared{}}
	var all []*value
	var found [][]*value
	for _, p := range pairs {
		of := p.values()
		all, found = append(all, of...), append(found, of)
	}
	c.Tests = decide(all)
	for i, p := range pairs {
		one := report.Compared{Scenario: p.Now.Record.Scenario.Name, Before: side(p.Before), Now: side(p.Now), Unlike: unlike(p.Before.Record, p.Now.Record)}
		for _, v := range found[i] {
			one.Values = append(one.Values, v.Difference)
		}
		c.Scenarios = append(c.Scenarios, one)
	}
	slices.SortStableFunc(c.Scenarios, func(a, b report.Compared) int { return cmp.Compare(a.Scenario, b.Scenario) })
	c.Regressed = c.Count(report.Regressed) > 0
	return c
}

// Enter enters into a record what has changed since the earlier run that it keeps, in the
// place of what it said of that; without one it does nothing.
func Enter(r *report.Record, judge Judge) {
	if r.ComparedWith == nil {
		return
	}
	earlier := Run{File: r.ComparedWith.File, Record: r.ComparedWith.Record()}
	c := Compare(Pair{Before: earlier, Now: Run{Record: r, Judge: judge}})
	c.Tool = r.Tool
	r.ComparedWith.Comparison = c
}

func side(r Run) report.Side {
	return report.Side{Run: r.Record.Run, File: r.File, Started: r.Record.Started, Verdict: r.Record.Verdict, Restored: r.Record.Restored}
}

// value is one value of two runs, before it is known what is more than chance.
type value struct {
	report.Difference
	test  *test // nil: it is not tested, and Became is known
	worse sense // of a change that is more than chance
}

// test is what a test of a value found.
type test struct{ p, least float64 }

// sense is whether a change is for the worse.
type sense int

const (
	unknown sense = iota
	worse
	better
	nothing // it is too small to count
)

// became is what becomes of a value that changed in this sense.
func (s sense) became() report.Became {
	switch s {
	case worse:
		return report.Regressed
	case better:
		return report.Improved
	case nothing:
		return report.Alike
	}
	return report.Changed
}

// decide enters which of the tested values have changed, and returns how many tests
// share alpha.
func decide(all []*value) (shared int) {
	var tested []*value
	var ps, least []float64
	for _, v := range all {
		if v.test == nil {
			continue
		}
		tested = append(tested, v)
		ps, least = append(ps, v.test.p), append(least, v.test.least)
		if chance.InFamily(v.test.least, alpha) {
			shared++
		}
	}
	for i, beyond := range chance.Holm(ps, least, alpha) {
		v := tested[i]
		v.P, v.Became = &ps[i], report.Alike
		if beyond {
			v.Became = v.worse.became()
		}
	}
	return shared
}
