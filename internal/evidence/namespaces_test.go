package evidence

import (
	"strings"
	"testing"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
)

// Two namespaces have a service web. A short name is that of the one whose proxy was
// asked, whichever of them has the rule.
func TestAShortNameIsOfTheNamespaceOfItsCaller(t *testing.T) {
	services := []mesh.Service{{Name: "web", Host: "web.shop.svc.cluster.local"}, {Name: "web.films", Host: "web.films.svc.cluster.local"}}
	for _, test := range []struct{ caller, authority, asked string }{
		{"shop", "web:8080", "web.shop.svc.cluster.local"},
		{"films", "web:8080", "web.films.svc.cluster.local"},
		{"shop", "web.films:8080", "web.films.svc.cluster.local"},
		{"films", "web.shop", "web.shop.svc.cluster.local"},
		{"istio-system", "web", "web.istio-system.svc.cluster.local"},
		{"shop", "web.example:8080", "web.example"},
		{"shop", "", ""},
	} {
		log := newProxyLog(mesh.Proxy{Name: "caller", Namespace: test.caller}, 0, services...)
		log.begin(time.Unix(1, 0), 0)
		log.add(envoy.LogEntry{Started: time.Unix(2, 0), Method: "GET", Authority: test.authority})
		for kind := range log.kinds {
			if kind.asked != test.asked {
				t.Errorf("%q of %s is %q, not %q", test.authority, test.caller, kind.asked, test.asked)
			}
		}
		if n, why := log.began(func(k logged) bool { return k.asked == test.asked }); n != 1 || why != nil {
			t.Errorf("%q of %s has %d requests (%v)", test.authority, test.caller, n, why)
		}
	}
}

// A rule that was in force for web of films has taken nothing from the load, which
// called that of its own namespace.
func TestWhatTheLoadSentIsOfTheNamespaceThatItComesFrom(t *testing.T) {
	fault := func(namespace string) *rules.Object {
		o := faultOn("web")
		o.Namespace = namespace
		return o
	}
	services := []mesh.Service{{Name: "web", Host: "web.shop.svc.cluster.local"}, {Name: "web.films", Host: "web.films.svc.cluster.local"}}
	for _, test := range []struct{ rule, url, host string }{
		{"films", "http://web:8080/", "web.shop.svc.cluster.local"},
		{"films", "http://web.films:8080/", "web.films.svc.cluster.local"},
		{"shop", "http://web:8080/", "web.shop.svc.cluster.local"},
	} {
		w := Read(Observed{Namespace: "shop", Services: services, Objects: []*rules.Object{fault(test.rule)}, Before: &Snapshot{}, After: &Snapshot{}})
		request, ok := requestOf(mesh.Cohort{Name: "c", From: mesh.FromClient, Plan: loadgen.Plan{HTTP: &loadgen.HTTP{URL: test.url}}}, w.Namespace, w.namespaces...)
		if !ok || request.Host != test.host {
			t.Errorf("%s is sent to %q (%v)", test.url, request.Host, ok)
		}
	}
}

// A fault for web of films is none for the web of shop.
func TestAFaultIsOfTheWholeHost(t *testing.T) {
	o := faultOn("web")
	o.Namespace = "films"
	w := Read(Observed{
		Namespace: "shop", Before: &Snapshot{}, After: &Snapshot{}, Objects: []*rules.Object{o},
		Services: []mesh.Service{
			{Name: "web", Host: "web.shop.svc.cluster.local", Ports: []mesh.Port{{Number: 8080}}},
			{Name: "web.films", Host: "web.films.svc.cluster.local", Ports: []mesh.Port{{Number: 8080}}},
		},
	})
	if vs, ok := o.Spec.(*networking.VirtualService); !ok || len(vs.Hosts) != 1 || vs.Hosts[0] != "web" {
		t.Fatalf("the rule is for %v, and should be for a short name", vs.GetHosts())
	}
	own, _ := w.service("web")
	if got := w.sharing(own); len(got) != 1 || got[0] != "web.films" {
		t.Errorf("the fault of web.films shares the port of web: %v", got)
	}
	films, known := w.service("web.films")
	if got := w.sharing(films); !known || len(got) != 0 {
		t.Errorf("web.films shares its port with %v", got)
	}
}

// The web of films has limits in front of its pod, and the rule of shop others for the
// callers of shop: who refused what is told apart by who follows the rule.
func TestOnlyWhatFollowersDoIsOfARule(t *testing.T) {
	const overflow = "upstream_rq_pending_overflow"
	for _, test := range []struct {
		namespace string // of the rule
		bit, most int64
	}{
		{"shop", 4, 9},  // of ten requests, one more than caller's limit
		{"films", 6, 9}, // and what web's own sidecar refused
		{"books", 0, 0},
	} {
		s := newScene()
		s.toFilms()
		s.limit()
		films := webCluster
		films.Host = "web.films.svc.cluster.local"
		for _, readings := range []map[string]*reading{s.before, s.after} {
			delete(readings["web-v1"].clusters, webCluster)
			readings["web-v1"].proxy.Namespace = "films"
			c := readings["caller"].clusters[films]
			c.Thresholds.MaxPendingRequests = 1
			readings["caller"].clusters[films] = c
		}
		s.keep("caller", "cluster."+films.String()+"."+overflow, 3, 7)
		s.keep("web-v1", "cluster."+inboundWeb+"."+overflow, 0, 2)
		before, after := s.snapshots()
		services := []mesh.Service{{Name: "web.films", Host: films.Host, Ports: []mesh.Port{{Number: films.Port}}}}
		w := whole(Observed{Namespace: "shop", Before: before, After: after, Services: services, Log: s.log(map[string][]envoy.LogEntry{"caller": times(10, entry(1, func(e *envoy.LogEntry) {
			e.Authority, e.Cluster = "web.films:8000", films.String()
		}))})})
		b := w.Bites([]rules.Part{{
			Kind: rules.PartOverflow, Host: films.Host,
			Object: rules.Ref{Kind: rules.DestinationRule, Namespace: test.namespace, Name: "web"},
		}})[0]
		if deref(b.Count) != deref(count(test.bit)) || deref(b.Most) != deref(count(test.most)) {
			t.Errorf("a rule of %s refused %v, and could have refused %v; want %d and %d (%+v)", test.namespace, deref(b.Count), deref(b.Most), test.bit, test.most, b)
		}
	}
}

// A proxy whose Sidecar hides web lets requests to it pass by PassthroughCluster, where
// nobody counts them as web's.
func TestWhatEscapesItsClusterIsNotNone(t *testing.T) {
	past := func(e *envoy.LogEntry) { e.Cluster = "PassthroughCluster" }
	for name, test := range map[string]struct {
		lines []envoy.LogEntry // of web-v1, which has no cluster of web
		known bool
	}{
		"nobody":          {nil, true},
		"one request":     {[]envoy.LogEntry{entry(2, past)}, false},
		"to another host": {[]envoy.LogEntry{entry(2, past, func(e *envoy.LogEntry) { e.Authority = "other:8000" })}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			delete(s.before["web-v1"].clusters, webCluster)
			delete(s.after["web-v1"].clusters, webCluster)
			before, after := s.snapshots()
			q := whole(Observed{
				Namespace: "shop", Before: before, After: after, Services: shop,
				Log: s.log(map[string][]envoy.LogEntry{"caller": times(10, entry(1)), "web-v1": test.lines}),
			}).Quantities([]check.Need{{Function: "requests", Args: []string{"web"}}})[0]
			if known := q.Value != nil; known != test.known || known && *q.Value != 10 || !known && !strings.Contains(q.Absent, "web-v1 calls web without a cluster of it") {
				t.Errorf("got %v, %q", deref(q.Value), q.Absent)
			}
		})
	}
}

// Without a log, what a load sent by way of such a proxy may be anywhere.
func TestALoadMayEscapeAProxyThatLogsNothing(t *testing.T) {
	for sent, known := range map[int64]bool{0: true, 3: false} {
		s := newScene()
		delete(s.before["web-v1"].clusters, webCluster)
		delete(s.after["web-v1"].clusters, webCluster)
		for _, readings := range []map[string]*reading{s.before, s.after} {
			readings["web-v1"].proxy.Client = true
		}
		before, after := s.snapshots()
		q := whole(Observed{
			Namespace: "shop", Before: before, After: after, Services: shop,
			Cohorts: []mesh.Cohort{{Name: "c", From: mesh.FromClient, Plan: loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://web:8000/"}}}},
			Loads:   map[string]*loadgen.Result{"c": {Sent: sent}},
		}).Quantities([]check.Need{{Function: "requests", Args: []string{"web"}}})[0]
		if (q.Value != nil) != known {
			t.Errorf("of %d requests: %v, %q", sent, deref(q.Value), q.Absent)
		}
	}
}
