package rules

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// PartKind is a way in which a part of a rule can be seen to bite.
type PartKind struct {
	Name   string // PartDelay and the like, as the record has it
	None   string // words that nothing was seen: no request that it delayed
	Remedy string // what to do about a part that never bit; SERVICE stands for the part's service
	Rests  bool   // of what is given it need not bite in each load, if it does in one
	Taken  bool   // it is of what a stage has taken away
}

// PartKinds returns all kinds: those of entries, policies, subsets and gateways,
// of what is taken away, and those of what intents put into an entry.
func PartKinds() []PartKind {
	kinds := slices.Concat(routeKinds(), entryKinds(), policyKinds(), gatewayKinds(), takenKinds())
	for _, f := range forms() {
		for _, p := range f.parts {
			kinds = append(kinds, p.PartKind)
		}
	}
	return kinds
}

// Part is one part of a rule that must be seen to bite.
type Part struct {
	Stage  string // that wrote it, as Follow was told
	Object Ref
	Path   string // where its stage wrote it: spec.http[0].fault.delay, spec.tcp[0].route[1], spec.subsets[0].trafficPolicy.connectionPool
	Kind   string // PartDelay and the like
	Host   string // whose requests it is about, fully qualified; behind a sole wildcard the first destination's
	Entry  string // http[].name, which is the route's name in access logs; empty for TCP, TLS and DestinationRules

	// To, Subset and Port name the destination, and with it the cluster, of a
	// weight, and of a route that has one destination. A part of a DestinationRule
	// has the subset and the port that it is for.
	To     string // fully qualified host
	Subset string // empty: none; of a DestinationRule: the whole host
	Port   int    // 0: that of the request; of a DestinationRule: all

	// Twin is the path of another weight of the entry that leads to the same
	// cluster, so that nothing tells what either sent; empty: there is none.
	Twin string

	// HiddenBy and HiddenAt are the subsets and the ports of a DestinationRule
	// that have such a block of their own, which stands in the place of this one.
	HiddenBy []string
	HiddenAt []int

	// RetriedFor are the conditions, besides those of Istio's default policy, for which
	// another policy would try again the requests of an entry that has no retries:
	// the policy of the entry behind it, and that before its stage wrote it.
	RetriedFor []string

	// PerTry says of a timeout that the entry limits each attempt, too, and to less.
	PerTry bool

	// Whole is the path of what it is a part of: the entry, or the policy.
	Whole string

	byDefault bool // an http entry that does what sidecars do without it

	block int // of a match: which of its entry's it is

	hash *networking.LoadBalancerSettings_ConsistentHashLB // of a loadBalancer; nil: none

	removed string // of a header of requests that is taken away: which

	// Stream says that it is a tcp or tls entry, or a weight of one.
	Stream bool

	at      *place               // of an entry
	follows follows              // of an entry: who must show it
	hosts   []string             // of an entry: that of the object's which it is seen for; of a Gateway's server: its own
	beside  []string             // of an entry: the other hosts of the object
	servers []*networking.Server // of a Gateway's server: those beside it, and itself

	newly bool // of an entry: follows are those who follow the object since it was written, and others did before

	gone  bool    // it is of what was taken away
	from  *Object // of that: the object that had it; nil: there was none
	taken *taken  // of an entry among that

	content string // equal for parts that say the same, wherever they stand
	setting string // of a part that is none where it was set already: what it says, and for which destinations
}

// Service is what a scenario calls the part's host whose run is in a namespace.
func (p Part) Service(home string) string { return Short(p.Host, home) }

// Parts returns the parts of an object that the one before it has not; all of
// them without a before. Two parts are the same if they say the same for the
// same hosts, whatever their entries are called and wherever they stand.
//
// Of a VirtualService these are, for each of its hosts, every entry as a route,
// each weight above 0 where there are several destinations, a delay, an abort, and
// a timeout that is new, what it mirrors, retries and the like; of a
// DestinationRule every connection pool, outlier detection and other policy, and
// the labels of a subset that were others: of a new one, which only has a name,
// nothing is asked. Of a Gateway it is every server.
//
// Beside other parts of an object that is new nothing is asked either of the entry
// that leaves the rest of the requests as it finds them: a fault for jason alone
// changes nothing for others, and none of them has to come.
func Parts(before, after *Object) []Part {
	parts := without(partsOf(after), partsOf(before))
	parts = slices.DeleteFunc(parts, func(p Part) bool {
		return p.setting != "" && slices.ContainsFunc(partsOf(before), func(had Part) bool { return had.Kind == p.Kind && had.setting == p.setting })
	})
	parts = slices.DeleteFunc(parts, func(p Part) bool {
		return p.Kind == PartSubset && !slices.ContainsFunc(partsOf(before), func(had Part) bool {
			return had.Kind == p.Kind && had.Host == p.Host && had.Subset == p.Subset
		})
	})
	parts = slices.DeleteFunc(parts, func(p Part) bool { return p.copied(before) })
	for i := range parts {
		parts[i].narrowTo(before)
	}
	if rest := slices.IndexFunc(parts, func(p Part) bool { return p.byDefault }); before == nil && rest >= 0 && len(parts) > 1 {
		parts = slices.Delete(parts, rest, rest+1)
	}
	return parts
}

// Follow returns the parts of a run's rules that are in force after a change:
// of those that were known before it the ones that it leaves unaltered, and
// those that it makes, as written by the stage. Stage, object, path and kind
// name a part for the whole run: the path stays that of its own stage, though a
// later one may put entries before it.
func Follow(known []Part, stage string, change Change) []Part {
	var out, own []Part
	for _, p := range known {
		if p.Object == change.Ref() {
			own = append(own, p)
		} else {
			out = append(out, p)
		}
	}
	now := partsOf(change.After)
	for _, p := range own {
		if p.gone {
			out = append(out, p.stillTaken(change.After)...)
		} else if i := p.staysAt(now); i >= 0 {
			kept := now[i]
			kept.Stage, kept.Path, kept.Whole = p.Stage, p.Path, p.Whole
			kept.RetriedFor, kept.follows, kept.newly = p.RetriedFor, p.follows, p.newly
			if kept.at != nil {
				kept.at.took = p.at.took
			}
			out, now = append(out, kept), slices.Delete(now, i, i+1)
		}
	}
	for _, p := range Parts(change.Before, change.After) {
		p.Stage = stage
		if p.Kind == PartNoRetry {
			p.RetriedFor = append(p.retriedFor(change.Before, 0), p.retriedFor(change.After, p.at.index+1)...)
		}
		if p.at != nil {
			p.at.took = taking(p, change.Before, known)
		}
		out = append(out, p)
	}
	for _, p := range takenAway(change.Before, change.After) {
		p.Stage = stage
		out = append(out, p)
	}
	return out
}

// InLoadOf returns the parts that are looked for in the load of a step: all, but
// what other stages than the given ones have taken away.
func InLoadOf(parts []Part, stages ...string) []Part {
	return slices.DeleteFunc(slices.Clone(parts), func(p Part) bool {
		return p.gone && !slices.Contains(stages, p.Stage)
	})
}

func partsOf(o *Object) []Part {
	if o == nil {
		return nil
	}
	switch spec := o.Spec.(type) {
	case *networking.VirtualService:
		return virtualServiceParts(o, spec)
	case *networking.DestinationRule:
		return destinationRuleParts(o, spec)
	case *networking.Gateway:
		return gatewayParts(o, spec)
	}
	return nil
}

// without returns the parts that others lack. Of several that are the same the
// first ones are taken to be the others': the last would be the one that is
// new, and hidden.
func without(parts, others []Part) []Part {
	others = slices.Clone(others)
	var out []Part
	for _, p := range parts {
		if i := slices.IndexFunc(others, p.same); i >= 0 {
			others = slices.Delete(others, i, i+1)
			continue
		}
		out = append(out, p)
	}
	return out
}

// Alters says whether of a change something could be seen to bite: whether it
// makes a part, or takes one away. A Gateway that is new leads nowhere by itself.
func Alters(change Change) bool {
	if change.Before == nil && change.After.Kind == Gateway {
		return false
	}
	return len(Parts(change.Before, change.After)) > 0 || len(takenAway(change.Before, change.After)) > 0
}

// staysAt is which part of a later object is the same part; -1: none. One that is
// none where it was set already stays in an entry that says more, too.
func (p Part) staysAt(later []Part) int {
	if i := slices.IndexFunc(later, p.same); i >= 0 {
		return i
	}
	return slices.IndexFunc(later, func(now Part) bool {
		return p.setting != "" && p.Kind == now.Kind && p.setting == now.setting
	})
}

func (p Part) same(other Part) bool { return p.Kind == other.Kind && p.content == other.content }

// contentOf words messages so that equal ones give equal words.
func contentOf(words []string, messages ...proto.Message) string {
	content := strings.Join(words, "\x00")
	for _, message := range messages {
		// Marshalling fails for text that is not UTF-8 alone, which cannot be read
		// in either.
		encoded, _ := proto.MarshalOptions{Deterministic: true}.Marshal(message)
		content += "\x00" + string(encoded)
	}
	return content
}
