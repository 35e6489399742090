package istio

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAPodHasDiedThatCarriesNoMoreLoad(t *testing.T) {
	serving := func() *corev1.Pod {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: "u1"}}
		pod.Status.Phase = corev1.PodRunning
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}, {Type: corev1.ContainersReady, Status: corev1.ConditionTrue}}
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: agentContainer}, {Name: proxyContainer}}
		pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "istio-init", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}}
		return pod
	}
	for name, test := range map[string]struct {
		now  func(*corev1.Pod)
		want string // in the reason; empty: it has not died
	}{
		"serves":         {func(*corev1.Pod) {}, ""},
		"gone":           {func(p *corev1.Pod) { *p = corev1.Pod{} }, "somebody deleted it"},
		"another's name": {func(p *corev1.Pod) { p.UID = "u2" }, "somebody deleted it"},
		"being deleted":  {func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: time.Now()} }, "somebody is deleting it"},
		"out of memory": {func(p *corev1.Pod) {
			p.Status.ContainerStatuses[0].State.Terminated = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}
		}, "container agent ended with exit status 137 (OOMKilled); give it more memory"},
		"without its proxy": {func(p *corev1.Pod) {
			p.Status.ContainerStatuses[1].State.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error"}
		}, "container istio-proxy ended with exit status 1"},
		"evicted": {func(p *corev1.Pod) {
			p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, "Evicted", "low on memory"
			p.Status.ContainerStatuses[0].State.Terminated = &corev1.ContainerStateTerminated{ExitCode: 143, Reason: "Error"}
		}, "Evicted: low on memory"},
		"on a lost node": {func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }, "node does not answer"},
	} {
		pod := serving()
		now := pod.DeepCopy()
		test.now(now)
		err := demise(now, pod)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
