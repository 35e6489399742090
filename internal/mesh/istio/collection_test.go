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

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// An API server ends each watch after one event, and forgets what was before
// version 8.
func TestAFollowedListGoesOnUntilTheServerHasForgotten(t *testing.T) {
	object := func(version, generation int) string {
		return fmt.Sprintf(`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"ratings","namespace":"default","uid":"u","resourceVersion":"%d","generation":%d}}`, version, generation)
	}
	next := map[string]string{
		"5": `{"type":"MODIFIED","object":` + object(6, 1) + `}`,
		"6": `{"type":"MODIFIED","object":` + object(7, 2) + `}`,
		"7": `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","code":410,"reason":"Expired","message":"too old resource version: 7 (8)"}}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("watch") == "" {
			fmt.Fprintf(w, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualServiceList","metadata":{"resourceVersion":"5"},"items":[%s]}`, object(4, 1))
			return
		}
		fmt.Fprintln(w, next[r.URL.Query().Get("resourceVersion")])
	}))
	defer server.Close()
	client, err := dynamic.NewForConfigAndClient(&rest.Config{Host: server.URL}, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	c := &collection{
		of: client.Resource(byPlace["EnvoyFilter"]).Namespace("default"),
		tell: func(was, is *unstructured.Unstructured) {
			told = append(told, is.GetResourceVersion()+respecified(was, is))
		},
		lose: func(err error) { told = append(told, err.Error()) },
	}
	var routines sync.WaitGroup
	if err := c.start(t.Context(), &routines); err != nil {
		t.Fatal(err)
	}
	routines.Wait()
	if diff := cmp.Diff([]string{"6", "7was changed", "too old resource version: 7 (8)"}, told); diff != "" {
		t.Errorf("what was told differs (-want +got):\n%s", diff)
	}
}

// A run that is interrupted, or over, ends what it follows.
func TestAFollowedListEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("watch") == "" {
			fmt.Fprint(w, `{"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":"5"},"items":[]}`)
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-r.Context().Done()
	}))
	defer server.Close()
	client, err := dynamic.NewForConfigAndClient(&rest.Config{Host: server.URL}, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	c := &collection{of: client.Resource(byPlace["EnvoyFilter"]), lose: func(err error) { told = append(told, err.Error()) }}
	var routines sync.WaitGroup
	if err := c.start(ctx, &routines); err != nil {
		t.Fatal(err)
	}
	cancel()
	routines.Wait()
	if len(told) > 0 {
		t.Errorf("it was told %s", strings.Join(told, "; "))
	}
}

// Something between here and the API server may end each watch as soon as it has begun.
func TestAServerThatEndsEachWatchAtOnceIsLeftAloneInBetween(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var asked []time.Time
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("watch") == "" {
			fmt.Fprint(w, `{"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":"5"},"items":[]}`)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if asked = append(asked, time.Now()); len(asked) == 3 {
			cancel()
		}
	}))
	defer server.Close()
	client, err := dynamic.NewForConfigAndClient(&rest.Config{Host: server.URL}, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	c := &collection{of: client.Resource(byPlace["EnvoyFilter"]), lose: func(err error) { t.Error(err) }}
	var routines sync.WaitGroup
	if err := c.start(ctx, &routines); err != nil {
		t.Fatal(err)
	}
	routines.Wait()
	for i := 1; i < len(asked); i++ {
		if after := asked[i].Sub(asked[i-1]); after < reopenEvery/2 {
			t.Errorf("watch %d is asked for %s after the one before", i+1, after)
		}
	}
}
