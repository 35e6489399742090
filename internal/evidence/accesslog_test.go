package evidence

import (
	"slices"
	"strings"
	"testing"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// log gives the scene's proxies access logs with these lines. A proxy that is
// not named logs nothing, though it is followed.
func (s *scene) log(lines map[string][]envoy.LogEntry) *Log {
	l := &Log{calls: newCalls()}
	for _, name := range []string{"caller", "web-v1"} {
		p := newProxyLog(s.after[name].proxy, 0)
		p.begin(loadStart, 0)
		for _, e := range lines[name] {
			p.add(e)
		}
		l.proxies = append(l.proxies, p)
	}
	return l
}

func (s *scene) gateway(proxy string) {
	s.before[proxy].proxy.Gateway, s.after[proxy].proxy.Gateway = true, true
}

// marked names the entry of a VirtualService as a run does.
func marked(o *rules.Object, mark string) *rules.Object {
	o.Spec.(*networking.VirtualService).Http[0].Name = mark
	return o
}

// routed leads a host to itself, with retries.
func routed(host string, attempts int32) *rules.Object {
	to := &networking.Destination{Host: host}
	return &rules.Object{Ref: rules.Ref{Kind: rules.VirtualService, Namespace: "shop", Name: host}, Spec: &networking.VirtualService{
		Hosts: []string{host},
		Http:  []*networking.HTTPRoute{{Route: []*networking.HTTPRouteDestination{{Destination: to}}, Retries: &networking.HTTPRetry{Attempts: attempts}}},
	}}
}

const inboundWeb = "inbound|8080||"

func inbound(e *envoy.LogEntry) { e.Cluster, e.Upstream = inboundWeb, webEndpoint }

func TestQuantitiesByTheAccessLog(t *testing.T) {
	fine := times(10, entry(1)) // what newScene counts in /clusters
	with := func(more ...envoy.LogEntry) map[string][]envoy.LogEntry {
		return map[string][]envoy.LogEntry{"caller": append(append([]envoy.LogEntry(nil), fine...), more...)}
	}
	refused := entry(2, nowhere, flagged("UO"))
	marks := []*rules.Object{marked(faultOn("web"), webMark), marked(faultOn("other"), otherMark)}
	for _, tt := range []struct {
		name   string
		need   string
		lines  map[string][]envoy.LogEntry
		bend   func(*scene)
		value  int64
		absent string
	}{
		{"refused requests", "overflows web", with(times(3, refused)...), nil, 3, ""},
		{"none", "overflows web", with(), nil, 0, ""},
		{"of another service", "overflows web", with(entry(2, nowhere, flagged("UO"), func(e *envoy.LogEntry) { e.Cluster = "outbound|8000||other.shop.svc.cluster.local" })), nil, 0, ""},
		{"before the load", "overflows web", with(entry(-2, nowhere, flagged("UO"))), nil, 0, ""},
		{"a log that lacks lines", "overflows web", map[string][]envoy.LogEntry{"caller": times(7, entry(1))}, nil, 0, "it has 7 lines of requests to outbound|8000||web.shop.svc.cluster.local, and /clusters counted 10"},
		{"an empty log", "overflows web", nil, nil, 0, "0 lines"},
		{"two that failed may have been retried", "overflows web", map[string][]envoy.LogEntry{"caller": append(times(8, entry(1)), refused)}, nil, 1, ""},
		{"two are still under way", "overflows web", map[string][]envoy.LogEntry{"caller": append(times(6, entry(1)), refused)}, func(s *scene) { s.host(s.after, "caller").Underway = 2 }, 1, ""},
		{"each is retried once by a rule", "overflows web", map[string][]envoy.LogEntry{"caller": append(times(5, entry(1)), refused)}, func(s *scene) { s.objects = append(s.objects, routed("web", 1)) }, 1, ""},
		{"retries do not make up for all", "overflows web", map[string][]envoy.LogEntry{"caller": times(4, entry(1))}, func(s *scene) { s.objects = append(s.objects, routed("web", 1)) }, 0, "4 lines"},
		{"mirrored requests have no lines", "overflows web", map[string][]envoy.LogEntry{"caller": {refused}}, func(s *scene) {
			other := routed("other", 0)
			other.Spec.(*networking.VirtualService).Http[0].Mirror = &networking.Destination{Host: "web"}
			s.objects = append(s.objects, other)
		}, 1, ""},
		{"a counter comes first", "overflows web", with(refused), func(s *scene) { s.keep("caller", webOverflow, 3, 7) }, 4, ""},
		{"the service's own sidecar refused some", "overflows web", map[string][]envoy.LogEntry{"caller": fine, "web-v1": times(2, entry(2, inbound, nowhere, flagged("UO")))}, (*scene).limit, 2, ""},
		{"the service's own sidecar logs no inbound request", "overflows web", with(), func(s *scene) {
			s.limit()
			name := envoy.ClusterName{Direction: envoy.Inbound, Port: 8080}
			c := s.after["web-v1"].clusters[name]
			c.Hosts = []envoy.Host{{Address: "127.0.0.1:8080", Requests: 8}}
			s.after["web-v1"].clusters[name] = c
			b := c
			b.Hosts = []envoy.Host{{Address: "127.0.0.1:8080"}}
			s.before["web-v1"].clusters[name] = b
		}, 0, "it has 0 lines of requests to inbound|8080||"},

		{"faults on two services of a port are told apart", "faults web", with(times(3, entry(2, by(webMark), flagged("DI")))...), func(s *scene) {
			s.keep("caller", delays, 1, 9)
			s.objects = marks
		}, 3, ""},
		{"and the other's", "faults other", with(append(times(3, entry(2, by(webMark), flagged("DI"))), entry(3, nowhere, by(otherMark), flagged("FI")))...), func(s *scene) {
			s.keep("caller", delays, 1, 9)
			s.objects = marks
		}, 1, ""},
		{"delayed and aborted counts twice", "faults web", with(entry(2, nowhere, by(webMark), flagged("DI", "FI"))), func(s *scene) { s.objects = marks }, 2, ""},
		{"by a name behind the entry's", "faults web", with(entry(2, by(webMark+".match"), flagged("DI"))), func(s *scene) { s.objects = marks }, 1, ""},
		{"by a rule of nobody's", "faults web", with(entry(2, by("meshchaos-other-0-0-0"), flagged("DI"))), func(s *scene) { s.objects = marks }, 0, ""},
		{"by a rule without a mark, of its cluster", "faults web", with(entry(2, by("theirs"), flagged("DI"))), nil, 1, ""},
		{"at the gateway", "faults web", with(entry(2, nowhere, by(webMark), flagged("FI"))), func(s *scene) {
			s.gateway("caller")
			s.objects = []*rules.Object{marked(faultOn("web", "ingress"), webMark)}
		}, 1, ""},
		{"at a gateway that does not log", "faults web", nil, func(s *scene) {
			s.gateway("caller")
			s.objects = []*rules.Object{marked(faultOn("web", "ingress"), webMark)}
		}, 0, "0 lines"},
		{"requests, where /clusters began anew", "requests web", with(), func(s *scene) {
			c := s.before["caller"].configs[webCluster]
			c.LastUpdated = "earlier"
			s.before["caller"].configs[webCluster] = c
		}, 10, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			if tt.bend != nil {
				tt.bend(s)
			}
			before, after := s.snapshots()
			words := strings.Fields(tt.need)
			q := whole(Observed{Namespace: "shop", Before: before, After: after, Services: shop, Objects: s.objects, Log: s.log(tt.lines)}).Quantities([]check.Need{{Function: words[0], Args: words[1:]}})[0]
			switch {
			case tt.absent != "" && (q.Value != nil || !strings.Contains(q.Absent, tt.absent)):
				t.Errorf("got %+v, not %q", q, tt.absent)
			case tt.absent == "" && (q.Value == nil || *q.Value != tt.value || q.Source == ""):
				t.Errorf("got %+v, not %v", q, tt.value)
			}
		})
	}
}

func TestHowEachKindOfPartIsSeenToBite(t *testing.T) {
	v1 := envoy.ClusterName{Direction: envoy.Outbound, Port: 8000, Subset: "v1", Host: webCluster.Host}
	fine := times(10, entry(1, by(webMark)))
	to := func(name envoy.ClusterName) func(*envoy.LogEntry) {
		return func(e *envoy.LogEntry) { e.Cluster = name.String() }
	}
	logs := func(more ...envoy.LogEntry) map[string][]envoy.LogEntry {
		return map[string][]envoy.LogEntry{"caller": append(append([]envoy.LogEntry(nil), fine...), more...)}
	}
	part := func(kind string, bend ...func(*rules.Part)) rules.Part {
		p := rules.Part{Kind: kind, Host: webCluster.Host, Entry: webMark, To: webCluster.Host}
		for _, b := range bend {
			b(&p)
		}
		return p
	}
	inShop := func(p *rules.Part) {
		p.Object, p.Host = rules.Ref{Kind: rules.DestinationRule, Namespace: "shop", Name: "web"}, "web.films.svc.cluster.local"
	}
	policy := func(kind string, bend ...func(*rules.Part)) rules.Part {
		return part(kind, append([]func(*rules.Part){func(p *rules.Part) { p.Entry, p.To = "", "" }}, bend...)...)
	}
	shared := func(host string) rules.Part {
		both := faultOn("web")
		vs := both.Spec.(*networking.VirtualService)
		vs.Hosts, vs.Http[0].Name = []string{"web", "other"}, webMark
		vs.Http[0].Route = []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: "web"}}}
		parts := rules.Parts(nil, both)
		return parts[slices.IndexFunc(parts, func(p rules.Part) bool { return p.Kind == rules.PartRoute && p.Service("shop") == host })]
	}
	subset := func(name string) func(*rules.Part) { return func(p *rules.Part) { p.Subset = name } }
	const unknown = -1
	for _, tt := range []struct {
		name  string
		part  rules.Part
		lines map[string][]envoy.LogEntry // nil: the logs are not read
		bend  func(*scene)
		want  int64
	}{
		{"a delay", part(rules.PartDelay), logs(times(2, entry(2, by(webMark), flagged("DI")))...), nil, 2},
		{"a delay of another entry", part(rules.PartDelay), logs(entry(2, by(otherMark), flagged("DI"))), nil, 0},
		{"a delay in the warm-up", part(rules.PartDelay), logs(entry(-2, by(webMark), flagged("DI"))), nil, 0},
		{"a delay that nothing shows", part(rules.PartDelay), nil, nil, unknown},
		{"a delay, by the counter of its port", part(rules.PartDelay), nil, func(s *scene) {
			for _, proxy := range []string{"caller", "web-v1"} {
				s.keep(proxy, delays, 1, 3)
			}
			s.objects = []*rules.Object{delayOn("web")}
		}, 4},
		{"a delay on a port with another", part(rules.PartDelay), nil, func(s *scene) {
			s.keep("caller", delays, 1, 3)
			s.objects = []*rules.Object{delayOn("web"), delayOn("other")}
		}, unknown},
		{"an abort", part(rules.PartAbort), logs(entry(2, nowhere, by(webMark), flagged("FI"))), nil, 1},
		{"no abort", part(rules.PartAbort), logs(), nil, 0},
		{"a timeout", part(rules.PartTimeout), logs(entry(2, by(webMark), flagged("UT"))), nil, 1},
		{"no timeout", part(rules.PartTimeout), logs(), nil, 0},
		{"a timeout that nothing shows", part(rules.PartTimeout), nil, nil, unknown},
		{"a route", part(rules.PartRoute), logs(), nil, 10},
		{"a route by which nobody went", part(rules.PartRoute, func(p *rules.Part) { p.Entry = otherMark }), logs(), nil, 0},
		{"a route for one of two hosts", shared("web"), logs(), nil, 10},
		{"a route for the other one", shared("other"), logs(), nil, 0},
		{"a route for both", shared("other"), logs(entry(2, by(webMark), func(e *envoy.LogEntry) { e.Authority = "other.shop" })), nil, 1},
		{"a route for nobody knows which", shared("other"), logs(entry(2, by(webMark), func(e *envoy.LogEntry) { e.Authority = "10.0.0.1" })), nil, unknown},
		{"a route that nothing shows", part(rules.PartRoute), nil, nil, unknown},
		{"a weight", part(rules.PartWeight, subset("v1")), logs(entry(2, by(webMark), to(v1))), nil, 1},
		{"a weight of requests that were aborted", part(rules.PartWeight, subset("v1")), logs(entry(2, by(webMark), to(v1), nowhere, flagged("FI"))), nil, 0},
		{"a policy", policy(rules.PartPolicy), nil, nil, 10},
		{"a policy that the callers' namespace has", policy(rules.PartPolicy, inShop), nil, func(s *scene) {
			s.toFilms()
		}, 10},
		{"a policy that another namespace's callers have", policy(rules.PartPolicy, inShop), nil, func(s *scene) {
			s.toFilms()
			s.before["caller"].proxy.Namespace, s.after["caller"].proxy.Namespace = "films", "films"
		}, 0},
		{"a policy of a subset that nobody uses", policy(rules.PartPolicy, subset("v1")), nil, nil, 0},
		{"a policy of another port", policy(rules.PartPolicy, func(p *rules.Part) { p.Port = 9000 }), nil, nil, 0},
		{"a policy that a port's hides", policy(rules.PartPolicy, func(p *rules.Part) { p.HiddenAt = []int{8000} }), nil, nil, 0},
		{"a policy that a subset's hides", policy(rules.PartPolicy, func(p *rules.Part) { p.HiddenBy = []string{"v1"} }), nil, nil, 10},
		{"a policy of a cluster that began anew", policy(rules.PartPolicy), nil, func(s *scene) { s.host(s.after, "caller").Requests = 1 }, unknown},
		{"an overflow", policy(rules.PartOverflow), logs(entry(2, nowhere, flagged("UO"))), nil, 1},
		{"no overflow", policy(rules.PartOverflow), logs(), nil, 0},
		{"an overflow of another subset", policy(rules.PartOverflow, subset("v1")), logs(entry(2, nowhere, flagged("UO"))), nil, 0},
		{"an overflow that a subset's pool hides", policy(rules.PartOverflow, func(p *rules.Part) { p.HiddenBy = []string{"v1"} }), logs(entry(2, nowhere, to(v1), flagged("UO"))), nil, 0},
		{"an overflow, by its counter", policy(rules.PartOverflow), nil, func(s *scene) { s.keep("caller", webOverflow, 3, 7) }, 4},
		{"an overflow that nothing shows", policy(rules.PartOverflow), nil, nil, unknown},
		{"an ejection, by its counter", policy(rules.PartEjection), nil, func(s *scene) { s.keep("caller", webEjections, 1, 2) }, 1},
		{"an ejection, by requests that found nobody", policy(rules.PartEjection), logs(entry(2, nowhere, flagged("UH"))), nil, 1},
		{"an ejection that may have ended unseen", policy(rules.PartEjection), logs(), func(s *scene) {
			s.configure(envoy.OutlierDetection{Consecutive5xx: 5})
		}, unknown},
		{"a request that failed and was not tried again", part(rules.PartNoRetry), logs(entry(2, by(webMark), flagged("UF"))), nil, 1},
		{"a request that failed otherwise, which is not tried again by default", part(rules.PartNoRetry), logs(entry(2, by(webMark), func(e *envoy.LogEntry) { e.Status = 500 })), nil, 0},
		{"a connection that was lost, which the entry behind would have tried again", part(rules.PartNoRetry, func(p *rules.Part) { p.RetriedFor = []string{"reset"} }), logs(entry(2, by(webMark), func(e *envoy.LogEntry) { e.Status, e.Flags = 503, []string{"UC"} })), nil, 1},
		{"a WebSocket that its endpoint ended, which nobody tries again", part(rules.PartNoRetry, func(p *rules.Part) { p.RetriedFor = []string{"reset", "5xx"} }), logs(entry(2, by(webMark), func(e *envoy.LogEntry) { e.Status, e.Flags = 101, []string{"UC"} })), nil, 0},
		{"a request that the entry behind would have tried again", part(rules.PartNoRetry, func(p *rules.Part) { p.RetriedFor = []string{"reset", "500"} }), logs(entry(2, by(webMark), func(e *envoy.LogEntry) { e.Status = 500 })), nil, 1},
		{"a retry that was refused", policy(rules.PartRetried), nil, func(s *scene) { s.keep("caller", webRetries+"_overflow", 1, 3) }, 2},
		{"a counter of refused retries that is not kept", policy(rules.PartRetried), nil, nil, unknown},
		{"none that failed", part(rules.PartNoRetry), logs(), nil, 0},
		{"requests that were tried again", part(rules.PartRetry), nil, func(s *scene) {
			s.keep("caller", webRetries, 1, 3)
			s.objects = []*rules.Object{leadingTo("web")}
		}, 2},
		{"a counter of retries that is not kept", part(rules.PartRetry), nil, func(s *scene) {
			s.objects = []*rules.Object{leadingTo("web")}
		}, unknown},
		{"retries to where two entries lead", part(rules.PartRetry), nil, func(s *scene) {
			s.keep("caller", webRetries, 1, 3)
			s.objects = []*rules.Object{leadingTo("web"), leadingTo("web")}
		}, unknown},
		{"retries that all failed, to where two entries lead", part(rules.PartRetry), logs(entry(2, by(webMark), flagged("URX"))), func(s *scene) {
			s.objects = []*rules.Object{leadingTo("web"), leadingTo("web")}
		}, 1},
		{"retries of another entry that all failed", part(rules.PartRetry), logs(entry(2, by(otherMark), flagged("URX"))), func(s *scene) {
			s.objects = []*rules.Object{leadingTo("web"), leadingTo("web")}
		}, unknown},
		{"headers of requests that got there", part(rules.PartRequestHeaders), logs(entry(2, by(webMark))), nil, 11},
		{"headers of requests that did not", part(rules.PartRequestHeaders, func(p *rules.Part) { p.Entry = otherMark }), logs(entry(2, nowhere, by(otherMark), flagged("FI")), entry(3, by(otherMark), flagged("UF"))), nil, 0},
		{"requests that were rewritten", part(rules.PartRewrite), logs(entry(2, nowhere, by(webMark), flagged("UO"))), nil, 10},
		{"requests that were redirected", part(rules.PartRedirect), logs(entry(2, nowhere, by(webMark), func(e *envoy.LogEntry) { e.Status = 302 }), entry(3, by(webMark), func(e *envoy.LogEntry) { e.Status = 302 })), nil, 1},
		{"headers of an abort", part(rules.PartResponseHeaders, func(p *rules.Part) { p.Entry = otherMark }), logs(entry(2, nowhere, by(otherMark), flagged("FI"))), nil, 1},
		{"headers of no answer", part(rules.PartResponseHeaders, func(p *rules.Part) { p.Entry = otherMark }), logs(entry(2, by(otherMark), flagged("DC"), func(e *envoy.LogEntry) { e.Status = 0 })), nil, 0},
		{"headers that nothing shows", part(rules.PartRequestHeaders), nil, nil, unknown},
		{"a mirror to where requests are sent too", part(rules.PartMirror), nil, nil, unknown},
		{"a mirror that got nothing", part(rules.PartMirror, subset("v1")), nil, nil, 0},
		{"what no proxy shows", part(rules.PartCORS), logs(), nil, unknown},
		{"a kind that is not known", part("else"), logs(), nil, unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			if tt.bend != nil {
				tt.bend(s)
			}
			before, after := s.snapshots()
			o := Observed{Namespace: "shop", Before: before, After: after, Services: shop, Objects: s.objects}
			if tt.lines != nil {
				o.Log = s.log(tt.lines)
			}
			b := whole(o).Bites([]rules.Part{tt.part})[0]
			switch {
			case tt.want == unknown && (b.Count != nil || b.Absent == ""):
				t.Errorf("got %+v, count %v; want that nothing shows it", b, deref(b.Count))
			case tt.want != unknown && (b.Count == nil || *b.Count != tt.want || b.Source == "" || b.Absent != ""):
				t.Errorf("got %+v, count %v, not %v", b, deref(b.Count), tt.want)
			}
		})
	}
}

func leadingTo(host string) *rules.Object {
	o := faultOn(host)
	o.Spec.(*networking.VirtualService).Http[0].Route = []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: host}}}
	return o
}

func TestTheRouteOfAnEntry(t *testing.T) {
	const root, delegate = "a.meshchaos-1-2-0", "meshchaos-1-3-0"
	for _, tt := range []struct {
		route, entry string
		want         bool
	}{
		{root, root, true},
		{root + ".block", root, true},
		{root + "1", root, false},
		{root + "-" + delegate, root, true},
		{root + "-" + delegate + ".block", delegate, true},
		{root + "-theirs", root, true},
		{"theirs-b", "b", false},
		{"b.block", "b", true},
		{"default", "", false},
	} {
		if got := byEntry(tt.route, tt.entry); got != tt.want {
			t.Errorf("the route %s is one of the entry %q: %v", tt.route, tt.entry, got)
		}
	}
}

func deref(n *int64) any {
	if n == nil {
		return "none"
	}
	return *n
}

func TestWhatOneProxyShowsIsEnoughForABiteAndNotForNone(t *testing.T) {
	s := newScene()
	s.host(s.after, "web-v1").Requests = 1 // so web-v1 is a client too, and its log is not read
	before, after := s.snapshots()
	for _, one := range []struct {
		line  envoy.LogEntry
		known bool
	}{{entry(2, by(webMark), flagged("DI")), true}, {entry(2, by(webMark)), false}} {
		l := s.log(map[string][]envoy.LogEntry{"caller": append(times(10, entry(1)), one.line)})
		o := Observed{Namespace: "shop", Before: before, After: after, Services: shop, Log: l}
		b := whole(o).Bites([]rules.Part{{Kind: rules.PartDelay, Host: webCluster.Host, Entry: webMark}})[0]
		if (b.Count != nil) != one.known {
			t.Errorf("got %+v, count %v", b, deref(b.Count))
		}
	}
	if Read(Observed{Namespace: "shop", Before: before, After: after, Services: []mesh.Service{}}).Gap() != "" {
		t.Error("there is a gap")
	}
}
