package terminal

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
	"github.com/meshchaos/meshchaos/test/records"
)

var update = flag.Bool("update", false, "write the golden files")

// record has one of each sort of row.
func record() *report.Record {
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &report.Record{
		Run: "0a1b2c3d", Seed: new(uint64(7)), Verdict: report.Fail,
		Scenario: report.Scenario{Name: "canary", Summary: "One in ten.", Library: true, Params: map[string]string{"version": "v2", "host": "shop"}, Set: []string{"params.host=shop"}},
		Mesh:     report.Mesh{Kind: "embedded", Namespace: "default"},
		Started:  started, Ended: started.Add(1234 * time.Millisecond),
		Expectations: []report.Expectation{
			{Expression: "pages.max < 2s", Step: "one", Verdict: report.Pass, Observed: "12.3ms", Limit: "< 2s", Samples: 40, Source: "clients"},
			{Expression: "pages.errors == 0", Step: "one", Verdict: report.Fail, Observed: "3", Limit: "0", Samples: 40, Source: "clients", Reason: "3 is not 0"},
			{Expression: "faults(ratings) > 0", Step: "two", Verdict: report.Inconclusive, Limit: "> 0", Reason: "no proxy keeps it; annotate the pods"},
		},
		Changes: []report.Change{
			{Object: "VirtualService/default/reviews", Step: "given", Action: "updated", Before: json.RawMessage("{}"), After: json.RawMessage("{}"), LiveIn: []string{"a", "b"}, Live: loadgen.Duration{Duration: 56 * time.Millisecond}, Restored: true, Proof: "equal"},
			{Object: "VirtualService/default/ratings", Action: "created", After: json.RawMessage("{}"), Proof: "it is still there; delete it"},
		},
		Problems: []string{"the fault on ratings never bit"},
	}
}

func TestTheFaceIsAsShown(t *testing.T) {
	for name, options := range map[string]Options{"plain": {}, "color": {Color: true}, "narrow": {Width: 40}} {
		t.Run(name, func(t *testing.T) { hold(t, name, shown(t, record(), options)) })
	}
	for _, name := range records.Names(t) {
		for suffix, options := range map[string]Options{"-80": {Width: 80}, "-200": {Width: 200}, "-wide": {Width: 200, Wide: true}} {
			t.Run(name+suffix, func(t *testing.T) { hold(t, name+suffix, shown(t, records.Read(t, name), options)) })
		}
	}
}

func shown(t *testing.T, r *report.Record, o Options) string {
	t.Helper()
	var out strings.Builder
	if err := Write(&out, r, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// hold holds a text against its golden.
func hold(t *testing.T, name, got string) {
	t.Helper()
	golden := "testdata/" + name + ".txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the face differs (-want +got):\n%s", diff)
	}
}

func TestNoLineIsWiderThanTheTerminalOrEndsInBlanks(t *testing.T) {
	for _, name := range records.Names(t) {
		for _, width := range []int{80, 100, 120, 200} {
			for _, wide := range []bool{false, true} {
				for line := range strings.Lines(shown(t, records.Read(t, name), Options{Width: width, Wide: wide, Explain: true})) {
					line = strings.TrimSuffix(line, "\n")
					if strings.HasSuffix(line, " ") {
						t.Errorf("%s in %d columns: it ends in blanks: %q", name, width, line)
					}
					manifest, word := strings.HasPrefix(line, "{"), !strings.Contains(strings.TrimSpace(line), " ")
					if twwidth.Width(line) > width && !manifest && !word {
						t.Errorf("%s in %d columns: it has %d: %q", name, width, twwidth.Width(line), line)
					}
				}
			}
		}
	}
}

func TestTheVerdictIsWhatOneSeesFirstAndLast(t *testing.T) {
	for _, name := range records.Names(t) {
		r := records.Read(t, name)
		lines := strings.Split(strings.TrimSpace(shown(t, r, Options{Width: 80})), "\n")
		word := strings.ToUpper(string(r.Verdict))
		if !strings.HasPrefix(lines[0], word+" "+r.Scenario.Name+": ") {
			t.Errorf("%s begins %q", name, lines[0])
		}
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, r.Scenario.Name+": "+word) || strings.Contains(last, "NOT RESTORED") == r.Restored {
			t.Errorf("%s ends %q", name, last)
		}
	}
}

func TestTheVerdictAloneIsOneSentence(t *testing.T) {
	for _, name := range records.Names(t) {
		var out strings.Builder
		r := records.Read(t, name)
		if err := WriteVerdict(&out, r, Options{}); err != nil {
			t.Fatal(err)
		}
		if out.String() != summary.Headline(r)+"\n" {
			t.Errorf("%s is told as %q", name, &out)
		}
	}
}

// What a service, a file or a foreign record says must give a terminal no orders.
func TestNothingThatARecordHoldsActsOnTheTerminal(t *testing.T) {
	const evil = "\x1b[2J\x1b]0;title\a\u009b1A\u202e\xff<script>|`\n"
	r := records.Read(t, "not-restored")
	long := evil + strings.Repeat("x", 5<<20)
	r.Verdict, r.Scenario.Name, r.Scenario.Summary, r.Run = report.Fail, evil, evil, evil
	r.Mesh.Version, r.Scenario.File, r.Scenario.Set = evil, evil, []string{evil}
	r.Problems = append(r.Problems, long)
	r.Warnings = append(r.Warnings, evil)
	r.Changes[0].Before = json.RawMessage("{\"metadata\":{\"name\":\"\u009b1A\u202e\"}}")
	for i := range r.Changes {
		r.Changes[i].Restored, r.Changes[i].Proof = false, long
	}
	for i := range r.Expectations {
		e := &r.Expectations[i]
		e.Verdict, e.Observed, e.Limit, e.Reason, e.Source = []report.Verdict{report.Fail, report.Inconclusive}[i%2], long, evil, evil, evil
	}
	for i := range r.Windows {
		w := &r.Windows[i]
		w.Cut = evil
		w.Loads[evil] = &loadgen.Result{Failure: evil, Outcomes: []loadgen.Outcome{{Error: evil, Count: 1}}}
		w.Calls = append(w.Calls, report.Explained{Cohort: evil, Why: evil, Answer: evil, Note: evil, Call: &report.Call{To: evil, Upstream: evil, Flags: []string{evil}}})
	}
	for _, options := range []Options{{}, {Width: 80}, {Width: 80, Wide: true, Explain: true}} {
		out := shown(t, r, options)
		for i, c := range out {
			if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) || c == utf8.RuneError && out[i] != 0xef {
				t.Fatalf("%+v: %q is printed: %q", options, c, out[max(0, i-50):i+10])
			}
		}
		if len(out) > 400_000 {
			t.Errorf("%+v: %d bytes are printed", options, len(out))
		}
	}
}

func TestNothingIsSaidToBeRestoredThatIsNot(t *testing.T) {
	out := shown(t, record(), Options{})
	if strings.Contains(out, "all as they were") || !strings.Contains(out, "NOT RESTORED") || !strings.Contains(out, "it is still there\n  delete it\n") {
		t.Errorf("the face is\n%s", out)
	}
}

func TestWhatOthersChangedIsNotSaidToBeAsItWas(t *testing.T) {
	r := &report.Record{Restored: true, Changes: []report.Change{
		{Object: "VirtualService/default/theirs", Action: "updated", Before: json.RawMessage(`{"kind":"VirtualService","metadata":{"name":"theirs"}}`), After: json.RawMessage("{}"), Restored: true, Kept: true, Proof: "somebody else deleted it"},
	}}
	out := shown(t, r, Options{})
	for _, want := range []string{"VirtualService/default/theirs: changed by others\n  somebody else deleted it\n", "nothing of this run is left, but somebody else changed 1 meanwhile", "as it was:\n" + `{"kind":"VirtualService"`} {
		if !strings.Contains(out, want) || strings.Contains(out, "all as they were") {
			t.Errorf("the face, which lacks %q, is\n%s", want, out)
		}
	}
}

func TestWhatWasThereIsPrintedSoThatItCanBeWrittenBack(t *testing.T) {
	r := record()
	r.Changes = []report.Change{
		{Object: "VirtualService/default/reviews", Step: "given", Action: "updated", Before: json.RawMessage(`{"kind":"VirtualService","metadata":{"name":"reviews","resourceVersion":"7","uid":"u"}}`), Proof: "it is gone"},
		{Object: "VirtualService/default/reviews", Step: "one", Action: "updated", Before: json.RawMessage(`{"kind":"VirtualService","metadata":{"name":"ours"}}`), Proof: "it is gone"},
	}
	want := `VirtualService/default/reviews: NOT RESTORED
  it is gone
VirtualService/default/reviews, as it was:
{"kind":"VirtualService","metadata":{"name":"reviews"}}
`
	for _, width := range []int{0, 40} {
		if out := shown(t, r, Options{Width: width}); strings.Count(out, "it is gone") != 1 || !strings.Contains(out, want) || strings.Contains(out, "ours") {
			t.Errorf("the face is\n%s", out)
		}
	}
}

func TestAManifestWithoutItsSecretIsNotWrittenBackUnawares(t *testing.T) {
	for value, says := range map[string]bool{"***": true, `\\*\\*\\*`: true, "plain": false} { // of which the second is an expression
		r := record()
		r.Changes[1].Before = json.RawMessage(`{"metadata":{"name":"ratings"},"spec":{"set":"` + value + `"}}`)
		if out := shown(t, r, Options{}); strings.Contains(out, "*** stands for a secret") != says {
			t.Errorf("of %s the face says\n%s", value, out)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAWriteThatFailsIsAnError(t *testing.T) {
	if err := Write(full{}, record(), Options{}); err == nil {
		t.Error("the face was printed to nowhere, and no error")
	}
}

func TestAnObjectThatTheRunMadeAndChangedIsGoneAgain(t *testing.T) {
	r := &report.Record{Restored: true, Changes: []report.Change{
		{Object: "VirtualService/default/ours", Step: "given", Action: "created", After: json.RawMessage("{}"), Restored: true},
		{Object: "VirtualService/default/ours", Action: "updated", Before: json.RawMessage("{}"), After: json.RawMessage("{}"), Restored: true},
	}}
	out := shown(t, r, Options{Wide: true})
	if strings.Count(out, "gone again") != 2 || strings.Contains(out, "as before") {
		t.Errorf("it prints\n%s", out)
	}
}

func TestASeedIsOfTheMeshWhoseDrawsItRepeats(t *testing.T) {
	for _, seed := range []*uint64{new(uint64(7)), nil} {
		r := record()
		r.Seed = seed
		var out bytes.Buffer
		if err := Write(&out, r, Options{}); err != nil || strings.Contains(out.String(), "seed") != (seed != nil) {
			t.Errorf("%v, %s", err, &out)
		}
	}
}
