package rules

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// follows says which proxies follow an entry. Envoy gives those of tcp and tls no
// name, so that they are seen by their clusters alone, and what goes there in
// another way must not be taken for them.
type follows struct {
	sidecars, gateways bool
	ports              []int // that it is for; empty: all
}

// gatewayMatch is what the matches of all lists have in common.
type gatewayMatch interface {
	GetSourceLabels() map[string]string
	GetPort() uint32
	GetGateways() []string
}

func followsOf[M gatewayMatch](vs *networking.VirtualService, blocks []M) follows {
	var f follows
	note := func(gateways []string) {
		sidecars, atGateways := Followers(gateways)
		f.sidecars, f.gateways = f.sidecars || sidecars, f.gateways || atGateways
	}
	all := len(blocks) == 0
	for _, block := range blocks {
		all = all || block.GetPort() == 0
		f.ports = append(f.ports, int(block.GetPort()))
		if gateways := block.GetGateways(); len(gateways) > 0 {
			note(gateways)
		} else {
			note(vs.Gateways)
		}
	}
	if len(blocks) == 0 {
		note(vs.Gateways)
	}
	if all {
		f.ports = nil
	}
	return f
}

// narrowTo has an entry be seen where it is new, if gateways followed its object
// before and sidecars do from now on, or the other way round.
func (p *Part) narrowTo(before *Object) {
	if before == nil || p.Kind != PartRoute || p.at == nil {
		return
	}
	var had follows
	for _, a := range entriesOf(before) {
		if slices.Contains(Hosts(before), p.hosts[0]) {
			had.sidecars, had.gateways = had.sidecars || a.follows.sidecars, had.gateways || a.follows.gateways
		}
	}
	if had.sidecars != had.gateways && p.follows.sidecars && p.follows.gateways {
		p.follows.sidecars, p.follows.gateways, p.newly = !had.sidecars, !had.gateways, true
	}
}

// Where words who must show an entry, where others do not; empty: whoever does.
func (p Part) Where() string {
	switch {
	case !p.newly:
		return ""
	case p.follows.sidecars:
		return " at sidecars, which follow it from now on"
	}
	return " at gateways, which follow it from now on"
}

// Followed says whether gateways, or sidecars, can have led requests, or
// connections, by a part's entry. A policy is followed by both.
func (p Part) Followed(gateway bool) bool {
	if p.at == nil && p.taken == nil {
		return true
	}
	if gateway {
		return p.follows.gateways
	}
	return p.follows.sidecars
}

// Alone says whether what a gateway, or a sidecar, led to the destination of a
// tcp or tls entry went by that entry, or weight, alone. A cluster without a
// subset is also where sidecars lead what no VirtualService is for.
func (p Part) Alone(objects []*Object, gateway bool) bool {
	leading := 0
	for _, o := range objects {
		for _, other := range partsOf(o) {
			if other.Stream && other.Followed(gateway) && other.sameCluster(p) {
				leading++
			}
		}
	}
	byDefault := !gateway && p.Subset == "" &&
		(!slices.ContainsFunc(p.hosts, func(host string) bool { return covers(host, p.To) }) ||
			p.Port != 0 && len(p.follows.ports) > 0 && !slices.Contains(p.follows.ports, p.Port))
	return leading == 1 && !byDefault
}

func (p Part) sameCluster(other Part) bool {
	return p.To == other.To && p.Subset == other.Subset && (p.Port == other.Port || p.Port == 0 || other.Port == 0)
}
