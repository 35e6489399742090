package terminal

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// explained is a record with a slow and a bad request of two cohorts in each
// window.
func explained(verdict report.Verdict, rows ...report.Expectation) *report.Record {
	r := &report.Record{Verdict: verdict, Expectations: rows}
	for _, w := range []report.Window{{Name: report.Baseline}, {Name: report.During, Step: "one"}, {Name: report.During, Step: "two"}, {Name: report.Recovery}} {
		for _, cohort := range []string{"a", "b"} {
			call := report.Call{To: "web", Upstream: "web-v1", Duration: loadgen.Duration{Duration: 6 * time.Second}, Status: 503, Flags: []string{"DI"}}
			w.Calls = append(w.Calls, report.Explained{Cohort: cohort, Why: report.WhySlowest, Call: &call},
				report.Explained{Cohort: cohort, Why: "status 503", Note: "no other call has this request's id: what was called calls nobody, or does not pass x-request-id on"})
		}
		r.Windows = append(r.Windows, w)
	}
	return r
}

// headings are those of the trees of a face.
func headings(t *testing.T, r *report.Record, explain bool) (all []string) {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, r, Options{Width: 80, Explain: explain}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if twwidth.Width(line) > 81 {
			t.Errorf("wider than 80 columns: %s", line)
		}
		if line = strings.TrimSpace(line); strings.HasSuffix(line, "request:") || strings.HasSuffix(line, "status 503:") {
			all = append(all, line)
		}
	}
	return all
}

func TestTheTreesAreThoseOfWhatFailed(t *testing.T) {
	failed := func(step, expression string) report.Expectation {
		return report.Expectation{Step: step, Expression: expression, Verdict: report.Fail}
	}
	both := func(where string) []string {
		return []string{where + ", the slowest request:", where + ", a request with status 503:"}
	}
	bad := func(but ...string) (all []string) {
		for _, where := range []string{"in the baseline", "in step one", "in step two", "in the recovery"} {
			for _, cohort := range []string{"a ", "b "} {
				if slices.Contains(but, cohort+where) {
					all = append(all, cohort+where+", the slowest request:")
				}
				all = append(all, cohort+where+", a request with status 503:")
			}
		}
		return all
	}
	for name, one := range map[string]struct {
		record *report.Record
		want   []string
	}{
		"a pass":                    {explained(report.Pass), nil},
		"a failure that is known":   {explained(report.Pass, failed("one", "a.max < 1s")), both("a in step one")},
		"of the baseline":           {explained(report.Pass, failed("one", "a.max < 2 * baseline.b.max")), append(both("b in the baseline"), both("a in step one")...)},
		"of the recovery":           {explained(report.Fail, failed("two", "recovery.a.max < 1s")), bad("a in the recovery")},
		"what nobody has an eye on": {explained(report.Inconclusive), bad()},
	} {
		if got := headings(t, one.record, false); !slices.Equal(got, one.want) {
			t.Errorf("%s: got %s\nwant %s", name, fmt.Sprint(got), fmt.Sprint(one.want))
		}
		if got := headings(t, one.record, true); len(got) != 16 {
			t.Errorf("%s: asked for all, got %d", name, len(got))
		}
	}
}

func TestATreeOfWhatAnAnswerShowsIsOfWhoAsksForIt(t *testing.T) {
	for expression, want := range map[string]int{`pages.share("sorry") == 0%`: 2, "split(pages).is(v1 == 90%, v2 == 10%)": 2, "pages.max < 1s": 1, "pages2.max < 1s": 0} {
		r := &report.Record{Verdict: report.Fail, Expectations: []report.Expectation{{Expression: expression, Verdict: report.Fail}}, Windows: []report.Window{{
			Name: report.During,
			Calls: []report.Explained{
				{Cohort: "pages", Why: report.WhySlowest, Answer: "nothing that is checked", Note: "."},
				{Cohort: "pages", Why: report.WhyAnswer, Answer: "check sorry", Note: "."},
			},
		}}}
		var out bytes.Buffer
		if err := Write(&out, r, Options{}); err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, heading := range []string{"pages under the rule, the slowest request, whose answer shows nothing that is checked:\n", "pages under the rule, a request whose answer shows check sorry:\n"} {
			got += strings.Count(out.String(), heading)
		}
		if got != want {
			t.Errorf("%s is explained by %d requests, not %d:\n%s", expression, got, want, &out)
		}
	}
}

func TestItIsSaidThatThereIsNothingToExplainWith(t *testing.T) {
	for name, one := range map[string]struct {
		record       *report.Record
		asked, wants bool
	}{
		"asked for, and none is known": {&report.Record{Windows: []report.Window{{Name: report.During}}}, true, true},
		"not asked for":                {&report.Record{Windows: []report.Window{{Name: report.During}}}, false, false},
		"some are known":               {explained(report.Pass), true, false},
	} {
		var out bytes.Buffer
		if err := Write(&out, one.record, Options{Width: 80, Explain: one.asked}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "No calls are explained: ") != one.wants {
			t.Errorf("%s:\n%s", name, &out)
		}
	}
}
