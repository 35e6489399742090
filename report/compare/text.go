package compare

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// Text writes what has changed, as lines for a terminal; all also what has not.
func Text(w io.Writer, c *report.Comparison, all bool) error {
	var out strings.Builder
	for _, s := range c.Scenarios {
		fmt.Fprintf(&out, "%s\n", Heading(s))
		fmt.Fprintf(&out, "  before  %s\n  now     %s\n", Where(s.Before), Where(s.Now))
		for _, reason := range s.Unlike {
			fmt.Fprintf(&out, "  %s\n", summary.Text(reason))
		}
		values := Shown(s, all)
		if len(values) > 0 {
			out.WriteByte('\n')
		}
		for _, v := range values {
			fmt.Fprintf(&out, "  %-9s  %s\n             %s\n", v.Became, Name(v), Words(v))
		}
		out.WriteByte('\n')
	}
	for _, name := range c.New {
		fmt.Fprintf(&out, "%s: there is no earlier run\n", summary.Text(name))
	}
	fmt.Fprintln(&out, Sum(c))
	_, err := io.WriteString(w, out.String())
	return err
}

// Since is Text of a record's own comparison, under a line that says what it is; empty: it
// has none.
func Since(r *report.Record, all bool) string {
	c := r.Comparison()
	if c == nil {
		return ""
	}
	var out strings.Builder
	out.WriteString("compared with an earlier run:\n")
	_ = Text(&out, c, all) // which has no end
	return out.String()
}

// Heading is what became of a scenario in a few words. It is alike only where nothing
// speaks against that, and all that differs was tested.
func Heading(s report.Compared) string {
	words := string(worst(s))
	switch {
	case worst(s) == report.Regressed:
		words = "REGRESSED"
	case worst(s) == report.Alike && (len(s.Unlike) > 0 || has(s, report.Untested)):
		words = "nothing that was tested has changed"
	}
	if len(s.Unlike) > 0 {
		words += ", and the runs are not alike"
	}
	return summary.Text(s.Scenario) + ": " + words
}

// worst is what heads a scenario: regressed if any value has, and alike if all are that
// were tested.
func worst(s report.Compared) report.Became {
	for _, became := range order {
		if became != report.Untested && has(s, became) {
			return became
		}
	}
	return report.Alike
}

func has(s report.Compared, became report.Became) bool {
	return slices.ContainsFunc(s.Values, func(v report.Difference) bool { return v.Became == became })
}

// order is that in which values are shown, and quiet what is shown only with all.
var (
	order = []report.Became{report.Regressed, report.Changed, report.Improved, report.Untested, report.Alike}
	quiet = []report.Became{report.Untested, report.Alike}
)

// Shown are the values of a scenario that are to be shown, those that regressed first.
func Shown(s report.Compared, all bool) []report.Difference {
	var shown []report.Difference
	for _, became := range order {
		for _, v := range s.Values {
			if v.Became == became && (all || !slices.Contains(quiet, became)) {
				shown = append(shown, v)
			}
		}
	}
	return shown
}

// Name is what a value is of: pages p50, step one-in-ten.
func Name(v report.Difference) string {
	words := summary.Text(strings.TrimSpace(v.Cohort + " " + v.Of))
	switch {
	case v.Window != "":
		return words + ", " + summary.Text(summary.When(&report.Window{Name: v.Window, Step: v.Step}))
	case v.Step != "":
		return words + ", step " + summary.Text(v.Step)
	}
	return words
}

// Words are the values themselves, and what is to be said of them.
func Words(v report.Difference) string {
	words := fmt.Sprintf("%s, before %s", observedWords(v.Now), observedWords(v.Before))
	if a, b := v.Before.Measure, v.Now.Measure; a != nil && b != nil && a.Unit == report.Seconds && a.Value > 0 && v.P != nil {
		words += fmt.Sprintf(", %+.0f%%", (b.Value/a.Value-1)*100)
	}
	if v.P != nil {
		words += ", " + chanceWords(*v.P)
	}
	if v.Remarks != "" && v.Became != report.Alike {
		words += "; " + summary.Text(v.Remarks)
	}
	return words
}

func observedWords(o report.Observed) string {
	if o.Words == "" {
		return "not known"
	}
	return summary.Text(o.Words)
}

// chanceWords is a p in words. Nobody needs to know how much less than a trillionth.
func chanceWords(p float64) string {
	switch {
	case p < 1e-12:
		return "p < 1e-12"
	case p < 0.001:
		return fmt.Sprintf("p = %.0e", p)
	}
	return fmt.Sprintf("p = %.2g", p)
}

// Sum is what a comparison came to in one sentence.
func Sum(c *report.Comparison) string {
	var words []string
	for _, became := range order {
		if n := c.Count(became); n > 0 {
			words = append(words, fmt.Sprintf("%s %s", summary.Plural(int64(n), "value"), became))
		}
	}
	return fmt.Sprintf("%s compared: %s (%s; a change where there is none is found in %s of comparisons at most)", summary.Plural(int64(len(c.Scenarios)), "scenario"),
		strings.Join(words, ", "), summary.Plural(int64(c.Tests), "test"), summary.Share(c.Alpha))
}

// Where says which run it is.
func Where(s report.Side) string {
	words := fmt.Sprintf("%s, %s, run %s", summary.Moment(s.Started), summary.Text(summary.Word(s.Verdict)), summary.Text(s.Run))
	if !s.Restored {
		words += ", NOT RESTORED"
	}
	if s.File != "" {
		words += ", " + summary.Text(s.File)
	}
	return words
}
