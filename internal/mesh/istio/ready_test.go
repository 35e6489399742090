package istio

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func TestAPodIsWaitedForWhileTheClusterDoesNotAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		reason string
		want   string // in the error; empty: there is none
	}{
		"away for a moment": {http.StatusServiceUnavailable, "ServiceUnavailable", ""},
		"forbidden":         {http.StatusForbidden, "Forbidden", "may not watch"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if asked.Add(1) == 1 {
					fails(w, test.status, test.reason, "may not watch")
					return
				}
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","uid":"u"},"status":{"phase":"Running","conditions":[{"type":"ContainersReady","status":"True"}]}}}`)
			}))
			defer server.Close()
			kube, err := kubernetes.NewForConfigAndClient(&rest.Config{Host: server.URL}, server.Client())
			if err != nil {
				t.Fatal(err)
			}
			c := &Cluster{namespace: "book", kube: kube}
			pod, err := c.awaitReady(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a"}})
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) || err == nil && pod.UID != "u" {
				t.Errorf("pod %v, error %v; want %q", pod, err, test.want)
			}
		})
	}
}
