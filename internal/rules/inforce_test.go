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

func TestWhoseConnectionsTheyAre(t *testing.T) {
	to := func(subset string) []*networking.RouteDestination {
		return []*networking.RouteDestination{{Destination: &networking.Destination{Host: "echo", Port: &networking.PortSelector{Number: 9000}, Subset: subset}}}
	}
	at := func(port uint32, gateways ...string) []*networking.L4MatchAttributes {
		return []*networking.L4MatchAttributes{{Port: port, Gateways: gateways}}
	}
	object := func(host string, entries ...*networking.TCPRoute) *Object {
		return &Object{Ref: Ref{VirtualService, "shop", "echo"}, Spec: &networking.VirtualService{Hosts: []string{host}, Gateways: []string{"mesh", "door"}, Tcp: entries}}
	}
	for name, test := range map[string]struct {
		object            *Object
		sidecars, gateway bool
	}{
		"all connections":                     {object("echo", &networking.TCPRoute{Route: to("")}), true, true},
		"those to its port":                   {object("echo", &networking.TCPRoute{Match: at(9000), Route: to("")}), true, true},
		"another port goes there by default":  {object("echo", &networking.TCPRoute{Match: at(9001), Route: to("")}), false, true},
		"to a subset nothing goes by default": {object("echo", &networking.TCPRoute{Match: at(9001), Route: to("v1")}), true, true},
		"the host has a default of its own":   {object("other", &networking.TCPRoute{Route: to("")}), false, true},
		"two entries":                         {object("echo", &networking.TCPRoute{Match: at(9001), Route: to("v1")}, &networking.TCPRoute{Match: at(9000), Route: to("v1")}), false, false},
		"an entry of the gateway's beside it": {object("echo", &networking.TCPRoute{Match: at(9000, "mesh"), Route: to("v1")}, &networking.TCPRoute{Match: at(31400, "door"), Route: to("v1")}), true, true},
	} {
		part := Parts(nil, test.object)[0]
		if got := part.Alone([]*Object{test.object}, false); got != test.sidecars {
			t.Errorf("%s: at sidecars alone is %v", name, got)
		}
		if got := part.Alone([]*Object{test.object}, true); got != test.gateway {
			t.Errorf("%s: at gateways alone is %v", name, got)
		}
	}
}
