package rules

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	networking "istio.io/api/networking/v1alpha3"
)

// Unchanged returns the path of an entry, or of a load balancer, that a change writes,
// and that does to the requests, or connections, that it is for what is done to them
// without it; empty: there is none, as far as that is plain. Who measures under such
// an entry measures the mesh without it. The ports are those that a host has.
func Unchanged(change Change, ports func(host string) []int) string {
	if path := defaultBalancer(change); path != "" {
		return path
	}
	if len(lockedOut(change.Before, change.After)) > 0 {
		return "" // what its entries do is to spare their requests what others meet
	}
	before, after := actionsOf(change.Before, ports), actionsOf(change.After, ports)
	written, same := 0, []action{}
	for i, a := range after {
		if slices.ContainsFunc(before, a.equal) {
			continue
		}
		written++
		if a.doneBy(before, after[:i]) {
			same = append(same, a)
		}
	}
	if written == 0 && len(takenAway(change.Before, change.After)) == 0 {
		return respelled(before, after)
	}
	if len(same) == 0 {
		return ""
	}
	if len(same) == written && len(takenAway(change.Before, change.After)) == 0 {
		return same[0].path()
	}
	for _, a := range same {
		i := slices.IndexFunc(after, a.equal)
		if a.doneBy(slices.Concat(after[:i], after[i+1:]), after[:i]) {
			return a.path()
		}
	}
	return ""
}

// respelled returns the path of the first entry that says what another one said, in
// other words; empty: there is none.
func respelled(before, after []action) string {
	for _, a := range after {
		if !slices.ContainsFunc(before, func(was action) bool { return proto.Equal(unnamed(was.entry), unnamed(a.entry)) }) {
			return a.path()
		}
	}
	return ""
}

// unnamed is an entry without its name.
func unnamed(entry proto.Message) proto.Message {
	if http, ok := entry.(*networking.HTTPRoute); ok {
		out := proto.CloneOf(http)
		out.Name = ""
		return out
	}
	return entry
}

// defaultBalancer returns the path of a load balancer that a change writes, and that
// is the one which Istio takes by itself, with no other there that it could stand in
// for.
func defaultBalancer(change Change) string {
	isDefault := func(o *Object) (path string, all bool) {
		if o == nil {
			return "", true
		}
		rule, ok := o.Spec.(*networking.DestinationRule)
		if !ok {
			return "", true
		}
		for _, place := range placesOfRule(rule) {
			for _, field := range blocks(place.policy) {
				lb, is := place.policy.ProtoReflect().Get(field).Message().Interface().(*networking.LoadBalancerSettings)
				if is && !takenAnyway(lb) {
					return "", false
				}
				if is && path == "" {
					path = place.path + "." + field.JSONName()
				}
			}
		}
		return path, true
	}
	had, before := isDefault(change.Before)
	path, after := isDefault(change.After)
	if !before || !after || had != "" {
		return ""
	}
	return path
}

// takenAnyway says whether a load balancer is that of whoever names none,
// LEAST_REQUEST, which UNSPECIFIED and LEAST_CONN, its old name, stand for too.
func takenAnyway(lb *networking.LoadBalancerSettings) bool {
	simple, named := lb.GetLbPolicy().(*networking.LoadBalancerSettings_Simple)
	if !named {
		return false
	}
	alone := &networking.LoadBalancerSettings{LbPolicy: simple}
	return proto.Equal(lb, alone) && slices.Contains([]networking.LoadBalancerSettings_SimpleLB{
		networking.LoadBalancerSettings_UNSPECIFIED, networking.LoadBalancerSettings_LEAST_CONN, networking.LoadBalancerSettings_LEAST_REQUEST, //nolint:staticcheck // Istio still reads it
	}, simple.Simple)
}

// action is an entry of a VirtualService, as what it does to what it matches.
type action struct {
	place
	scope, does string // where the object is in force, and all that the entry says but for its name and match
	plain       bool   // it does what proxies do without a VirtualService

	name    string // http[].name
	entry   proto.Message
	to      []weighted
	follows follows
}

func (a action) path() string { return fmt.Sprintf("spec.%s[%d]", a.list, a.index) }

func (a action) equal(b action) bool {
	return a.list == b.list && a.scope == b.scope && a.does == b.does && contentOf(nil, a.match...) == contentOf(nil, b.match...)
}

// doneBy says whether what an entry matches met the same by others, which stand in
// their order, none of which is the entry. Those that stood before it all the same
// leave it what they leave; of any other that may take a part of it, nothing is
// plain.
func (a action) doneBy(others, before []action) bool {
	listed := false
	for _, b := range others {
		switch {
		case b.list != a.list:
			continue
		case included(b.match, a.match):
			return b.scope == a.scope && b.does == a.does
		case !slices.ContainsFunc(before, b.equal):
			return false
		}
		listed = true
	}
	return !listed && a.plain
}

func actionsOf(o *Object, ports func(string) []int) []action {
	all := entriesOf(o)
	for i, a := range all {
		all[i].scope = contentOf(append(Hosts(o), a.scope))
		all[i].plain = !a.follows.gateways && len(a.to) == 1 && len(Hosts(o)) == 1 && onlyRoute(bare(o.Namespace, a.entry)) && toItself(o, a.to[0].GetDestination(), a.follows, ports)
	}
	return all
}

// entriesOf are the entries of a VirtualService, whatever its hosts.
func entriesOf(o *Object) []action {
	if o == nil {
		return nil
	}
	vs, ok := o.Spec.(*networking.VirtualService)
	if !ok {
		return nil
	}
	var all []action
	add := func(list string, i int, entry proto.Message, match []proto.Message, to []weighted, by follows) {
		named, _ := entry.(interface{ GetName() string })
		a := action{
			place: place{list: list, index: i, match: match},
			scope: contentOf(scopeOf(o.Namespace, vs)), does: contentOf(nil, bare(o.Namespace, entry)),
			entry: entry, to: to, follows: by,
		}
		if named != nil {
			a.name = named.GetName()
		}
		all = append(all, a)
	}
	for i, entry := range vs.Http {
		add("http", i, entry, blocksOf(entry.Match), weightsOf(used(entry.Route)), followsOf(vs, entry.Match))
	}
	for i, entry := range vs.Tls {
		add("tls", i, entry, blocksOf(entry.Match), weightsOf(used(entry.Route)), followsOf(vs, entry.Match))
	}
	for i, entry := range vs.Tcp {
		add("tcp", i, entry, blocksOf(entry.Match), weightsOf(used(entry.Route)), followsOf(vs, entry.Match))
	}
	return all
}

// onlyRoute says whether a bare entry has destinations that say where they lead,
// and nothing else.
func onlyRoute(entry proto.Message) bool {
	only := true
	alone := func(m protoreflect.Message, name protoreflect.Name) {
		m.Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
			only = only && field.Name() == name
			return true
		})
	}
	m := entry.ProtoReflect()
	alone(m, "route")
	routes := m.Get(m.Descriptor().Fields().ByName("route")).List()
	for i := range routes.Len() {
		alone(routes.Get(i).Message(), "destination")
	}
	return only
}

// toItself says whether a destination is where what is for the host of an object
// goes by itself.
func toItself(o *Object, to *networking.Destination, by follows, ports func(string) []int) bool {
	host, port := FQDN(to.GetHost(), o.Namespace), int(to.GetPort().GetNumber())
	own := by.ports
	if len(own) == 0 {
		own = ports(host)
	}
	return host == Hosts(o)[0] && to.GetSubset() == "" && (port == 0 || len(own) == 1 && own[0] == port)
}
