//go:build e2e

package istio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/meshchaos/meshchaos/internal/cluster"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/manifests"
)

// What a run takes of its user's rights is manifests/rbac.yaml, to the letter: with
// it everything is let through, and without any one right of it that very right is
// named, or what a run does without it is.
func TestARunTakesExactlyTheRightsOfTheManifest(t *testing.T) {
	m := open(t)
	roles := granted(t, m, "rbac")
	user := "system:serviceaccount:" + m.namespace + ":meshchaos"
	all := said(t, m, user)
	const want = "this user may not list and watch destinationrules, serviceentries, virtualservices of other namespaces but istio-system"
	if all != want {
		t.Fatalf("with all rights of the manifest it says %q, want %q", all, want)
	}
	tried := 0
	for _, role := range roles {
		for r := range atoms(role) {
			tried++
			putRole(t, m, without(role, r))
			awaitRight(t, m, user, r, false)
			if now := said(t, m, user); !names(now, r, all) {
				t.Errorf("without %s it says\n%s", r, now)
			}
			putRole(t, m, role)
			awaitRight(t, m, user, r, true)
		}
	}
	t.Logf("%d rights, each taken away", tried)
	if tried < 60 {
		t.Errorf("only %d rights were taken away", tried)
	}
}

// granted applies the roles of a manifest for the namespace, and returns them.
func granted(t *testing.T, m *Mesh, manifest string) []*rbac.Role {
	t.Helper()
	text, err := manifests.ForCluster(manifest, m.namespace, manifests.Image)
	if err != nil {
		t.Fatal(err)
	}
	var roles []*rbac.Role
	for documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096); ; {
		document := &unstructured.Unstructured{}
		if err := documents.Decode(document); errors.Is(err, io.EOF) {
			return roles
		} else if err != nil {
			t.Fatal(err)
		}
		switch document.GetKind() {
		case "Role":
			role := &rbac.Role{}
			convert(t, document, role)
			putRole(t, m, role)
			t.Cleanup(func() {
				_ = m.kube.RbacV1().Roles(role.Namespace).Delete(context.Background(), role.Name, metav1.DeleteOptions{})
			})
			roles = append(roles, role)
		case "RoleBinding":
			binding := &rbac.RoleBinding{}
			convert(t, document, binding)
			bindings := m.kube.RbacV1().RoleBindings(binding.Namespace)
			if _, err := bindings.Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = bindings.Delete(context.Background(), binding.Name, metav1.DeleteOptions{}) })
		}
	}
}

func convert(t *testing.T, from *unstructured.Unstructured, to any) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(from.Object, to, true); err != nil {
		t.Fatalf("%s %s: %v", from.GetKind(), from.GetName(), err)
	}
}

// putRole makes a role as it is given: one that is not there is created by an update.
func putRole(t *testing.T, m *Mesh, role *rbac.Role) {
	t.Helper()
	if _, err := m.kube.RbacV1().Roles(role.Namespace).Update(t.Context(), role, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// atoms yields the rights of a role, one by one.
func atoms(role *rbac.Role) func(func(right) bool) {
	return func(yield func(right) bool) {
		for _, rule := range role.Rules {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					resource, sub, _ := strings.Cut(resource, "/")
					if !yield(to(verb, rule.APIGroups[0], resource, sub, role.Namespace)) {
						return
					}
				}
			}
		}
	}
}

// without returns a role that lacks one right.
func without(role *rbac.Role, lacks right) *rbac.Role {
	less := role.DeepCopy()
	less.Rules = nil
	for r := range atoms(role) {
		if r == lacks {
			continue
		}
		resource := r.Resource
		if r.Subresource != "" {
			resource += "/" + r.Subresource
		}
		less.Rules = append(less.Rules, rbac.PolicyRule{APIGroups: []string{r.Group}, Resources: []string{resource}, Verbs: []string{r.Verb}})
	}
	return less
}

// awaitRight waits until the API server goes by a role as it was written.
func awaitRight(t *testing.T, m *Mesh, user string, r right, held bool) {
	t.Helper()
	asked := impersonated(t, m, user)
	if err := wait.PollUntilContextTimeout(t.Context(), 10*time.Millisecond, 10*time.Second, true, func(ctx context.Context) (bool, error) {
		may, err := cluster.May(ctx, asked.kube, r)
		return may == held, err
	}); err != nil {
		t.Fatalf("waiting until %s is %v: %v", r, held, err)
	}
}

// names says whether what was said tells that a right is missed, or what is not to be
// had without it, which is not said to who has it.
func names(said string, r right, all string) bool {
	listed := strings.Split(strings.NewReplacer(": ", "\n", "; ", "\n").Replace(said), "\n")
	switch {
	case slices.Contains(listed, r.String()):
		return true
	case said == all:
		return false
	case r.Subresource == "log":
		return strings.Contains(said, "the right to get pods/log in namespace "+r.Namespace)
	}
	return slices.ContainsFunc(strings.Split(said, "\n"), func(line string) bool {
		_, line, _ = strings.Cut(line, "may not list and watch ")
		what, place, _ := strings.Cut(line, " of ")
		there := place == "namespace "+r.Namespace || place == "other namespaces" && r.Namespace == istioSystem
		return there && slices.Contains(strings.Split(what, ", "), r.Resource)
	})
}

// said goes as a user through all that comes before the first write of a run that
// writes one object of each kind, and by the gateway.
func said(t *testing.T, m *Mesh, user string) string {
	t.Helper()
	limited := impersonated(t, m, user)
	err := errors.Join(
		limited.Permits(t.Context(), mesh.Use{Gateway: true, Cohorts: []mesh.Cohort{{Plan: loadgen.Plan{Senders: 2}}}}),
		limited.Admit(t.Context(), oneOfEach(t, m.namespace)))
	var lines []string
	if err != nil {
		lines = append(lines, err.Error())
	}
	if !strings.Contains(limited.Info().Version, "Istio") {
		lines = append(lines, "the version of Istio is not known")
	}
	if err == nil {
		unseen, err := limited.Follow(t.Context(), mesh.Traffic{Gateway: true}, func(mesh.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, unseen...)
	}
	for _, namespace := range []string{m.namespace, istioSystem} {
		if _, err := limited.followLog(types.NamespacedName{Namespace: namespace, Name: "none"})(t.Context(), time.Now()); err != nil && strings.Contains(err.Error(), "the right") {
			lines = append(lines, err.Error())
		}
	}
	return strings.Join(lines, "\n")
}

// oneOfEach is an object of each kind that a run may write, none of which is there.
func oneOfEach(t *testing.T, namespace string) []*rules.Object {
	t.Helper()
	var all []*rules.Object
	for _, text := range []string{
		`"kind":"VirtualService","metadata":{"name":"one"},"spec":{"hosts":["ping"],"http":[{"directResponse":{"status":200}}]}`,
		`"kind":"DestinationRule","metadata":{"name":"one"},"spec":{"host":"ping"}`,
		`"kind":"Gateway","metadata":{"name":"one"},"spec":{"selector":{"istio":"ingressgateway"},"servers":[{"port":{"number":80,"name":"http","protocol":"HTTP"},"hosts":["ping"]}]}`,
	} {
		o, err := rules.DecodeFile([]byte(`{"apiVersion":"networking.istio.io/v1",` + text + `}`))
		if err != nil {
			t.Fatal(err)
		}
		o.Namespace = namespace
		all = append(all, o)
	}
	for _, where := range []string{namespace, istioSystem} {
		log, err := rules.LogAccess(nil, where)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, log.After)
	}
	return all
}
