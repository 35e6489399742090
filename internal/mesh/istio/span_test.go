//go:build e2e

package istio

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// neighbour makes a namespace with a service ping, until the test ends.
func neighbour(t *testing.T, m *Mesh) string {
	t.Helper()
	made, err := m.kube.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "istio-test-further-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.kube.CoreV1().Namespaces().Delete(context.WithoutCancel(t.Context()), made.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	_, err = m.kube.CoreV1().Services(made.Name).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "ping"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80, Name: "http"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made.Name
}

func TestAMeshSpansTheNamespacesThatItIsToldOf(t *testing.T) {
	m := open(t)
	further := neighbour(t, m)
	limited := as(t, m, []rbac.PolicyRule{{APIGroups: []string{""}, Resources: []string{"services"}, Verbs: []string{"list"}}})
	for name, test := range map[string]struct {
		m                 *Mesh
		namespaces, hosts []string
		want              []string
	}{
		"one that a rule names":        {m, []string{further}, nil, []string{further}},
		"its own":                      {m, []string{m.namespace}, []string{"ping." + m.namespace}, nil},
		"one that is not there":        {m, []string{"nowhere"}, nil, []string{"nowhere"}},
		"a service that is called":     {m, nil, []string{"ping." + further}, []string{further}},
		"by its longer name":           {m, nil, []string{"ping." + further + ".svc.cluster.local"}, []string{further}},
		"both":                         {m, []string{further}, []string{"ping." + further + ".svc"}, []string{further}},
		"no such service":              {m, nil, []string{"pong." + further}, nil},
		"the world outside":            {m, nil, []string{"www.example.com", "example.com", "10.0.0.1", "ping"}, nil},
		"what this user may not see":   {limited, nil, []string{"ping." + further}, nil},
		"nothing, after there was one": {m, nil, nil, nil},
	} {
		if err := test.m.Span(t.Context(), test.namespaces, test.hosts); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := test.m.Info().Further; !slices.Equal(got, test.want) {
			t.Errorf("%s: it spans %v, not %v", name, got, test.want)
		}
	}
	if err := m.Span(t.Context(), []string{further}, nil); err != nil {
		t.Fatal(err)
	}
	place(t, m, rules.VirtualService, further, `{"hosts":["ping"],"http":[{"route":[{"destination":{"host":"ping"}}]}]}`)
	services, err := m.Services(t.Context())
	if err != nil || len(services) != 1 || services[0].Name != "ping."+further {
		t.Errorf("its services are %+v (%v)", services, err)
	}
	objects, err := m.Objects(t.Context())
	if err != nil || len(objects) != 1 || objects[0].Namespace != further {
		t.Errorf("its objects are %+v (%v)", objects, err)
	}
}

// What a run has written for a gateway is read by whoever restores, though he has found
// no gateway.
func TestALedgerTellsWhereTheTelemetryOfAGatewayIs(t *testing.T) {
	m := open(t)
	further := neighbour(t, m)
	ref := rules.Ref{Kind: rules.Telemetry, Namespace: further, Name: "left"}
	err := m.Enter(t.Context(), &journal.Ledger{
		Run: "t1", Started: time.Now(), Deadline: time.Now().Add(time.Minute), Further: []string{"shop"}, Entries: []*journal.Entry{{Ref: ref}},
	})
	if err != nil {
		t.Fatal(err)
	}
	settled(t, m, "t1")
	later, err := Open(t.Context(), Options{Kubeconfig: os.Getenv("MESHCHAOS_E2E_KUBECONFIG"), Namespace: m.namespace, Run: "restore"})
	if err != nil {
		t.Fatal(err)
	}
	defer later.Close(context.WithoutCancel(t.Context()))
	ledgers, err := later.Ledgers(t.Context())
	if err != nil || len(ledgers) != 1 || !slices.Equal(ledgers[0].Further, []string{"shop"}) {
		t.Fatalf("the ledgers are %+v (%v)", ledgers, err)
	}
	if got := later.namespacesOf(rules.Telemetry); !slices.Contains(got, further) {
		t.Errorf("it looks for Telemetries in %v, and not in %s", got, further)
	}
}

// A run of the namespace in which another one is to write keeps that from beginning.
func TestWhoRunsInTheNamespaceOfAClaimHoldsIt(t *testing.T) {
	m := open(t)
	further := neighbour(t, m)
	there, err := Open(t.Context(), Options{Kubeconfig: os.Getenv("MESHCHAOS_E2E_KUBECONFIG"), Namespace: further, Run: "theirs"})
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close(context.WithoutCancel(t.Context()))
	claims := []journal.Claim{{Namespace: further, What: "ping." + further + ".svc.cluster.local"}}
	if holders, err := m.Holders(t.Context(), claims); err != nil || len(holders) != 0 {
		t.Fatalf("it is held by %v (%v)", holders, err)
	}
	err = there.Enter(t.Context(), &journal.Ledger{Run: "theirs", Started: time.Now(), Deadline: time.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	settled(t, there, "theirs")
	if holders, err := m.Holders(t.Context(), claims); err != nil || len(holders) != 1 || holders[0].Run != "theirs" || holders[0].Namespace != further {
		t.Errorf("it is held by %v (%v)", holders, err)
	}
}

// A run of a third namespace holds what it has claimed in one that the mesh spans, whatever
// the mesh is to claim itself.
func TestWhoHoldsSomethingInANamespaceThatIsSpannedIsFound(t *testing.T) {
	m, third := open(t), open(t)
	further := neighbour(t, m)
	err := third.Enter(t.Context(), &journal.Ledger{
		Run: "guest", Started: time.Now(), Deadline: time.Now().Add(time.Minute),
		Claims: []journal.Claim{{Namespace: further, What: "pong." + further + ".svc.cluster.local"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	settled(t, third, "guest")
	for _, spanned := range [][]string{nil, {further}} {
		if err := m.Span(t.Context(), spanned, nil); err != nil {
			t.Fatal(err)
		}
		holders, err := m.Holders(t.Context(), nil)
		if err != nil || len(holders) != len(spanned) || len(holders) == 1 && holders[0].Run != "guest" {
			t.Errorf("spanning %v it is held by %v (%v)", spanned, holders, err)
		}
	}
}

// settled settles a run when the test ends.
func settled(t *testing.T, m *Mesh, run string) {
	t.Helper()
	t.Cleanup(func() {
		if err := m.Settle(context.WithoutCancel(t.Context()), run); err != nil {
			t.Error(err)
		}
	})
}
