package sidecar

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// ringCluster is one with RING_HASH and hosts at these addresses.
func ringCluster(addresses ...string) *cluster {
	c := &cluster{config: &config.Cluster{Policy: envoy.ClusterPolicy{Balancer: envoy.RingHash}}, draws: newDraws(1, "ring")}
	for i, a := range addresses {
		c.hosts = append(c.hosts, &host{Endpoint: config.Endpoint{Address: a}, index: i})
	}
	return c
}

// bonds binds a request by its headers as Envoy does: x-user=user1 x-user=user2.
func bonds(policy hashPolicy, headers string) bond {
	s := &stream{r: &http.Request{Header: http.Header{}}}
	for h := range strings.FieldsSeq(headers) {
		name, value, _ := strings.Cut(h, "=")
		s.r.Header.Add(name, value)
	}
	policy.decode(s)
	return s.bond
}

// What Envoy 1.40 was seen to choose of 127.0.0.1, .2 and .3 for user0 to user11,
// by the last digit.
func TestTheRingIsEnvoys(t *testing.T) {
	c := ringCluster("127.0.0.1:19901", "127.0.0.2:19901", "127.0.0.3:19901")
	once, twice := hashPolicy{"x-user"}, hashPolicy{"x-user", "x-user"}
	for name, tt := range map[string]struct {
		policy hashPolicy
		want   string
	}{"one destination": {once, "111213211311"}, "two destinations": {twice, "312211132112"}} {
		got := ""
		for i := range tt.want {
			h := c.choose(choice{bond: bonds(tt.policy, fmt.Sprintf("x-user=user%d", i))})
			got += strings.Split(h.Address, ".")[3][:1]
		}
		if got != tt.want {
			t.Errorf("%s: %s, and Envoy chooses %s", name, got, tt.want)
		}
	}
	for _, headers := range []string{"x-user=user0 x-user=user1", "x-user=user1 x-user=user0"} {
		if h := c.choose(choice{bond: bonds(once, headers)}); h != c.hosts[2] {
			t.Errorf("%s go to %s", headers, h.Address)
		}
	}
}

// What Envoy 1.40 was seen to do where two of three refuse: so many attempts it
// takes user0 to user11 to reach the third.
func TestARetryGoesOnAroundTheRing(t *testing.T) {
	c := ringCluster("127.0.0.1:19901", "127.0.0.2:19909", "127.0.0.3:19909")
	for i, want := range []int{1, 1, 1, 3, 2, 3, 3, 2, 1, 1, 3, 1} {
		by := choice{bond: bonds(hashPolicy{"x-user"}, fmt.Sprintf("x-user=user%d", i)), again: 5}
		for {
			h := c.choose(by)
			if h == c.hosts[0] || len(by.tried) > 3 {
				break
			}
			by.tried = append(by.tried, h)
		}
		if got := len(by.tried) + 1; got != want {
			t.Errorf("user%d: %d attempts, and Envoy makes %d", i, got, want)
		}
	}
}

func TestARequestIsBoundToItsEndpointWhileThatIsIn(t *testing.T) {
	faulty := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Fail") != "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprint(w, r.Context().Value(http.LocalAddrContextKey))
	}
	var endpoints []config.Endpoint
	for range 3 {
		endpoints = append(endpoints, sidecartest.Endpoint("web", "v1", sidecartest.Serve(t, faulty)))
	}
	m := startMesh(t, Options{}, []config.Service{sidecartest.Service("web", 8000, false, endpoints...)}, hashing(t, ""))
	first := m.each("x-user")
	if len(slices.Compact(slices.Sorted(slices.Values(first)))) != 3 {
		t.Fatalf("40 users were sent to %v", first)
	}
	if again := m.each("x-user"); !slices.Equal(first, again) {
		t.Errorf("they were sent to %v, then to %v", first, again)
	}
	if other := m.each("x-other"); slices.Equal(first, other) || len(slices.Compact(slices.Sorted(slices.Values(other)))) != 3 {
		t.Errorf("requests without the header were sent to %v", other)
	}

	m.push(hashing(t, ""), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"headers":{"request":{"set":{"x-user":"user3"}}},"route":[{"destination":{"host":"web"}}]}]}`))
	if alike := slices.Compact(m.each("x-user")); !slices.Equal(alike, first[3:4]) {
		t.Errorf("requests that the route makes user3's were sent to %v", alike)
	}

	gone := first[3]
	m.get("http://web:8000/", "x-user", "user0", "fail", "yes")
	if !m.Snapshot().Clusters[0].ejected(gone) {
		t.Fatalf("%s is not ejected", gone)
	}
	for i, now := range m.each("x-user") {
		if now == gone {
			t.Errorf("user%d is still sent to %s, which is ejected", i, gone)
		}
	}
}

// hashing hashes x-user for web, with more of a traffic policy.
func hashing(t *testing.T, more string) *rules.Object {
	return sidecartest.DestinationRule(t, "web", `{"host":"web","trafficPolicy":{"loadBalancer":{"consistentHash":{"httpHeaderName":"x-user"}},
		"outlierDetection":{"consecutive5xxErrors":1,"baseEjectionTime":"60s","maxEjectionPercent":100}`+more+`}}`)
}

// each is where the requests of 40 users are sent, by a header.
func (m *mesh) each(header string) (bodies []string) {
	m.t.Helper()
	for i := range 40 {
		bodies = append(bodies, m.get("http://web:8000/", header, fmt.Sprintf("user%d", i)).Body)
	}
	return bodies
}

// ejected says whether the host at an address is out.
func (c ClusterStatus) ejected(address string) bool {
	return slices.ContainsFunc(c.Hosts, func(h HostStatus) bool { return h.Address == address && h.Ejected })
}
