//go:build e2e

package e2e_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

const slowRatings = `
apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: slow-ratings}
spec:
  app: bookinfo
  apply:
    - fault: {service: ratings, delay: 20ms}
  load:
    raters: {get: "http://ratings:9080/ratings/0", connections: 2, requests: 20}
  expect:
    - faults(ratings) == raters.sent
    - raters.status[200] == raters.sent
`

// passers are somebody who writes an object as the load under the rule is about to
// begin, and has deleted it before its first request.
var passers = []struct {
	name     string
	of       schema.GroupVersionResource
	manifest string // %s: the namespace of the run
	verdict  report.Verdict
	words    string // of a problem
}{
	{
		"a fault of another namespace", schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"},
		`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"passer-%[1]s","namespace":"default"},"spec":{"hosts":["ratings.%[1]s.svc.cluster.local"],
		  "http":[{"fault":{"abort":{"httpStatus":418,"percentage":{"value":1}}},"route":[{"destination":{"host":"ratings.%[1]s.svc.cluster.local"}}]}]}}`,
		report.Inconclusive, "VirtualService/default/passer-%s was created",
	}, {
		"a filter in the proxies", schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1alpha3", Resource: "envoyfilters"},
		`{"apiVersion":"networking.istio.io/v1alpha3","kind":"EnvoyFilter","metadata":{"name":"passer","namespace":"%[1]s"},"spec":{"workloadSelector":{"labels":{"app":"nobody"}},"configPatches":[]}}`,
		report.Inconclusive, "EnvoyFilter/%s/passer was created",
	}, {
		"a pod behind a service", schema.GroupVersionResource{Version: "v1", Resource: "pods"},
		`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"passer","namespace":"%[1]s","labels":{"app":"productpage","sidecar.istio.io/inject":"false"}},
		  "spec":{"containers":[{"name":"agent","image":"` + image() + `","imagePullPolicy":"IfNotPresent","args":["agent"]}]}}`,
		report.Inconclusive, "Pod/%s/passer became ready",
	}, {
		"a rule of another namespace for itself", schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"},
		`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"passer-%[1]s","namespace":"default"},"spec":{"hosts":["ratings"],"http":[{"directResponse":{"status":503}}]}}`,
		report.Pass, "",
	},
}

func image() string { return cmp.Or(os.Getenv("MESHCHAOS_E2E_IMAGE"), "meshchaos/meshchaos:dev") }

func TestWhatComesAndGoesWithinALoadIsNoPass(t *testing.T) {
	s := readScenario(t, slowRatings)
	client := dynamicClient(t)
	for i, p := range passers {
		t.Run(p.name, func(t *testing.T) {
			id := fmt.Sprintf("pass%x%02d", time.Now().Unix()&0xffff, i)
			m := openIstio(t.Context(), t, id)
			namespace := m.Info().Namespace
			o := &unstructured.Unstructured{}
			if err := json.Unmarshal([]byte(fmt.Sprintf(p.manifest, namespace)), o); err != nil {
				t.Fatal(err)
			}
			record, err := runScenario(t, s, id, &passedBy{Mesh: m, pass: func(ctx context.Context) error {
				return pass(ctx, client.Resource(p.of).Namespace(o.GetNamespace()), o)
			}})
			if err != nil {
				t.Fatal(err)
			}
			said := strings.Join(record.Against(), "\n")
			if p.words != "" && !strings.Contains(said, fmt.Sprintf(p.words, namespace)) || record.Verdict != p.verdict || !record.Restored {
				t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
				show(t, record)
			}
		})
	}
}

// dynamicClient is of the cluster, as somebody else than the run.
func dynamicClient(t *testing.T) dynamic.Interface {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("MESHCHAOS_E2E_KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// pass creates an object and deletes it; a pod, once it has been ready.
func pass(ctx context.Context, r dynamic.ResourceInterface, o *unstructured.Unstructured) (err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if _, err := r.Create(context.WithoutCancel(ctx), o, metav1.CreateOptions{}); err != nil { // the run may end before the answer is read
		return err
	}
	atOnce := int64(0)
	defer func() {
		gone := r.Delete(context.WithoutCancel(ctx), o.GetName(), metav1.DeleteOptions{GracePeriodSeconds: &atOnce})
		err = errors.Join(err, gone)
	}()
	if o.GetKind() != "Pod" {
		return nil
	}
	events, err := r.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + o.GetName()})
	if err != nil {
		return err
	}
	defer events.Stop()
	for e := range events.ResultChan() {
		if pod, ok := e.Object.(*unstructured.Unstructured); ok && strings.Contains(fmt.Sprint(conditions(pod)), "status:True type:Ready") {
			return nil
		}
	}
	return fmt.Errorf("waiting until %s is ready: %w", o.GetName(), ctx.Err())
}

func conditions(pod *unstructured.Unstructured) []any {
	all, _, _ := unstructured.NestedSlice(pod.Object, "status", "conditions")
	return all
}

// passedBy is a mesh that somebody passes by as the second load begins: that under
// the rule.
type passedBy struct {
	mesh.Mesh
	pass  func(context.Context) error
	loads int
}

func (p *passedBy) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	p.loads++
	under := p.loads == 2
	return p.Mesh.Load(ctx, cohorts, guard, func(ctx context.Context) error {
		if err := begin(ctx); err != nil || !under {
			return err
		}
		return p.pass(ctx)
	}, observe)
}
