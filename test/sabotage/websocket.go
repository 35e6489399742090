package sabotage

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// WebSockets returns the sabotages of a scenario of WebSockets, some of which are aborted
// and some delayed.
func WebSockets(scenario string) []Sabotage {
	return []Sabotage{
		{scenario, "a percentage of 0", "never bit", spoilRules(aborts(func(a *networking.HTTPFaultInjection_Abort) { a.Percentage.Value = 0 }))},
		{scenario, "no abort, behind the run's back", "jason.status[503] > 10", behind(aborts(func(a *networking.HTTPFaultInjection_Abort) { a.Percentage.Value = 0 }))},
		{scenario, "another status, behind the run's back", "jason.status[101] + jason.status[503]", behind(aborts(func(a *networking.HTTPFaultInjection_Abort) {
			a.ErrorType = &networking.HTTPFaultInjection_Abort_HttpStatus{HttpStatus: 504}
		}))},
		{scenario, "no delay, behind the run's back", "anna.min", behind(faults(func(d *networking.HTTPFaultInjection_Delay) { d.Percentage.Value = 0 }))},
	}
}

func aborts(alter func(*networking.HTTPFaultInjection_Abort)) func(*rules.Object) {
	return entries(func(e *networking.HTTPRoute) {
		if abort := e.GetFault().GetAbort(); abort != nil {
			alter(abort)
		}
	})
}
