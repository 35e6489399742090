package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// MarkPrefix begins every mark, of any run.
const MarkPrefix = "meshchaos-"

var markOf = regexp.MustCompile(`(^|\.)` + MarkPrefix + `[^.]*$`)

// ownSubset is the name of a subset that Mark made.
var ownSubset = regexp.MustCompile(`^` + MarkPrefix + `[0-9a-z]+(-[0-9]+)+$`)

// Mark puts a mark, which begins with meshchaos- and is a DNS label, into an
// object, in the place of an earlier one, so that a proxy's configuration tells
// which generation of the rule it runs. Other kinds are left as they are.
//
// In a VirtualService it goes into the name of every http entry, which Istio makes
// the name of the Envoy route: reviews-default becomes
// reviews-default.meshchaos-7f3a-1-2-0, where meshchaos-7f3a-1-2 is the mark and 0
// the entry's number.
//
// In a DestinationRule it is the name of one more subset, which has no labels and
// no policy, and which nothing routes to. Istio makes a cluster of it, beside
// those of the others, whatever the rule changes; much of that, as a subset's
// labels, shows nowhere else.
func Mark(o *Object, mark string) {
	switch spec := o.Spec.(type) {
	case *networking.VirtualService:
		markEntries(spec, mark)
	case *networking.DestinationRule:
		spec.Subsets = slices.DeleteFunc(spec.Subsets, marks)
		spec.Subsets = append(spec.Subsets, &networking.Subset{Name: mark})
	}
}

// ownEntry is the name of an http entry that Mark made, with the run's id.
var ownEntry = regexp.MustCompile(`(?:^|\.)` + MarkPrefix + `([0-9a-z]+)(?:-[0-9]+){3}$`)

// MarkedBy returns the id of the run whose mark an object carries, with which the mark
// begins behind MarkPrefix; empty: it has none.
func MarkedBy(o *Object) string {
	switch spec := o.Spec.(type) {
	case *networking.VirtualService:
		for _, entry := range spec.Http {
			if found := ownEntry.FindStringSubmatch(entry.GetName()); found != nil {
				return found[1]
			}
		}
	case *networking.DestinationRule:
		for _, subset := range spec.Subsets {
			if marks(subset) {
				run, _, _ := strings.Cut(strings.TrimPrefix(subset.Name, MarkPrefix), "-")
				return run
			}
		}
	}
	return ""
}

// marks says whether a subset is there for a mark alone.
func marks(s *networking.Subset) bool {
	return ownSubset.MatchString(s.Name) && len(s.Labels) == 0 && s.TrafficPolicy == nil
}

func markEntries(vs *networking.VirtualService, mark string) {
	for i, entry := range vs.Http {
		name := markOf.ReplaceAllString(entry.Name, "")
		if name != "" {
			name += "."
		}
		entry.Name = fmt.Sprintf("%s%s-%d", name, mark, i)
	}
}

// SameTraffic says whether two objects do the same with the traffic: whatever
// their labels, annotations, marks and the names of their http entries are.
func SameTraffic(a, b *Object) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Ref == b.Ref && proto.Equal(nameless(a), nameless(b))
}

// nameless is an object's spec without what only names a part of it.
func nameless(o *Object) proto.Message {
	spec := proto.Clone(o.Spec)
	switch spec := spec.(type) {
	case *networking.VirtualService:
		for _, entry := range spec.Http {
			entry.Name = ""
			for _, match := range entry.Match {
				match.Name = ""
			}
		}
	case *networking.DestinationRule:
		spec.Subsets = slices.DeleteFunc(spec.Subsets, marks)
	}
	return spec
}
