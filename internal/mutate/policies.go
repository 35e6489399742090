package mutate

import (
	"fmt"
	"maps"
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// policy is a TrafficPolicy, or what one says of a port.
type policy interface {
	GetConnectionPool() *networking.ConnectionPoolSettings
	GetOutlierDetection() *networking.OutlierDetection
	GetLoadBalancer() *networking.LoadBalancerSettings
}

// policySet has the policies of a DestinationRule by what they are for: the service
// (empty), a subset (v1), a port of either (port[9080], v1/port[9080]).
type policySet map[string]policy

// policies are those of an object; nil: it is no DestinationRule.
func policies(o *rules.Object) policySet {
	if o == nil {
		return nil
	}
	rule, ok := o.Spec.(*networking.DestinationRule)
	if !ok {
		return nil
	}
	all := policySet{}
	all.add("", rule.TrafficPolicy)
	for _, s := range rule.Subsets {
		all.add(s.Name, s.TrafficPolicy)
	}
	return all
}

// add adds a policy and those of its ports.
func (p policySet) add(path string, of *networking.TrafficPolicy) {
	p[path] = of
	for _, port := range of.GetPortLevelSettings() {
		p[prefixOf(path)+fmt.Sprintf("port[%d]", port.GetPort().GetNumber())] = port
	}
}

// paths are what there are policies for, that of the service first.
func (p policySet) paths() []string { return slices.Sorted(maps.Keys(p)) }

// at is the policy for something, an empty one if there is none.
func (p policySet) at(path string) policy {
	if one, ok := p[path]; ok {
		return one
	}
	return (*networking.TrafficPolicy)(nil)
}

// prefixOf begins the id of a mutant of one policy among several.
func prefixOf(path string) string {
	if path == "" {
		return ""
	}
	return path + "/"
}

// ofPolicy tells edits of one id apart, where the rule has a policy for several
// services.
func (w written) ofPolicy(o *rules.Object) string {
	several := 0
	for _, change := range w.changes {
		if len(policies(change.After)) > 0 {
			several++
		}
	}
	if several < 2 {
		return ""
	}
	return shortHost(o) + "/"
}
