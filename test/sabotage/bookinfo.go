package sabotage

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// bookinfo returns the sabotages of what the guides do with Bookinfo.
func bookinfo() []Sabotage {
	return []Sabotage{
		{"delay-fixed", "the version with the bug", "2.4s <= jason.p50", spoilRules(relabel("v3", "v2"))},
		{"delay-fixed", "a delay of 2 s for 7 s", `jason.share("ratings-lost")`, spoilRules(delays(7*time.Second, 2*time.Second))},
		{"delay-fixed", "a delay of 14 s for 7 s", "patient.p50", spoilRules(delays(7*time.Second, 14*time.Second))},
		{"delay-fixed", "the match dropped", "faults(ratings)", spoilRules(entries(unmatchFault))},

		{"abort-jason", "503 for 500", "jasons-ratings.status[500]", spoilRules(aborts(func(a *networking.HTTPFaultInjection_Abort) {
			a.ErrorType = &networking.HTTPFaultInjection_Abort_HttpStatus{HttpStatus: 503}
		}))},
		{"abort-jason", "the match dropped", "raters.status[200]", spoilRules(entries(unmatchFault))},
		{"abort-jason", "half of the requests", "faults(ratings)", spoilRules(aborts(func(a *networking.HTTPFaultInjection_Abort) { a.Percentage.Value = 50 }))},
		{"abort-jason", "a percentage of 0", "never bit", spoilRules(aborts(func(a *networking.HTTPFaultInjection_Abort) { a.Percentage.Value = 0 }))},

		{"timeout-reviews", "a timeout of 1 s", "0.95s <= pages.p50", spoilRules(timeouts(durationpb.New(time.Second)))},
		{"timeout-reviews", "no timeout", `pages.share("reviews-lost")`, spoilRules(timeouts(nil))},
		{"timeout-reviews", "a delay of 1 s", "pages.min >= 1.9s", spoilRules(delays(2*time.Second, time.Second))},
		{"timeout-reviews", "a percent of 0, as the old spelling has it", "never bit", spoilRules(faults(func(f *networking.HTTPFaultInjection_Delay) {
			f.Percent = 0 //nolint:staticcheck // Istio still reads it
		}))},

		{"route-jason", "the match dropped", "split(others)", spoilRules(entries(unmatch))},
		{"route-jason", "another subset", "split(jason)", spoilRules(relabel("v2", "v3"))},
		{"route-jason", "whoever is called jason in some spelling", "namesake.answered", spoilRules(entries(func(e *networking.HTTPRoute) {
			for _, match := range e.Match {
				match.Headers["end-user"] = &networking.StringMatch{MatchType: &networking.StringMatch_Regex{Regex: "(?i)jason"}}
			}
		}))},

		{"shift-v3", "60/40 for 50/50", "split(reviews)", spoilRules(weights(50, 50, 60, 40))},
		{"shift-v3", "another version", "split(pages)", spoilRules(relabel("v3", "v2"))},
		{"shift-v3", "one request in ten left behind", "requests(reviews, v1)", spoilRules(leave("v3", 10))},

		{"canary-takeover", "60/40 for 50/50", "split(direct)", spoilRules(weights(50, 50, 60, 40))},
		{"canary-takeover", "one request in ten left behind", "requests(reviews, v1)", spoilRules(leave("v2", 10))},
		{"canary-takeover", "a caller left behind, of whom no page tells", "requests(reviews, v1)", spoilRules(leaveCaller("/reviews/1"))},
	}
}

func unmatch(e *networking.HTTPRoute) { e.Match = nil }

func unmatchFault(e *networking.HTTPRoute) {
	if e.Fault != nil {
		unmatch(e)
	}
}

// delays replaces a delay by another, and leaves other delays as they are.
func delays(was, is time.Duration) func(*rules.Object) {
	return faults(func(f *networking.HTTPFaultInjection_Delay) {
		if f.GetFixedDelay().AsDuration() == was {
			f.HttpDelayType = &networking.HTTPFaultInjection_Delay_FixedDelay{FixedDelay: durationpb.New(is)}
		}
	})
}

func aborts(alter func(*networking.HTTPFaultInjection_Abort)) func(*rules.Object) {
	return entries(func(e *networking.HTTPRoute) {
		if e.GetFault().GetAbort() != nil {
			alter(e.Fault.Abort)
		}
	})
}

func timeouts(is *durationpb.Duration) func(*rules.Object) {
	return entries(func(e *networking.HTTPRoute) {
		if e.Timeout != nil {
			e.Timeout = is
		}
	})
}

// relabel has a subset of reviews lead to another version.
func relabel(subset, version string) func(*rules.Object) {
	return func(o *rules.Object) {
		rule, ok := o.Spec.(*networking.DestinationRule)
		if !ok || rule.Host != "reviews" {
			return
		}
		for _, s := range rule.Subsets {
			if s.Name == subset {
				s.Labels = map[string]string{"version": version}
			}
		}
	}
}

// leave has v1 keep a part, in percent, of what another subset is to take over.
func leave(subset string, part int32) func(*rules.Object) {
	return entries(func(e *networking.HTTPRoute) {
		if len(e.Route) != 1 || e.Route[0].Destination.Subset != subset {
			return
		}
		e.Route[0].Weight = 100 - part
		e.Route = append(e.Route, &networking.HTTPRouteDestination{
			Destination: &networking.Destination{Host: e.Route[0].Destination.Host, Subset: "v1"}, Weight: part,
		})
	})
}

// leaveCaller has v1 keep those who ask for a path, where v2 is to take over.
func leaveCaller(path string) func(*rules.Object) {
	return func(o *rules.Object) {
		vs, ok := o.Spec.(*networking.VirtualService)
		if !ok || len(vs.Http) != 1 || len(vs.Http[0].Route) != 1 || vs.Http[0].Route[0].Destination.Subset != "v2" {
			return
		}
		vs.Http = append([]*networking.HTTPRoute{{
			Match: []*networking.HTTPMatchRequest{{Uri: &networking.StringMatch{MatchType: &networking.StringMatch_Exact{Exact: path}}}},
			Route: []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: vs.Http[0].Route[0].Destination.Host, Subset: "v1"}}},
		}}, vs.Http...)
	}
}
