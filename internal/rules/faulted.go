package rules

import (
	"slices"
	"time"

	networking "istio.io/api/networking/v1alpha3"
)

// HasFault says whether an object is a VirtualService with a fault that can
// bite: one with a percentage above 0.
func HasFault(o *Object) bool {
	vs, ok := o.Spec.(*networking.VirtualService)
	return ok && slices.ContainsFunc(vs.Http, func(entry *networking.HTTPRoute) bool {
		return delayPercent(entry.GetFault().GetDelay()) > 0 || entry.GetFault().GetAbort().GetPercentage().GetValue() > 0
	})
}

// delayPercent returns the percentage of a delay, in force also by the old
// field percent where percentage is absent.
func delayPercent(delay *networking.HTTPFaultInjection_Delay) float64 {
	if delay.GetPercentage() == nil {
		return float64(delay.GetPercent()) //nolint:staticcheck // Istio still reads it
	}
	return delay.GetPercentage().GetValue()
}

// Faulted returns the hosts that have a fault which can bite, fully qualified and
// sorted.
func Faulted(objects []*Object) []string { return hostsOf(objects, HasFault) }

// Delayed returns those of Faulted whose fault may be a delay.
func Delayed(objects []*Object) []string {
	return hostsOf(objects, func(o *Object) bool {
		vs, ok := o.Spec.(*networking.VirtualService)
		return ok && slices.ContainsFunc(vs.Http, func(entry *networking.HTTPRoute) bool {
			return delayPercent(entry.GetFault().GetDelay()) > 0
		})
	})
}

// hostsOf returns those of the objects that are as asked.
func hostsOf(objects []*Object, as func(*Object) bool) []string {
	var hosts []string
	for _, o := range objects {
		if as(o) {
			hosts = append(hosts, Hosts(o)...)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

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
