package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// ownName is the name that Istio gives to a route without one.
const ownName = "default"

// virtualService sees a change by the names of its http entries, which become
// the names of Envoy's routes, and by the clusters of its tcp routes.
func virtualService(a Awaited, services []mesh.Service) (*look, error) {
	change := a.Change
	before, after := virtualServiceOf(change.Before), virtualServiceOf(change.After)
	if len(before.GetTls())+len(after.GetTls()) > 0 {
		return nil, errors.New("its tls routes cannot be told apart in a proxy; use http or tcp routes")
	}
	var looks []*look
	if len(before.GetHttp())+len(after.GetHttp()) > 0 {
		names, err := namesOf(change, a.Mark)
		if err != nil {
			return nil, err
		}
		looks = append(looks, names.look(services))
	}
	if len(before.GetTcp())+len(after.GetTcp()) > 0 {
		looks = append(looks, splitsOf(change, services).look())
	}
	return all(looks), nil
}

func virtualServiceOf(o *rules.Object) *networking.VirtualService {
	if o == nil {
		return nil
	}
	return o.Spec.(*networking.VirtualService)
}

// names are the routes that tell a VirtualService's generations apart.
type names struct {
	before, after *networking.VirtualService // nil: it is not there
	hosts         []string                   // fully qualified
	wanted        []string                   // one of them must be there
	kept          []string                   // those that the change writes, marked or not
	gone          []string                   // those that it takes away
}

func namesOf(change rules.Change, mark string) (*names, error) {
	n := &names{before: virtualServiceOf(change.Before), after: virtualServiceOf(change.After)}
	for _, o := range []*rules.Object{change.After, change.Before} {
		if o != nil {
			n.hosts = append(n.hosts, rules.Hosts(o)...)
		}
	}
	for _, entry := range virtualServiceOf(change.After).GetHttp() {
		n.kept = append(n.kept, entry.Name)
		if mark != "" && strings.Contains(entry.Name, mark) {
			n.wanted = append(n.wanted, entry.Name)
		}
	}
	for _, entry := range virtualServiceOf(change.Before).GetHttp() {
		if !slices.Contains(n.kept, entry.Name) && entry.Name != "" && entry.Name != ownName {
			n.gone = append(n.gone, entry.Name)
		}
	}
	if mark != "" && len(n.kept) > 0 && len(n.wanted) == 0 {
		return nil, fmt.Errorf("none of its http entries has %s in its name", mark)
	}
	return n, nil
}

// look asks for the routes of the ports of the hosts; of all where a host's ports
// are not known.
func (n *names) look(services []mesh.Service) *look {
	l := &look{reaches: n.reaches, judge: n.judge}
	for _, host := range n.hosts {
		i := slices.IndexFunc(services, func(s mesh.Service) bool { return s.Host == host })
		if i < 0 {
			l.needs.allRoutes = true
			continue
		}
		for _, port := range services[i].Ports {
			l.needs.routes = append(l.needs.routes, uint32(port.Number))
		}
	}
	return l
}

// judge looks at the routes of the hosts. Those of a host change all at once, so
// one wanted name shows the whole rule. A mark that the change does not write is
// of an earlier generation in a sidecar, which follows one VirtualService for a
// host; a gateway puts the entries of several together. Whom the rule is not for any
// more may follow another one.
func (n *names) judge(ctx context.Context, v *view) (bool, string, error) {
	all, err := v.virtualHosts(ctx)
	if err != nil {
		return true, "", err
	}
	hosts, routes := n.routes(all)
	follows := n.after == nil || n.reachedBy(n.after, v.proxy, n.wanted)
	for _, name := range routes {
		if slices.Contains(n.gone, name) || follows && !v.proxy.Gateway && strings.Contains(name, rules.MarkPrefix) && !slices.Contains(n.kept, name) {
			return true, fmt.Sprintf("it still has the route %s", name), nil
		}
	}
	if len(n.wanted) == 0 || !follows {
		return true, "", nil
	}
	if hosts == 0 && !v.proxy.Gateway {
		return false, "", nil
	}
	if !slices.ContainsFunc(routes, func(name string) bool { return slices.Contains(n.wanted, name) }) {
		return true, fmt.Sprintf("for %s it has the routes [%s]", strings.Join(n.hosts, ", "), strings.Join(routes, " ")), nil
	}
	return true, "", nil
}

// routes returns how many virtual hosts are of the hosts, and the names of
// their routes, each once.
func (n *names) routes(all []envoy.VirtualHost) (hosts int, routes []string) {
	for _, host := range all {
		name, _, _ := strings.Cut(host.Name, ":")
		if !slices.ContainsFunc(n.hosts, func(h string) bool { return h == name || slices.Contains(host.Domains, h) }) {
			continue
		}
		hosts++
		for _, route := range host.Routes {
			if !slices.Contains(routes, route.Name) {
				routes = append(routes, route.Name)
			}
		}
	}
	return hosts, routes
}

// reaches says whether the proxy may have one of the routes that are looked for, be it
// one that is to go: whom the rule is for may change with it.
func (n *names) reaches(proxy mesh.Proxy) bool {
	if n.after == nil {
		return n.reachedBy(n.before, proxy, nil)
	}
	return n.reachedBy(n.after, proxy, n.wanted) || len(n.gone) > 0 && n.reachedBy(n.before, proxy, n.gone)
}

// reachedBy says whether one of the entries of a service that have these names is for
// the proxy; without names: one of all.
func (n *names) reachedBy(service *networking.VirtualService, proxy mesh.Proxy, named []string) bool {
	return slices.ContainsFunc(service.GetHttp(), func(entry *networking.HTTPRoute) bool {
		if len(named) > 0 && !slices.Contains(named, entry.Name) {
			return false
		}
		if len(entry.Match) == 0 {
			return bound(service.Gateways, proxy)
		}
		return slices.ContainsFunc(entry.Match, func(m *networking.HTTPMatchRequest) bool {
			if len(m.Gateways) > 0 { // Istio ignores the source then; of a delegate's own gateways there are none
				return bound(m.Gateways, proxy) && (len(service.Hosts) == 0 || bound(service.Gateways, proxy))
			}
			return bound(service.Gateways, proxy) && agrees(m.SourceLabels, proxy) &&
				(m.SourceNamespace == "" || m.SourceNamespace == proxy.Namespace)
		})
	})
}

// bound says whether a rule with these gateways is for the proxy.
func bound(gateways []string, proxy mesh.Proxy) bool {
	sidecars, atGateways := rules.Followers(gateways)
	if proxy.Gateway {
		return atGateways
	}
	return sidecars
}

// agrees says whether the pod of a proxy has the labels.
func agrees(labels map[string]string, proxy mesh.Proxy) bool {
	return rules.Selects(labels, proxy.Labels)
}
