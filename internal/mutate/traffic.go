package mutate

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// same says whether two plans do the same with the traffic at the end of each
// stage, whatever their objects are called and made of.
func (g stages) same(other stages) bool {
	for i := range g.objects {
		if !alike(g.traffic(i), other.traffic(i)) {
			return false
		}
	}
	return true
}

func alike(a, b map[rules.Ref]proto.Message) bool {
	return maps.EqualFunc(a, b, proto.Equal)
}

// traffic is what the objects in force after a stage do: their specs without
// names, where a subset stands for its labels, and one of all ready pods for none.
// What leaves everything as it would be without it is left out.
func (g stages) traffic(stage int) map[rules.Ref]proto.Message {
	out := map[rules.Ref]proto.Message{}
	for _, o := range g.objects[stage] {
		o = o.Clone()
		switch spec := o.Spec.(type) {
		case *networking.VirtualService:
			g.resolve(spec, stage)
			if leaves(spec) {
				continue
			}
		case *networking.DestinationRule:
			spec.Subsets = slices.DeleteFunc(spec.Subsets, func(s *networking.Subset) bool { return s.TrafficPolicy == nil })
			if spec.TrafficPolicy == nil && len(spec.Subsets) == 0 {
				continue
			}
		}
		out[o.Ref] = o.Spec
	}
	return out
}

// resolve replaces the names of subsets by what they stand for.
func (g stages) resolve(vs *networking.VirtualService, stage int) {
	simplify(vs)
	for _, d := range destinations(vs) {
		if d.GetSubset() == "" {
			continue
		}
		labels, ok := rules.Labels(g.objects[stage], rules.FQDN(d.Host, g.site.Namespace), d.Subset)
		if !ok {
			continue
		}
		if d.Subset = rules.WordPairs(labels); g.ofAll(d.Host, labels) {
			d.Subset = ""
		}
	}
}

// simplify takes out what has no effect: names, and destinations of weight 0.
func simplify(vs *networking.VirtualService) {
	for _, entry := range vs.GetHttp() {
		entry.Name = ""
		if len(entry.Route) > 1 { // beside which a weight of 0 gets nothing
			entry.Route = slices.DeleteFunc(entry.Route, func(r *networking.HTTPRouteDestination) bool { return r.Weight == 0 })
		}
		if len(entry.Route) == 1 {
			entry.Route[0].Weight = 0
		}
		for _, match := range entry.Match {
			match.Name = ""
		}
	}
	for _, entry := range vs.Tcp {
		if len(entry.Route) > 1 {
			entry.Route = slices.DeleteFunc(entry.Route, func(r *networking.RouteDestination) bool { return r.Weight == 0 })
		}
		if len(entry.Route) == 1 {
			entry.Route[0].Weight = 0
		}
	}
}

// ofAll says whether labels are those of every ready pod of a host.
func (g stages) ofAll(host string, labels map[string]string) bool {
	service := serviceOf(g.site, host)
	return service != nil && !slices.ContainsFunc(service.Ready, func(pod map[string]string) bool { return !rules.Selects(labels, pod) })
}

// leaves says whether a VirtualService sends its host's requests where they would
// go without it.
func leaves(vs *networking.VirtualService) bool {
	if len(vs.Hosts) != 1 || len(vs.Http) != 1 || len(vs.Http[0].Route) != 1 {
		return false
	}
	plain := &networking.HTTPRoute{Route: []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: vs.Hosts[0]}}}}
	return proto.Equal(vs, &networking.VirtualService{Hosts: vs.Hosts, Http: []*networking.HTTPRoute{plain}})
}

// destinations are those of all entries.
func destinations(vs *networking.VirtualService) []*networking.Destination {
	var all []*networking.Destination
	for _, entry := range vs.GetHttp() {
		for _, route := range entry.Route {
			all = append(all, route.Destination)
		}
		if entry.Mirror != nil {
			all = append(all, entry.Mirror)
		}
		for _, mirror := range entry.Mirrors {
			all = append(all, mirror.Destination)
		}
	}
	for _, entry := range vs.GetTcp() {
		for _, route := range entry.Route {
			all = append(all, route.Destination)
		}
	}
	return all
}
