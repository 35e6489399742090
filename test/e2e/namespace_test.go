//go:build e2e

package e2e_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// namespaceOf makes a namespace with the ratings service alone, until the test ends, and
// waits until that is ready.
func namespaceOf(t *testing.T, program, name string) string {
	t.Helper()
	name = optionsOf("").Namespace + "-" + name
	client := dynamicClient(t)
	namespaces := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
	made := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": name, "labels": map[string]any{"istio-injection": "enabled"}},
	}}
	if _, err := namespaces.Create(t.Context(), made, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := namespaces.Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	out, err := exec.Command(program, "manifests", "ratings", "--image", image()).Output()
	if err != nil {
		t.Fatal(err)
	}
	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	of := map[string]schema.GroupVersionResource{
		"Service": {Version: "v1", Resource: "services"}, "ServiceAccount": {Version: "v1", Resource: "serviceaccounts"}, "Deployment": deployments,
	}
	for _, text := range strings.Split(string(out), "\n---\n")[:len(of)] { // the rest are variants of it
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Resource(of[o.GetKind()]).Namespace(name).Create(t.Context(), o, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	err = wait.PollUntilContextTimeout(t.Context(), time.Second, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		o, err := client.Resource(deployments).Namespace(name).Get(ctx, "ratings-v1", metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		ready, _, err := unstructured.NestedInt64(o.Object, "status", "readyReplicas")
		return ready > 0, err
	})
	if err != nil {
		t.Fatalf("waiting for ratings in %s: %v", name, err)
	}
	return name
}
