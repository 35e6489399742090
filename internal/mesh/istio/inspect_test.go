package istio

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPodsWithoutASidecarAreToldApartByWhy(t *testing.T) {
	labelled := func(labels ...string) map[string]string {
		all := map[string]string{"app": "web"}
		for i := 0; i < len(labels); i += 2 {
			all[labels[i]] = labels[i+1]
		}
		return all
	}
	bare := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web-1", Labels: labelled()},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
	but := func(change func(*corev1.Pod)) corev1.Pod {
		pod := *bare.DeepCopy()
		change(&pod)
		return pod
	}
	for name, test := range map[string]struct {
		pod            corev1.Pod
		namespace      map[string]string // its labels
		wrong, warning string            // empty: none
	}{
		"with one":              {pod: but(func(p *corev1.Pod) { p.Spec.Containers = []corev1.Container{{Name: proxyContainer}} })},
		"with a native one":     {pod: but(func(p *corev1.Pod) { p.Spec.InitContainers = []corev1.Container{{Name: proxyContainer}} })},
		"of another service":    {pod: but(func(p *corev1.Pod) { p.Labels["app"] = "db" })},
		"not ready":             {pod: but(func(p *corev1.Pod) { p.Status.Conditions = nil })},
		"without one":           {pod: bare, wrong: "have no sidecar (web-1)"},
		"kept out by a label":   {pod: but(func(p *corev1.Pod) { p.Labels = labelled(inject, "false") }), warning: "kept out of the mesh (web-1)"},
		"kept out by the host":  {pod: but(func(p *corev1.Pod) { p.Spec.HostNetwork = true }), warning: "kept out"},
		"ambient":               {pod: bare, namespace: map[string]string{dataplaneMode: "ambient"}, wrong: "ambient, without a waypoint"},
		"ambient by itself":     {pod: but(func(p *corev1.Pod) { p.Annotations = map[string]string{redirection: "enabled"} }), wrong: "without a waypoint"},
		"ambient, a waypoint":   {pod: bare, namespace: map[string]string{dataplaneMode: "ambient", useWaypoint: "gate"}, wrong: "behind the waypoint gate"},
		"ambient, and kept out": {pod: but(func(p *corev1.Pod) { p.Labels = labelled(dataplaneMode, "none", inject, "false") }), namespace: map[string]string{dataplaneMode: "ambient"}, warning: "kept out"},
	} {
		t.Run(name, func(t *testing.T) {
			service := corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"}, Spec: corev1.ServiceSpec{Selector: labelled()}}
			found := bareOf(service, []corev1.Pod{test.pod}, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Labels: test.namespace}})
			var wrong, warning string
			for _, err := range found.refusals(service) {
				wrong += err.Error()
			}
			warning = strings.Join(found.warnings(service), "")
			if !strings.Contains(wrong, test.wrong) || (wrong == "") != (test.wrong == "") || !strings.Contains(warning, test.warning) || (warning == "") != (test.warning == "") {
				t.Errorf("wrong %q, warned of %q; want %q, %q", wrong, warning, test.wrong, test.warning)
			}
		})
	}
}
