//go:build e2e

package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/report"
)

// slowElsewhere has a fault for the ratings of one namespace, and load for those of one.
const slowElsewhere = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: slow-elsewhere}
spec:
  apply:
    - fault: {service: %q, delay: 20ms}
  load:
    raters: {get: "http://%s:9080/ratings/0", connections: 2, requests: 20}
  expect:
    - faults(%q) == raters.sent
    - raters.status[200] == raters.sent
`

// TestARunReachesTheServicesOfAnotherNamespace has both namespaces have services of the
// same names: a rule for those of one must not count as one for the other's.
func TestARunReachesTheServicesOfAnotherNamespace(t *testing.T) {
	home := optionsOf("").Namespace
	further := namespaceOf(t, build(t), "further")
	there := "ratings." + further
	both := func() []map[string]string {
		return []map[string]string{standing(t, home), standing(t, further)}
	}
	before := both()
	for i, test := range []struct {
		rule, load string
		verdict    report.Verdict
		further    []string
	}{
		{there, there, report.Pass, []string{further}},
		{there, "ratings", report.Fail, []string{further}},
		{"ratings", there, report.Fail, []string{further}},
		{"ratings." + home, "ratings", report.Pass, nil},
	} {
		t.Run(test.rule+" called at "+test.load, func(t *testing.T) {
			s := readScenario(t, fmt.Sprintf(slowElsewhere, test.rule, test.load, test.rule))
			id := fmt.Sprintf("far%x%02d", time.Now().Unix()&0xffff, i)
			record, err := runScenario(t, s, id, openIstio(t.Context(), t, id))
			if err != nil {
				t.Fatal(err)
			}
			if record.Verdict != test.verdict || !record.Restored || !slices.Equal(record.Mesh.Further, test.further) {
				t.Errorf("verdict %s, restored %v, further namespaces %v", record.Verdict, record.Restored, record.Mesh.Further)
				show(t, record)
			}
			for _, w := range record.Windows {
				if len(w.Calls) == 0 || w.Calls[0].Call == nil {
					t.Errorf("%s: no call is told of: %+v", w.Words(), w.Calls)
				}
			}
			if diff := cmp.Diff(before, both()); diff != "" {
				t.Errorf("the namespaces (-before +after):\n%s", diff)
			}
		})
	}
}

func TestARunThatIsKilledInAnotherNamespaceIsUndoneByRestore(t *testing.T) {
	program, home := build(t), optionsOf("").Namespace
	further := namespaceOf(t, program, "killed")
	there := "ratings." + further
	file := filepath.Join(t.TempDir(), "slow.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, slowElsewhere, there, there, there), 0o600); err != nil {
		t.Fatal(err)
	}
	both := func() []map[string]string {
		return []map[string]string{standing(t, home), standing(t, further)}
	}
	before, b, wrote := both(), standBetween(t), false
	for n := 1; !t.Failed(); n++ {
		id := fmt.Sprintf("fark%x%02d", time.Now().Unix()&0xffff, n)
		at := b.endAt(t, file, id, n, func(t *testing.T, p *process, id string, answer func()) {
			_ = p.Process.Kill()
			<-p.ended
			answer()
			wrote = wrote || !cmp.Equal(before[1], standing(t, further))
			expire(t, home, id)
			restore(t, program, home)
		})
		if diff := cmp.Diff(before, both()); diff != "" {
			t.Errorf("killed at write %d, %q (-before +after):\n%s", n, at, diff)
		}
		if at == "" {
			break
		}
	}
	if !wrote {
		t.Error("no run was killed with anything written in the other namespace")
	}
}
