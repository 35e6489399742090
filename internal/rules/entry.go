package rules

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// edit makes a change to the http entries of the VirtualService that sidecars
// follow for a service, for the requests of a scope. Each must send them to a
// service.
func (d *draft) edit(service Service, s scope, change func(*networking.HTTPRoute) error) error {
	return d.editAny(service, s, func(entry *networking.HTTPRoute) error {
		if err := endsHere(entry); err != nil {
			return err
		}
		return change(entry)
	})
}

// editAny is edit, for entries too that send requests to no service.
func (d *draft) editAny(service Service, s scope, change func(*networking.HTTPRoute) error) error {
	if service.TCP {
		return fmt.Errorf("the service %s is opaque TCP, of which proxies see connections and no requests: no fault, no timeout and no header; to shift connections, apply a VirtualService with tcp entries of your own", service.Name)
	}
	if len(s.gateways) > 0 {
		return d.editEntering(service, s, change)
	}
	owner, err := d.virtualService(service.Name)
	if err != nil {
		return err
	}
	return inObject(owner, editEntries(owner.Spec.(*networking.VirtualService), s, everyEntry, change))
}

// everyEntry is all that a VirtualService has, which sidecars follow for one host.
func everyEntry(*networking.HTTPRoute) bool { return true }

// editEntries makes a change to http entries of a VirtualService, to those that of
// picks, for the requests of a scope and for no others: to the entries themselves if
// it has all, else to a narrowed copy before each.
func editEntries(vs *networking.VirtualService, s scope, of func(*networking.HTTPRoute) bool, change func(*networking.HTTPRoute) error) error {
	var out []*networking.HTTPRoute
	changed := false
	for i, entry := range vs.Http {
		if !of(entry) {
			out = append(out, entry)
			continue
		}
		edited, err := entryFor(entry, s, out)
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
		return fmt.Errorf("none of its http entries can take a request %s; ask for what one of them takes, or apply an entry for these", s)
	}
	vs.Http = out
	return nil
}

// entryFor returns what a change for the requests of a scope must be made to: the
// entry itself if it takes no others, so that a second intent of the same scope
// meets the copies that the first one made; else a copy narrowed to them; nil
// if none of them can reach the copy behind the entries that stand before.
func entryFor(entry *networking.HTTPRoute, s scope, before []*networking.HTTPRoute) (*networking.HTTPRoute, error) {
	if s.all() || s.required(entry.Match) {
		return entry, nil
	}
	match, err := narrow(entry.Match, s)
	if err != nil || len(match) == 0 {
		return nil, err
	}
	taken := make([][]*networking.HTTPMatchRequest, len(before))
	for i, earlier := range before {
		taken[i] = earlier.Match
	}
	if takenBefore(taken, match) >= 0 {
		return nil, nil
	}
	narrowed := proto.CloneOf(entry)
	narrowed.Match = match
	return narrowed, nil
}

// endsHere says why an entry that does not send its requests to a service cannot
// be edited: Istio refuses a fault and a route beside a redirect or a
// directResponse, and nothing else bites there.
func endsHere(entry *networking.HTTPRoute) error {
	switch {
	case entry.Redirect != nil:
		return errors.New("redirects, and so sends to no service; apply a VirtualService of your own instead")
	case entry.DirectResponse != nil:
		return errors.New("answers by itself (directResponse), and so sends to no service; apply a VirtualService of your own instead")
	}
	return nil
}
