//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
)

// TestARunOutlastsAnIstiodThatIsAway stops istiod for half a minute as the load under
// the rule begins. Its webhook fails for as long, and the proxies follow nothing.
func TestARunOutlastsAnIstiodThatIsAway(t *testing.T) {
	program := build(t)
	namespace := namespaceOf(t, program, "istiod")
	ownerOf(t, namespace, ofRatings).apply(ofRatings)
	before := standing(t, namespace)
	b := standBetween(t)
	back := make(chan struct{})
	leave := sync.OnceFunc(func() {
		start := stopIstiod(t)
		go func() {
			defer close(back)
			time.Sleep(30 * time.Second)
			start()
		}()
	})
	run := b.runCommand(t, program, namespace, func(begun string) {
		if begun == "load under the rule" {
			leave()
		}
	})
	<-back
	t.Logf("exit status %d after %s", run.status, run.took.Round(time.Second))
	if diff := cmp.Diff(before, standing(t, namespace)); diff != "" {
		t.Errorf("what is left (-before +after):\n%s", diff)
	}
	if !run.record.Restored || run.status != 0 && run.status != 3 || run.longest > 15*time.Second {
		t.Errorf("status %d, restored %v, nothing said for %s, %q: %s", run.status, run.record.Restored, run.longest, run.record.Problems, run.said)
	}
}

// TestAnIstiodThatStaysAwayLeavesTheLedger stops it for as long as a run tries, which
// here is shorter than by default.
func TestAnIstiodThatStaysAwayLeavesTheLedger(t *testing.T) {
	program := build(t)
	namespace := namespaceOf(t, program, "noistiod")
	ownerOf(t, namespace, ofRatings).apply(ofRatings)
	before := standing(t, namespace)
	o := optionsOf(fmt.Sprintf("gone%x", time.Now().Unix()&0xffff))
	o.Namespace = namespace
	m, err := istio.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	start := func() {}
	var said []string
	record, err := runner.Run(t.Context(), &passedBy{Mesh: m, pass: func(context.Context) error {
		start = stopIstiod(t)
		return nil
	}}, readScenario(t, steadyRatings), runner.Options{
		ID: o.Run, LiveLimit: 10 * time.Second, Close: func() error { return m.Close(context.WithoutCancel(t.Context())) },
		Observe: func(e runner.Event) { said = append(said, e.Phase) },
	})
	start()
	if err != nil {
		t.Fatal(err)
	}
	heard := slices.ContainsFunc(said, func(line string) bool { return strings.Contains(line, "failed calling webhook") })
	kept := strings.Contains(strings.Join(record.Against(), "\n"), fmt.Sprintf("meshchaos restore --namespace %s --run %s", namespace, o.Run))
	if record.Restored || record.Verdict == report.Pass || !heard || !kept {
		t.Errorf("verdict %s, restored %v, said %q", record.Verdict, record.Restored, said)
		show(t, record)
	}
	restore(t, program, namespace)
	if diff := cmp.Diff(before, standing(t, namespace)); diff != "" {
		t.Errorf("restored (-before +after):\n%s", diff)
	}
}

// stopIstiod ends istiod at once, and returns what starts it again and waits until it
// serves. It is started again in any case.
func stopIstiod(t *testing.T) (start func()) {
	t.Helper()
	client := dynamicClient(t)
	deployments := client.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}).Namespace("istio-system")
	pods := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace("istio-system")
	ctx := context.WithoutCancel(t.Context())
	scale := func(replicas int) {
		if _, err := deployments.Patch(ctx, "istiod", types.MergePatchType, fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas), metav1.PatchOptions{}); err != nil {
			t.Error(err)
		}
	}
	start = sync.OnceFunc(func() {
		scale(1)
		err := wait.PollUntilContextTimeout(ctx, time.Second, time.Minute, true, func(ctx context.Context) (bool, error) {
			o, err := deployments.Get(ctx, "istiod", metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			ready, _, err := unstructured.NestedInt64(o.Object, "status", "readyReplicas")
			return ready > 0 && webhookAnswers(ctx, t), err
		})
		if err != nil {
			t.Errorf("waiting for istiod: %v", err)
		}
	})
	t.Cleanup(start)
	scale(0)
	second := int64(1) // 0 would let it end by itself, and serve until then
	err := pods.DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &second}, metav1.ListOptions{LabelSelector: "app=istiod"})
	if err != nil {
		t.Error(err)
	}
	err = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 20*time.Second, true, func(ctx context.Context) (bool, error) {
		return !webhookAnswers(ctx, t), nil
	})
	if err != nil {
		t.Errorf("waiting until istiod is away: %v", err)
	}
	return start
}

// webhookAnswers says whether Istio's objects can be written.
func webhookAnswers(ctx context.Context, t *testing.T) bool {
	o := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(ofRatings), o); err != nil {
		t.Error(err)
		return true
	}
	_, err := dynamicClient(t).Resource(schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"}).Namespace("default").Create(ctx, o, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err == nil
}
