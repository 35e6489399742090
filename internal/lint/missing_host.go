package lint

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// missingHost warns of a VirtualService without a host to which none delegates.
// One of another namespace may, where there are others.
func missingHost(f *finder) {
	vs, ok := f.object.Spec.(*networking.VirtualService)
	if !ok || len(vs.Hosts) > 0 || !f.around.Closed {
		return
	}
	delegated := slices.ContainsFunc(f.around.Objects, func(o *rules.Object) bool {
		return slices.Contains(rules.Delegates(o), f.object.Ref)
	})
	if !delegated {
		f.warn("spec.hosts", "it has no host, and no other VirtualService delegates to it, so nothing follows it; name the hosts that it is for")
	}
}
