//go:build e2e

package istio

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAPodThatTheClusterWouldNotTakeIsRefusedBeforeItIsMade(t *testing.T) {
	m := open(t)
	inspect := func() string {
		t.Helper()
		wrong, _, err := m.Inspect(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, one := range wrong {
			words = append(words, one.Error())
		}
		return strings.Join(words, "\n")
	}
	if got := inspect(); got != "" {
		t.Errorf("a namespace in order is refused: %s", got)
	}
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "none"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}},
	}
	if _, err := m.kube.CoreV1().ResourceQuotas(m.namespace).Create(t.Context(), quota, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := inspect(); !strings.Contains(got, "quota: none") {
		t.Errorf("of a quota of no pod it says %q", got)
	}
	if pods, err := m.kube.CoreV1().Pods(m.namespace).List(t.Context(), metav1.ListOptions{}); err != nil || len(pods.Items) > 0 {
		t.Errorf("there are %d pods (%v)", len(pods.Items), err)
	}
}
