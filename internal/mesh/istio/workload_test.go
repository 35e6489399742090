package istio

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// withPod is a mesh whose cluster has a pod of the load workload until that is
// deleted, and refuses what otherwise does.
func withPod(t *testing.T, otherwise func(w http.ResponseWriter, method string) bool) (*Mesh, *workload, *bool) {
	t.Helper()
	deleted := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case otherwise(w, r.Method):
		case r.Method == http.MethodDelete:
			deleted = true
			fallthrough
		case !deleted:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"meshchaos-client-t1","uid":"u1","labels":{"app.kubernetes.io/instance":"t1"}}}`)
		default:
			fails(w, http.StatusNotFound, "NotFound", "not here")
		}
	}))
	t.Cleanup(server.Close)
	kube, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	close(started)
	return &Mesh{namespace: "book", run: "t1", kube: kube}, &workload{name: "meshchaos-client-t1", started: started, cancel: func() {}}, &deleted
}

func TestAPodIsDeletedAgainIfTheClusterDoesNotAnswer(t *testing.T) {
	throttled := map[string]int{http.MethodGet: 2, http.MethodDelete: 2}
	m, w, deleted := withPod(t, func(w http.ResponseWriter, method string) bool {
		if throttled[method]--; throttled[method] < 0 {
			return false
		}
		fails(w, http.StatusTooManyRequests, "TooManyRequests", "too many requests")
		return true
	})
	if err := m.deleteWorkload(t.Context(), w); err != nil || !*deleted {
		t.Errorf("error %v, deleted %v", err, *deleted)
	}
}

func TestAPodThatCannotBeDeletedIsNamed(t *testing.T) {
	for name, test := range map[string]struct {
		code   int
		reason string
		words  string
	}{
		"forbidden": {http.StatusForbidden, "Forbidden", "may not"},
		"away":      {http.StatusServiceUnavailable, "ServiceUnavailable", "etcd is away"},
	} {
		m, w, _ := withPod(t, func(w http.ResponseWriter, method string) bool {
			if method == http.MethodDelete {
				fails(w, test.code, test.reason, test.words)
			}
			return method == http.MethodDelete
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err := m.deleteWorkload(ctx, w)
		cancel()
		for _, words := range []string{test.words, "kubectl -n book delete pod meshchaos-client-t1"} {
			if err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%s: error %v; want one with %q", name, err, words)
			}
		}
	}
}
