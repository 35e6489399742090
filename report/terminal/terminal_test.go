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

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/report"
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
			{Object: "VirtualService/default/reviews", Step: "given", Action: "updated", Before: json.RawMessage("{}"), After: json.RawMessage("{}"), LiveIn: []string{"a", "b"}, LiveMs: 56, Restored: true, Proof: "equal"},
			{Object: "VirtualService/default/ratings", Action: "created", After: json.RawMessage("{}"), Proof: "it is still there; delete it"},
		},
		Problems: []string{"the fault on ratings never bit"},
	}
}

func TestTheFaceIsAsShown(t *testing.T) {
	for name, options := range map[string]Options{"plain": {}, "color": {Color: true}, "narrow": {Width: 40}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := Write(&out, record(), options); err != nil {
				t.Fatal(err)
			}
			golden := "testdata/" + name + ".txt"
			if *update {
				if err := os.WriteFile(golden, out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("the face differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingIsSaidToBeRestoredThatIsNot(t *testing.T) {
	var out bytes.Buffer
	if err := Write(&out, record(), Options{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "Everything is as it was") || !strings.Contains(out.String(), "NOT RESTORED") || !strings.Contains(out.String(), "it is still there; delete it") {
		t.Errorf("the face is\n%s", &out)
	}
}

func TestWhatOthersChangedIsNotSaidToBeAsItWas(t *testing.T) {
	r := &report.Record{Restored: true, Changes: []report.Change{
		{Object: "VirtualService/default/theirs", Action: "updated", Before: json.RawMessage(`{"kind":"VirtualService","metadata":{"name":"theirs"}}`), After: json.RawMessage("{}"), Restored: true, Kept: true, Proof: "somebody else deleted it"},
	}}
	var out strings.Builder
	if err := Write(&out, r, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"changed by others", "Nothing of this run is left", "VirtualService/default/theirs: somebody else deleted it\n", `as it was: {"kind":"VirtualService"`} {
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "Everything is as it was") {
			t.Errorf("the face, which lacks %q, is\n%s", want, &out)
		}
	}
}

func TestWhatWasThereIsPrintedSoThatItCanBeWrittenBack(t *testing.T) {
	r := record()
	r.Changes = []report.Change{
		{Object: "VirtualService/default/reviews", Step: "given", Action: "updated", Before: json.RawMessage(`{"kind":"VirtualService","metadata":{"name":"reviews","resourceVersion":"7","uid":"u"}}`), Proof: "it is gone"},
		{Object: "VirtualService/default/reviews", Step: "one", Action: "updated", Before: json.RawMessage(`{"kind":"VirtualService","metadata":{"name":"ours"}}`), Proof: "it is gone"},
	}
	var out bytes.Buffer
	if err := Write(&out, r, Options{}); err != nil {
		t.Fatal(err)
	}
	want := `VirtualService/default/reviews: it is gone
VirtualService/default/reviews, as it was: {"kind":"VirtualService","metadata":{"name":"reviews"}}
`
	if strings.Count(out.String(), "it is gone") != 1 || !strings.Contains(out.String(), want) || strings.Contains(out.String(), "ours") {
		t.Errorf("the face is\n%s", &out)
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
	var out strings.Builder
	if err := Write(&out, r, Options{}); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "gone again") != 2 || strings.Contains(out.String(), "as before") {
		t.Errorf("it prints\n%s", out.String())
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
