package lint

import "github.com/meshchaos/meshchaos/internal/rules"

// twoVirtualServices warns of a host that two VirtualServices of a namespace have in
// the sidecars, which do not merge them (istio/istio#36621, #22997). Gateways do.
func twoVirtualServices(f *finder) {
	if other, host := rules.Rival(f.object, f.around.Objects); other != nil {
		f.warn("spec.hosts", "%s has the host %s too, and sidecars follow only the first created of the two (istio/istio#36621); put the rules into one of them", other.Ref, spoken(host))
	}
}
