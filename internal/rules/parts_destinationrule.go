package rules

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	networking "istio.io/api/networking/v1alpha3"
)

// The kinds of parts that policies have.
const (
	PartPolicy   = "policy"         // requests to which the policy applied: those to the clusters that have it
	PartOverflow = "overflow"       // requests, or TCP connections, that a connection pool refused
	PartEjection = "ejection"       // ejections of an endpoint
	PartRetried  = "retry-overflow" // retries that a connection pool refused
	PartHash     = "hash"           // requests that a consistentHash bound to one of several endpoints
	PartSubset   = "subset"         // requests to the clusters of a subset
)

func policyKinds() []PartKind {
	return []PartKind{
		{Name: PartPolicy, None: "no request that it applied to", Remedy: "let a cohort send requests to what it is for, or take it out"},
		{Name: PartOverflow, None: "no overflow", Remedy: "drive more at a time than it allows; if it is to refuse nothing of more requests than that, say so: overflows(SERVICE) == 0"},
		{Name: PartEjection, None: "no ejection", Remedy: "let the endpoints fail as often as it takes; if it is to eject nobody, say so: ejections(SERVICE) == 0"},
		{Name: PartRetried, None: "no retry that it refused", Remedy: "let more be tried again at a time than maxRetries allows; if it is to refuse none, say so: retryOverflows(SERVICE) == 0"},
		{Name: PartHash, None: "no request that it bound to one of several endpoints", Remedy: "send some with what it hashes, to a service that has several; or take it out"},
		{Name: PartSubset, None: "no request to it", Remedy: "let a route lead requests there, or leave its labels as they were"},
	}
}

// policyPlace is a place of a DestinationRule where a policy can stand.
type policyPlace struct {
	path   string
	subset string
	port   int
	policy proto.Message // a *networking.TrafficPolicy, or one of its portLevelSettings
}

func destinationRuleParts(o *Object, rule *networking.DestinationRule) []Part {
	places := placesOfRule(rule)
	host := FQDN(rule.Host, o.Namespace)
	var parts []Part
	for _, place := range places {
		for _, field := range blocks(place.policy) {
			block := place.policy.ProtoReflect().Get(field).Message().Interface()
			for _, kind := range kindsOf(block) {
				parts = append(parts, Part{
					Object: o.Ref, Host: host, Kind: kind,
					Path: place.path + "." + field.JSONName(), Whole: place.path + "." + field.JSONName(),
					To: host, Subset: place.subset, Port: place.port,
					HiddenBy: hiddenBy(place, places, field.Name()), HiddenAt: hiddenAt(place, places), hash: hashOf(block),
					content: contentOf([]string{host, place.subset, fmt.Sprint(place.port), field.JSONName()}, block),
				})
			}
		}
	}
	return append(parts, subsetParts(o, rule)...)
}

// subsetParts are the labels of its subsets, but for one that is there for a mark
// alone.
func subsetParts(o *Object, rule *networking.DestinationRule) []Part {
	host := FQDN(rule.Host, o.Namespace)
	var parts []Part
	for i, subset := range rule.Subsets {
		if marks(subset) {
			continue
		}
		path := fmt.Sprintf("spec.subsets[%d].labels", i)
		parts = append(parts, Part{
			Object: o.Ref, Host: host, Kind: PartSubset, Path: path, Whole: path, To: host, Subset: subset.Name,
			content: contentOf([]string{host}, &networking.Subset{Name: subset.Name, Labels: subset.Labels}),
		})
	}
	return parts
}

func placesOfRule(rule *networking.DestinationRule) []policyPlace {
	places := placesOf("spec", "", rule.TrafficPolicy)
	for i, subset := range rule.Subsets {
		places = append(places, placesOf(fmt.Sprintf("spec.subsets[%d]", i), subset.Name, subset.TrafficPolicy)...)
	}
	return places
}

func placesOf(path, subset string, policy *networking.TrafficPolicy) []policyPlace {
	if policy == nil {
		return nil
	}
	path += ".trafficPolicy"
	places := []policyPlace{{path: path, subset: subset, policy: policy}}
	for i, at := range policy.PortLevelSettings {
		places = append(places, policyPlace{
			path: fmt.Sprintf("%s.portLevelSettings[%d]", path, i), subset: subset,
			port: int(at.GetPort().GetNumber()), policy: at,
		})
	}
	return places
}

// blocks are the fields of a policy that are there and hold a policy of their
// own, in the order of Istio's API.
func blocks(policy proto.Message) []protoreflect.FieldDescriptor {
	var out []protoreflect.FieldDescriptor
	fields := policy.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if field.IsList() || field.Message() == nil || field.Name() == "port" || !policy.ProtoReflect().Has(field) {
			continue
		}
		out = append(out, field)
	}
	return out
}

// kindsOf are the ways in which a block is seen to bite. Each has to apply to
// requests, or a count of 0 would be expected of what nobody meets. A connection
// pool without a limit refuses nothing: its other settings only apply.
func kindsOf(block proto.Message) []string {
	switch block := block.(type) {
	case *networking.OutlierDetection:
		return []string{PartPolicy, PartEjection}
	case *networking.ConnectionPoolSettings:
		if block.GetTcp().GetMaxConnections() > 0 || block.GetHttp().GetHttp1MaxPendingRequests() > 0 || block.GetHttp().GetHttp2MaxRequests() > 0 {
			return []string{PartPolicy, PartOverflow}
		}
		if block.GetHttp().GetMaxRetries() > 0 {
			return []string{PartPolicy, PartRetried}
		}
	case *networking.LoadBalancerSettings:
		if block.GetConsistentHash() != nil {
			return []string{PartPolicy, PartHash}
		}
	}
	return []string{PartPolicy}
}

// hiddenBy returns the subsets that have such a block of their own, which
// stands in the place of the whole host's.
func hiddenBy(place policyPlace, places []policyPlace, field protoreflect.Name) []string {
	if place.subset != "" {
		return nil
	}
	var subsets []string
	for _, other := range places {
		if other.subset == "" || other.port != place.port || slices.Contains(subsets, other.subset) {
			continue
		}
		policy := other.policy.ProtoReflect()
		if policy.Has(policy.Descriptor().Fields().ByName(field)) {
			subsets = append(subsets, other.subset)
		}
	}
	return subsets
}

// hiddenAt returns the ports that have settings of their own, of which Istio
// takes all in the place of the policy for all ports.
func hiddenAt(place policyPlace, places []policyPlace) []int {
	var ports []int
	for _, other := range places {
		if place.port == 0 && other.port != 0 && other.subset == place.subset {
			ports = append(ports, other.port)
		}
	}
	return ports
}
