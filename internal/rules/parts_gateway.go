package rules

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// PartServer is the kind of part that a server of a Gateway is: requests, or TCP
// connections, that entered by it.
const PartServer = "server"

func gatewayKinds() []PartKind {
	return []PartKind{{Name: PartServer, None: "nothing that entered by it", Remedy: "let a cohort send requests by this gateway to one of its hosts and its port, with a VirtualService that leads them on; or take the server out"}}
}

func gatewayParts(o *Object, gateway *networking.Gateway) []Part {
	parts := make([]Part, len(gateway.Servers))
	for i, server := range gateway.Servers {
		path := fmt.Sprintf("spec.servers[%d]", i)
		parts[i] = Part{
			Object: o.Ref, Kind: PartServer, Path: path, Whole: path,
			Port: int(server.GetPort().GetNumber()), hosts: server.Hosts, servers: gateway.Servers,
			content: contentOf(nil, &networking.Gateway{Selector: gateway.Selector}, server),
		}
	}
	return parts
}

// Entering returns the parts of the rules in force that lead on what enters by a
// server of a Gateway: its own, and those that other servers of it share.
func Entering(objects []*Object, server Part) (own, shared []Part) {
	for _, o := range objects {
		vs, ok := o.Spec.(*networking.VirtualService)
		if !ok {
			continue
		}
		for _, p := range partsOf(o) {
			whole := p.Kind == PartRoute || p.Kind == PartWeight && p.Stream
			if !whole || !p.boundTo(vs, server.Object) {
				continue
			}
			by := 0
			for _, s := range server.servers {
				if p.servedAt(int(s.GetPort().GetNumber()), s.Hosts) {
					by++
				}
			}
			switch {
			case !p.servedAt(server.Port, server.hosts):
			case by > 1:
				shared = append(shared, p)
			default:
				own = append(own, p)
			}
		}
	}
	return own, shared
}

// WholePort says whether what enters gateways by the port of a server, whatever
// its host, enters by that server.
func WholePort(objects []*Object, server Part) bool {
	at := 0
	for _, o := range objects {
		gateway, _ := o.Spec.(*networking.Gateway)
		for _, s := range gateway.GetServers() {
			if int(s.GetPort().GetNumber()) == server.Port {
				at++
			}
		}
	}
	return at == 1 && slices.Contains(server.hosts, "*")
}

// boundTo says whether a gateway follows a part's entry.
func (p Part) boundTo(vs *networking.VirtualService, gateway Ref) bool {
	named := func(names []string) bool {
		return p.Object.Namespace == gateway.Namespace && slices.Contains(names, gateway.Name) ||
			slices.Contains(names, gateway.Namespace+"/"+gateway.Name)
	}
	return p.anyBlock(func(m gatewayMatch) bool {
		if len(m.GetGateways()) > 0 {
			return named(m.GetGateways())
		}
		return named(vs.Gateways)
	})
}

// servedAt says whether a part's entry can be for what enters by a port, for
// some of its hosts.
func (p Part) servedAt(port int, hosts []string) bool {
	return p.anyBlock(func(m gatewayMatch) bool { return m.GetPort() == 0 || int(m.GetPort()) == port }) &&
		slices.ContainsFunc(hosts, func(host string) bool {
			if _, name, qualified := strings.Cut(host, "/"); qualified { // namespace/host
				host = name
			}
			return slices.ContainsFunc(p.hosts, func(own string) bool { return Overlap(host, own) })
		})
}

// anyBlock asks the blocks of an entry; of one without, one that is empty.
func (p Part) anyBlock(as func(gatewayMatch) bool) bool {
	if len(p.at.match) == 0 {
		return as(&networking.HTTPMatchRequest{})
	}
	return slices.ContainsFunc(p.at.match, func(m proto.Message) bool {
		block, ok := m.(gatewayMatch)
		return ok && as(block)
	})
}
