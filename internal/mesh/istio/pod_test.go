package istio

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAPodThatCannotBecomeReadySaysWhy(t *testing.T) {
	status := func(name string, s corev1.ContainerState) *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: name, Image: "proxyv2:1", State: s}}}}
	}
	waits := func(reason string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: "because"}}
	}
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		want []string // of the error; none: it may still become ready
	}{
		"being made":            {status("agent", waits("ContainerCreating")), nil},
		"first pull failed":     {status("agent", waits("ErrImagePull")), nil},
		"no such image":         {status("agent", waits("ImagePullBackOff")), []string{"our/image:1", "because", "--image"}},
		"no such sidecar image": {status("istio-proxy", waits("ImagePullBackOff")), []string{"proxyv2:1", "istio-proxy"}},
		"refused by its node":   {status("agent", waits("CreateContainerConfigError")), []string{"agent does not start", "because"}},
		"another program": {
			status("agent", corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 2, Reason: "Error", Message: "unknown command agent"}}),
			[]string{"exit status 2", "unknown command agent", "--image"},
		},
		"evicted": {&corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "low on memory"}}, []string{"Evicted", "low on memory"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := failure(test.pod, "our/image:1")
			if (err != nil) != (test.want != nil) {
				t.Fatalf("error %v; want one with %q", err, test.want)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q lacks %q", err, part)
				}
			}
		})
	}
}

func TestAPodIsOfTheWorkloadThatOwnsIt(t *testing.T) {
	yes := true
	for _, test := range []struct{ kind, controller, hash, want string }{
		{"ReplicaSet", "reviews-v1-5d8f9c7b6", "5d8f9c7b6", "reviews-v1"},
		{"ReplicaSet", "by-hand", "", "by-hand"},
		{"StatefulSet", "db", "", "db"},
		{"", "", "", "pod-1"},
	} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pod-1", Labels: map[string]string{"pod-template-hash": test.hash}}}
		if test.kind != "" {
			pod.OwnerReferences = []metav1.OwnerReference{{Kind: test.kind, Name: test.controller, Controller: &yes}}
		}
		if have := owner(pod); have != test.want {
			t.Errorf("%s %s: workload %q; want %q", test.kind, test.controller, have, test.want)
		}
	}
}

func TestOnlyAReadyPodWithAProxyCarriesTraffic(t *testing.T) {
	podWith := func(change func(*corev1.Pod)) *corev1.Pod {
		pod := &corev1.Pod{
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}, {Name: proxyContainer}}},
			Status: corev1.PodStatus{
				Phase:      corev1.PodRunning,
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			},
		}
		change(pod)
		return pod
	}
	for name, test := range map[string]struct {
		change func(*corev1.Pod)
		want   bool
	}{
		"beside the application": {func(*corev1.Pod) {}, true},
		"as a native sidecar": {func(p *corev1.Pod) {
			p.Spec.InitContainers, p.Spec.Containers = p.Spec.Containers[1:], p.Spec.Containers[:1]
		}, true},
		"none":        {func(p *corev1.Pod) { p.Spec.Containers = p.Spec.Containers[:1] }, false},
		"not ready":   {func(p *corev1.Pod) { p.Status.Conditions[0].Status = corev1.ConditionFalse }, false},
		"finished":    {func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }, false},
		"terminating": {func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} }, false},
	} {
		if have := carries(podWith(test.change)); have != test.want {
			t.Errorf("%s: %v; want %v", name, have, test.want)
		}
	}
}
