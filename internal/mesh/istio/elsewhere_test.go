//go:build e2e

package istio

import (
	"context"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	rbac "k8s.io/api/rbac/v1"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// place creates an object of a namespace, and deletes it at the end.
func place(t *testing.T, m *Mesh, kind, namespace, spec string) {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"` + kind + `","metadata":{"name":"` + m.namespace + `","namespace":"` + namespace + `"},"spec":` + spec + `}`)); err != nil {
		t.Fatal(err)
	}
	r := m.dynamic.Resource(m.resources[kind]).Namespace(namespace)
	if _, err := r.Create(t.Context(), u, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Delete(context.WithoutCancel(t.Context()), m.namespace, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

func TestRulesOfOtherNamespacesAreSeenAsFarAsSidecarsFollowThem(t *testing.T) {
	m := open(t)
	host := "ping." + m.namespace + ".svc.cluster.local"
	place(t, m, rules.VirtualService, "default", `{"hosts":["`+host+`"],"http":[{"route":[{"destination":{"host":"`+host+`"}}]}]}`)
	place(t, m, rules.VirtualService, "kube-public", `{"exportTo":["."],"hosts":["`+host+`"],"http":[{"route":[{"destination":{"host":"`+host+`"}}]}]}`)
	place(t, m, rules.DestinationRule, istioSystem, `{"host":"*.`+m.namespace+`.svc.cluster.local","trafficPolicy":{"loadBalancer":{"simple":"RANDOM"}}}`)
	place(t, m, rules.DestinationRule, "default", `{"host":"`+host+`","trafficPolicy":{"loadBalancer":{"simple":"RANDOM"}}}`)
	place(t, m, rules.DestinationRule, "kube-public", `{"host":"others.default.svc.cluster.local"}`)
	see := func(m *Mesh) (refs []string, all bool) {
		t.Helper()
		objects, all, err := m.Elsewhere(t.Context(), []string{host})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			refs = append(refs, o.Kind+"/"+o.Namespace)
		}
		slices.Sort(refs)
		return refs, all
	}
	if got, all := see(m); !all || !slices.Equal(got, []string{"DestinationRule/istio-system", "VirtualService/default"}) {
		t.Errorf("it sees %v (all: %t)", got, all)
	}
	limited := as(t, m, []rbac.PolicyRule{{APIGroups: []string{"networking.istio.io"}, Resources: []string{"virtualservices", "destinationrules"}, Verbs: []string{"list"}}})
	if got, all := see(limited); all || len(got) > 0 {
		t.Errorf("who may see no other namespace sees %v (all: %t)", got, all)
	}
}
