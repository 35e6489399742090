package lint

import (
	"fmt"
	"iter"

	networking "istio.io/api/networking/v1alpha3"
)

// entries yields the http entries of a VirtualService by their paths.
func (f *finder) entries() iter.Seq2[string, *networking.HTTPRoute] {
	return func(yield func(string, *networking.HTTPRoute) bool) {
		vs, _ := f.object.Spec.(*networking.VirtualService)
		for i, entry := range vs.GetHttp() {
			if !yield(fmt.Sprintf("spec.http[%d]", i), entry) {
				return
			}
		}
	}
}

// share is how many of the requests a delay or an abort is for.
type share struct {
	percentage *networking.Percent
	old        int32 // percent, which only a delay has
}

// shares yields the delays and the aborts of a VirtualService by their paths.
func (f *finder) shares() iter.Seq2[string, share] {
	return func(yield func(string, share) bool) {
		for path, entry := range f.entries() {
			if d := entry.GetFault().GetDelay(); d != nil && !yield(path+".fault.delay", share{d.Percentage, d.Percent}) { //nolint:staticcheck // Istio still reads it
				return
			}
			if a := entry.GetFault().GetAbort(); a != nil && !yield(path+".fault.abort", share{a.Percentage, 0}) {
				return
			}
		}
	}
}

// policy is what a DestinationRule says of the traffic to some pods of its host.
type policy struct {
	pool     *networking.ConnectionPoolSettings
	outlier  *networking.OutlierDetection
	balancer *networking.LoadBalancerSettings
	labels   map[string]string // of the pods; none: all of them
}

// policies yields those of a DestinationRule by their paths.
func (f *finder) policies() iter.Seq2[string, policy] {
	return func(yield func(string, policy) bool) {
		rule, ok := f.object.Spec.(*networking.DestinationRule)
		if !ok || !policiesOf("spec.trafficPolicy", rule.TrafficPolicy, nil, yield) {
			return
		}
		for i, subset := range rule.Subsets {
			if !policiesOf(fmt.Sprintf("spec.subsets[%d].trafficPolicy", i), subset.TrafficPolicy, subset.Labels, yield) {
				return
			}
		}
	}
}

func policiesOf(path string, p *networking.TrafficPolicy, labels map[string]string, yield func(string, policy) bool) bool {
	if p == nil {
		return true
	}
	if !yield(path, policy{p.ConnectionPool, p.OutlierDetection, p.LoadBalancer, labels}) {
		return false
	}
	for i, port := range p.PortLevelSettings {
		if !yield(fmt.Sprintf("%s.portLevelSettings[%d]", path, i), policy{port.ConnectionPool, port.OutlierDetection, port.LoadBalancer, labels}) {
			return false
		}
	}
	return true
}
