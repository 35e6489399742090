package istio

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// withAPI returns a mesh whose API server is a handler.
func withAPI(t *testing.T, api http.HandlerFunc) *Mesh {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	kube, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return &Mesh{Cluster: &Cluster{namespace: "book", kube: kube}}
}

var ratings = types.NamespacedName{Namespace: "book", Name: "ratings-v1-5d"}

func TestALogIsFollowedFromSomeSecondsBeforeByTheNodesClock(t *testing.T) {
	next := make(chan string)
	m := withAPI(t, func(w http.ResponseWriter, r *http.Request) {
		want := "/api/v1/namespaces/book/pods/ratings-v1-5d/log?container=istio-proxy&follow=true&sinceSeconds=65"
		if got := r.URL.String(); got != want {
			t.Errorf("asked for\n%s; want\n%s", got, want)
		}
		_ = http.NewResponseController(w).Flush()
		for line := range next {
			_, _ = io.WriteString(w, line+"\n")
			_ = http.NewResponseController(w).Flush()
		}
	})
	log, err := m.followLog(ratings)(t.Context(), time.Now().Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	lines := bufio.NewScanner(log)
	for _, line := range []string{"a", "b"} {
		next <- line
		if !lines.Scan() || lines.Text() != line {
			t.Fatalf("read %q, error %v; want %q as soon as it is logged", lines.Text(), lines.Err(), line)
		}
	}
	close(next)
	if lines.Scan() || !errors.Is(lines.Err(), io.ErrUnexpectedEOF) || !strings.Contains(lines.Err().Error(), "book/ratings-v1-5d: the log ended") {
		t.Errorf("a log that ended by itself: error %v; want one that says so", lines.Err())
	}
}

func TestFollowingALogEndsWithItsContext(t *testing.T) {
	m := withAPI(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	log, err := m.followLog(ratings)(ctx, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cancel()
	if _, err := io.ReadAll(log); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; want context.Canceled", err)
	}
}

func TestALogThatThisUserMayNotReadNamesTheRight(t *testing.T) {
	m := withAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"pods \"ratings-v1-5d\" is forbidden"}`)
	})
	_, err := m.followLog(ratings)(t.Context(), time.Now())
	if err == nil || !strings.Contains(err.Error(), "lacks the right to get pods/log in namespace book") {
		t.Errorf("error %v; want one that names the right", err)
	}
}
