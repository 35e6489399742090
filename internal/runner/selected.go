package runner

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Pods are the labels of pods that carry a proxy; nil: nobody knows of any.
type Pods []map[string]string

// selector returns the labels by which an object chooses the pods that follow it, and
// the field that has them.
func selector(o *rules.Object) (labels map[string]string, path string) {
	if o == nil {
		return nil, ""
	}
	switch spec := o.Spec.(type) {
	case *networking.Gateway:
		return spec.Selector, "spec.selector"
	case *networking.DestinationRule:
		return spec.GetWorkloadSelector().GetMatchLabels(), "spec.workloadSelector"
	}
	return nil, ""
}

// selects says whether some object of a scenario chooses pods by labels.
func selects(s *scenarios.Scenario) bool {
	return slices.ContainsFunc(objectsOf(s), func(o *rules.Object) bool {
		labels, _ := selector(o)
		return len(labels) > 0
	})
}

// carriers returns the pods of the ingress gateway, and those of the namespace.
func carriers(ctx context.Context, m mesh.Mesh) (gateways, own Pods) {
	proxies, err := m.Proxies(ctx)
	if err != nil {
		return nil, nil // the run needs them, and says what is wrong
	}
	for _, p := range proxies {
		if p.Gateway {
			gateways = append(gateways, p.Labels)
		}
		if p.Namespace == m.Info().Namespace {
			own = append(own, p.Labels)
		}
	}
	return gateways, own
}

// followed says of an object that no pod has the labels by which it chooses those
// that follow it: none would ever show it. The load workload's is not there yet.
func (t there) followed(before, after *rules.Object) error {
	labels, path := selector(after)
	had, _ := selector(before)
	pods, whose := t.beyond.GatewayPods, "pod of the ingress gateway"
	if after.Kind == rules.DestinationRule {
		pods, whose = t.beyond.WorkloadPods, "pod with a proxy"
		if cmp.Or(labels["app"], mesh.ClientApp) == mesh.ClientApp && labels["version"] == "" {
			return nil
		}
	}
	isChosen := func(pod map[string]string) bool { return rules.Selects(labels, pod) }
	if len(pods) == 0 || before != nil && maps.Equal(had, labels) || slices.ContainsFunc(pods, isChosen) {
		return nil
	}
	return wrongField(after.Ref, path, "no %s has these labels (%s), and nobody would follow it; %s", whose, rules.WordPairs(labels), wordPods(pods, labels))
}

// wordPods words what pods have for the labels that are asked for.
func wordPods(pods Pods, asked map[string]string) string {
	var have []string
	for _, key := range slices.Sorted(maps.Keys(asked)) {
		for _, pod := range pods {
			if value, ok := pod[key]; ok {
				have = append(have, key+": "+value)
			}
		}
	}
	slices.Sort(have)
	return "there is " + cmp.Or(strings.Join(slices.Compact(have), ", "), "none with "+strings.Join(slices.Sorted(maps.Keys(asked)), ", "))
}
