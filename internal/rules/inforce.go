package rules

import (
	"slices"
	"time"

	networking "istio.io/api/networking/v1alpha3"
)

// LongestDelay returns the longest delay that a rule in force may inject; 0:
// none does.
func LongestDelay(objects []*Object) time.Duration {
	var longest time.Duration
	for _, o := range objects {
		vs, _ := o.Spec.(*networking.VirtualService)
		for _, entry := range vs.GetHttp() {
			if delay := entry.GetFault().GetDelay(); delayPercent(delay) > 0 {
				longest = max(longest, delay.GetFixedDelay().AsDuration())
			}
		}
	}
	return longest
}

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
