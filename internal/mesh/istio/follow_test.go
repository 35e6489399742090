//go:build e2e

package istio

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshchaos/meshchaos/internal/mesh"
)

// ear keeps what a mesh tells.
type ear struct {
	mu     sync.Mutex
	events []string
	heard  chan struct{}
}

func (e *ear) hear(event mesh.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, strings.TrimSpace(event.Ref.String()+" "+event.Did+event.Lost))
	select {
	case e.heard <- struct{}{}:
	default:
	}
}

// await waits until an event was told, and returns all of them.
func (e *ear) await(t *testing.T, event string) []string {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		e.mu.Lock()
		events := append([]string{}, e.events...)
		e.mu.Unlock()
		for _, have := range events {
			if have == event {
				return events
			}
		}
		select {
		case <-e.heard:
		case <-limit:
			t.Fatalf("%s was not told, only %q", event, events)
		}
	}
}

// comes creates an object as somebody else would, and goes deletes it.
func comes(t *testing.T, m *Mesh, of schema.GroupVersionResource, manifest string) (goes func()) {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(manifest), o); err != nil {
		t.Fatal(err)
	}
	client := m.dynamic.Resource(of).Namespace(o.GetNamespace())
	if _, err := client.Create(t.Context(), o, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	atOnce := int64(0)
	return sync.OnceFunc(func() {
		if err := client.Delete(context.Background(), o.GetName(), metav1.DeleteOptions{GracePeriodSeconds: &atOnce}); err != nil {
			t.Error(err)
		}
	})
}

func TestOnTheClusterWhatComesAndGoesIsTold(t *testing.T) {
	m := open(t)
	createPing(t, m)
	if _, err := m.kube.CoreV1().Services(m.namespace).Patch(t.Context(), "ping", types.MergePatchType, []byte(`{"spec":{"selector":{"app":"ping"}}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	e := &ear{heard: make(chan struct{}, 1)}
	began := time.Now()
	unseen, err := m.Follow(t.Context(), mesh.Traffic{Hosts: []string{"ping." + m.namespace + ".svc.cluster.local"}}, e.hear)
	t.Logf("it took %s to follow", time.Since(began).Round(time.Millisecond))
	if err != nil || len(unseen) > 0 {
		t.Fatalf("unseen %q, error %v", unseen, err)
	}
	routes := m.resources["VirtualService"]
	elsewhere := func(name, spec string) func() {
		goes := comes(t, m, routes, fmt.Sprintf(`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"%s-%s","namespace":"default"},"spec":%s}`, m.namespace, name, spec))
		t.Cleanup(goes)
		return goes
	}
	const route = `"http":[{"directResponse":{"status":503}}]`
	elsewhere("theirs", `{"hosts":["ping"],`+route+`}`)
	elsewhere("entering", `{"hosts":["*"],"gateways":["door"],`+route+`}`)
	elsewhere("private", `{"hosts":["ping.`+m.namespace+`.svc.cluster.local"],"exportTo":["."],`+route+`}`)
	elsewhere("ours", `{"hosts":["ping.`+m.namespace+`.svc.cluster.local"],`+route+`}`)()
	filters := byPlace["EnvoyFilter"]
	filter := func(namespace string) func() {
		goes := comes(t, m, filters, `{"apiVersion":"networking.istio.io/v1alpha3","kind":"EnvoyFilter","metadata":{"name":"`+m.namespace+`","namespace":"`+namespace+`"},"spec":{"workloadSelector":{"labels":{"app":"nobody"}},"configPatches":[]}}`)
		t.Cleanup(goes)
		return goes
	}
	filter("default")
	filter(istioSystem)
	pod := func(name, app string) func() {
		return comes(t, m, corev1.SchemeGroupVersion.WithResource("pods"), `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"`+name+`","namespace":"`+m.namespace+`","labels":{"app":"`+app+`","sidecar.istio.io/inject":"false"}},
			"spec":{"containers":[{"name":"agent","image":"`+m.image+`","imagePullPolicy":"IfNotPresent","args":["agent"]}]}}`)
	}
	pod("aside", "none")
	goes := pod("ping", "ping")
	e.await(t, "Pod/"+m.namespace+"/ping became ready")
	goes()
	e.await(t, "Pod/"+m.namespace+"/ping was ready no more")
	e.await(t, "VirtualService/default/"+m.namespace+"-ours was deleted")
	want := []string{
		"EnvoyFilter/istio-system/" + m.namespace + " was created",
		"Pod/" + m.namespace + "/ping became ready",
		"Pod/" + m.namespace + "/ping was ready no more",
		"VirtualService/default/" + m.namespace + "-ours was created",
		"VirtualService/default/" + m.namespace + "-ours was deleted",
	}
	mine := func(all []string) (some []string) { // others use the cluster too
		for _, event := range all {
			if strings.Contains(event, m.namespace) {
				some = append(some, event)
			}
		}
		return some
	}
	if diff := cmp.Diff(want, sorted(mine(e.await(t, want[0])))); diff != "" {
		t.Errorf("what was told differs (-want +got):\n%s", diff)
	}
}

func sorted(all []string) []string {
	slices.Sort(all)
	return all
}

// A user of one namespace follows that, and is told what stays hidden.
func TestWhatAUserMayNotSeeIsNamed(t *testing.T) {
	admin := open(t)
	account := rbacv1.Subject{Kind: rbacv1.UserKind, Name: "films", APIGroup: rbacv1.GroupName}
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "films"}, Rules: []rbacv1.PolicyRule{{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}}}
	if _, err := admin.kube.RbacV1().Roles(admin.namespace).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "films"}, Subjects: []rbacv1.Subject{account}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "films"}}
	if _, err := admin.kube.RbacV1().RoleBindings(admin.namespace).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.LoadFromFile(os.Getenv("MESHCHAOS_E2E_KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range config.AuthInfos {
		user.Impersonate = account.Name
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, kubeconfig); err != nil {
		t.Fatal(err)
	}
	m, err := Open(t.Context(), Options{Kubeconfig: kubeconfig, Namespace: admin.namespace})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(context.Background())
	e := &ear{heard: make(chan struct{}, 1)}
	unseen, err := m.Follow(t.Context(), mesh.Traffic{}, e.hear)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"this user may not list and watch authorizationpolicies, envoyfilters, gateways, peerauthentications, requestauthentications, sidecars, telemetries, wasmplugins of namespace istio-system",
		"this user may not list and watch destinationrules, serviceentries, virtualservices of other namespaces",
	}
	if diff := cmp.Diff(want, unseen); diff != "" {
		t.Errorf("what is unseen differs (-want +got):\n%s", diff)
	}
	comes(t, admin, m.resources["VirtualService"], `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"ping","namespace":"`+m.namespace+`"},"spec":{"hosts":["ping"],"http":[{"directResponse":{"status":503}}]}}`)()
	e.await(t, "VirtualService/"+m.namespace+"/ping was deleted")
}
