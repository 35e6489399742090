package rules

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// matchParts are the matches of an http entry that has several: each is an
// alternative, and the requests that one was for show nothing of the others.
func matchParts(whole Part, match []*networking.HTTPMatchRequest) []Part {
	if len(match) < 2 {
		return nil
	}
	var parts []Part
	for i, block := range match {
		p := whole
		at := *whole.at
		p.Kind, p.Path = PartMatch, fmt.Sprintf("%s.match[%d]", whole.Path, i)
		p.content = contentOf([]string{whole.content}, block)
		at.match = []proto.Message{block}
		p.at, p.block = &at, i
		parts = append(parts, p)
	}
	return parts
}

// copied says whether a match is one of several that an entry had before, or narrows
// it down, as an intent for some of the requests does: whoever wrote that did not
// choose the alternatives.
func (p Part) copied(before *Object) bool {
	if p.Kind != PartMatch || before == nil {
		return false
	}
	vs, _ := before.Spec.(*networking.VirtualService)
	return slices.ContainsFunc(vs.GetHttp(), func(entry *networking.HTTPRoute) bool {
		return len(entry.Match) > 1 && slices.ContainsFunc(entry.Match, func(had *networking.HTTPMatchRequest) bool {
			return included([]proto.Message{had}, p.at.match)
		})
	})
}

// Takes says whether a request of the load is one that a match is for, and goes by
// its entry: no other entry of those in force takes it before, nor does a match above.
// Known is false if that cannot be told.
func (p Part) Takes(r Request, inForce []*Object) (is, known bool) {
	first, known := p.takes(r, inForce)
	if first == nil {
		return false, known
	}
	for i, block := range first.match {
		switch r.meetsBlock(block) {
		case maybe:
			return false, false
		case yes:
			return i == p.block, true
		}
	}
	return false, true
}

// takes returns the part's http entry, as it is in force, if a request of the load
// goes by it; nil: it does not. Known is false if that cannot be told.
func (p Part) takes(r Request, inForce []*Object) (entry *action, known bool) {
	if !slices.ContainsFunc(p.hosts, func(host string) bool { return covers(host, r.Host) }) || !p.Followed(r.Gateway) || r.Method == "" {
		return nil, true
	}
	o := Find(inForce, p.Object)
	if o == nil {
		return nil, false
	}
	first, known := r.first(slices.DeleteFunc(entriesOf(o), func(a action) bool {
		return a.list != "http" || r.Gateway && !a.follows.gateways || !r.Gateway && !a.follows.sidecars
	}))
	if !known || first == nil || first.name != p.Entry {
		return nil, known
	}
	return first, true
}
