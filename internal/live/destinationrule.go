package live

import (
	"context"
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/policy"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// clusters is how a DestinationRule is seen: by the clusters of its host, those
// of its subsets and of its mark, and what their policies are.
type clusters struct {
	host     string // fully qualified
	rule     *networking.DestinationRule
	gone     []string // the subsets that the change takes away
	selector map[string]string
}

func destinationRule(a Awaited) (*look, error) {
	o := either(a.Change)
	before, after := destinationRuleOf(a.Change.Before), destinationRuleOf(a.Change.After)
	if after != nil && a.Mark != "" && !slices.ContainsFunc(after.Subsets, func(s *networking.Subset) bool { return strings.Contains(s.Name, a.Mark) }) {
		return nil, fmt.Errorf("none of its subsets is called %s", a.Mark)
	}
	c := clusters{
		host: rules.Hosts(o)[0], rule: after, gone: missing(before, after),
		selector: o.Spec.(*networking.DestinationRule).GetWorkloadSelector().GetMatchLabels(),
	}
	if len(c.gone)+len(missing(after, before)) == 0 && !tells(before, after) {
		return nil, errUnseen
	}
	return &look{
		needs: needs{hosts: []string{c.host}, tls: givesTLS(before) || givesTLS(after)},
		reaches: func(proxy mesh.Proxy) bool {
			return rules.FollowedIn(o.Ref, c.host, proxy.Namespace) && agrees(c.selector, proxy) && (len(c.selector) == 0 || proxy.Namespace == o.Namespace)
		},
		judge: c.judge,
	}, nil
}

func destinationRuleOf(o *rules.Object) *networking.DestinationRule {
	if o == nil {
		return nil
	}
	return o.Spec.(*networking.DestinationRule)
}

// missing are the names of a rule's subsets that another one lacks.
func missing(rule, other *networking.DestinationRule) []string {
	var names []string
	for _, subset := range rule.GetSubsets() {
		if !slices.ContainsFunc(other.GetSubsets(), func(s *networking.Subset) bool { return s.Name == subset.Name }) {
			names = append(names, subset.Name)
		}
	}
	return names
}

// tells says whether a proxy that runs one rule would be seen not to run the
// other, of the same subsets, by the policies of its clusters.
func tells(before, after *networking.DestinationRule) bool {
	ports := []uint32{0}
	for _, rule := range []*networking.DestinationRule{before, after} {
		for _, p := range policiesOf(rule) {
			for _, own := range p.GetPortLevelSettings() {
				ports = append(ports, own.GetPort().GetNumber())
			}
		}
	}
	for _, subset := range subsetsOf(after) {
		for _, port := range ports {
			if policy.Difference(policyOf(before, subset, port), policyOf(after, subset, port)) != "" {
				return true
			}
		}
	}
	return false
}

// subsetsOf are the names of a rule's subsets, and the empty one of the host's
// own clusters.
func subsetsOf(rule *networking.DestinationRule) []string {
	names := []string{""}
	for _, subset := range rule.GetSubsets() {
		names = append(names, subset.Name)
	}
	return names
}

func policiesOf(rule *networking.DestinationRule) []*networking.TrafficPolicy {
	all := []*networking.TrafficPolicy{rule.GetTrafficPolicy()}
	for _, subset := range rule.GetSubsets() {
		all = append(all, subset.TrafficPolicy)
	}
	return all
}

// policyOf is what a rule, nil for none, asks of a cluster.
func policyOf(rule *networking.DestinationRule, subset string, port uint32) envoy.ClusterPolicy {
	var own *networking.TrafficPolicy
	for _, s := range rule.GetSubsets() {
		if s.Name == subset {
			own = s.TrafficPolicy
		}
	}
	return policy.Cluster(policy.Merged(rule.GetTrafficPolicy(), own, port))
}

func givesTLS(rule *networking.DestinationRule) bool {
	return slices.ContainsFunc(policiesOf(rule), func(p *networking.TrafficPolicy) bool {
		return p.GetTls() != nil || slices.ContainsFunc(p.GetPortLevelSettings(), func(own *networking.TrafficPolicy_PortTrafficPolicy) bool { return own.Tls != nil })
	})
}

// judge compares the clusters first. Those that a change makes anew are taken
// one by one, each when its endpoints have come, so none may be left waiting.
func (c clusters) judge(ctx context.Context, v *view) (bool, string, error) {
	configs, err := v.clustersOf(ctx, c.host)
	if err != nil {
		return true, "", err
	}
	if instead := c.compare(configs); instead != "" || len(configs) == 0 {
		return len(configs) > 0, instead, nil
	}
	name, err := v.warmingOf(ctx, c.host)
	if name != "" {
		return true, fmt.Sprintf("it does not use its new cluster %s yet, for lack of endpoints or certificates", name), nil
	}
	return true, "", err
}

// compare says what the clusters of the host have instead of what the rule says;
// a nil rule leaves Istio's defaults. A subset that the rule does not name is
// another rule's, unless it is some run's mark.
func (c clusters) compare(configs []envoy.ClusterConfig) string {
	byName := map[envoy.ClusterName]envoy.ClusterPolicy{}
	kept := subsetsOf(c.rule)
	for _, config := range configs {
		byName[config.Name] = config.ClusterPolicy
		subset := config.Name.Subset
		if slices.Contains(c.gone, subset) || strings.HasPrefix(subset, rules.MarkPrefix) && !slices.Contains(kept, subset) {
			return fmt.Sprintf("it still has the cluster %s", config.Name)
		}
	}
	for _, config := range configs {
		if config.Name.Subset != "" { // each port has a cluster without a subset
			continue
		}
		for _, subset := range kept {
			name := config.Name
			name.Subset = subset
			have, there := byName[name]
			if !there {
				return fmt.Sprintf("it has no cluster %s", name)
			}
			if wrong := policy.Difference(have, policyOf(c.rule, subset, uint32(name.Port))); wrong != "" {
				return fmt.Sprintf("its cluster %s has %s", name, wrong)
			}
		}
	}
	return ""
}
