package rules

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// takenPolicies are the blocks in whose place there is none now, and that nothing
// wider says too.
func takenPolicies(before, after *Object, rule *networking.DestinationRule) []Part {
	var now []policyPlace
	if after != nil && Hosts(after)[0] == Hosts(before)[0] {
		now = placesOfRule(after.Spec.(*networking.DestinationRule))
	}
	var parts []Part
	for _, p := range destinationRuleParts(before, rule) {
		if p.Kind != PartPolicy {
			continue
		}
		field := p.Path[strings.LastIndex(p.Path, ".")+1:]
		has := func(place policyPlace) bool { return slices.Contains(fieldsOf(place), field) }
		stays := slices.ContainsFunc(now, func(place policyPlace) bool {
			return place.subset == p.Subset && place.port == p.Port && has(place)
		})
		if stays || p.Subset != "" && slices.ContainsFunc(now, func(place policyPlace) bool {
			return place.subset == "" && place.port == p.Port && has(place) && p.content == contentOfBlock(p.Host, p.Subset, p.Port, field, place.policy)
		}) {
			continue
		}
		p.Kind = PartTakenPolicy
		parts = append(parts, p)
	}
	return parts
}

func fieldsOf(place policyPlace) []string {
	var names []string
	for _, field := range blocks(place.policy) {
		names = append(names, field.JSONName())
	}
	return names
}

// contentOfBlock is the content of a policy's block as a part of a subset and a port.
func contentOfBlock(host, subset string, port int, field string, policy proto.Message) string {
	m := policy.ProtoReflect()
	block := m.Get(m.Descriptor().Fields().ByJSONName(field)).Message().Interface()
	return contentOf([]string{host, subset, fmt.Sprint(port), field}, block)
}

// takenServers are the servers of whose port and hosts no other one takes care.
func takenServers(before, after *Object) []Part {
	var now []Part
	if after != nil {
		now = partsOf(after)
	}
	var parts []Part
	for _, p := range without(partsOf(before), now) {
		if slices.ContainsFunc(now, func(n Part) bool {
			return n.Port == p.Port && !slices.ContainsFunc(p.hosts, func(host string) bool {
				return !slices.ContainsFunc(n.hosts, func(other string) bool { return covers(other, host) })
			})
		}) {
			continue
		}
		p.Kind = PartTakenServer
		parts = append(parts, p)
	}
	return parts
}
