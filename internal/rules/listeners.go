package rules

import networking "istio.io/api/networking/v1alpha3"

// Relistens says whether a change may alter listeners of the proxies, and so how
// they log: a DestinationRule alters clusters, and the http entries of a
// VirtualService alter routes; anything else may.
func Relistens(c Change) bool {
	for _, o := range []*Object{c.Before, c.After} {
		if o == nil {
			continue
		}
		switch spec := o.Spec.(type) {
		case *networking.DestinationRule:
		case *networking.VirtualService:
			if len(spec.Tcp)+len(spec.Tls) > 0 {
				return true
			}
		default:
			return true
		}
	}
	return false
}
