package rules

import (
	"slices"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// The kinds of parts that a stage takes away.
const (
	PartTakenEntry  = "taken-entry"  // requests that an entry which is gone would have been for
	PartTakenPolicy = "taken-policy" // requests to the clusters that had a policy which is gone
	PartTakenServer = "taken-server" // requests that would have entered by a server which is gone
	PartLockedOut   = "locked-out"   // requests to a host that no entry matches any more
)

func takenKinds() []PartKind {
	return []PartKind{
		{Name: PartTakenEntry, None: "no request that it would have been for", Remedy: "let a cohort send one, or leave it in", Taken: true, Rests: true},
		{Name: PartTakenPolicy, None: "no request to what it was for", Remedy: "let a cohort send one, or leave it in", Taken: true, Rests: true},
		{Name: PartLockedOut, None: "no request that is turned away", Remedy: "let a cohort send one that no entry matches, or end the list with an entry without a match", Rests: true},
		{Name: PartTakenServer, None: "nothing that would have entered by it", Remedy: "leave it in", Taken: true, Rests: true},
	}
}

// taken is what an entry of a VirtualService was, and who takes its requests since
// it is gone, or stands behind others.
type taken struct {
	own      action
	was, now []action // of its list, for its host
	takers   []Taker
}

// Taker is an entry that takes requests of one that was taken away.
type Taker struct {
	Path  string // empty: no entry takes them
	Entry string // http[].name
	All   bool   // all that it takes would have gone by the other
}

// Takers returns the entries that take the requests of one that was taken away, and
// do something else with them.
func (p Part) Takers() []Taker {
	if p.taken == nil {
		return nil
	}
	return p.taken.takers
}

// takenAway returns what a change takes away from an object that was there before:
// http, tcp and tls entries, policies, and servers of a Gateway. What takes the
// place of another one, with the same match or in the same place, is a part by
// itself, and what it replaces is not among them; nor is an entry whose requests
// meet the same by others.
func takenAway(before, after *Object) []Part {
	if before == nil {
		return lockedOut(before, after)
	}
	var parts []Part
	switch spec := before.Spec.(type) {
	case *networking.VirtualService:
		parts = append(takenEntries(before, after, spec), lockedOut(before, after)...)
	case *networking.DestinationRule:
		parts = takenPolicies(before, after, spec)
	case *networking.Gateway:
		parts = takenServers(before, after)
	}
	for i := range parts {
		parts[i].gone, parts[i].from = true, before
	}
	return parts
}

// stillTaken is a part that was taken away as it is after a later change; none if
// that brings it back, or writes another in its place.
func (p Part) stillTaken(after *Object) []Part {
	for _, now := range takenAway(p.from, after) {
		if now.same(p) && now.Path == p.Path {
			now.Stage = p.Stage
			return []Part{now}
		}
	}
	return nil
}

// takenEntries are the entries, for each host by itself, of which requests meet
// something else now.
func takenEntries(before, after *Object, vs *networking.VirtualService) []Part {
	all, hosts := entriesOf(before), Hosts(before)
	var parts []Part
	for i, host := range hosts {
		var now []action
		if after != nil && slices.Contains(Hosts(after), host) {
			now = entriesOf(after)
		}
		for _, own := range all {
			if now == nil && own.byItself(before, host) {
				continue
			}
			t := takenFrom(own, all, now, own.byItself(before, host))
			if len(t.takers) == 0 {
				continue
			}
			whole := Part{
				Object: before.Ref, Kind: PartTakenEntry, Path: own.path(), Whole: own.path(), Host: hostOf(before, own.to),
				Stream: own.list != "http", follows: t.own.follows, taken: &t, content: contentOf(scopeOf(before.Namespace, vs), own.entry),
			}
			parts = append(parts, whole.forHost(host, slices.Concat(hosts[:i], hosts[i+1:])))
		}
	}
	return parts
}

// takenFrom is what an entry was to sidecars and to gateways, as far as it is gone:
// an object may leave one of them, and stay with the other. Of a plain one sidecars
// do the same without the object.
func takenFrom(own action, was, now []action, plain bool) taken {
	by := func(f follows) taken {
		own.follows = f
		beside := func(a action) bool {
			return a.list == own.list && (f.sidecars && a.follows.sidecars || f.gateways && a.follows.gateways)
		}
		others := func(a action) bool { return !beside(a) }
		t := taken{own: own, was: slices.DeleteFunc(slices.Clone(was), others), now: slices.DeleteFunc(slices.Clone(now), others)}
		if f.gateways || !plain || len(t.now) > 0 {
			t.takers = t.find()
		}
		return t
	}
	all := own.follows
	if !all.sidecars || !all.gateways {
		return by(all)
	}
	sidecars, gateways := by(follows{sidecars: true, ports: all.ports}), by(follows{gateways: true, ports: all.ports})
	switch both := by(all); {
	case len(sidecars.takers) == 0:
		return gateways
	case len(gateways.takers) == 0 || len(both.takers) == 0:
		return sidecars
	default:
		return both
	}
}

// byItself says whether an entry leads where the requests to a host go by themselves.
func (a action) byItself(o *Object, host string) bool {
	if len(a.to) != 1 || !onlyRoute(bare(o.Namespace, a.entry)) {
		return false
	}
	to := a.to[0].GetDestination()
	return FQDN(to.GetHost(), o.Namespace) == host && to.GetSubset() == "" && to.GetPort() == nil
}

// lockedOut are the hosts of which sidecars turn away whatever no entry matches: it
// went to them by itself before, from all workloads or from some, on all ports or on
// one.
func lockedOut(before, after *Object) []Part {
	if after == nil {
		return nil
	}
	vs, ok := after.Spec.(*networking.VirtualService)
	if !ok {
		return nil
	}
	now := bySidecars(after)
	where, found := inForce(now)
	if !found {
		return nil // a sidecar that follows no entry does without the object
	}
	var parts []Part
	hosts := Hosts(after)
	for i, host := range hosts {
		var was []action
		if before != nil && slices.Contains(Hosts(before), host) {
			was = bySidecars(before)
		}
		own := action{place: place{list: "http", match: where}, follows: follows{sidecars: true}}
		t := taken{own: own, was: append(was, own), now: now}
		if already, found := inForce(was); found && included(already, where) || len(t.find()) == 0 {
			continue
		}
		t.takers = []Taker{{All: true}}
		rest := Part{
			Object: after.Ref, Kind: PartLockedOut, Path: "spec.http", Whole: "spec.http", Host: hostOf(after, nil),
			follows: own.follows, taken: &t, gone: true, from: before, content: contentOf(scopeOf(after.Namespace, vs)),
		}
		parts = append(parts, rest.forHost(host, slices.Concat(hosts[:i], hosts[i+1:])))
	}
	return parts
}

// bySidecars are the http entries of an object that sidecars follow.
func bySidecars(o *Object) []action {
	return slices.DeleteFunc(entriesOf(o), func(a action) bool { return a.list != "http" || !a.follows.sidecars })
}

// inForce says for which workloads and ports sidecars have some of the entries; no
// blocks: for all, if there are any.
func inForce(entries []action) (where []proto.Message, found bool) {
	for _, a := range entries {
		if len(a.match) == 0 {
			return nil, true
		}
		for _, block := range a.match {
			m := block.(*networking.HTTPMatchRequest)
			if sidecars, _ := Followers(m.Gateways); !sidecars {
				continue
			}
			of := &networking.HTTPMatchRequest{Port: m.Port}
			if len(m.Gateways) == 0 { // beside gateways Istio ignores the workload
				of.SourceLabels, of.SourceNamespace = m.SourceLabels, m.SourceNamespace
			}
			if proto.Size(of) == 0 {
				return nil, true
			}
			where = append(where, of)
		}
	}
	return where, len(where) > 0
}

// find goes through the entries that there are now, as a request does that the own
// one was for.
func (t *taken) find() []Taker {
	own := slices.IndexFunc(t.was, t.own.equal)
	before := t.was[:own]
	if slices.ContainsFunc(before, func(b action) bool { return b.takes(t.own.match) }) {
		return nil // it was hidden
	}
	var takers []Taker
	for i, n := range t.now {
		wider := n.takes(t.own.match)
		isNew := !slices.ContainsFunc(t.was, n.equal)
		switch {
		case slices.ContainsFunc(before, n.equal), disjoint(n.match, t.own.match):
			continue
		case n.equal(t.own), n.does == t.own.does && wider:
			return takers
		case n.does == t.own.does:
			continue
		case isNew && wider && included(t.own.match, n.match):
			return takers
		case isNew && !wider:
			continue
		}
		takers = append(takers, Taker{Path: n.path(), Entry: n.name, All: t.all(n.match, before, t.now[:i])})
		if wider {
			return takers
		}
	}
	return append(takers, Taker{All: t.all(nil, before, t.now)})
}

// takes says whether an entry takes all that blocks match. One that delegates may
// leave some of it to those behind it.
func (a action) takes(match []proto.Message) bool {
	http, _ := a.entry.(*networking.HTTPRoute)
	return http.GetDelegate() == nil && included(a.match, match)
}

// all says whether what an entry with a match takes now, behind others, would all
// have gone by the own one, behind those that stood before it.
func (t *taken) all(match []proto.Message, before, behind []action) bool {
	return included(t.own.match, match) && !slices.ContainsFunc(before, func(b action) bool {
		return !disjoint(b.match, match) && !slices.ContainsFunc(behind, b.equal)
	})
}

// Meets says whether a request of the load would have gone by an entry that was
// taken away, and meets something else now; known is false if that cannot be told.
func (p Part) Meets(r Request) (met, known bool) {
	if p.taken == nil || !slices.ContainsFunc(p.hosts, func(host string) bool { return covers(host, r.Host) }) || !p.Followed(r.Gateway) || p.taken.own.list == "http" && r.Method == "" {
		return false, true
	}
	was, known := r.first(p.taken.was)
	if !known || was == nil || !was.equal(p.taken.own) {
		return false, known
	}
	now, known := r.first(p.taken.now)
	return known && slices.ContainsFunc(p.taken.takers, func(t Taker) bool { return now == nil && t.Path == "" || now != nil && t.Path == now.path() }), known
}

// first is the entry that a request goes by; nil: none.
func (r Request) first(entries []action) (entry *action, known bool) {
	for i := range entries {
		switch r.meets(entries[i].match) {
		case maybe:
			return nil, false
		case yes:
			return &entries[i], true
		}
	}
	return nil, true
}
