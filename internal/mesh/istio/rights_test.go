//go:build e2e

package istio

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// as opens the mesh as a service account with a role in the namespace.
func as(t *testing.T, m *Mesh, rules []rbac.PolicyRule) *Mesh {
	t.Helper()
	const name = "limited"
	ctx, meta := t.Context(), metav1.ObjectMeta{Name: name, Namespace: m.namespace}
	if _, err := m.kube.CoreV1().ServiceAccounts(m.namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: meta}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.kube.RbacV1().Roles(m.namespace).Create(ctx, &rbac.Role{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.kube.RbacV1().RoleBindings(m.namespace).Create(ctx, &rbac.RoleBinding{
		ObjectMeta: meta, RoleRef: rbac.RoleRef{Kind: "Role", Name: name},
		Subjects: []rbac.Subject{{Kind: "ServiceAccount", Name: name, Namespace: m.namespace}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return impersonated(t, m, "system:serviceaccount:"+m.namespace+":"+name)
}

// impersonated opens the mesh as somebody else.
func impersonated(t *testing.T, m *Mesh, user string) *Mesh {
	t.Helper()
	config, err := clientcmd.LoadFromFile(os.Getenv("MESHCHAOS_E2E_KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range config.AuthInfos {
		info.Impersonate = user
	}
	path := filepath.Join(t.TempDir(), "limited")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	limited, err := Open(t.Context(), Options{Kubeconfig: path, Namespace: m.namespace, Run: "t2"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := limited.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return limited
}

func TestEveryRightThatIsMissedIsNamedBeforeTheFirstWrite(t *testing.T) {
	m := open(t)
	limited := as(t, m, []rbac.PolicyRule{
		{APIGroups: []string{"networking.istio.io"}, Resources: []string{"virtualservices"}, Verbs: []string{"get", "list", "create", "update"}},
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create", "update", "list"}},
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "create", "update", "delete"}},
		{APIGroups: []string{""}, Resources: []string{"pods", "pods/portforward"}, Verbs: []string{"get", "create"}},
	})
	ping := virtualService(t, pong)
	lacks := func(err error, want string) {
		t.Helper()
		if err == nil {
			t.Fatal("it is let through")
		}
		_, missing, _ := strings.Cut(err.Error(), "answers with no: ")
		if got := strings.ReplaceAll(missing, m.namespace, "NS"); got != want {
			t.Errorf("what is missing is\n%s, want\n%s", got, want)
		}
	}
	lacks(limited.Permits(t.Context(), mesh.Use{Gateway: true}), "create pods --subresource=portforward -n istio-system; delete configmaps -n NS; delete pods -n NS; "+
		"list destinationrules.networking.istio.io -n NS; list gateways.networking.istio.io -n NS; list leases.coordination.k8s.io -n NS; list pods -n istio-system; list pods -n NS; list services -n istio-system; list services -n NS; watch pods -n NS")
	lacks(limited.Admit(t.Context(), []*rules.Object{ping}), "delete virtualservices.networking.istio.io -n NS")
	write(t, m, rules.Change{After: ping})
	if err := limited.Admit(t.Context(), []*rules.Object{ping}); err != nil {
		t.Errorf("who edits what is there has no right to delete it, and is refused: %v", err)
	}
	for _, err := range []error{m.Permits(t.Context(), mesh.Use{Gateway: true}), m.Admit(t.Context(), []*rules.Object{ping})} {
		if err != nil {
			t.Errorf("who has all rights is refused: %v", err)
		}
	}
}
