//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshchaos/meshchaos/internal/mesh/istio"
)

// expire has the ledger of a run expire, for which one would wait for a minute.
func expire(t *testing.T, namespace, id string) {
	t.Helper()
	o := optionsOf("look")
	o.Namespace = namespace
	m, err := istio.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(context.WithoutCancel(t.Context()))
	ledgers, err := m.Ledgers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range ledgers {
		if l.Run != id {
			t.Fatalf("there is the ledger of another run, %s", l.Run)
		}
		l.Deadline = time.Now().Add(-time.Second)
		if err := m.Enter(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
}

// build builds the command.
func build(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "meshchaos")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/meshchaos").CombinedOutput(); err != nil {
		t.Fatalf("building: %v: %s", err, out)
	}
	return program
}

// restore restores what is left in a namespace, by the command.
func restore(t *testing.T, program, namespace string) {
	t.Helper()
	out, err := exec.Command(program, "restore", "--all", "--kubeconfig", optionsOf("").Kubeconfig, "--namespace", namespace).CombinedOutput()
	if err != nil {
		t.Errorf("restoring: %v: %s", err, out)
	}
}

// standing are all of Istio's objects of a namespace, and what runs make there: ledgers,
// leases, load pods and their Jobs. Of what was written and written back the version has moved, and is
// left out.
func standing(t *testing.T, namespace string) map[string]string {
	t.Helper()
	client, all := dynamicClient(t), map[string]string{}
	for of, selector := range map[schema.GroupVersionResource]string{
		{Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"}:  "",
		{Group: "networking.istio.io", Version: "v1", Resource: "destinationrules"}: "",
		{Group: "networking.istio.io", Version: "v1", Resource: "gateways"}:         "",
		{Group: "telemetry.istio.io", Version: "v1", Resource: "telemetries"}:       "",
		{Version: "v1", Resource: "configmaps"}:                                     "app.kubernetes.io/managed-by=meshchaos",
		{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}:           "app.kubernetes.io/managed-by=meshchaos",
		{Group: "batch", Version: "v1", Resource: "jobs"}:                           "app.kubernetes.io/managed-by=meshchaos",
		{Version: "v1", Resource: "pods"}:                                           "app.kubernetes.io/managed-by=meshchaos",
	} {
		list, err := client.Resource(of).Namespace(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: selector})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			if o.GetName() != "bystander" {
				unstructured.RemoveNestedField(o.Object, "metadata", "resourceVersion")
				unstructured.RemoveNestedField(o.Object, "metadata", "generation")
				unstructured.RemoveNestedField(o.Object, "status")
			}
			text, err := json.MarshalIndent(o.Object, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			all[o.GetKind()+"/"+o.GetName()] = string(text)
		}
	}
	// Those of the gateway, which runs make.
	secrets, err := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace("istio-system").List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=meshchaos"})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range secrets.Items {
		all["Secret/"+o.GetName()] = string(o.GetUID())
	}
	return all
}
