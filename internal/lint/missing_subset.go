package lint

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// missingSubset warns of a destination whose subset no DestinationRule has: the
// proxies have no such cluster, and answer 503 (NC). Of files alone it warns only
// where they have a DestinationRule of that very host: else it may be elsewhere, and
// goes before one for a wildcard, such as the *.local of a whole mesh.
func missingSubset(f *finder) {
	for _, to := range rules.Targets(f.object) {
		if to.Subset == "" || !to.Sent {
			continue
		}
		if _, ok := rules.Labels(f.around.Objects, to.Host, to.Subset); ok || !f.around.All && !hasRule(f.around.Objects, to.Host) {
			continue
		}
		f.warn(to.Path+".subset", "no DestinationRule of %s has the subset %s, so the proxies answer 503 (NC); add it to one, or correct the name", spoken(to.Host), to.Subset)
	}
}

func hasRule(objects []*rules.Object, host string) bool {
	return slices.ContainsFunc(objects, func(o *rules.Object) bool {
		rule, ok := o.Spec.(*networking.DestinationRule)
		return ok && rules.FQDN(rule.Host, o.Namespace) == host
	})
}
