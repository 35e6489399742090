package istio

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// withPods is a cluster that has these pods of the load workload until each is
// deleted, and refuses what otherwise does.
func withPods(t *testing.T, otherwise func(w http.ResponseWriter, r *http.Request) bool, names ...string) (c *Cluster, deleted map[string]bool) {
	t.Helper()
	var mu sync.Mutex
	deleted = map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		switch {
		case otherwise(w, r):
		case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/jobs"):
			fmt.Fprint(w, `{"kind":"JobList","apiVersion":"batch/v1","items":[]}`)
		case r.Method == http.MethodDelete:
			deleted[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]] = true
			fmt.Fprint(w, `{"kind":"Pod","apiVersion":"v1"}`)
		case r.URL.Query().Get("labelSelector") != "meshchaos.io/load=t1":
			fails(w, http.StatusNotFound, "NotFound", "not here")
		case r.URL.Query().Has("watch"): // it ends without a word
		default:
			var items []string
			for _, name := range names {
				if !deleted[name] {
					items = append(items, `{"metadata":{"name":"`+name+`","uid":"`+name+`"}}`)
				}
			}
			fmt.Fprint(w, `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[`+strings.Join(items, ",")+`]}`)
		}
	}))
	t.Cleanup(server.Close)
	kube, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	return &Cluster{namespace: "book", id: "t1", kube: kube}, deleted
}

func TestPodsAreDeletedAgainIfTheClusterDoesNotAnswer(t *testing.T) {
	throttled := map[string]int{http.MethodGet: 2, http.MethodDelete: 2}
	c, deleted := withPods(t, func(w http.ResponseWriter, r *http.Request) bool {
		if throttled[r.Method]--; throttled[r.Method] < 0 {
			return false
		}
		fails(w, http.StatusTooManyRequests, "TooManyRequests", "too many requests")
		return true
	}, "a", "b")
	if err := c.deletePods(t.Context(), "t1", "", ""); err != nil || len(deleted) != 2 {
		t.Errorf("error %v, deleted %v", err, deleted)
	}
}

func TestAPodThatHasTheNameOfAnotherIsLetBe(t *testing.T) {
	c, deleted := withPods(t, func(http.ResponseWriter, *http.Request) bool { return false }, "a")
	if err := c.deletePods(t.Context(), "t1", "a", "former"); err != nil || len(deleted) != 0 {
		t.Errorf("error %v, deleted %v; want none", err, deleted)
	}
	if err := c.deletePods(t.Context(), "t1", "a", "a"); err != nil || !deleted["a"] {
		t.Errorf("error %v, deleted %v; want a", err, deleted)
	}
}

func TestPodsThatCannotBeDeletedAreNamed(t *testing.T) {
	for name, test := range map[string]struct {
		code   int
		reason string
		words  string
	}{
		"forbidden": {http.StatusForbidden, "Forbidden", "may not"},
		"away":      {http.StatusServiceUnavailable, "ServiceUnavailable", "etcd is away"},
	} {
		c, _ := withPods(t, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodDelete {
				fails(w, test.code, test.reason, test.words)
			}
			return r.Method == http.MethodDelete
		}, "a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err := c.deletePods(ctx, "t1", "", "")
		cancel()
		for _, words := range []string{test.words, "kubectl -n book delete job,pod -l meshchaos.io/load=t1"} {
			if err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%s: error %v; want one with %q", name, err, words)
			}
		}
	}
}
