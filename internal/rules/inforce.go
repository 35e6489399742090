package rules

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// FaultParts returns how many entries in force inject a fault of a part's kind
// into requests to its host.
func FaultParts(objects []*Object, part Part) int {
	n := 0
	for _, o := range objects {
		n += len(slices.DeleteFunc(Parts(nil, o), func(p Part) bool { return p.Kind != part.Kind || p.Host != part.Host }))
	}
	return n
}

// Leading returns how many destinations of the rules in force have the host and
// the subset of a part's, whatever their ports.
func Leading(objects []*Object, part Part) int {
	n := 0
	for _, o := range objects {
		vs, ok := o.Spec.(*networking.VirtualService)
		if !ok {
			continue
		}
		for _, d := range destinations(vs) {
			if FQDN(d.to.GetHost(), o.Namespace) == part.To && d.to.GetSubset() == part.Subset {
				n++
			}
		}
	}
	return n
}
