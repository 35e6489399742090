package rules

import (
	"fmt"
	"maps"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// Target is what a rule is for, or sends to.
type Target struct {
	Path   string // spec.http[0].route[1].destination, spec.host
	Host   string // fully qualified
	Port   int    // 0: it names none
	Subset string
	Sent   bool // requests are sent there
	For    bool // the rule is for its requests
}

// Targets returns what an object names: the hosts that it is for and its
// destinations. Of a VirtualService that only gateways follow the hosts are not
// among them: those are names of the world outside.
func Targets(o *Object) []Target {
	var targets []Target
	switch spec := o.Spec.(type) {
	case *networking.VirtualService:
		for i, host := range spec.Hosts {
			if inSidecars(spec) {
				targets = append(targets, Target{Path: fmt.Sprintf("spec.hosts[%d]", i), Host: FQDN(host, o.Namespace), For: true})
			}
		}
		for _, d := range destinations(spec) {
			if d.to != nil {
				targets = append(targets, Target{
					Path: d.path, Host: FQDN(d.to.Host, o.Namespace), Port: int(d.to.GetPort().GetNumber()), Subset: d.to.Subset, Sent: !d.idle,
				})
			}
		}
	case *networking.DestinationRule:
		host := FQDN(spec.Host, o.Namespace)
		targets = append(targets, Target{Path: "spec.host", Host: host, For: true})
		for _, place := range placesOfRule(spec) {
			if place.port != 0 {
				targets = append(targets, Target{Path: place.path + ".port", Host: host, Port: place.port})
			}
		}
	}
	return targets
}

// destinationAt is a destination and where it stands.
type destinationAt struct {
	path string
	to   *networking.Destination
	idle bool // one of several, and its weight is 0
}

// destinations lists all that a VirtualService sends to.
func destinations(vs *networking.VirtualService) []destinationAt {
	var out []destinationAt
	add := func(to *networking.Destination, idle bool, format string, args ...any) {
		out = append(out, destinationAt{path: fmt.Sprintf(format, args...), to: to, idle: idle})
	}
	for i, entry := range vs.Http {
		for j, route := range entry.Route {
			add(route.Destination, len(entry.Route) > 1 && route.Weight == 0, "spec.http[%d].route[%d].destination", i, j)
		}
		add(entry.Mirror, false, "spec.http[%d].mirror", i)
		for j, mirror := range entry.Mirrors {
			add(mirror.Destination, false, "spec.http[%d].mirrors[%d].destination", i, j)
		}
	}
	for i, entry := range vs.Tcp {
		for j, route := range entry.Route {
			add(route.Destination, len(entry.Route) > 1 && route.Weight == 0, "spec.tcp[%d].route[%d].destination", i, j)
		}
	}
	for i, entry := range vs.Tls {
		for j, route := range entry.Route {
			add(route.Destination, len(entry.Route) > 1 && route.Weight == 0, "spec.tls[%d].route[%d].destination", i, j)
		}
	}
	return out
}

// FollowedIn says whether proxies of a namespace follow what an object says of a host, as
// far as its place tells: a DestinationRule is for the callers of its own namespace or, in
// that of the service, for all (istio, pilot/pkg/model/push_context.go, destinationRule).
// Other objects are for whom they are exported to.
func FollowedIn(ref Ref, host, namespace string) bool {
	_, serving, inCluster := InCluster(host)
	return ref.Kind != DestinationRule || namespace == ref.Namespace || !inCluster || serving == ref.Namespace
}

// ExportedTo returns the namespaces that an object is exported to, as it has them:
// "." is its own, "*" all, "~" none; empty: all.
func ExportedTo(o *Object) []string {
	switch spec := o.Spec.(type) {
	case *networking.VirtualService:
		return spec.ExportTo
	case *networking.DestinationRule:
		return spec.ExportTo
	}
	return nil
}

// Labels returns those by which a subset of a host selects pods: what the
// DestinationRules of the host say together.
func Labels(objects []*Object, host, subset string) (labels map[string]string, ok bool) {
	for _, o := range objects {
		rule, isRule := o.Spec.(*networking.DestinationRule)
		if !isRule || !covers(FQDN(rule.Host, o.Namespace), host) {
			continue
		}
		if i := slices.IndexFunc(rule.Subsets, func(s *networking.Subset) bool { return s.Name == subset }); i >= 0 {
			return maps.Clone(rule.Subsets[i].Labels), true
		}
	}
	return nil, false
}

// Draws says whether, under an object, requests that are alike may be answered
// differently: by lot, as of weights and of percentages, or by what is under way
// beside them, as of a circuit breaker.
func Draws(o *Object) bool {
	weights := map[string]bool{} // the entries that have one, for each host
	return drawsFaults(o) || slices.ContainsFunc(partsOf(o), func(p Part) bool {
		entry := p.Whole + p.Host
		second := p.Kind == PartWeight && weights[entry]
		weights[entry] = weights[entry] || p.Kind == PartWeight
		return second || slices.Contains([]string{PartOverflow, PartRetried, PartEjection}, p.Kind)
	})
}

func drawsFaults(o *Object) bool {
	vs, ok := o.Spec.(*networking.VirtualService)
	return ok && slices.ContainsFunc(vs.Http, func(entry *networking.HTTPRoute) bool {
		sometimes := func(percent float64) bool { return percent > 0 && percent < 100 }
		return sometimes(delayPercent(entry.GetFault().GetDelay())) || sometimes(entry.GetFault().GetAbort().GetPercentage().GetValue())
	})
}
