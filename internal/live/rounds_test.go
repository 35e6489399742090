package live

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/envoy/envoytest"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// relay hands on what a capture answers, unless the handler has answered itself.
func relay(t *testing.T, capture *envoytest.Envoy, handle func(http.ResponseWriter, *http.Request) bool) *envoy.Admin {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if handle(w, r) {
			return
		}
		body, err := capture.Get(r.Context(), r.URL.String())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return &envoy.Admin{Client: server.Client(), Base: server.URL}
}

func TestAClusterThatStillWarmsIsNotYetUsed(t *testing.T) {
	capture := envoytest.Serve(t, "client", "rules")
	var warming atomic.Bool
	warming.Store(true)
	proxies := []mesh.Proxy{{Name: "client", Admin: relay(t, capture, func(w http.ResponseWriter, r *http.Request) bool {
		if r.FormValue("resource") == "dynamic_warming_clusters" && warming.Load() {
			fmt.Fprint(w, `{"configs":[{"cluster":{"name":"outbound|8000|v1|web.shop.svc.cluster.local"}}]}`)
			return true
		}
		return false
	})}}
	_, err := waitFor(t.Context(), proxies, rules.Change{After: webRule(7, "v1", "v2")}, "", never)
	if err == nil || !strings.Contains(err.Error(), "it does not use its new cluster outbound|8000|v1|web.shop.svc.cluster.local yet") {
		t.Errorf("error %v; want that a cluster is not used yet", err)
	}
	warming.Store(false)
	if _, err := waitFor(t.Context(), proxies, rules.Change{After: webRule(7, "v1", "v2")}, "", soon); err != nil {
		t.Error(err)
	}
}

func TestEachProxyIsAskedOnceARoundForAllChanges(t *testing.T) {
	for name, one := range map[string]struct {
		prompt bool
		rounds int
	}{"with workers": {false, 2}, "prompt": {true, 1}} {
		t.Run(name, func(t *testing.T) { askedOnceARound(t, one.prompt, one.rounds) })
	}
}

func askedOnceARound(t *testing.T, prompt bool, rounds int) {
	t.Helper()
	capture := envoytest.Serve(t, "client", "rules")
	var mu sync.Mutex
	asked := map[string]int{}
	admin := relay(t, capture, func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		asked[r.FormValue("resource")+" "+r.FormValue("name_regex")]++
		return false
	})
	other := object(rules.DestinationRule, "other", &networking.DestinationRule{Host: "other", Subsets: []*networking.Subset{{Name: "v9"}}})
	seen := Wait(t.Context(), []mesh.Proxy{{Name: "client", Admin: admin, Prompt: prompt}}, services, []Awaited{
		{rules.Change{After: ours()}, mark},
		{rules.Change{After: webRule(7, "v1", "v2")}, ""},
		{rules.Change{Before: other}, ""},
	}, soon)
	for i, s := range seen {
		if s.Err != nil || s.At.IsZero() || i < 2 && !slices.Equal(s.Proxies, []string{"client"}) {
			t.Errorf("change %d: %+v", i, s)
		}
	}
	want := map[string]int{
		`dynamic_route_configs (?:.*:)?(?:8000)`: rounds,
		`dynamic_active_clusters outbound\|.*\|.*\|(?:other\.shop\.svc\.cluster\.local|web\.shop\.svc\.cluster\.local)`:  rounds,
		`dynamic_warming_clusters outbound\|.*\|.*\|(?:other\.shop\.svc\.cluster\.local|web\.shop\.svc\.cluster\.local)`: rounds,
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
}

func TestNoMoreThanEightProxiesAreAskedAtATime(t *testing.T) {
	capture := envoytest.Serve(t, "client", "rules")
	var now, most atomic.Int32
	admin := relay(t, capture, func(http.ResponseWriter, *http.Request) bool {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		runtime.Gosched()
		return false
	})
	var proxies []mesh.Proxy
	for i := range 100 {
		proxies = append(proxies, mesh.Proxy{Name: fmt.Sprintf("client-%d", i), Admin: admin})
	}
	in, err := waitFor(t.Context(), proxies, rules.Change{After: ours()}, mark, soon)
	if err != nil || len(in) != 100 || most.Load() > 8 {
		t.Errorf("in %d proxies, error %v, %d asked at a time; want 100, and 8 at most", len(in), err, most.Load())
	}
	_, err = waitFor(t.Context(), proxies, rules.Change{After: webRoutes("meshchaos-r2")}, "meshchaos-r2", never)
	if err == nil || !strings.Contains(err.Error(), "and so for 95 more") {
		t.Errorf("error %v; want five proxies, and how many more", err)
	}
}

// While nobody follows one proxy is asked, and the others when that one has followed.
func TestTheOthersAreAskedWhenOneHasFollowed(t *testing.T) {
	capture := envoytest.Serve(t, "client", "norules")
	var mu sync.Mutex
	asked := map[string]int{}
	var proxies []mesh.Proxy
	for i := range 20 {
		name := fmt.Sprintf("client-%d", i)
		proxies = append(proxies, mesh.Proxy{Name: name, Client: i == 7, Admin: relay(t, capture, func(http.ResponseWriter, *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			if asked[name]++; asked["client-7"] == 4 {
				capture.Show("rules")
			}
			return false
		})})
	}
	in, err := waitFor(t.Context(), proxies, rules.Change{After: ours()}, mark, soon)
	if err != nil || len(in) != 20 {
		t.Errorf("in %d proxies, error %v", len(in), err)
	}
	for _, p := range proxies {
		if n := asked[p.Name]; n != 2 && !p.Client || p.Client && n < 5 {
			t.Errorf("%s was asked %d times", p.Name, n)
		}
	}
}
