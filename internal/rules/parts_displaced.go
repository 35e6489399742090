package rules

import (
	"slices"

	"google.golang.org/protobuf/proto"
)

// place is where an entry stands in its VirtualService, and what it takes from
// whom.
type place struct {
	list  string // http, tls or tcp
	index int
	match []proto.Message // empty: it takes all
	leads []cluster       // where it sends requests to
	took  []cluster       // where those that it matches went before its stage wrote it
}

// cluster names a destination.
type cluster struct {
	host   string // fully qualified
	subset string
	port   int // 0: that of the request
}

// Displaces says whether a part of a later stage that was seen to bite takes
// requests which an earlier part would have met without it: as an entry, those
// of a wider one that stands behind it; as a route elsewhere, and as an abort,
// those of the policy of the cluster that they went to before. Of a part all of
// whose requests were taken so nothing can be seen, and nothing is amiss.
func (p Part) Displaces(earlier Part) bool {
	switch {
	case p.at == nil || p.Kind != PartRoute && p.Kind != PartWeight && p.Kind != PartAbort:
		return false
	case earlier.at != nil:
		return p.Object == earlier.Object && p.Host == earlier.Host && p.at.list == earlier.at.list && p.at.index < earlier.at.index && included(earlier.at.match, p.at.match)
	}
	governed := func(c cluster) bool { return earlier.Governs(c.host, c.subset, c.port) }
	return slices.ContainsFunc(p.at.took, governed) && (p.Kind == PartAbort || !slices.ContainsFunc(p.at.leads, governed))
}

// StandsFor says whether a part says the same as another one of its object, of an
// entry that is for all that the other's is for: what an intent for some requests
// copies is seen with what it was copied from.
func (p Part) StandsFor(other Part) bool {
	return p.setting != "" && p.setting == other.setting && p.Kind == other.Kind && p.Object == other.Object && p.Host == other.Host &&
		p.at.index != other.at.index && included(p.at.match, other.at.match)
}

// Governs says whether a part of a DestinationRule is in force for the requests
// to a cluster: for its policy, and for the part's subset if it has one. Port 0 is
// any.
func (p Part) Governs(host, subset string, port int) bool {
	switch {
	case host != p.Host, p.Port != 0 && port != 0 && p.Port != port, slices.Contains(p.HiddenAt, port):
		return false
	case p.Subset != "":
		return p.Subset == subset
	}
	return !slices.Contains(p.HiddenBy, subset)
}

// taking returns where the requests of an entry went before it was written: by
// the entries of its object that matched them, those of the stages before
// included, or, of an object that is new, to the hosts themselves.
func taking(p Part, before *Object, known []Part) []cluster {
	var took []cluster
	add := func(clusters []cluster) {
		for _, c := range clusters {
			if !slices.Contains(took, c) {
				took = append(took, c)
			}
		}
	}
	wider := func(was Part) bool {
		return was.at != nil && was.Object == p.Object && was.Host == p.Host && was.at.list == p.at.list && included(was.at.match, p.at.match)
	}
	if before == nil {
		for _, host := range p.hosts {
			add([]cluster{{host: host}})
		}
	}
	for _, was := range partsOf(before) {
		if wider(was) {
			add(was.at.leads)
		}
	}
	for _, was := range known {
		if wider(was) {
			add(was.at.took)
		}
	}
	return took
}

// included says whether blocks match all that others match, as far as that is
// plain.
func included(wide, narrow []proto.Message) bool {
	switch {
	case len(wide) == 0:
		return true
	case len(narrow) == 0:
		narrow = []proto.Message{wide[0].ProtoReflect().New().Interface()}
	}
	return takenBefore([][]proto.Message{wide}, narrow) >= 0
}

func blocksOf[M proto.Message](match []M) []proto.Message {
	out := make([]proto.Message, len(match))
	for i, block := range match {
		out[i] = block
	}
	return out
}

func clustersOf(namespace string, to []weighted) []cluster {
	var out []cluster
	for _, d := range to {
		if len(to) == 1 || d.GetWeight() > 0 {
			out = append(out, cluster{FQDN(d.GetDestination().GetHost(), namespace), d.GetDestination().GetSubset(), int(d.GetDestination().GetPort().GetNumber())})
		}
	}
	return out
}
