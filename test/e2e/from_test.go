//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

var (
	podsOf     = corev1.SchemeGroupVersion.WithResource("pods")
	servicesOf = corev1.SchemeGroupVersion.WithResource("services")
	slicesOf   = discoveryv1.SchemeGroupVersion.WithResource("endpointslices")
	policiesOf = schema.GroupVersionResource{Group: "security.istio.io", Version: "v1", Resource: "authorizationpolicies"}
)

// TestNobodyIsSentToALoadWorkload: while load comes from pods that the mesh takes for
// those of a workload, no Service lists them, ready or not, one that publishes what is
// not ready neither; no proxy knows their addresses; and no pod of the workload comes
// or goes.
func TestNobodyIsSentToALoadWorkload(t *testing.T) {
	s, err := scenarios.Read("../scenarios/testdata/from.yaml")
	if err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprintf("from%x", time.Now().Unix()&0xffff)
	m := openIstio(t.Context(), t, id)
	client, namespace := dynamicClient(t), m.Info().Namespace
	create(t, client.Resource(servicesOf).Namespace(namespace), `{"apiVersion":"v1","kind":"Service","metadata":{"name":"`+id+`"},
		"spec":{"clusterIP":"None","publishNotReadyAddresses":true,"selector":{"app":"httpbin"},"ports":[{"name":"http","port":8000,"targetPort":8080}]}}`)
	seen := follow(t, client, namespace)
	known := &asked{Mesh: m, t: t}
	record, err := runScenario(t, s, id, known)
	if err != nil {
		t.Fatal(err)
	}
	if record.Verdict != report.Pass || !record.Restored {
		show(t, record)
		t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
	}
	ours, listed, others := seen.end()
	if len(ours) != 3 || known.loads != 3 {
		t.Fatalf("the load came from %v, in %d loads", ours, known.loads)
	}
	for ip, name := range ours {
		if listed[ip] != "" {
			t.Errorf("%s, of %s, was listed by %s", ip, name, listed[ip])
		}
	}
	if len(listed) == 0 {
		t.Error("nothing was listed by any service")
	}
	if len(others) > 0 {
		t.Errorf("pods of others came or went: %v", others)
	}
}

// asked is a mesh whose proxies are asked, as each load begins, whether they know the
// addresses of the load workloads.
type asked struct {
	mesh.Mesh
	t     *testing.T
	loads int
}

// Load implements mesh.Mesh.
func (a *asked) Load(ctx context.Context, cohorts []mesh.Cohort, guard mesh.Guard, begin func(context.Context) error, observe func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	return a.Mesh.Load(ctx, cohorts, guard, func(ctx context.Context) error {
		a.loads++
		if err := a.ask(ctx); err != nil {
			return err
		}
		return begin(ctx)
	}, observe)
}

func (a *asked) ask(ctx context.Context) error {
	proxies, err := a.Proxies(ctx)
	if err != nil {
		return err
	}
	ours := map[string]string{}
	for _, p := range proxies {
		if p.Client {
			ours[p.Address] = p.Name
		}
	}
	for _, p := range proxies {
		clusters, err := p.Admin.Clusters(ctx)
		if err != nil {
			return err
		}
		for _, c := range clusters {
			for _, h := range c.Hosts {
				ip, _, _ := net.SplitHostPort(h.Address)
				if name := ours[ip]; name != "" && strings.HasPrefix(c.Name.String(), "outbound|") {
					a.t.Errorf("%s has %s as a host of %s", p.Name, name, c.Name)
				}
			}
		}
	}
	return nil
}

// seen is what was seen of pods and of those that services list.
type seen struct {
	stop   func()
	mu     sync.Mutex
	ours   map[string]string // the pods of load workloads, by their addresses
	listed map[string]string // the slices that list an address, by that
	others []string          // what became of other pods
}

// follow watches the pods and the endpoints of a namespace.
func follow(t *testing.T, client dynamic.Interface, namespace string) *seen {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var following sync.WaitGroup
	s := &seen{ours: map[string]string{}, listed: map[string]string{}}
	s.stop = func() { cancel(); following.Wait() }
	for _, of := range []schema.GroupVersionResource{podsOf, slicesOf} {
		list, err := client.Resource(of).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range list.Items {
			s.see(t, of, watch.Modified, &list.Items[i])
		}
		changes, err := client.Resource(of).Namespace(namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
		if err != nil {
			t.Fatal(err)
		}
		following.Go(func() {
			for e := range changes.ResultChan() {
				if o, ok := e.Object.(*unstructured.Unstructured); ok {
					s.see(t, of, e.Type, o)
				}
			}
			if ctx.Err() == nil {
				t.Errorf("the watch of %s ended", of.Resource)
			}
		})
	}
	return s
}

// see keeps what an event tells.
func (s *seen) see(t *testing.T, of schema.GroupVersionResource, kind watch.EventType, o *unstructured.Unstructured) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of == podsOf {
		pod := decode[corev1.Pod](t, o)
		switch {
		case pod.Labels["meshchaos.io/load"] != "" && pod.Status.PodIP != "":
			s.ours[pod.Status.PodIP] = pod.Name
		case pod.Labels["meshchaos.io/load"] == "" && kind != watch.Modified:
			s.others = append(s.others, fmt.Sprint(kind, " ", pod.Name))
		}
		return
	}
	for _, e := range decode[discoveryv1.EndpointSlice](t, o).Endpoints {
		for _, address := range e.Addresses {
			s.listed[address] = o.GetName()
		}
	}
}

// end returns what was seen until now.
func (s *seen) end() (ours, listed map[string]string, others []string) {
	s.stop()
	return s.ours, s.listed, s.others
}

func decode[T any](t *testing.T, o *unstructured.Unstructured) *T {
	into := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, into); err != nil {
		t.Error(err)
	}
	return into
}

// TestAPolicyAdmitsALoadForItsWorkload: who admits the service account of a workload
// alone admits the load from it, and no other.
func TestAPolicyAdmitsALoadForItsWorkload(t *testing.T) {
	id := fmt.Sprintf("acct%x", time.Now().Unix()&0xffff)
	m := openIstio(t.Context(), t, id)
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	namespace := m.Info().Namespace
	create(t, dynamicClient(t).Resource(policiesOf).Namespace(namespace), `{"apiVersion":"security.istio.io/v1","kind":"AuthorizationPolicy","metadata":{"name":"`+id+`"},
		"spec":{"selector":{"matchLabels":{"app":"httpbin-slow"}},"rules":[{"from":[{"source":{"principals":["cluster.local/ns/`+namespace+`/sa/httpbin"]}}]}]}}`)
	call := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: "http://httpbin-slow:8000/get"}, Connections: 1, Requests: 5}
	cohorts := []mesh.Cohort{{Name: "theirs", From: "httpbin-v1", Plan: call}, {Name: "ours", From: mesh.FromClient, Plan: call}}
	if err := m.Prepare(t.Context(), cohorts); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"theirs": 200, "ours": 403}
	got := map[string]int{}
	for deadline := time.Now().Add(30 * time.Second); !maps.Equal(got, want) && time.Now().Before(deadline); { // until the policy is in force
		results, err := m.Load(t.Context(), cohorts, mesh.Guard{}, func(context.Context) error { return nil }, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, r := range results {
			got[name] = 0
			if len(r.Outcomes) == 1 {
				got[name] = r.Outcomes[0].Status
			}
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("answers %v, want %v", got, want)
	}
	proxies, err := m.Proxies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(proxies, func(p mesh.Proxy) bool { return p.Borrows == "httpbin-v1" })
	if at < 0 || proxies[at].App != "httpbin" || proxies[at].Version != "v1" || !proxies[at].Client {
		t.Errorf("none of the proxies is a load workload's as httpbin-v1: %+v", proxies)
	}
}

// create makes an object until the test ends.
func create(t *testing.T, in dynamic.ResourceInterface, manifest string) {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON([]byte(manifest)); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Create(t.Context(), o, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Delete(context.Background(), o.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}
