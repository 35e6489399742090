package live

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// destinationRule sees a change by the clusters of its host: those of its
// subsets, and what their connection pools and outlier detection are.
func destinationRule(change rules.Change) look {
	o := either(change)
	host := rules.Hosts(o)[0]
	before, after := destinationRuleOf(change.Before), destinationRuleOf(change.After)
	var gone []string
	for _, subset := range before.GetSubsets() {
		if !slices.ContainsFunc(after.GetSubsets(), func(s *networking.Subset) bool { return s.Name == subset.Name }) {
			gone = append(gone, subset.Name)
		}
	}
	selector := o.Spec.(*networking.DestinationRule).GetWorkloadSelector().GetMatchLabels()
	return func(ctx context.Context, proxy mesh.Proxy) (bool, string, error) {
		if !agrees(selector, proxy) {
			return false, "", nil
		}
		configs, err := proxy.Admin.ClusterConfigs(ctx, `outbound\|.*\|.*\|`+regexp.QuoteMeta(host))
		if err != nil {
			return true, "", err
		}
		return len(configs) > 0, compareClusters(after, gone, configs), nil
	}
}

func destinationRuleOf(o *rules.Object) *networking.DestinationRule {
	if o == nil {
		return nil
	}
	return o.Spec.(*networking.DestinationRule)
}

// compareClusters says what the clusters of a host have instead of what the
// rule says; a nil rule leaves Istio's defaults. gone are subsets that must not
// be there; others that the rule does not name are not its own.
func compareClusters(rule *networking.DestinationRule, gone []string, configs []envoy.ClusterConfig) string {
	byName := map[envoy.ClusterName]envoy.ClusterPolicy{}
	for _, c := range configs {
		byName[c.Name] = c.ClusterPolicy
		if slices.Contains(gone, c.Name.Subset) {
			return fmt.Sprintf("it still has the cluster %s", c.Name)
		}
	}
	subsets := append([]*networking.Subset{{}}, rule.GetSubsets()...)
	for _, c := range configs {
		if c.Name.Subset != "" { // each port has a cluster without a subset
			continue
		}
		for _, subset := range subsets {
			name := c.Name
			name.Subset = subset.Name
			have, there := byName[name]
			if !there {
				return fmt.Sprintf("it has no cluster %s", name)
			}
			want := clusterPolicy(merged(rule.GetTrafficPolicy(), subset.GetTrafficPolicy(), uint32(name.Port)))
			if have != want {
				return fmt.Sprintf("its cluster %s has %s", name, difference(have, want))
			}
		}
	}
	return ""
}
