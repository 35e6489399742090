package mutate

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// delay halves and doubles an injected delay.
func delay(w written) []edit {
	var touches []touch
	w.http(func(at spot, entry *networking.HTTPRoute, before []*networking.HTTPRoute) {
		was := entry.GetFault().GetDelay().GetFixedDelay().AsDuration()
		if was == 0 || had(before, entry, delayOf) {
			return
		}
		for id, now := range halfAndDouble("delay", was) {
			touches = append(touches, touch{
				spot: at, id: id, what: fmt.Sprintf("the delay of %s is %s, not %s", w.host(at), now, was),
				do: func(o *rules.Object, index int, _ string) {
					entryOf(o, index).Fault.Delay.HttpDelayType = &networking.HTTPFaultInjection_Delay_FixedDelay{FixedDelay: durationpb.New(now)}
				},
			})
		}
	})
	return w.grouped(touches)
}

// halfAndDouble yields what a duration may have been meant to be, with an id.
func halfAndDouble(name string, was time.Duration) func(func(string, time.Duration) bool) {
	return func(yield func(string, time.Duration) bool) {
		if yield(name+"-halved", (was / 2).Round(time.Millisecond)) {
			yield(name+"-doubled", 2*was)
		}
	}
}

func delayOf(e *networking.HTTPRoute) *networking.HTTPFaultInjection_Delay {
	return e.GetFault().GetDelay()
}

func abortOf(e *networking.HTTPRoute) *networking.HTTPFaultInjection_Abort {
	return e.GetFault().GetAbort()
}

// host names what an entry is for.
func (w written) host(at spot) string { return shortHost(w.changes[at.change].After) }

func entryOf(o *rules.Object, index int) *networking.HTTPRoute {
	return o.Spec.(*networking.VirtualService).Http[index]
}
