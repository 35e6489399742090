package config

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// Place is where a route stands that is compiled.
type Place struct {
	Key string // names the route's draws

	compiler *compiler
	owner    rules.Ref
	port     int // of the listener
}

// Cluster names the cluster of a destination: without a port of its own it is
// the service's only port, else the listener's.
func (p Place) Cluster(d *networking.Destination) string {
	host := rules.FQDN(d.GetHost(), p.owner.Namespace)
	port := p.port
	if service := p.compiler.service(host); service != nil && len(service.Ports) == 1 {
		port = service.Ports[0].Number
	}
	if d.GetPort().GetNumber() != 0 {
		port = int(d.GetPort().GetNumber())
	}
	return clusterName(port, d.GetSubset(), host)
}

// destination is what HTTP and TCP routes have in common.
type destination struct {
	*networking.Destination
	weight int32
}

// targets are a route's clusters with their weights: those of weight 0 are
// dropped, and a sole destination takes all.
func (p Place) targets(destinations []destination) []Target {
	var targets []Target
	for _, d := range destinations {
		weight := uint32(d.weight)
		if len(destinations) == 1 {
			weight = 100
		}
		if weight > 0 {
			targets = append(targets, Target{Cluster: p.Cluster(d.Destination), Weight: weight})
		}
	}
	return targets
}
