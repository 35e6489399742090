//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/test/judged"
)

// crowded is a load of three senders through a breaker, of which each has one of its own.
const crowded = `
apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: crowded}
spec:
  app: httpbin
  apply:
    - breaker: {service: httpbin, maxConnections: 1, http1MaxPendingRequests: 1}
  load:
    client: {get: "http://httpbin:8000/delay/0.02", connections: 12, requests: 240, senders: 3}
  expect:
    - client.status[200] > 0
    - client.status[503] > 0
    - client.status[200] + client.status[503] == client.sent
    - overflows(httpbin) == client.status[503]
    - recovery.client.status[200] == recovery.client.sent
`

// TestSendersOfOneLoadAgreeWithTheProxies: what three pods sent through a breaker is to the
// request what their sidecars counted, on either mesh with the same verdict.
func TestSendersOfOneLoadAgreeWithTheProxies(t *testing.T) {
	s := readScenario(t, crowded)
	here, err := embedded.Open(t.Context(), embedded.Options{App: s.App, Seed: 1, Agent: []string{build(t), "agent", "--inherited"}})
	if err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprintf("crowd%x", time.Now().Unix()&0xffff)
	for kind, m := range map[string]mesh.Mesh{mesh.Embedded: here, mesh.Istio: openIstio(t.Context(), t, id)} {
		record, err := runScenario(t, s, id, m)
		if err != nil {
			t.Fatal(err)
		}
		judged.Same(t, record)
		judged.Unchanged(t, record)
		if record.Verdict != report.Pass || !record.Restored {
			t.Errorf("%s: verdict %s, restored %v", kind, record.Verdict, record.Restored)
			show(t, record)
		}
		for _, w := range record.Windows {
			client := w.Loads["client"]
			if len(client.Senders) != 3 || len(w.Reconciled) != 1 || w.Reconciled[0].Proxy == nil || *w.Reconciled[0].Proxy != client.Sent || strings.Count(w.Reconciled[0].Source, ", ") != 2 {
				t.Errorf("%s, %s: %d sent by %+v, and of it the proxies counted %+v", kind, w.Words(), client.Sent, client.Senders, w.Reconciled)
			}
		}
	}
	if jobs := loadJobs(t, id); len(jobs) > 0 {
		t.Errorf("left are the jobs %q", jobs)
	}
	if pods := loadPods(t, id); len(pods) > 0 {
		t.Errorf("left are the pods %q", pods)
	}
}

// loadJobs are the names of the Jobs that loads of a cluster that was opened come from.
func loadJobs(t *testing.T, id string) (names []string) {
	t.Helper()
	list, err := dynamicClient(t).Resource(schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}).Namespace(optionsOf("").Namespace).
		List(context.WithoutCancel(t.Context()), metav1.ListOptions{LabelSelector: "meshchaos.io/load=" + id})
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range list.Items {
		names = append(names, job.GetName())
	}
	return names
}

// lengthy is crowded for as long as a test takes to do something.
var lengthy = strings.Replace(crowded, "requests: 240", "qps: 60, duration: 20s", 1)

// TestARunOfSendersThatIsEndedLeavesNothing interrupts a run whose load has several senders
// under the rule, which ends within five seconds as any other does, and kills one, which
// whoever restores undoes, with its Job and pods.
func TestARunOfSendersThatIsEndedLeavesNothing(t *testing.T) {
	program, o := build(t), optionsOf("")
	before := standing(t, o.Namespace)
	under := func() *commandLine {
		c := runText(t, program, o.Kubeconfig, lengthy)
		if !c.until("load under the rule") {
			t.Fatalf("it says %s", c.words())
		}
		return c
	}
	c := under()
	began := time.Now()
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	status := c.end()
	took := time.Since(began)
	if t.Logf("it ended %s after an interrupt", took.Round(time.Millisecond)); status != 3 || took > 5*time.Second {
		t.Errorf("status %d after %s: %s", status, took, c.words())
	}
	if diff := cmp.Diff(before, standing(t, o.Namespace)); diff != "" {
		t.Errorf("an interrupt leaves (-before +after):\n%s", diff)
	}
	c = under()
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.end()
	left := standing(t, o.Namespace)
	var id string
	for name := range left {
		if job, is := strings.CutPrefix(name, "Job/meshchaos-client-"); is {
			id, _, _ = strings.Cut(job, "-")
		}
	}
	if id == "" || len(loadPods(t, id)) != 3 {
		t.Fatalf("a killed run leaves %v", slices.Sorted(maps.Keys(left)))
	}
	expire(t, o.Namespace, id)
	restore(t, program, o.Namespace)
	if diff := cmp.Diff(before, standing(t, o.Namespace)); diff != "" {
		t.Errorf("whoever restores leaves (-before +after):\n%s", diff)
	}
}

// TestASenderThatIsKilledInTheMiddleIsNamed: one pod of three is deleted at once while the
// load under the rule is under way. The run names it, takes what fell to it for missed, is
// inconclusive, and is undone; the next run of the same cluster has other pods.
func TestASenderThatIsKilledInTheMiddleIsNamed(t *testing.T) {
	before := objectsOf(t)
	long := readScenario(t, lengthy)
	id := fmt.Sprintf("slain%x", time.Now().Unix()&0xffff)
	c := connect(t, id)
	pods := dynamicClient(t).Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(optionsOf("").Namespace)
	var killed string
	m := &bereft{Mesh: c.Mesh(id, nil), take: func() {
		all := loadPods(t, id)
		slices.Sort(all)
		if len(all) != 3 {
			t.Errorf("the load comes from %q", all)
			return
		}
		at := int64(0)
		killed = all[1]
		if err := pods.Delete(context.WithoutCancel(t.Context()), killed, metav1.DeleteOptions{GracePeriodSeconds: &at}); err != nil {
			t.Error(err)
		}
	}}
	record, err := carryOut(t, long, m, runner.Options{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	during := record.Windows[len(record.Windows)-1]
	said := strings.Join(record.Against(), "\n")
	if record.Verdict != report.Inconclusive || !record.Restored || during.Name != report.During || during.Cut == "" || !strings.Contains(said, killed+", died: somebody ") {
		t.Errorf("verdict %s, restored %v, the %s was cut %q", record.Verdict, record.Restored, during.Words(), during.Cut)
		show(t, record)
	}
	client := during.Loads["client"]
	if client == nil || len(client.Senders) != 3 || !strings.HasSuffix(client.Senders[1].Name, "/"+killed) || client.Senders[1].Lost == "" || client.Senders[1].Missed == 0 || client.Senders[0].Sent == 0 || client.Senders[2].Sent == 0 {
		t.Errorf("of the load it is known %+v", client)
	}
	if after := objectsOf(t); !slices.Equal(before, after) {
		t.Errorf("the namespace held\n%s\nand holds\n%s", before, after)
	}
	next, err := carryOut(t, readScenario(t, crowded), c.Mesh(id+"2", nil), runner.Options{ID: id + "2"})
	if err != nil || next.Verdict != report.Pass {
		t.Errorf("the next run: %v", err)
		show(t, next)
	}
}
