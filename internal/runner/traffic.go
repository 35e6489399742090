package runner

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/samples"
	"github.com/meshchaos/meshchaos/internal/samples/workload"
	"github.com/meshchaos/meshchaos/loadgen"
)

// traffic is where the requests of cohorts come by in a sample application: more
// rather than less, for no reason to warn is to be made up. Hosts are fully qualified.
type traffic struct {
	home    string          // the namespace of the run
	own     map[string]bool // the application's
	called  map[string]bool // by a workload with a sidecar
	sent    map[string]bool // where requests arrive, called or not
	gateway bool            // some enter by the ingress gateway
	edited  bool            // rules change what headers requests have
	clients []client
}

// client is one cohort that calls a host from within the mesh.
type client struct {
	host    string
	headers []loadgen.HTTP  // requests that have them
	user    string          // who it signs in as
	behind  map[string]bool // the hosts that are called on its behalf
}

// traffic follows cohorts through the application, under rules that are in force at
// some time. Known is false of one that is no sample's, and where a cohort or a
// redirect leads elsewhere.
func (p *planner) traffic(app string, cohorts []mesh.Cohort, objects []*rules.Object) (t *traffic, known bool) {
	workloads, err := samples.App(app)
	if err != nil {
		return nil, false
	}
	t = &traffic{home: p.site.Namespace, own: map[string]bool{}, called: map[string]bool{}, sent: map[string]bool{}}
	for _, w := range workloads {
		t.own[rules.FQDN(w.App, p.site.Namespace)] = true
	}
	entrances := t.destinations(objects)
	for host := range t.sent {
		t.follow(workloads, host, t.called)
	}
	if !t.entries(objects) {
		return nil, false
	}
	for _, cohort := range cohorts {
		address, _, err := cohort.Plan.Address()
		host := p.there.qualified(address)
		switch {
		case err != nil:
			return nil, false
		case cohort.From == mesh.FromGateway:
			t.gateway = true
			for _, host := range entrances {
				t.follow(workloads, host, t.called)
			}
		case !t.own[host]:
			return nil, false
		default:
			t.called[host] = true
			t.follow(workloads, host, t.called)
			c := clientOf(cohort, host)
			t.follow(workloads, host, c.behind)
			t.clients = append(t.clients, c)
		}
	}
	for host := range t.called {
		t.sent[host] = true
	}
	return t, true
}

// entries notes whether rules change the headers of requests; known is false if one
// redirects them, to wherever it may be.
func (t *traffic) entries(objects []*rules.Object) (known bool) {
	edits := func(h *networking.Headers) bool { return len(h.GetRequest().GetSet())+len(h.GetRequest().GetAdd()) > 0 }
	for _, o := range objects {
		for _, entry := range httpOf(o) {
			t.edited = t.edited || edits(entry.Headers) || slices.ContainsFunc(entry.Route, func(r *networking.HTTPRouteDestination) bool { return edits(r.Headers) })
			if entry.Redirect != nil {
				return false
			}
		}
	}
	return true
}

// clientOf is a cohort that calls a host, on whose behalf nobody is known to be
// called yet.
func clientOf(cohort mesh.Cohort, host string) client {
	c := client{host: host, behind: map[string]bool{}}
	if plan := cohort.Plan.GRPC; plan != nil {
		c.headers = append(c.headers, loadgen.HTTP{Header: plan.Header})
	}
	for _, r := range cohort.Plan.OfHTTP() {
		c.headers = append(c.headers, r.HTTP)
		if r.HTTP.Login != nil {
			c.user = r.HTTP.Login.Form["username"]
		}
	}
	return c
}

// destinations notes where rules send the requests of other hosts, and returns where
// those of gateways do.
func (t *traffic) destinations(objects []*rules.Object) (entrances []string) {
	for _, o := range objects {
		hosts := rules.Hosts(o)
		_, byGateways := rules.Followers(rules.BoundTo(o))
		for _, to := range rules.Targets(o) {
			switch {
			case !to.Sent:
				continue
			case byGateways:
				entrances = append(entrances, to.Host)
			}
			if byGateways || !slices.Contains(hosts, to.Host) {
				t.sent[to.Host] = true
			}
		}
	}
	return entrances
}

// follow notes the hosts that are called when requests arrive at one.
func (t *traffic) follow(workloads []workload.Workload, host string, called map[string]bool) {
	name, namespace, _ := strings.Cut(host, ".")
	for _, w := range workloads {
		if w.App != name {
			continue
		}
		for _, callee := range w.Calls {
			if next := callee + "." + namespace; !called[next] {
				called[next] = true
				t.follow(workloads, next, called)
			}
		}
	}
}

// sends says whether a request to a host may have a header of this value: a service
// may pass on what it is sent, and the one that somebody signs in to says who asks.
func (t *traffic) sends(host, name, value string) bool {
	if t.gateway {
		return true
	}
	return slices.ContainsFunc(t.clients, func(c client) bool {
		signed := strings.EqualFold(name, "end-user") && c.user != ""
		if c.behind[host] && signed {
			return c.user == value
		}
		return (c.host == host || c.behind[host]) && slices.ContainsFunc(c.headers, func(h loadgen.HTTP) bool {
			for key, sent := range h.Header {
				if strings.EqualFold(key, name) && (sent == value || h.Varies()) {
					return true
				}
			}
			return false
		})
	})
}

// httpOf are the http entries of an object; nil: it is no VirtualService.
func httpOf(o *rules.Object) []*networking.HTTPRoute {
	vs, _ := o.Spec.(*networking.VirtualService)
	return vs.GetHttp()
}
