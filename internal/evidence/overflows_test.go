package evidence

import (
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/envoy/envoytest"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// connectionsOf is the shop, where web's port is one of connections.
var connectionsOf = []mesh.Service{{Name: "web", Host: webCluster.Host, Ports: []mesh.Port{{Number: webCluster.Port, TCP: true}}}}

const (
	webConnections     = "cluster.outbound|8000||web.shop.svc.cluster.local.upstream_cx_overflow"
	inboundOverflow    = "cluster.inbound|8080||.upstream_rq_pending_overflow"
	inboundConnections = "cluster.inbound|8080||.upstream_cx_overflow"
)

// TestConnectionsThatWereCut holds what a connection pool did to connections, as a
// quantity and as what its rule did: both come from the same sources.
func TestConnectionsThatWereCut(t *testing.T) {
	const unknown = -1
	fine := times(10, entry(1))
	cut := entry(2, nowhere, flagged("UO"))
	unready := entry(2, nowhere, flagged("URX"))
	failed := entry(2, flagged("UF", "URX"))
	counters := func(connections, pending uint64) func(*scene) {
		return func(s *scene) {
			s.keep("caller", webOverflow, 3, 3+pending)
			s.keep("caller", webConnections, 3, 3+connections)
		}
	}
	metric := func(flags string, n uint64) func(*scene) {
		return func(s *scene) {
			s.telemetry("caller", "source", flags, 1, 1+n)
			for _, readings := range []map[string]*reading{s.before, s.after} {
				all := readings["caller"].requests
				all[len(all)-1].TCP = true
			}
		}
	}
	limited := func(s *scene) {
		limits := envoytest.Unlimited()
		limits.MaxConnections = 1
		s.limitTo(limits)
		counters(0, 2)(s)
	}
	kept := func(connections uint64) func(*scene) {
		return func(s *scene) {
			limited(s)
			s.keep("web-v1", inboundOverflow, 1, 1)
			s.keep("web-v1", inboundConnections, 1, 1+connections)
		}
	}
	logs := func(more ...envoy.LogEntry) map[string][]envoy.LogEntry {
		return map[string][]envoy.LogEntry{"caller": append(append([]envoy.LogEntry(nil), fine...), more...)}
	}
	byServer := func(lines ...envoy.LogEntry) map[string][]envoy.LogEntry {
		return map[string][]envoy.LogEntry{"caller": fine, "web-v1": lines}
	}
	for name, tt := range map[string]struct {
		bend   func(*scene)
		lines  map[string][]envoy.LogEntry // nil: the logs are not read
		want   int64                       // the quantity
		bit    int64                       // the rule: Istio's metric is no source of it, and what one proxy shows is enough
		absent string
	}{
		"none, by a counter that did not move":           {counters(0, 0), nil, 0, 0, ""},
		"those for which too many waited, by theirs":     {counters(0, 2), nil, 2, 2, ""},
		"a counter that moved":                           {counters(4, 0), nil, unknown, unknown, "upstream_cx_overflow of outbound|8000||web.shop.svc.cluster.local grew by 4 at caller"},
		"fewer than it moved":                            {counters(4, 0), logs(times(3, cut)...), 3, 3, ""},
		"none, though it moved":                          {counters(1, 0), logs(), 0, 0, ""},
		"of both kinds":                                  {counters(4, 2), logs(cut, unready, unready), 3, 3, ""},
		"that failed otherwise":                          {counters(4, 0), logs(cut, failed), 1, 1, ""},
		"by Istio's metric":                              {metric("UO", 3), nil, 3, unknown, ""},
		"by Istio's metric, beside some that failed":     {func(s *scene) { metric("UO", 3)(s); metric("UF,URX", 2)(s) }, nil, 3, unknown, ""},
		"by Istio's metric, beside some that are untold": {func(s *scene) { metric("UO", 3)(s); metric("URX", 2)(s) }, nil, unknown, unknown, "does not tell why 2 connections"},
		"by a metric of requests alone":                  {func(s *scene) { s.telemetry("caller", "source", "UO", 1, 4) }, nil, unknown, unknown, "caller"},
		"by nothing":                                     {func(*scene) {}, nil, unknown, unknown, "caller"},

		"nor by the service's sidecar":                   {kept(0), nil, 2, 2, ""},
		"by the service's sidecar, or made beyond":       {kept(3), nil, unknown, 2, "upstream_cx_overflow of inbound|8080|| grew by 3 at web-v1"},
		"by the service's sidecar":                       {kept(3), byServer(times(2, entry(2, inbound, nowhere, flagged("UO")))...), 4, 4, ""},
		"by the service's sidecar, which keeps no count": {limited, byServer(entry(2, inbound, nowhere, flagged("UO")), entry(2, inbound, nowhere, flagged("URX"))), 4, 4, ""},
		"by the service's sidecar, or not":               {limited, nil, unknown, 2, "web-v1 may have"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.host(s.after, "caller").Errors = 0
			tt.bend(s)
			before, after := s.snapshots()
			o := Observed{Namespace: "shop", Before: before, After: after, Services: connectionsOf}
			if tt.lines != nil {
				o.Log = s.log(tt.lines)
			}
			w := whole(o)
			q := w.Quantities([]check.Need{{Function: "overflows", Args: []string{"web"}}})[0]
			if deref(q.Value) != deref(count(tt.want)) || !strings.Contains(q.Absent, tt.absent) || tt.want != unknown && q.Absent != "" {
				t.Errorf("the quantity is %v, %+v; want %v, %q", deref(q.Value), q, tt.want, tt.absent)
			}
			if b := w.Bites([]rules.Part{{Kind: rules.PartOverflow, Host: webCluster.Host}})[0]; deref(b.Count) != deref(count(tt.bit)) {
				t.Errorf("the rule bit %v, %+v; want %v", deref(b.Count), b, tt.bit)
			}
		})
	}
}

// count is a number that is known, or nil.
func count(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}
