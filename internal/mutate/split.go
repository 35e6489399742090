package mutate

import (
	"slices"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// split is the destinations of an http entry or a tcp one.
type split struct {
	http *networking.HTTPRoute
	tcp  *networking.TCPRoute
}

func splitAt(o *rules.Object, list string, index int) split {
	vs := o.Spec.(*networking.VirtualService)
	if list == "tcp" {
		return split{tcp: vs.Tcp[index]}
	}
	return split{http: vs.Http[index]}
}

func (s split) to() []*networking.Destination {
	var all []*networking.Destination
	for _, route := range s.http.GetRoute() {
		all = append(all, route.Destination)
	}
	for _, route := range s.tcp.GetRoute() {
		all = append(all, route.Destination)
	}
	return all
}

// weights are those of the destinations, to be altered.
func (s split) weights() []*int32 {
	var all []*int32
	for _, route := range s.http.GetRoute() {
		all = append(all, &route.Weight)
	}
	for _, route := range s.tcp.GetRoute() {
		all = append(all, &route.Weight)
	}
	return all
}

// merge makes one destination of those that have become the same: two would be
// refused by what tells them apart, and not by what they do.
func (s split) merge() {
	if s.tcp != nil {
		s.tcp.Route = merged(s.tcp.Route, func(r *networking.RouteDestination) *int32 { return &r.Weight })
		return
	}
	s.http.Route = merged(s.http.Route, func(r *networking.HTTPRouteDestination) *int32 { return &r.Weight })
}

// merged adds the weights of those that are alike but for them.
func merged[R proto.Message](routes []R, weight func(R) *int32) []R {
	var out []R
	for _, route := range routes {
		i := slices.IndexFunc(out, func(other R) bool {
			with := proto.CloneOf(other)
			*weight(with) = *weight(route)
			return proto.Equal(with, route)
		})
		if i < 0 {
			out = append(out, route)
			continue
		}
		*weight(out[i]) += *weight(route)
	}
	return out
}

// leave sends a part, in percent, to a subset of the sole destination's host.
func (s split) leave(part int32, subset string) {
	if s.tcp != nil {
		other := proto.CloneOf(s.tcp.Route[0])
		s.tcp.Route[0].Weight, other.Weight, other.Destination.Subset = 100-part, part, subset
		s.tcp.Route = append(s.tcp.Route, other)
		return
	}
	other := proto.CloneOf(s.http.Route[0])
	s.http.Route[0].Weight, other.Weight, other.Destination.Subset = 100-part, part, subset
	s.http.Route = append(s.http.Route, other)
}
