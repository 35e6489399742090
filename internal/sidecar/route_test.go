package sidecar

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

func TestTheFirstMatchDecidesTheRoute(t *testing.T) {
	m := startMesh(t, Options{}, []config.Service{sidecartest.Reviews(t)}, sidecartest.Subsets(t, "reviews"), sidecartest.VirtualService(t, "reviews", `{"hosts":["reviews"],"http":[
		{"match":[{"headers":{"end-user":{"exact":"jason"}}},{"uri":{"prefix":"/two"},"headers":{"x":{"regex":"a|b+"}}}],"route":[{"destination":{"host":"reviews","subset":"v2"}}]},
		{"match":[{"uri":{"exact":"/Case"},"ignoreUriCase":true}],"route":[{"destination":{"host":"reviews","subset":"v2"}}]},
		{"match":[{"headers":{"present":{}},"withoutHeaders":{"not":{"prefix":"n"}}}],"route":[{"destination":{"host":"reviews","subset":"v2"}}]},
		{"match":[{"method":{"exact":"PUT"}}],"route":[{"destination":{"host":"reviews","subset":"v2"}}]},
		{"match":[{"port":80}],"route":[{"destination":{"host":"reviews","subset":"v2"}}]},
		{"match":[{"gateways":["front"],"uri":{"prefix":"/"}}],"route":[{"destination":{"host":"reviews","subset":"v2"}}]},
		{"route":[{"destination":{"host":"reviews.default.svc.cluster.local","subset":"v1","port":{"number":9080}}}]}]}`))
	tests := []struct {
		path    string
		headers []string
		want    string
	}{
		{"/", nil, "v1"},
		{"/", []string{"End-User", "jason"}, "v2"},
		{"/", []string{"end-user", "jasons"}, "v1"},
		{"/two", nil, "v1"},
		{"/twofold?x=1", []string{"x", "bbb"}, "v2"},
		{"/two", []string{"x", "ab"}, "v1"},
		{"/cASE", nil, "v2"},
		{"/case/", nil, "v1"},
		{"/", []string{"present", "yes"}, "v2"},
		{"/", []string{"present", "yes", "not", "now"}, "v1"},
		{"/", []string{"present", "yes", "not", "so"}, "v2"},
	}
	for _, tt := range tests {
		if g := m.get("http://reviews:9080"+tt.path, tt.headers...); g.Body != tt.want {
			t.Errorf("%s %v went to %s, want %s", tt.path, tt.headers, g.Body, tt.want)
		}
	}
	for _, name := range []string{"reviews", "reviews.default", "reviews.default.svc", "reviews.default.svc.cluster.local"} {
		if g := m.get("http://"+name+":9080/", "end-user", "jason"); g.Body != "v2" {
			t.Errorf("by the name %s: %q", name, g.Body)
		}
	}
}

// weighted sends the given weights to v1 and v2.
func weighted(t testing.TB, v1, v2 int) *rules.Object {
	return sidecartest.VirtualService(t, "reviews", fmt.Sprintf(`{"hosts":["reviews"],"http":[{"route":[
		{"destination":{"host":"reviews","subset":"v1"},"weight":%d},{"destination":{"host":"reviews","subset":"v2"},"weight":%d}]}]}`, v1, v2))
}

func (m *mesh) versions(n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(m.get("http://reviews:9080/").Body)
	}
	return b.String()
}

func TestWeightsAreDrawnPerRequestAndTheSeedRepeatsThem(t *testing.T) {
	services := []config.Service{sidecartest.Reviews(t)}
	start := func(name string, seed uint64) *mesh {
		return startMesh(t, Options{Name: name, Seed: seed}, services, sidecartest.Subsets(t, "reviews"), weighted(t, 90, 10))
	}
	m := start("productpage-v1", 7)
	drawn := m.versions(500)
	// 50 are due; the bounds are those of a binomial at 1e-9.
	if n := strings.Count(drawn, "v2"); n < 15 || n > 95 {
		t.Errorf("v2 got %d of 500 requests", n)
	}
	if again := start("productpage-v1", 7).versions(500); again != drawn {
		t.Error("the same seed and name drew differently")
	}
	if other := start("productpage-v1", 8).versions(500); other == drawn {
		t.Error("another seed drew the same")
	}
	if other := start("details-v1", 7).versions(500); other == drawn {
		t.Error("another proxy drew the same")
	}
	m.push(sidecartest.Subsets(t, "reviews"), weighted(t, 0, 100))
	if got := m.versions(20); strings.Contains(got, "v1") {
		t.Errorf("with weight 0 v1 got requests: %s", got)
	}
	// What proxies counted is what clients saw, by host and by cluster.
	if n := m.stat(sidecartest.ClusterStat("outbound|9080|v2|reviews", "upstream_rq_total")); n != int64(strings.Count(drawn, "v2")+20) {
		t.Errorf("the proxy counted %d requests to v2", n)
	}
}

func TestADelayHitsItsMatchAloneAndIsNotChargedToTheTimeout(t *testing.T) {
	t.Parallel()
	m := startMesh(t, Options{}, []config.Service{sidecartest.Reviews(t)}, sidecartest.VirtualService(t, "reviews", `{"hosts":["reviews"],"http":[
		{"name":"jason.run-1","match":[{"headers":{"end-user":{"exact":"jason"}}}],"timeout":"0.5s","fault":{"delay":{"fixedDelay":"1s","percentage":{"value":100}}},"route":[{"destination":{"host":"reviews"}}]},
		{"route":[{"destination":{"host":"reviews"}}]}]}`))
	for range 3 {
		if g := m.get("http://reviews:9080/", "end-user", "jason"); g.Status != 200 || g.Took < time.Second || g.Took > 10*time.Second {
			t.Errorf("jason: %d after %v", g.Status, g.Took)
		}
	}
	sidecartest.Until(t, "the log has the route's name", func() bool {
		e := m.lines.all()[len(m.lines.all())-1]
		return e.flags == "DI" && e.route == "jason.run-1"
	})
	if g := m.get("http://reviews:9080/"); g.Took > 900*time.Millisecond {
		t.Errorf("another took %v", g.Took)
	}
	if n := m.stat("http.outbound_0.0.0.0_9080;.fault.delays_injected"); n != 3 {
		t.Errorf("%d delays were injected", n)
	}
}

func TestAFaultIsDrawnByItsPercentageAndWithoutOneNeverHappens(t *testing.T) {
	services := []config.Service{sidecartest.Reviews(t)}
	faulty := func(percentage string) *mesh {
		return startMesh(t, Options{Name: "client", Seed: 1}, services, sidecartest.VirtualService(t, "reviews",
			`{"hosts":["reviews"],"http":[{"fault":{"abort":{"httpStatus":418`+percentage+`},"delay":{"fixedDelay":"0.001s"`+percentage+`}},"route":[{"destination":{"host":"reviews"}}]}]}`))
	}
	statuses := func(m *mesh) string {
		var b strings.Builder
		for range 300 {
			fmt.Fprint(&b, m.get("http://reviews:9080/").Status, " ")
		}
		return b.String()
	}
	never := faulty("")
	if got := statuses(never); strings.Contains(got, "418") {
		t.Error("a fault without percentage happened")
	}
	m := faulty(`,"percentage":{"value":20}`)
	got := statuses(m)
	aborts := strings.Count(got, "418")
	if aborts < 15 || aborts > 120 {
		t.Errorf("%d of 300 were aborted, want about 60", aborts)
	}
	if n := m.stat("http.outbound_0.0.0.0_9080;.fault.aborts_injected"); n != int64(aborts) {
		t.Errorf("aborts_injected is %d, the client saw %d", n, aborts)
	}
	if again := statuses(faulty(`,"percentage":{"value":20}`)); again != got {
		t.Error("the same seed drew differently")
	}
}

func TestADelayAndAnAbortAreDrawnIndependently(t *testing.T) {
	m := startMesh(t, Options{Name: "client", Seed: 1}, []config.Service{sidecartest.Reviews(t)}, sidecartest.VirtualService(t, "reviews", `{"hosts":["reviews"],"http":[{"fault":{
		"delay":{"fixedDelay":"0.001s","percentage":{"value":50}},"abort":{"httpStatus":418,"percentage":{"value":30}}},"route":[{"destination":{"host":"reviews"}}]}]}`))
	const requests = 500
	for range requests {
		m.get("http://reviews:9080/")
	}
	sidecartest.Until(t, "all are noted", func() bool { return len(m.lines.all()) == requests })
	drawn := map[string]int{}
	for _, e := range m.lines.all() {
		drawn[e.flags]++
	}
	// The products of the two shares; 45 is more than four standard deviations.
	for flags, due := range map[string]int{"DI,FI": 75, "DI": 175, "FI": 75, "-": 175} {
		if n := drawn[flags]; n < due-45 || n > due+45 {
			t.Errorf("%s: %d of %d requests, want about %d", flags, n, requests, due)
		}
	}
}

// A route that is replaced while a request is on it stays that request's.
func TestAPushLeavesRequestsInFlightTheirRoute(t *testing.T) {
	arrived, leave := make(chan bool), make(chan bool)
	v1 := sidecartest.Serve(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- true
		<-leave
		fmt.Fprint(w, "v1")
	})
	services := []config.Service{sidecartest.Service("reviews", 9080, false, sidecartest.Endpoint("reviews", "v1", v1), sidecartest.Endpoint("reviews", "v2", sidecartest.Serve(t, sidecartest.Answering("v2"))))}
	m := startMesh(t, Options{}, services, sidecartest.Subsets(t, "reviews"), weighted(t, 100, 0))
	answer := make(chan string)
	go func() {
		g, err := sidecartest.Get(m.newClient(), "http://reviews:9080/")
		answer <- fmt.Sprint(g.Body, err)
	}()
	<-arrived
	// Every cluster of the service is replaced, and the route.
	m.push(weighted(t, 0, 100), sidecartest.DestinationRule(t, "reviews", `{"host":"reviews","trafficPolicy":{"connectionPool":{"tcp":{"maxConnections":5}}},
		"subsets":[{"name":"v1","labels":{"version":"v1"}},{"name":"v2","labels":{"version":"v2"}}]}`))
	if g := m.get("http://reviews:9080/"); g.Body != "v2" {
		t.Errorf("a new request went to %q", g.Body)
	}
	close(leave)
	if got := <-answer; got != "v1<nil>" {
		t.Errorf("the request in flight got %q", got)
	}
	sidecartest.Until(t, "its connection is closed", func() bool {
		return m.stat(sidecartest.ClusterStat("outbound|9080|v1|reviews", "upstream_cx_active")) == 0
	})
}

// Of two VirtualServices for a host the sidecars take the first, and a service
// whose VirtualService has no route for its port is routed as if it had none.
func TestTheFirstVirtualServiceOwnsAHost(t *testing.T) {
	m := startMesh(t, Options{}, []config.Service{sidecartest.Reviews(t)}, sidecartest.Subsets(t, "reviews"),
		sidecartest.VirtualService(t, "first", `{"hosts":["reviews"],"http":[{"match":[{"port":80}],"route":[{"destination":{"host":"reviews","subset":"v9"}}]}]}`),
		sidecartest.VirtualService(t, "second", `{"hosts":["reviews"],"http":[{"route":[{"destination":{"host":"reviews","subset":"v9"}}]}]}`))
	if g := m.get("http://reviews:9080/"); g.Status != 200 {
		t.Errorf("got %d", g.Status)
	}
}
