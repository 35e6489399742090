package rules

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// The kinds of parts that every entry has.
const (
	PartRoute  = "route"  // requests, or TCP connections, that went by the entry
	PartWeight = "weight" // those that it sent to one destination
	PartMatch  = "match"  // requests of the load that one of its several matches was for
)

func routeKinds() []PartKind {
	return []PartKind{
		{Name: PartRoute, None: "nothing that went by it", Remedy: "let a cohort send requests that it matches and that no entry above it takes; or take it out"},
		{Name: PartWeight, None: "nothing that it sent there", Remedy: "send as many requests as it takes to meet this weight, or take the destination out"},
		{Name: PartMatch, None: "no request that it was for", Remedy: "let a cohort send one that no match above takes; write the entry in given, if it is the application's own; or take it out"},
	}
}

// virtualServiceParts are those of each host by itself: who calls one of them shows
// nothing of the others.
func virtualServiceParts(o *Object, vs *networking.VirtualService) []Part {
	entries := entriesParts(o, vs)
	hosts := Hosts(o)
	if len(hosts) == 0 { // a delegate, which is for the hosts of others
		return entries
	}
	var parts []Part
	for i, host := range hosts {
		for _, p := range entries {
			parts = append(parts, p.forHost(host, slices.Concat(hosts[:i], hosts[i+1:])))
		}
	}
	return parts
}

func entriesParts(o *Object, vs *networking.VirtualService) []Part {
	var parts []Part
	for i, entry := range vs.Http {
		parts = append(parts, httpParts(o, vs, entry, i)...)
	}
	for i, entry := range vs.Tls {
		at := &place{list: "tls", index: i, match: blocksOf(entry.Match)}
		parts = append(parts, streamParts(o, vs, entry, entry.Route, followsOf(vs, entry.Match), at)...)
	}
	for i, entry := range vs.Tcp {
		at := &place{list: "tcp", index: i, match: blocksOf(entry.Match)}
		parts = append(parts, streamParts(o, vs, entry, entry.Route, followsOf(vs, entry.Match), at)...)
	}
	return parts
}

func httpParts(o *Object, vs *networking.VirtualService, entry *networking.HTTPRoute, i int) []Part {
	unmarked := proto.CloneOf(entry)
	unmarked.Name = ""
	path := fmt.Sprintf("spec.http[%d]", i)
	whole := Part{
		Object: o.Ref, Entry: entry.Name, Kind: PartRoute, Path: path, Whole: path,
		Host: hostOf(o, weightsOf(entry.Route)), content: contentOf(scopeOf(o.Namespace, vs), unmarked),
		at:      &place{list: "http", index: i, match: blocksOf(entry.Match), leads: clustersOf(o.Namespace, weightsOf(entry.Route))},
		follows: followsOf(vs, entry.Match),
	}
	whole.byDefault = byDefault(o, vs, unmarked)
	parts := append(routeParts(whole, weightsOf(entry.Route), true), matchParts(whole, entry.Match)...)
	for _, form := range forms() {
		for _, of := range form.parts {
			parts = append(parts, of.in(whole, entry)...)
		}
	}
	return append(parts, entryParts(whole, entry)...)
}

// entryPart is what an intent puts into an http entry and what bites by itself,
// whether an intent put it there or not.
type entryPart struct {
	PartKind

	// in returns those that an entry has: what is known of it as a whole, completed
	// by what sets the part apart.
	in func(whole Part, entry *networking.HTTPRoute) []Part
}

// field is a part of another kind, at a field of the entry, that is a part of it
// if the entry has that: fault.delay.
func (p Part) field(kind, name string, has bool) []Part {
	p.Kind, p.Path = kind, p.Whole+"."+name
	if !has {
		return nil
	}
	return []Part{p}
}

// toWords names the destinations of an entry, whatever their subsets.
func toWords(namespace string, entry *networking.HTTPRoute) string {
	var hosts []string
	for _, route := range entry.Route {
		hosts = append(hosts, FQDN(route.GetDestination().GetHost(), namespace))
	}
	return strings.Join(hosts, ", ")
}

// byDefault says whether an entry does to all requests of its host what sidecars
// do without it.
func byDefault(o *Object, vs *networking.VirtualService, entry *networking.HTTPRoute) bool {
	if len(vs.Hosts) != 1 || len(vs.Gateways) > 0 || len(entry.Route) != 1 {
		return false
	}
	to := entry.Route[0]
	plain := &networking.HTTPRoute{Route: []*networking.HTTPRouteDestination{{
		Destination: &networking.Destination{Host: to.GetDestination().GetHost()}, Weight: to.GetWeight(),
	}}}
	return proto.Equal(entry, plain) && FQDN(to.GetDestination().GetHost(), o.Namespace) == FQDN(vs.Hosts[0], o.Namespace)
}

// streamParts are those of a tcp or tls entry, which has no name: it is told by
// its clusters. Where it has several, each weight is seen by itself.
func streamParts(o *Object, vs *networking.VirtualService, entry proto.Message, to []*networking.RouteDestination, by follows, at *place) []Part {
	at.leads = clustersOf(o.Namespace, weightsOf(to))
	path := fmt.Sprintf("spec.%s[%d]", at.list, at.index)
	whole := Part{
		Object: o.Ref, Kind: PartRoute, Path: path, Whole: path, at: at,
		Host: hostOf(o, weightsOf(to)), content: contentOf(scopeOf(o.Namespace, vs), entry),
		Stream: true, follows: by,
	}
	return routeParts(whole, weightsOf(to), false)
}

// weighted is a destination of either protocol.
type weighted interface {
	GetDestination() *networking.Destination
	GetWeight() int32
}

func weightsOf[D weighted](routes []D) []weighted {
	out := make([]weighted, len(routes))
	for i, route := range routes {
		out[i] = route
	}
	return out
}

// routeParts are the entry as a route, if it can be seen as a whole or has a
// single destination, and each weight above 0 of several.
func routeParts(whole Part, to []weighted, seen bool) []Part {
	var parts []Part
	if len(to) == 1 {
		whole.direct(to[0])
	}
	if seen || len(to) == 1 {
		parts = append(parts, whole)
	}
	if len(to) < 2 {
		return parts
	}
	for i, destination := range to {
		if destination.GetWeight() == 0 {
			continue
		}
		share := whole
		share.Kind, share.Path = PartWeight, fmt.Sprintf("%s.route[%d]", whole.Path, i)
		share.content += share.Path[len(whole.Path):]
		share.direct(destination)
		share.Twin = twinOf(share, to, i)
		parts = append(parts, share)
	}
	return parts
}

// twinOf is the path of another weight that leads where that of a share does.
func twinOf(share Part, to []weighted, own int) string {
	for i, other := range to {
		twin := share
		twin.direct(other)
		samePort := twin.Port == share.Port || twin.Port == 0 || share.Port == 0
		if i != own && other.GetWeight() > 0 && twin.To == share.To && twin.Subset == share.Subset && samePort {
			return fmt.Sprintf("%s.route[%d]", share.Whole, i)
		}
	}
	return ""
}

func (p *Part) direct(to weighted) {
	destination := to.GetDestination()
	p.To = FQDN(destination.GetHost(), p.Object.Namespace)
	p.Subset, p.Port = destination.GetSubset(), int(destination.GetPort().GetNumber())
}

// forHost is a part of an entry for one of the hosts of its object.
func (p Part) forHost(host string, others []string) Part {
	if len(others) > 0 {
		p.Host = host
	}
	p.hosts, p.beside = []string{host}, others
	p.content += "\x00" + host
	return p
}

// Several says whether the object of a part has other hosts than the part's.
func (p Part) Several() bool { return len(p.beside) > 0 }

// IsFor says whether a request for a host, which is fully qualified as Asked has it, is
// to the one that a part is for. It is not known if the object has others, and the host
// is none of them.
func (p Part) IsFor(asked string) (is, known bool) {
	if len(p.beside) == 0 {
		return true, true
	}
	is = p.Names(asked)
	return is, is || named(asked, p.beside)
}

// Names says whether a host, as Asked has it, is one that a part is for.
func (p Part) Names(asked string) bool { return named(asked, p.hosts) }

func named(asked string, hosts []string) bool {
	return slices.ContainsFunc(hosts, func(own string) bool { return covers(own, asked) })
}

// hostOf is the host that an entry is for: that of the object, or, where it
// stands for others too, the first destination's.
func hostOf(o *Object, to []weighted) string {
	hosts := Hosts(o)
	if len(hosts) > 0 && !strings.Contains(hosts[0], "*") {
		return hosts[0]
	}
	if len(to) > 0 {
		return FQDN(to[0].GetDestination().GetHost(), o.Namespace)
	}
	return strings.Join(hosts, ", ")
}

// scopeOf is where the entries of a VirtualService are in force, whatever its hosts:
// the gateways that it is for, by their whole names.
func scopeOf(namespace string, vs *networking.VirtualService) []string {
	at := []string{MeshGateway}
	if len(vs.Gateways) > 0 {
		at = nil
	}
	for _, gateway := range vs.Gateways {
		at = append(at, GatewayName(gateway, namespace))
	}
	slices.Sort(at)
	return append([]string{"at"}, slices.Compact(at)...)
}
