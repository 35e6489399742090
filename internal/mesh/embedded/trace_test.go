package embedded

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

const ratingsDelay = `{"kind":"VirtualService","metadata":{"name":"ratings"},"spec":{"hosts":["ratings"],"http":[
	{"match":[{"headers":{"end-user":{"exact":"jason"}}}],"fault":{"delay":{"fixedDelay":"7s","percentage":{"value":100}}},"route":[{"destination":{"host":"ratings"}}]},
	{"route":[{"destination":{"host":"ratings"}}]}]}}`

// becomes polls stats of a workload's proxy until those that are named in want
// have its values.
func becomes(t *testing.T, m *Mesh, workload string, want map[string]uint64) {
	t.Helper()
	proxies, err := m.Proxies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(proxies, func(p mesh.Proxy) bool { return p.Workload == workload })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		got, err := proxies[at].Admin.Stats(t.Context(), `^(cluster|http)\.outbound`)
		if err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(got, func(name string, _ uint64) bool { _, ok := want[name]; return !ok })
		diff := cmp.Diff(want, got)
		if diff == "" {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the proxy of %s after a minute (-want +got):\n%s", workload, diff)
		}
	}
}

const (
	toDetails = "cluster.outbound|9080||details.default.svc.cluster.local."
	toReviews = "cluster.outbound|9080|v2|reviews.default.svc.cluster.local."
	toRatings = "cluster.outbound|9080||ratings.default.svc.cluster.local."
	outbound  = "http.outbound_0.0.0.0_9080."
)

// The calls of one page of jason's, as they were traced with Istio: details
// once; reviews twice, given up after 3 s each; and below each a call of
// ratings whose delay of 7 s goes on after its caller has gone.
func TestADelayInRatingsOutlastsThePageThatGaveItUp(t *testing.T) {
	t.Parallel() // It takes the ten seconds that the second delay takes.
	m := open(t, "bookinfo", 1)
	create(t, m, reviewsSubsets, reviewsV2, ratingsDelay)
	began := time.Now()
	var r *loadgen.Result
	var took time.Duration
	var page sync.WaitGroup
	page.Go(func() {
		r = load(t, m, mesh.FromClient, loadgen.Plan{HTTP: productpage("jason"), Connections: 1, Requests: 1,
			Checks: []loadgen.Check{{Name: "reviews-lost", Body: "Error fetching product reviews"}}})
		took = time.Since(began)
	})
	// From the second call on, 3 s after the first, until the first delay ends, both last.
	becomes(t, m, "reviews-v2", map[string]uint64{
		outbound + "downstream_rq_total": 2, outbound + "fault.delays_injected": 2, outbound + "fault.active_faults": 2, toRatings + "upstream_rq_total": 0,
	})
	if page.Wait(); r == nil {
		t.FailNow()
	}
	if diff := cmp.Diff(map[string]int64{"200  reviews-lost": 1}, outcomes(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if took < 6*time.Second || took > 8900*time.Millisecond { // a third try would take it to 9 s
		t.Errorf("the page took %v, want twice 3 s", took)
	}
	becomes(t, m, "productpage-v1", map[string]uint64{
		toDetails + "upstream_rq_total": 1, toDetails + "upstream_rq_200": 1,
		toReviews + "upstream_rq_total": 2, toReviews + "upstream_rq_completed": 0, toReviews + "upstream_rq_active": 0,
		outbound + "downstream_rq_total": 3, outbound + "downstream_rq_completed": 1, outbound + "downstream_rq_rx_reset": 2,
	})
	becomes(t, m, "reviews-v2", map[string]uint64{
		outbound + "fault.active_faults": 0, toRatings + "upstream_rq_total": 2, toRatings + "upstream_rq_200": 2, outbound + "downstream_rq_rx_reset": 0,
	})
	if took := time.Since(began); took < 10*time.Second {
		t.Errorf("the second delay was over %v after the page began, want 3 s and 7 s", took)
	}
}
