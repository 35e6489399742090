package evidence

import (
	"testing"
	"time"

	networking "istio.io/api/networking/v1alpha3"

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
