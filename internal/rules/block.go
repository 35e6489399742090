package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// Block is a match of an entry of a VirtualService, or an entry without any: what
// it needs of the ports that it is for.
type Block struct {
	Path     string   // spec.tcp[0].match[1], or spec.tcp[0]
	List     string   // http, tcp or tls
	Port     int      // 0: any
	Gateways []string // where it is for: namespace/name, or MeshGateway
}

// Blocks returns those of a VirtualService; none of any other object, and none of
// a delegate, which is for whatever delegates to it.
func Blocks(o *Object) []Block {
	vs, ok := o.Spec.(*networking.VirtualService)
	if !ok || len(vs.Hosts) == 0 {
		return nil
	}
	bound := BoundTo(o)
	var blocks []Block
	for i, entry := range vs.Http {
		blocks = append(blocks, blocksIn(o, bound, "http", i, entry.Match)...)
	}
	for i, entry := range vs.Tcp {
		blocks = append(blocks, blocksIn(o, bound, "tcp", i, entry.Match)...)
	}
	for i, entry := range vs.Tls {
		blocks = append(blocks, blocksIn(o, bound, "tls", i, entry.Match)...)
	}
	return blocks
}

func blocksIn[M gatewayMatch](o *Object, bound []string, list string, entry int, matches []M) []Block {
	path := fmt.Sprintf("spec.%s[%d]", list, entry)
	if len(matches) == 0 {
		return []Block{{Path: path, List: list, Gateways: bound}}
	}
	var blocks []Block
	for i, m := range matches {
		b := Block{Path: fmt.Sprintf("%s.match[%d]", path, i), List: list, Port: int(m.GetPort()), Gateways: bound}
		if len(m.GetGateways()) > 0 {
			b.Gateways = gatewayNames(m.GetGateways(), o.Namespace)
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// BoundTo returns where a VirtualService is for: gateways as namespace/name, and
// MeshGateway for the sidecars.
func BoundTo(o *Object) []string {
	vs, ok := o.Spec.(*networking.VirtualService)
	switch {
	case !ok:
		return nil
	case len(vs.Gateways) == 0:
		return []string{MeshGateway}
	}
	return gatewayNames(vs.Gateways, o.Namespace)
}

func gatewayNames(gateways []string, namespace string) []string {
	names := make([]string, len(gateways))
	for i, gateway := range gateways {
		names[i] = GatewayName(gateway, namespace)
	}
	return names
}

// Delegates returns, for each http entry of a VirtualService, the one that it delegates
// to; an empty Ref: to none.
func Delegates(o *Object) []Ref {
	vs, _ := o.Spec.(*networking.VirtualService)
	refs := make([]Ref, len(vs.GetHttp()))
	for i, entry := range vs.GetHttp() {
		if d := entry.GetDelegate(); d != nil {
			refs[i] = Ref{Kind: VirtualService, Namespace: cmp.Or(d.Namespace, o.Namespace), Name: d.Name}
		}
	}
	return refs
}

// Taken returns the servers of a Gateway that take in a host of a VirtualService,
// by the names and the namespaces that their hosts give.
func Taken(gateway, o *Object) []*networking.Server {
	var taken []*networking.Server
	for _, server := range gateway.Spec.(*networking.Gateway).Servers {
		if slices.ContainsFunc(server.Hosts, func(host string) bool { return takesIn(host, gateway.Namespace, o) }) {
			taken = append(taken, server)
		}
	}
	return taken
}

func takesIn(host, namespace string, o *Object) bool {
	if from, name, qualified := strings.Cut(host, "/"); qualified {
		if from == "." {
			from = namespace
		}
		if from != "*" && from != o.Namespace {
			return false
		}
		host = name
	}
	return slices.ContainsFunc(Hosts(o), func(own string) bool { return Overlap(host, own) })
}

// Unbound returns the matches of a VirtualService that name gateways which the
// whole rule is not bound to, with those gateways alone: a match narrows them
// down, and brings none along.
func Unbound(o *Object) []Block {
	bound := BoundTo(o)
	var out []Block
	for _, block := range Blocks(o) {
		block.Gateways = slices.DeleteFunc(slices.Clone(block.Gateways), func(gateway string) bool {
			return slices.ContainsFunc(bound, func(b string) bool { return sameGateway(b, gateway) })
		})
		if len(block.Gateways) > 0 {
			out = append(out, block)
		}
	}
	return out
}

// sameGateway compares two names. In a file whose objects have no namespace yet,
// one without may be of any.
func sameGateway(a, b string) bool {
	own := strings.HasPrefix(a, "/") || strings.HasPrefix(b, "/")
	return a == b || own && a[strings.Index(a, "/")+1:] == b[strings.Index(b, "/")+1:] && a != MeshGateway && b != MeshGateway
}
