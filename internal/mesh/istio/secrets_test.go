//go:build e2e

package istio

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// What a run makes in the namespace of the gateway is there from the ledger on, is taken away
// with that by whoever settles the run, and nothing that another has there is touched.
func TestTheSecretsOfARunAreMadeAfterItsLedgerAndGoWithIt(t *testing.T) {
	m := open(t)
	service, err := m.gatewayService(t.Context())
	if err != nil || service == nil {
		t.Fatalf("there is no ingress gateway: %v", err)
	}
	secrets := m.kube.CoreV1().Secrets(service.Namespace)
	const name = "meshchaos-secrets-test"
	cohorts := []mesh.Cohort{{Name: "a", From: mesh.FromGateway, Credential: name, Plan: loadgen.Plan{HTTP: &loadgen.HTTP{URL: "https://shop.example.com/"}}}}
	if err := m.certify(t.Context(), cohorts); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.Get(t.Context(), name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Fatalf("it is there before the ledger: %v", err)
	}
	ledger := &journal.Ledger{Run: "t1", Scenario: "s", By: "test", Started: time.Now(), Deadline: time.Now().Add(time.Minute)}
	for range 2 { // the second time it is there
		if err := m.Enter(t.Context(), ledger); err != nil {
			t.Fatal(err)
		}
	}
	made, err := secrets.Get(t.Context(), name, metav1.GetOptions{})
	if err != nil || made.Labels[instance] != "t1" || len(made.Data["tls.crt"]) == 0 || len(made.Data["tls.key"]) == 0 || len(made.Data["ca.crt"]) == 0 {
		t.Fatalf("%v: %v with %d keys", err, made.Labels, len(made.Data))
	}
	again := &Mesh{Cluster: m.Cluster, run: "t2", log: func(string) {}}
	if err := again.certify(t.Context(), cohorts); err == nil || !strings.Contains(err.Error(), "it is there already") {
		t.Errorf("another run: %v", err)
	}
	healer := &Mesh{Cluster: &Cluster{namespace: m.namespace, id: "restore", kube: m.kube, config: m.config}, run: "restore", log: func(string) {}}
	if err := healer.Enter(t.Context(), ledger); err != nil {
		t.Fatal(err)
	}
	if err := healer.Settle(t.Context(), "t1"); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.Get(t.Context(), name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("it is still there: %v", err)
	}

	held := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{instance: "t1"}, Finalizers: []string{"meshchaos.io/test"}}}
	if _, err := secrets.Create(t.Context(), held, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := m.deleteSecrets(t.Context(), "t1", service.Namespace+"/"+name); err == nil || !strings.Contains(err.Error(), "it is still there, kept by its finalizers [meshchaos.io/test]") {
		t.Errorf("of one that stays: %v", err)
	}
	if _, err := secrets.Patch(t.Context(), name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}

	theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := secrets.Create(t.Context(), theirs, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = secrets.Delete(context.Background(), name, metav1.DeleteOptions{}) })
	if err := m.deleteSecrets(t.Context(), "t1", service.Namespace+"/"+name); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.Get(t.Context(), name, metav1.GetOptions{}); err != nil {
		t.Errorf("somebody else's is gone: %v", err)
	}
}

// A run that makes a Secret takes the rights that docs/security.md has for it beside those of
// the Role, and each that is missing is named before anything is written.
func TestARunThatMakesASecretTakesTheRightsToDoSo(t *testing.T) {
	m := open(t)
	granted(t, m, "rbac")
	user := "system:serviceaccount:" + m.namespace + ":meshchaos"
	use := mesh.Use{Gateway: true, Cohorts: []mesh.Cohort{{Name: "visitors", Credential: "shop", Plan: loadgen.Plan{HTTP: &loadgen.HTTP{URL: "https://shop.example/"}}}}}
	const of = " -n " + istioSystem
	rules := map[string]rbac.PolicyRule{
		"create secrets" + of:      {APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"create"}},
		"get secrets/shop" + of:    {APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"shop"}, Verbs: []string{"get"}},
		"delete secrets/shop" + of: {APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"shop"}, Verbs: []string{"delete"}},
	}
	name := "meshchaos-secrets-" + m.namespace
	roles, bindings := m.kube.RbacV1().Roles(istioSystem), m.kube.RbacV1().RoleBindings(istioSystem)
	binding := &rbac.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "Role", Name: name},
		Subjects: []rbac.Subject{{Kind: rbac.ServiceAccountKind, Namespace: m.namespace, Name: "meshchaos"}},
	}
	putRole(t, m, &rbac.Role{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: istioSystem}})
	if _, err := bindings.Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = bindings.Delete(context.Background(), name, metav1.DeleteOptions{})
		_ = roles.Delete(context.Background(), name, metav1.DeleteOptions{})
	})
	for _, lacking := range append(slices.Sorted(maps.Keys(rules)), "nothing") {
		role := &rbac.Role{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: istioSystem}}
		for what, rule := range rules {
			if what != lacking {
				role.Rules = append(role.Rules, rule)
			}
		}
		putRole(t, m, role)
		var err error
		if wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 10*time.Second, true, func(ctx context.Context) (bool, error) {
			err = impersonated(t, m, user).Permits(ctx, use)
			said := strings.Split(fmt.Sprint(err), ": ")
			return err == nil && lacking == "nothing" || said[len(said)-1] == lacking, nil
		}) != nil {
			t.Errorf("without %s: %v", lacking, err)
		}
	}
}
