package istio

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podOfSet is a pod of a StatefulSet, with a sidecar, that is ready.
func podOfSet(set, name, account string, labels map[string]string) corev1.Pod {
	controller := true
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels, OwnerReferences: []metav1.OwnerReference{{Kind: "StatefulSet", Name: set, Controller: &controller}}},
		Spec:       corev1.PodSpec{ServiceAccountName: account, Containers: []corev1.Container{{Name: proxyContainer, Image: "proxy"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
}

func TestWhatIsBorrowedIsWhatAllPodsOfTheWorkloadHave(t *testing.T) {
	first := podOfSet("db", "db-0", "db", map[string]string{"app": "db", "version": "v1", "role": "leader", "controller-revision-hash": "1", "statefulset.kubernetes.io/pod-name": "db-0"})
	second := podOfSet("db", "db-1", "db", map[string]string{"app": "db", "version": "v1", "role": "follower", "controller-revision-hash": "1"})
	other := podOfSet("page", "page-0", "page", map[string]string{"app": "page"})
	unready := podOfSet("db", "db-2", "db", map[string]string{"app": "db"})
	unready.Status.Conditions = nil
	ours := podOfSet("lent", "meshchaos-client-r1-lent", "db", map[string]string{label: "r1"})

	got, err := borrowOf("db", []corev1.Pod{other, first, unready, second, ours})
	want := borrowed{"db", "db", map[string]string{"app": "db", "version": "v1"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(borrowed{})); err != nil || diff != "" {
		t.Errorf("error %v; borrowed (-want +got):\n%s", err, diff)
	}
	if alone, err := borrowOf("db", []corev1.Pod{first}); err != nil || len(alone.labels) != 3 || alone.labels["role"] != "leader" {
		t.Errorf("of a single pod: %v, error %v", alone.labels, err)
	}
	if first.Labels["controller-revision-hash"] != "1" {
		t.Error("the labels of the workload's own pod were changed")
	}
	second.Spec.ServiceAccountName = "db-next"
	for want, workload := range map[string]string{
		`no workload "dbb" with a ready pod and a sidecar; did you mean db?`: "dbb",
		`no workload "lent" with a ready pod`:                                "lent",
		"two service accounts, db and db-next; run again when":               "db",
	} {
		if _, err := borrowOf(workload, []corev1.Pod{other, first, second, ours}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("from %s: error %v; want one with %q", workload, err, want)
		}
	}
}

func TestTheSidecarHasWhatIsBorrowedAndThePodHasNot(t *testing.T) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": clientApp, "app.kubernetes.io/name": clientApp, managedBy: programName, instance: "r1"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: agentContainer}}},
	}
	b := borrowed{"page-v1", "page", map[string]string{"app": "page", "version": "v1", managedBy: "Helm"}}
	if err := b.lendTo(pod); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{managedBy: programName, instance: "r1"}, pod.Labels); diff != "" {
		t.Errorf("the pod's labels (-want +got):\n%s", diff)
	}
	if hasProxy(pod) {
		t.Error("a container that the injector has not filled in counts as a sidecar")
	}
	sidecar := pod.Spec.Containers[1]
	var said map[string]string
	if err := json.Unmarshal([]byte(sidecar.Env[0].Value), &said); err != nil || sidecar.Name != proxyContainer || !cmp.Equal(said, b.labels) {
		t.Errorf("the container %s says the labels %v (error %v)", sidecar.Name, said, err)
	}
	if pod.Spec.ServiceAccountName != "page" || len(pod.Spec.ReadinessGates) != 1 {
		t.Errorf("account %q, gates %v", pod.Spec.ServiceAccountName, pod.Spec.ReadinessGates)
	}
	want := map[string]string{"app": "page", "version": "v1", managedBy: programName, instance: "r1"}
	if diff := cmp.Diff(want, b.labelsOf(pod)); diff != "" {
		t.Errorf("the mesh knows it by (-want +got):\n%s", diff)
	}
	none := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": clientApp}}}
	if err := (borrowed{}).lendTo(none); err != nil || len(none.Spec.Containers) > 0 || len(none.Spec.ReadinessGates) > 0 || (borrowed{}).labelsOf(none)["app"] != clientApp {
		t.Errorf("of nobody it takes %+v, error %v", none, err)
	}
}
