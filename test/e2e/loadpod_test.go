//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// connect opens the cluster for several runs, and closes it after the test.
func connect(t *testing.T, id string) *istio.Cluster {
	t.Helper()
	c, err := istio.Connect(t.Context(), optionsOf(id))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if left := loadPods(t, id); len(left) > 0 {
			t.Errorf("after Close there are %q", left)
		}
	})
	return c
}

// loadPods are the names of the pods that loads of a cluster that was opened come from.
func loadPods(t *testing.T, id string) []string {
	t.Helper()
	list, err := dynamicClient(t).Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(optionsOf("").Namespace).
		List(context.WithoutCancel(t.Context()), metav1.ListOptions{LabelSelector: "meshchaos.io/load=" + id})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, pod := range list.Items {
		names = append(names, pod.GetName())
	}
	return names
}

// bereft is a mesh whose load pod somebody deletes while the second load, that under
// the rule, is under way.
type bereft struct {
	mesh.Mesh
	take  func()
	loads int
	at    time.Time // when it was
}

func (b *bereft) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	b.loads++
	under := b.loads == 2
	var once sync.Once
	return b.Mesh.Load(ctx, cohorts, guard, begin, func(p loadgen.Progress) {
		observe(p)
		if under && p.Sent > 0 {
			once.Do(func() { b.at = time.Now(); b.take() })
		}
	})
}

func TestARunWhoseLoadPodDiesIsInconclusiveAndTheNextHasAnother(t *testing.T) {
	long := readScenario(t, strings.Replace(slowRatings, "requests: 20", "requests: 400, qps: 20", 1))
	before := objectsOf(t)
	id := fmt.Sprintf("died%x", time.Now().Unix()&0xffff)
	c := connect(t, id)
	pods := dynamicClient(t).Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(optionsOf("").Namespace)
	for i, grace := range []int64{30, 0} {
		run := fmt.Sprintf("%s%d", id, i)
		m := &bereft{Mesh: c.Mesh(run, nil), take: func() {
			for _, name := range loadPods(t, id) {
				if err := pods.Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{GracePeriodSeconds: &grace}); err != nil {
					t.Error(err)
				}
			}
		}}
		record, err := carryOut(t, long, m, runner.Options{ID: run})
		if err != nil {
			t.Fatal(err)
		}
		during := record.Windows[len(record.Windows)-1]
		ended := during.Ended.Sub(m.at)
		t.Logf("grace %d: the load ended %s after it, the run %s: %q", grace, ended.Round(time.Millisecond), record.Ended.Sub(m.at).Round(time.Millisecond), record.Problems)
		said := strings.Join(record.Against(), "\n")
		if record.Verdict != report.Inconclusive || !record.Restored || during.Name != report.During || during.Cut == "" || ended > 5*time.Second ||
			!strings.Contains(said, "died: somebody") || grace > 0 && !strings.Contains(said, "the load agent was told to end") {
			t.Errorf("grace %d: verdict %s, restored %v, the %s was cut %q", grace, record.Verdict, record.Restored, during.Words(), during.Cut)
			show(t, record)
		}
	}
	if after := objectsOf(t); !slices.Equal(before, after) {
		t.Errorf("the namespace held\n%s\nand holds\n%s", before, after)
	}
	s, err := scenarios.Find("abort-jason")
	if err != nil {
		t.Fatal(err)
	}
	if record, err := carryOut(t, s, c.Mesh(id+"2", nil), runner.Options{ID: id + "2"}); err != nil || record.Verdict != report.Pass {
		t.Errorf("the next run: %v", err)
		show(t, record)
	}
	if left := loadPods(t, id); len(left) != 1 || !strings.HasSuffix(left[0], "-3") {
		t.Errorf("the pods are %q", left)
	}
}
