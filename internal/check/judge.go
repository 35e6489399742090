package check

import (
	"fmt"
	"strings"

	"github.com/meshchaos/meshchaos/report"
)

// Judge judges the line by what was recorded, and by nothing else, so that a
// record can be judged again. Comparisons that are joined by && at the top get
// a row each. Step and Line are left to the caller.
//
// What is true and could not have been false, with the requests that there were,
// is inconclusive, and so is what is true only if answers are left out of which
// nobody knows whose they are.
func (e *Expectation) Judge(w Windows) []report.Expectation {
	findings := e.findings(w)
	for i := range findings {
		if findings[i].verdict == report.Pass {
			e.doubt(w, i, &findings[i])
		}
	}
	return e.rows(findings)
}

// JudgeKnownBug judges a line that carries a ticket: it is expected to be false. Where
// it is, its false rows pass, unless they could not have been true, and the others
// as those of any line. Where it has come true, all of them fail, so that the file
// is corrected. A row that is inconclusive stays so.
func (e *Expectation) JudgeKnownBug(w Windows, ticket string) []report.Expectation {
	findings := e.findings(w)
	line := verdictOf(findings)
	for i := range findings {
		f := &findings[i]
		switch {
		case line == report.Pass:
			f.verdict, f.reason = report.Fail, fmt.Sprintf("%s has come true; correct the file", e.parts[i].text)
		case f.verdict == report.Pass:
			e.doubt(w, i, f)
		case f.verdict == report.Fail:
			if e.doubt(w, i, f); f.verdict == report.Fail {
				f.verdict, f.reason = report.Pass, fmt.Sprintf("false, as %s says: %s", ticket, f.reason)
			}
		}
	}
	rows := e.rows(findings)
	for i := range rows {
		rows[i].KnownBug = ticket
	}
	return rows
}

// findings judges each part, without a doubt.
func (e *Expectation) findings(w Windows) []finding {
	findings := make([]finding, len(e.parts))
	for i, part := range e.parts {
		findings[i] = part.judge(w)
	}
	return findings
}

// doubt makes a finding inconclusive that rests on answers nobody can tell apart,
// or that could not have been another.
func (e *Expectation) doubt(w Windows, part int, f *finding) {
	reason := strings.Join(f.doubts, "; ")
	if reason == "" {
		reason = e.decided(w, part, f.verdict)
	}
	if reason != "" {
		f.verdict, f.reason = report.Inconclusive, reason
	}
}

func (e *Expectation) rows(findings []finding) []report.Expectation {
	rows := make([]report.Expectation, len(findings))
	for i, f := range findings {
		rows[i] = report.Expectation{
			Expression: e.parts[i].text,
			Verdict:    f.verdict,
			Observed:   f.observed,
			Limit:      f.limit,
			Values:     f.values,
			Bounds:     f.bounds,
			Samples:    f.samples,
			Source:     strings.Join(f.sources, ", "),
			Reason:     f.reason,
		}
	}
	return rows
}

// Overall returns the verdict of rows together: a fail beats an inconclusive,
// and that a pass. No rows are inconclusive, since nothing was judged.
func Overall(rows []report.Expectation) report.Verdict {
	verdicts := make([]report.Verdict, len(rows))
	for i, row := range rows {
		verdicts[i] = row.Verdict
	}
	return worst(verdicts)
}

// verdictOf is that of findings together.
func verdictOf(findings []finding) report.Verdict {
	verdicts := make([]report.Verdict, len(findings))
	for i, f := range findings {
		verdicts[i] = f.verdict
	}
	return worst(verdicts)
}

func worst(verdicts []report.Verdict) report.Verdict {
	verdict := report.Pass
	if len(verdicts) == 0 {
		verdict = report.Inconclusive
	}
	for _, v := range verdicts {
		switch v {
		case report.Fail:
			return report.Fail
		case report.Pass:
		default:
			verdict = report.Inconclusive
		}
	}
	return verdict
}
