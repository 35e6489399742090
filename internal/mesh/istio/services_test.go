package istio

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestBehindAServiceAreTheReadyPodsThatItSelects(t *testing.T) {
	pod := func(app, version string, ready corev1.ConditionStatus) corev1.Pod {
		return corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app, "version": version}},
			Status:     corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}},
		}
	}
	leaving := pod("web", "v3", corev1.ConditionTrue)
	leaving.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	pods := []corev1.Pod{pod("web", "v1", corev1.ConditionTrue), pod("web", "v2", corev1.ConditionFalse), leaving, pod("db", "v1", corev1.ConditionTrue)}
	for name, test := range map[string]struct {
		selector map[string]string
		want     []map[string]string
	}{
		"some":                  {map[string]string{"app": "web"}, []map[string]string{{"app": "web", "version": "v1"}}},
		"none":                  {map[string]string{"app": "cache"}, []map[string]string{}},
		"those of another hand": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := readyBehind(corev1.Service{Spec: corev1.ServiceSpec{Selector: test.selector}}, pods)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPortIsTCPAsIstioSelectsItsProtocol(t *testing.T) {
	for _, test := range []struct {
		name, app string
		port      int32
		tcp       bool
	}{
		{"http", "", 8000, false},
		{"http-web", "", 8000, false},
		{"HTTP2-web", "", 8000, false},
		{"grpc", "", 9000, false},
		{"grpc-web", "", 9000, false},
		{"tcp", "", 9000, true},
		{"tcp-http", "", 9000, true},
		{"https", "", 443, true},
		{"mongo-a", "", 27017, true},
		{"", "", 8000, false},
		{"web", "", 8000, false},
		{"database", "", 3306, true},
		{"http", "", 3306, false},
		{"http", "tcp", 8000, true},
		{"tcp", "http", 9000, false},
		{"tcp", "kubernetes.io/h2c", 9000, false},
		{"http", "kubernetes.io/wss", 9000, true},
	} {
		p := corev1.ServicePort{Name: test.name, Port: test.port}
		if test.app != "" {
			p.AppProtocol = &test.app
		}
		silent := test.app == "" && (test.name == "" || test.name == "web") && !test.tcp
		if tcp, either := protocol(p); tcp != test.tcp || either != silent {
			t.Errorf("port %d, name %q, appProtocol %q: TCP %v, either %v; want %v, %v", test.port, test.name, test.app, tcp, either, test.tcp, silent)
		}
	}
}
