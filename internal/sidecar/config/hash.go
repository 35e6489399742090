package config

import (
	"cmp"
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// HashHeaders are the headers that bind a route's requests to endpoints, as Istio
// puts them into its hash_policy (pilot/pkg/networking/core/route): one for each
// destination whose DestinationRule hashes a header, twice if two do.
func (p Place) HashHeaders(r *networking.HTTPRoute) []string {
	var headers []string
	for _, d := range r.GetRoute() {
		if len(r.GetRoute()) > 1 && d.GetWeight() == 0 {
			continue
		}
		if header := p.hashHeader(d.GetDestination()); header != "" {
			headers = append(headers, header)
		}
	}
	return headers
}

// hashHeader is that of a destination: its subset's, else that of the whole host,
// even where the subset has another load balancer, which then heeds none.
func (p Place) hashHeader(d *networking.Destination) string {
	service := p.compiler.service(rules.FQDN(d.GetHost(), p.owner.Namespace))
	if service == nil {
		return ""
	}
	rule, _ := p.compiler.destinationRule(service)
	own := ""
	if i := slices.IndexFunc(rule.GetSubsets(), func(s *networking.Subset) bool { return s.GetName() == d.GetSubset() }); i >= 0 {
		own = hashed(rule.GetSubsets()[i].GetTrafficPolicy())
	}
	return cmp.Or(own, hashed(rule.GetTrafficPolicy()))
}

func hashed(p *networking.TrafficPolicy) string {
	return p.GetLoadBalancer().GetConsistentHash().GetHttpHeaderName()
}
