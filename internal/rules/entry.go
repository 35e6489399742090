package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"
)

// editEntries makes a change to the http entries of a VirtualService for the
// requests that have the headers of when, and to no others: to the entries
// themselves without when, else to a narrowed copy before each.
func editEntries(vs *networking.VirtualService, when map[string]string, change func(*networking.HTTPRoute) error) error {
	var out []*networking.HTTPRoute
	changed := false
	for i, entry := range vs.Http {
		edited, err := entryFor(entry, when, out)
		if err != nil {
			return fmt.Errorf("its spec.http[%d].%w", i, err)
		}
		if edited != nil {
			if err := change(edited); err != nil {
				return fmt.Errorf("its spec.http[%d] %w", i, err)
			}
			changed = true
			if edited != entry {
				out = append(out, edited)
			}
		}
		out = append(out, entry)
	}
	if !changed {
		return fmt.Errorf("none of its http entries can take a request with %s", wordHeaders(when))
	}
	vs.Http = out
	return nil
}

// entryFor returns what a change for the requests of when must be made to: the
// entry itself if it takes no others, so that a second intent of the same when
// meets the copies that the first one made; else a copy narrowed to them; nil
// if none of them can reach the copy behind the entries that stand before.
func entryFor(entry *networking.HTTPRoute, when map[string]string, before []*networking.HTTPRoute) (*networking.HTTPRoute, error) {
	if len(when) == 0 || requires(entry.Match, when) {
		return entry, nil
	}
	match, err := narrow(entry.Match, when)
	if err != nil || shadowed(before, match) {
		return nil, err
	}
	narrowed := proto.CloneOf(entry)
	narrowed.Match = match
	return narrowed, nil
}

func wordHeaders(when map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(when)) {
		words = append(words, name+": "+when[name])
	}
	return strings.Join(words, ", ")
}

// endsHere says why an entry that does not send its requests to a service can
// take neither a fault nor a split: Istio refuses both beside a redirect or a
// directResponse.
func endsHere(entry *networking.HTTPRoute) error {
	switch {
	case entry.Redirect != nil:
		return errors.New("redirects, which Istio allows beside neither a fault nor a route; apply a VirtualService of your own instead")
	case entry.DirectResponse != nil:
		return errors.New("answers by itself (directResponse), which Istio allows beside neither a fault nor a route; apply a VirtualService of your own instead")
	}
	return nil
}

// injectFault sets the delay and the abort that the intent has; one that the
// entry had and the intent has not stays.
func injectFault(entry *networking.HTTPRoute, f *Fault) error {
	if err := endsHere(entry); err != nil {
		return err
	}
	if entry.Fault == nil {
		entry.Fault = &networking.HTTPFaultInjection{}
	}
	if f.Delay > 0 {
		entry.Fault.Delay = &networking.HTTPFaultInjection_Delay{
			HttpDelayType: &networking.HTTPFaultInjection_Delay_FixedDelay{FixedDelay: durationpb.New(f.Delay)},
			Percentage:    &networking.Percent{Value: f.Percent},
		}
	}
	if f.Abort != 0 {
		entry.Fault.Abort = &networking.HTTPFaultInjection_Abort{
			ErrorType:  &networking.HTTPFaultInjection_Abort_HttpStatus{HttpStatus: f.Abort},
			Percentage: &networking.Percent{Value: f.Percent},
		}
	}
	return nil
}

// share is a subset's part of an entry's requests.
type share struct {
	subset string
	weight int32
}

// sendTo replaces an entry's destinations by subsets of the service that they
// are of. The port stays, and so do the headers of a destination that stays.
func sendTo(entry *networking.HTTPRoute, service, namespace string, shares []share) error {
	if err := endsHere(entry); err != nil {
		return err
	}
	if len(entry.Route) == 0 {
		return errors.New("has no destination")
	}
	first := entry.Route[0].GetDestination()
	for _, route := range entry.Route {
		destination := route.GetDestination()
		if FQDN(destination.GetHost(), namespace) != service {
			return fmt.Errorf("sends to another host, %s; apply a VirtualService of your own instead of a route", destination.GetHost())
		}
		if !proto.Equal(destination.Port, first.Port) {
			return errors.New("sends to several ports; apply a VirtualService of your own instead of a route")
		}
	}
	routes := make([]*networking.HTTPRouteDestination, len(shares))
	for i, s := range shares {
		routes[i] = &networking.HTTPRouteDestination{Weight: s.weight, Destination: proto.CloneOf(first)}
		routes[i].Destination.Subset = s.subset
		for _, route := range entry.Route {
			if route.Destination.Subset == s.subset {
				routes[i].Headers = route.Headers
				break
			}
		}
	}
	entry.Route = routes
	return nil
}
