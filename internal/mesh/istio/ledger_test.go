package istio

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// inCluster is what the cluster has of parts, those that are still dirty as they were.
func inCluster(p parts) []corev1.ConfigMap {
	var all []corev1.ConfigMap
	for i, data := range p.data {
		all = append(all, corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: partName("r", i), Annotations: map[string]string{deadline: time.Now().Format(time.RFC3339)}},
			Data:       maps.Clone(data),
		})
	}
	return all
}

func entryOf(name string, bytes int) string {
	return `{"kind":"VirtualService","namespace":"book","name":"` + name + strings.Repeat("x", bytes) + `"}`
}

func headOf(objects string) string { return `{"run":"r","objects":` + objects + `}` }

func TestALedgerThatGrowsIsSplit(t *testing.T) {
	p := parts{of: map[string]int{}, data: []map[string]string{{}}}
	texts := map[string]string{runKey: headOf("3"), entryKey + "0": entryOf("a", 300_000), entryKey + "1": entryOf("b", 300_000), entryKey + "2": entryOf("c", 100_000)}
	if err := p.hold(texts); err != nil {
		t.Fatal(err)
	}
	if len(p.data) != 1 {
		t.Errorf("there are %d parts", len(p.data))
	}
	p.dirty = nil
	before := inCluster(p)
	texts[entryKey+"1"] = entryOf("B", 600_000)
	if err := p.hold(texts); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 0}, p.dirty); diff != "" || p.size(0) > partLimit || p.size(1) > partLimit {
		t.Errorf("parts of %d and %d bytes are written in the order (-want +got):\n%s", p.size(0), p.size(1), diff)
	}
	after := inCluster(p)
	for name, there := range map[string][]corev1.ConfigMap{
		"both written":          after,
		"only the one that has": {before[0], after[1]},
		"in another order":      {after[1], after[0]},
	} {
		ledger, err := ledgerOf("r", there)
		if err != nil || len(ledger.Entries) != 3 || !strings.HasPrefix(ledger.Entries[1].Ref.Name, "B") {
			t.Errorf("%s: the ledger is %+v, %v", name, ledger, err)
		}
	}
	if _, err := ledgerOf("r", after[:1]); err == nil || !strings.Contains(err.Error(), "lacks entry-1") {
		t.Errorf("without its second part it is read: %v", err)
	}
}

func TestALedgerHoldsNoMoreThanItIsGiven(t *testing.T) {
	p := parts{of: map[string]int{}, data: []map[string]string{{}}}
	for _, texts := range []map[string]string{
		{runKey: headOf("2"), entryKey + "0": entryOf("a", 0), entryKey + "1": entryOf("b", 0)},
		{runKey: headOf("1"), entryKey + "0": entryOf("b", 0)},
	} {
		if err := p.hold(texts); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(texts, p.data[0]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if err := p.hold(map[string]string{entryKey + "0": entryOf("a", 1<<20)}); err == nil {
		t.Error("an object is taken that no ConfigMap takes")
	}
}
