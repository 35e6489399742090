package compare

import (
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// values are those of two runs: their verdicts, what was expected, what the loads came to.
func (p Pair) values() []*value {
	before, now := p.Before.Record, p.Now.Record
	all := slices.Concat(verdicts(before, now), p.expectations(), carried(before, now))
	both(before, now, func(l loads) { all = append(all, append(l.latencies(), l.shares()...)...) })
	return all
}

// loads are those of a cohort in a window of two runs.
type loads struct {
	before, now *report.Record
	window      *report.Window
	cohort      string
	old, new    *loadgen.Result
}

// value is one of them.
func (l loads) value(of string) *value {
	return &value{Difference: report.Difference{Of: of, Window: l.window.Name, Step: l.window.Step, Cohort: l.cohort}}
}

// verdicts are those of the runs as a whole, and whether everything was restored.
func verdicts(before, now *report.Record) []*value {
	words := func(restored bool) report.Observed {
		if restored {
			return report.Observed{Words: "restored"}
		}
		return report.Observed{Words: "not restored"}
	}
	verdict := report.Difference{Of: "verdict", Became: turned(before.Verdict, now.Verdict), Before: report.Observed{Words: string(before.Verdict)}, Now: report.Observed{Words: string(now.Verdict)}}
	restored := report.Difference{Of: "restored", Became: report.Alike, Before: words(before.Restored), Now: words(now.Restored)}
	switch {
	case before.Restored && !now.Restored:
		restored.Became = report.Regressed
	case now.Restored && !before.Restored:
		restored.Became = report.Improved
	}
	return []*value{{Difference: verdict}, {Difference: restored}}
}

// turned is what became of a verdict. Of those that are no pass none is better.
func turned(before, now report.Verdict) report.Became {
	switch {
	case before == now:
		return report.Alike
	case before == report.Pass:
		return report.Regressed
	case now == report.Pass:
		return report.Improved
	}
	return report.Changed
}

// expectations are those of the earlier run, by their step and their text.
func (p Pair) expectations() []*value {
	before, now := p.Before.Record, p.Now.Record
	var all []*value
	left := slices.Clone(before.Expectations)
	for _, e := range now.Expectations {
		at := slices.IndexFunc(left, func(o report.Expectation) bool { return o.Step == e.Step && o.Expression == e.Expression })
		if at < 0 {
			continue
		}
		old := left[at]
		left = slices.Delete(left, at, at+1)
		was, is := old.Verdict, e.Verdict
		if (old.KnownBug == "") != (e.KnownBug == "") { // the one was to hold, the other not to
			was, is = truth(old), truth(e)
		}
		v := report.Difference{Of: e.Expression, Step: e.Step, Became: turned(was, is), Before: observed(old), Now: observed(e)}
		switch {
		case v.Became != report.Alike:
			v.Remarks = fmt.Sprintf("%s, before %s", verdictWords(e), verdictWords(old))
		case v.Before.Words != v.Now.Words:
			v.Became = report.Untested
		}
		parts := portions(before, now, old, e)
		if turned(was, is) != report.Alike || len(parts) == 0 { // else they say it, and how sure that is
			all = append(all, &value{Difference: v})
		}
		all = append(all, parts...)
	}
	for _, old := range left {
		all = append(all, p.gone(old))
	}
	return all
}

// truth is the verdict on what an expectation says, be it a known bug, which is to be false.
func truth(e report.Expectation) report.Verdict {
	switch {
	case e.KnownBug == "":
		return e.Verdict
	case e.Verdict == report.Fail: // it has come true
		return report.Pass
	case e.Verdict == report.Pass && e.Reason != "": // it is false, as was said
		return report.Fail
	}
	return e.Verdict
}

func verdictWords(e report.Expectation) string {
	if e.KnownBug != "" {
		return fmt.Sprintf("%s as the known bug %s", e.Verdict, e.KnownBug)
	}
	return string(e.Verdict)
}

// gone is an expectation that is not asked for any more, be it that another bound is. What
// the later run observed says whether it holds still; of one that held it is worse where it
// does not, and where nobody can tell.
func (p Pair) gone(old report.Expectation) *value {
	v := report.Difference{Of: old.Expression, Step: old.Step, Became: report.Changed, Before: observed(old)}
	words := "nobody can tell whether it holds still"
	judged, known := p.Now.judge(old)
	if known {
		v.Now, words = observed(judged), fmt.Sprintf("by what was observed now it is %s", article(judged.Verdict))
	}
	if truth(old) == report.Pass && truth(judged) != report.Pass {
		v.Became = report.Regressed
	}
	v.Remarks = fmt.Sprintf("it was %s, and is not asked for any more; %s", article(old.Verdict), words)
	return &value{Difference: v}
}

// article is a verdict as what an expectation is.
func article(v report.Verdict) string {
	if v == report.Inconclusive {
		return string(v)
	}
	return "a " + string(v)
}

// judge is what an expectation of another run comes to in this one, if anybody can tell.
func (r Run) judge(e report.Expectation) (judged report.Expectation, known bool) {
	if r.Judge == nil {
		return report.Expectation{}, false
	}
	return r.Judge(e)
}

// observed is what an expectation observed, in words and as what it measured.
func observed(e report.Expectation) report.Observed {
	o := report.Observed{Words: e.Observed}
	if len(e.Values) == 1 {
		o.Measure = &e.Values[0]
	}
	return o
}

// part is a share of requests as it was observed.
func part(count, total int64) report.Observed {
	m := report.Measure{Unit: report.Share, Value: float64(count) / float64(total)}
	return report.Observed{Words: fmt.Sprintf("%s (%d of %d)", summary.Share(m.Value), count, total), Measure: &m}
}
