package rules

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"
)

func TestWhatIsInForceIsReadOfAllKinds(t *testing.T) {
	delay := func(d time.Duration, percent float64) *networking.HTTPRoute {
		return &networking.HTTPRoute{
			Route: []*networking.HTTPRouteDestination{{Destination: &networking.Destination{Host: "ratings", Subset: "v1"}}},
			Fault: &networking.HTTPFaultInjection{Delay: &networking.HTTPFaultInjection_Delay{
				HttpDelayType: &networking.HTTPFaultInjection_Delay_FixedDelay{FixedDelay: durationpb.New(d)},
				Percentage:    &networking.Percent{Value: percent},
			}},
		}
	}
	vs := &Object{Ref: Ref{VirtualService, "book", "ratings"}, Spec: &networking.VirtualService{
		Hosts: []string{"ratings"}, Http: []*networking.HTTPRoute{delay(2*time.Second, 50), delay(3*time.Second, 100), delay(9*time.Second, 0)},
	}}
	objects := []*Object{
		{Ref: Ref{DestinationRule, "book", "ratings"}, Spec: &networking.DestinationRule{Host: "ratings"}},
		{Ref: Ref{Gateway, "book", "door"}, Spec: &networking.Gateway{}},
		vs,
	}
	if got := LongestDelay(objects); got != 3*time.Second {
		t.Errorf("the longest delay is %s", got)
	}
	parts := Parts(nil, vs)
	counts := map[string]int{}
	for _, p := range parts {
		counts[p.Kind]++
	}
	if counts[PartDelay] == 0 || FaultParts(objects, Part{Kind: PartDelay, Host: FQDN("ratings", "book")}) != counts[PartDelay] {
		t.Errorf("of %v, %d are counted as delays", counts, FaultParts(objects, Part{Kind: PartDelay, Host: FQDN("ratings", "book")}))
	}
	if got := Leading(objects, Part{To: FQDN("ratings", "book"), Subset: "v1"}); got != 3 {
		t.Errorf("%d destinations lead to v1", got)
	}
}
