package lint

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"
)

// missingWeight warns of a destination among several that has no weight, beside
// weights that do not come to 100: it gets nothing, not the rest (istio/istio#9268,
// #36069).
func missingWeight(f *finder) {
	for path, entry := range f.entries() {
		weights := make([]int32, len(entry.Route))
		for i, route := range entry.Route {
			weights[i] = route.Weight
		}
		f.weightless(path, weights)
	}
	vs, _ := f.object.Spec.(*networking.VirtualService)
	for i, entry := range vs.GetTcp() {
		weights := make([]int32, len(entry.Route))
		for j, route := range entry.Route {
			weights[j] = route.Weight
		}
		f.weightless(fmt.Sprintf("spec.tcp[%d]", i), weights)
	}
}

func (f *finder) weightless(path string, weights []int32) {
	var sum int32
	first := -1
	for i, weight := range weights {
		sum += weight
		if weight == 0 && first < 0 {
			first = i
		}
	}
	if len(weights) > 1 && first >= 0 && sum > 1 && sum < 100 {
		f.warn(fmt.Sprintf("%s.route[%d]", path, first), "the destination has no weight, so it gets nothing, and the others share all requests, %d being no part of 100; write weight: %d for the rest, or leave it out", sum, 100-sum)
	}
}
