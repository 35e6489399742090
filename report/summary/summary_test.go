package summary_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
	"github.com/meshchaos/meshchaos/test/records"
)

var update = flag.Bool("update", false, "write the golden files")

func TestEachRecordIsToldInTheseWords(t *testing.T) {
	for _, name := range records.Names(t) {
		t.Run(name, func(t *testing.T) {
			got, golden := told(records.Read(t, name)), "testdata/"+name+".txt"
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
				t.Errorf("it is told otherwise (-want +got):\n%s", diff)
			}
		})
	}
}

// told is all that there is to tell of a record.
func told(r *report.Record) string {
	var out strings.Builder
	line := func(words ...any) { fmt.Fprintln(&out, words...) }
	line(summary.Headline(r))
	line(summary.Ending(r))
	line(summary.Command(r))
	for _, l := range summary.Loads(r) {
		line("load:", summary.When(l.Window), l.Cohort, "|", l.Requests(), "|", l.QPS(), "|", l.P50, l.P90, l.P99, l.Max, "|", l.Statuses(), "|", l.Failures())
		if said := l.Messages(); said != "" {
			line("messages:", said)
		}
		line("  95% intervals of p50, p90, p99:", l.Between(0.5), "|", l.Between(0.9), "|", l.Between(0.99))
	}
	for _, f := range summary.Failures(r) {
		line("failure:")
		for _, e := range f.Expectations {
			line("  expectation:", e.Expression)
		}
		for _, l := range f.Loads {
			line("  load:", summary.When(l.Window), l.Cohort)
		}
		for _, tree := range f.Trees {
			line("  tree:", tree.Title())
			for _, c := range tree.Calls() {
				line(fmt.Sprintf("  %s%+v", strings.Repeat("  ", c.Depth), c))
			}
		}
	}
	for _, e := range r.Expectations {
		line("observed:", e.Expression, "|", e.Observed, "|", summary.Confident(r, e))
	}
	for _, u := range summary.Inconclusive(r) {
		line("could not be judged:", len(u.Expectations), u.Reason)
	}
	for _, p := range summary.Problems(r) {
		line(fmt.Sprintf("problem: %q %q %q", p.What, p.More, p.Objects))
	}
	for _, p := range summary.Warnings(r) {
		line(fmt.Sprintf("warning: %q %q %q", p.What, p.More, p.Objects))
	}
	for _, b := range summary.Bites(r) {
		line("bite:", summary.When(b.Window), b.Rule, b.Path, "|", b.SeenBy(), "|", b.Times(), "|", b.Told())
	}
	for _, c := range summary.Reconciled(r) {
		line("counted:", summary.When(c.Window), c.Target, "|", c.Client, c.Counted(), c.Agreed(), "|", c.Source)
	}
	line(summary.Restored(r))
	for _, o := range summary.Objects(r) {
		line("object:", o.Name, o.State(), "|", o.KnownBy())
		for _, diff := range o.Diffs() {
			line(diff)
		}
	}
	return out.String()
}

func TestASourceIsShort(t *testing.T) {
	for source, want := range map[string]string{
		"clients": "clients",
		"access log DI, FI at reviews-v2-567d754766-fcllm, clients":           "access log, clients",
		"stat fault.*_injected at clients-1":                                  "/stats",
		"no outlier detection in /config_dump; stat ejections_enforced_total": "/stats, /config_dump",
		"rq_total of /clusters at productpage-v1, clients":                    "/clusters, clients",
		"fortio": "fortio",
		"":       "",
	} {
		if got := summary.Source(source); got != want {
			t.Errorf("%q is %q, not %q", source, got, want)
		}
	}
}

func TestWhoIsToldAsFarAsTheRecordSays(t *testing.T) {
	for want, r := range map[string]report.Record{
		"":                {},
		"by anna on ci-7": {Who: &report.Who{User: "anna", Host: "ci-7"}},
		"on meshchaos-nightly-1 of the cluster at 10.0.0.1:443 as system:serviceaccount:shop:meshchaos": {
			Who: &report.Who{Host: "meshchaos-nightly-1"}, Mesh: report.Mesh{Server: "10.0.0.1:443", Account: "system:serviceaccount:shop:meshchaos"},
		},
		"by anna on ci-7 in the context shop of the cluster at api.example as anna@example.org": {
			Who: &report.Who{User: "anna", Host: "ci-7"}, Mesh: report.Mesh{Context: "shop", Server: "api.example", Account: "anna@example.org"},
		},
	} {
		if got := summary.Who(&r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWhatWasLeftIsHeldAgainstWhatWasThere(t *testing.T) {
	const before = `{"kind":"VirtualService","metadata":{"name":"a","resourceVersion":"1"}}`
	for left, want := range map[string]string{
		``:     "",
		`null`: "--- before\n+++ after\n@@ -1,3 +0,0 @@\n-kind: VirtualService\n-metadata:\n-  name: a\n",
		`{"kind":"VirtualService","metadata":{"name":"b","resourceVersion":"2"}}`: "--- before\n+++ after\n@@ -1,3 +1,3 @@\n kind: VirtualService\n metadata:\n-  name: a\n+  name: b\n",
	} {
		r := &report.Record{Changes: []report.Change{
			{Object: "VirtualService/shop/a", Before: []byte(before), After: []byte(`{}`), Left: []byte(left)},
			{Object: "VirtualService/shop/a", Before: []byte(`{}`), After: []byte(`{}`), Left: []byte(left)},
		}}
		if got := summary.Objects(r)[0].Left(); got != want {
			t.Errorf("of %s it is\n%s", left, got)
		}
	}
}
