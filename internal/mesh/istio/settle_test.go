//go:build e2e

package istio

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshchaos/meshchaos/internal/journal"
)

// TestWhoSettlesARunFindsItsPods: the ledger of a run that was killed, and that somebody
// else has written since, as one who undoes it does, still leads to the run's pods.
func TestWhoSettlesARunFindsItsPods(t *testing.T) {
	m := open(t)
	ledger := &journal.Ledger{Run: "t1", Scenario: "s", By: "test", Started: time.Now(), Deadline: time.Now()}
	if err := m.Enter(t.Context(), ledger); err != nil {
		t.Fatal(err)
	}
	pods := m.kube.CoreV1().Pods(m.namespace)
	for name, of := range map[string]string{"one": "t1", "two": "t1", "another": "t2"} {
		_, err := pods.Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{label: of, "sidecar.istio.io/inject": "false"}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: agentContainer, Image: m.image, Args: []string{"agent"}}}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	other := m.Cluster
	healer := &Mesh{Cluster: &Cluster{namespace: other.namespace, id: "restore", kube: other.kube, config: other.config}, run: "restore", log: func(string) {}}
	if err := healer.Enter(t.Context(), ledger); err != nil {
		t.Fatal(err)
	}
	if err := healer.Settle(t.Context(), "t1"); err != nil {
		t.Fatal(err)
	}
	list, err := pods.List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 || list.Items[0].Name != "another" {
		t.Errorf("error %v, pods %v; want the one of another run", err, list.Items)
	}
	if ledgers, err := m.Ledgers(t.Context()); err != nil || len(ledgers) > 0 {
		t.Errorf("error %v, ledgers %v", err, ledgers)
	}
}
