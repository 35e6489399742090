package lint

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// twoDestinationRules warns of two DestinationRules of one host of which Istio
// drops a part: it joins their subsets, and of two policies, or of two subsets of
// one name, takes those of the first created (pilot/pkg/model/destination_rule.go).
func twoDestinationRules(f *finder) {
	twin := rules.Twin(f.object, f.around.Objects)
	if twin == nil {
		return
	}
	own, other := f.object.Spec.(*networking.DestinationRule), twin.Spec.(*networking.DestinationRule)
	both := own.TrafficPolicy != nil && other.TrafficPolicy != nil || slices.ContainsFunc(own.Subsets, func(s *networking.Subset) bool {
		return slices.ContainsFunc(other.Subsets, func(t *networking.Subset) bool { return s.Name == t.Name })
	})
	if both {
		f.warn("spec.host", "%s has the host %s too; Istio joins them, and of what both say, policy or subset, takes the first created; put both into one", twin.Ref, spoken(own.Host))
	}
}
