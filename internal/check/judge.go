package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/report"
)

// Judge judges the line by what was recorded, and by nothing else, so that a
// record can be judged again. Comparisons that are joined by && at the top get
// a row each. Step and Line are left to the caller.
func (e *Expectation) Judge(w Windows) []report.Expectation {
	rows := make([]report.Expectation, len(e.parts))
	for i, part := range e.parts {
		f := part.judge(w)
		rows[i] = report.Expectation{
			Expression: part.text,
			Verdict:    f.verdict,
			Observed:   f.observed,
			Limit:      f.limit,
			Samples:    f.samples,
			Source:     strings.Join(f.sources, ", "),
			Reason:     f.reason,
		}
	}
	return rows
}

// KnownBug turns the rows of one line round that carries a ticket: the line is
// expected to be false. Where it is, its false rows pass. Where it has come
// true, all of them fail, so that the file is corrected. A row that is
// inconclusive stays so.
func KnownBug(rows []report.Expectation, ticket string) []report.Expectation {
	turned := slices.Clone(rows)
	line := Overall(rows)
	for i := range turned {
		row := &turned[i]
		row.KnownBug = ticket
		switch {
		case line == report.Pass:
			row.Verdict, row.Reason = report.Fail, fmt.Sprintf("%s has come true; correct the file", row.Expression)
		case row.Verdict == report.Fail:
			row.Verdict, row.Reason = report.Pass, fmt.Sprintf("false, as %s says: %s", ticket, row.Reason)
		}
	}
	return turned
}

// Overall returns the verdict of rows together: a fail beats an inconclusive,
// and that a pass. No rows are inconclusive, since nothing was judged.
func Overall(rows []report.Expectation) report.Verdict {
	verdict := report.Pass
	if len(rows) == 0 {
		verdict = report.Inconclusive
	}
	for _, row := range rows {
		switch row.Verdict {
		case report.Fail:
			return report.Fail
		case report.Pass:
		default:
			verdict = report.Inconclusive
		}
	}
	return verdict
}
