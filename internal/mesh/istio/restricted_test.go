//go:build e2e

package istio

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Istio's own part of the pod asks for more where Istio has no CNI plugin, so the pod
// is admitted without it.
func TestTheLoadPodIsAdmittedByRestrictedPodSecurity(t *testing.T) {
	m := open(t)
	namespace, err := m.kube.CoreV1().Namespaces().Get(t.Context(), m.namespace, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	delete(namespace.Labels, "istio-injection")
	namespace.Labels["pod-security.kubernetes.io/enforce"] = "restricted"
	if _, err := m.kube.CoreV1().Namespaces().Update(t.Context(), namespace, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		spoil    func(*corev1.Pod)
		admitted bool
	}{
		"as it is":             {func(*corev1.Pod) {}, true},
		"with a capability":    {func(p *corev1.Pod) { p.Spec.Containers[0].SecurityContext.Capabilities = nil }, false},
		"without a user":       {func(p *corev1.Pod) { p.Spec.Containers[0].SecurityContext.RunAsNonRoot = nil }, false},
		"with any system call": {func(p *corev1.Pod) { p.Spec.SecurityContext = nil }, false},
	} {
		pod := m.workloadPod(&workload{name: "load"})
		delete(pod.Labels, "sidecar.istio.io/inject")
		test.spoil(pod)
		_, err := m.kube.CoreV1().Pods(m.namespace).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if test.admitted && err != nil || !test.admitted && !apierrors.IsForbidden(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
