package rules

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	networking "istio.io/api/networking/v1alpha3"
)

// used are the destinations that get something: one alone whatever its weight is, of
// several those with a weight.
func used[D weighted](to []D) []D {
	if len(to) < 2 {
		return to
	}
	return slices.DeleteFunc(slices.Clone(to), func(d D) bool { return d.GetWeight() == 0 })
}

// spellAlike writes the destinations of an entry as all do that lead to the same ones
// in the same shares: without those that get nothing, by long names, with the least
// weights, and in one order.
func spellAlike(namespace string, entry proto.Message) {
	switch e := entry.(type) {
	case *networking.HTTPRoute:
		e.Route = used(e.Route)
		spellRoutes(namespace, e.Route, func(d *networking.HTTPRouteDestination, weight int32) { d.Weight = weight })
	case *networking.TCPRoute:
		e.Route = used(e.Route)
		spellRoutes(namespace, e.Route, func(d *networking.RouteDestination, weight int32) { d.Weight = weight })
	case *networking.TLSRoute:
		e.Route = used(e.Route)
		spellRoutes(namespace, e.Route, func(d *networking.RouteDestination, weight int32) { d.Weight = weight })
	}
}

func spellRoutes[D interface {
	weighted
	proto.Message
}](namespace string, to []D, setWeight func(D, int32),
) {
	var unit int32
	for _, d := range to {
		unit = gcd(unit, d.GetWeight())
	}
	for _, d := range to {
		if host := d.GetDestination().GetHost(); host != "" {
			d.GetDestination().Host = FQDN(host, namespace)
		}
		if len(to) == 1 {
			setWeight(d, 0)
		} else {
			setWeight(d, d.GetWeight()/unit)
		}
	}
	slices.SortStableFunc(to, func(a, b D) int { return cmp.Compare(contentOf(nil, a), contentOf(nil, b)) })
}

func gcd(a, b int32) int32 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// bare is an entry without its name and match and the blocks that say nothing, in a
// namespace, as all spell it that do the same.
func bare(namespace string, entry proto.Message) proto.Message {
	out := proto.Clone(entry)
	m := out.ProtoReflect()
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch field.Name() {
		case "name", "match":
			m.Clear(field)
		case "headers", "fault": // retries that are empty switch the default ones off
			if proto.Size(value.Message().Interface()) == 0 {
				m.Clear(field)
			}
		}
		return true
	})
	spellAlike(namespace, out)
	return out
}
