package verdict_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/verdict"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// concluding is the file with a sentence in each step.
func concluding(t *testing.T, one, two string) *scenarios.Scenario {
	t.Helper()
	text := strings.Replace(file, "    - name: one\n", "    - name: one\n      conclusion: "+one+"\n", 1)
	text = strings.Replace(text, "    - name: two\n", "    - name: two\n      conclusion: "+two+"\n", 1)
	path := filepath.Join(t.TempDir(), "two.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAPassIsConcludedByWhatItsRecordHolds: another record, another sentence, and of no
// other verdict any.
func TestAPassIsConcludedByWhatItsRecordHolds(t *testing.T) {
	answers := func(ok, refused int64) *loadgen.Result {
		return load(20, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: ok}, loadgen.Outcome{Status: 503, Count: refused})
	}
	for name, test := range map[string]struct {
		bend func(*report.Record)
		want string
		warn string
	}{
		"a healthy run": {func(*report.Record) {}, "20 of 20 were answered. | 0% were refused and 0 counted. Then 7 were answered.", ""},
		"other numbers": {func(r *report.Record) {
			put(&r.Windows[2], "client", answers(19, 1))
			put(&r.Windows[3], "client", load(7, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 7}))
		}, "20 of 20 were answered. | 5% were refused and 0 counted. Then 7 were answered.", ""},
		"a failing run":             {func(r *report.Record) { put(&r.Windows[2], "client", answers(9, 11)) }, "", ""},
		"a doubtful run":            {func(r *report.Record) { r.Problems = []string{"the pod died"} }, "", ""},
		"a run that left something": {func(r *report.Record) { r.Restored = false }, "", ""},
		"a quantity that nobody knows": {func(r *report.Record) {
			r.Windows[2].Quantities[0].Value = nil
		}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := healthy(t)
			test.bend(r)
			s := concluding(t, `"{client.status[200]} of {client.sent} were answered."`, `"{client.share(503)} were refused and {overflows(httpbin)} counted. Then {recovery.client.status[200]} were answered."`)
			r.Conclusions = []report.Conclusion{{Text: "of an earlier judgement"}}
			verdict.Judge(r, s).Enter(r)
			if got := texts(r); got != test.want {
				t.Errorf("%s: concluded %q, want %q; problems %q", r.Verdict, got, test.want, r.Against())
			}
		})
	}
}

func texts(r *report.Record) string {
	var all []string
	for _, c := range r.Conclusions {
		all = append(all, c.Text)
	}
	return strings.Join(all, " | ")
}

// TestAConclusionWithoutEvidenceIsLeftOut: an amount may be missing though all that is
// expected of what it is made of holds. The other sentences may go on from that one.
func TestAConclusionWithoutEvidenceIsLeftOut(t *testing.T) {
	r, _ := healthy(t)
	s := concluding(t, `"{client.status[200]} were answered."`, `"{client.share(503) / client.status[200]} and {client.status[200] / overflows(httpbin)}"`)
	verdict.Judge(r, s).Enter(r)
	const want = "the conclusion of step two is left out: client.status[200] / overflows(httpbin): it divides by 0"
	if r.Verdict != report.Pass || texts(r) != "" || strings.Join(r.Warnings, "|") != want {
		t.Errorf("%s with %q, warned of %q", r.Verdict, texts(r), r.Warnings)
	}
}

// TestAWarningOfAJudgementGoesWithIt: judged again, by another program perhaps, a record
// has what that judgement warns of, once, and still what the run itself warned of.
func TestAWarningOfAJudgementGoesWithIt(t *testing.T) {
	r, _ := healthy(t)
	r.Warnings = []string{"the access logs are off"}
	gap := concluding(t, `"{client.status[200]} were answered."`, `"{client.status[200] / overflows(httpbin)}"`)
	for range 2 {
		verdict.Judge(r, gap).Enter(r)
		if len(r.Warnings) != 2 || !strings.Contains(r.Warnings[1], "is left out") {
			t.Errorf("warned of %q", r.Warnings)
		}
	}
	verdict.Judge(r, concluding(t, `"{client.status[200]} were answered."`, `"{client.share(503)} were refused."`)).Enter(r)
	if len(r.Warnings) != 1 || r.Warnings[0] != "the access logs are off" || r.Judged != nil {
		t.Errorf("warned of %q, of them by the judgement %q", r.Warnings, r.Judged)
	}
}

func TestAConclusionHasItsStepItsLineAndItsAmounts(t *testing.T) {
	r, _ := healthy(t)
	s := concluding(t, `"{client.status[200]} were answered."`, `"{client.share(503)} were refused."`)
	verdict.Judge(r, s).Enter(r)
	if len(r.Conclusions) != 2 {
		t.Fatalf("%s: %+v", r.Verdict, r.Conclusions)
	}
	two := r.Conclusions[1]
	if two.Step != "two" || two.Line == 0 || !strings.Contains(strings.Split(s.Text, "\n")[two.Line-1], "were refused") || len(two.Amounts) != 1 {
		t.Errorf("it is %+v", two)
	}
	if a := two.Amounts[0]; a.Expression != "client.share(503)" || a.Words != "0%" || a.Measure.Part == nil || a.Measure.Part.Total != 20 || a.Samples != 20 || a.Source != "clients" {
		t.Errorf("the amount is %+v", a)
	}
}
