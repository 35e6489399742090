package sidecar

import (
	"math/bits"
	"slices"

	"github.com/cespare/xxhash/v2"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// hashFilter works out what a request is bound to its endpoint by: the hash_policy
// of Envoy's router (source/common/http/hash_policy.cc). A DestinationRule asks for
// it, and no field of the route.
type hashFilter struct{}

// Fields implements HTTPFilter.
func (hashFilter) Fields() config.Fields { return nil }

// Check implements HTTPFilter.
func (hashFilter) Check(string, *networking.HTTPRoute, config.Refuse) {}

// Compile implements HTTPFilter.
func (hashFilter) Compile(at config.Place, r *networking.HTTPRoute) config.RouteFilter {
	headers := at.HashHeaders(r)
	if len(headers) == 0 {
		return nil
	}
	return hashPolicy(headers)
}

// bond binds a request to a host of a cluster that hashes.
type bond struct {
	hash  uint64
	bound bool // else any host will do
}

// hashPolicy is the filter on one route: the headers that it hashes.
type hashPolicy []string

// Dump implements RouteFilter.
func (h hashPolicy) Dump(route config.Object) {
	var policies []any
	for _, name := range h {
		policies = append(policies, config.Object{"header": config.Object{"header_name": name}})
	}
	route["route"].(config.Object)["hash_policy"] = policies
}

// decode implements routeFilter. A header that is missing adds nothing, and with
// none the request is bound to no endpoint.
func (h hashPolicy) decode(s *stream) bool {
	for _, name := range h {
		values := config.HeaderValues(s.r, name)
		if len(values) == 0 {
			continue
		}
		s.bond = bond{bits.RotateLeft64(s.bond.hash, 1) ^ hashOf(values), true}
	}
	return true
}

// hashOf is the hash of a header's values, in whatever order they come.
func hashOf(values []string) (hash uint64) {
	for _, v := range slices.Sorted(slices.Values(values)) {
		d := xxhash.NewWithSeed(hash)
		_, _ = d.WriteString(v)
		hash = d.Sum64()
	}
	return hash
}
