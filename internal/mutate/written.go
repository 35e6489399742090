package mutate

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/scenarios"
)

// written is what one rule of a scenario writes.
type written struct {
	at      place
	site    runner.Site // with the objects before it
	rule    scenarios.Rule
	changes []rules.Change
	cohorts []mesh.Cohort // of the stage; of given, those of the first step
}

// edit makes a mutant of what a rule writes: it alters what it is given or, where
// alter is nil, has the stage end with one more fault.
type edit struct {
	id    string
	what  string
	alter func(written) ([]rules.Change, error)
	also  *rules.Fault
}

// clone is the same with objects that may be altered.
func (w written) clone() written {
	changes := slices.Clone(w.changes)
	for i := range changes {
		changes[i].After = changes[i].After.Clone()
	}
	w.changes = changes
	return w
}

// http calls visit with each http entry that the rule has written: none of the
// object's was like it before.
func (w written) http(visit func(s spot, entry *networking.HTTPRoute, before []*networking.HTTPRoute)) {
	for i, change := range w.changes {
		vs, ok := change.After.Spec.(*networking.VirtualService)
		if !ok {
			continue
		}
		before := httpBefore(change)
		for j, entry := range vs.Http {
			if !had(before, entry, nameless) {
				visit(spot{i, "http", j}, entry, before)
			}
		}
	}
}

// tcp calls visit with each tcp entry that the rule has written.
func (w written) tcp(visit func(s spot, entry *networking.TCPRoute)) {
	for i, change := range w.changes {
		vs, _ := change.After.Spec.(*networking.VirtualService)
		for j, entry := range vs.GetTcp() {
			if !had(tcpBefore(change), entry, func(e *networking.TCPRoute) *networking.TCPRoute { return e }) {
				visit(spot{i, "tcp", j}, entry)
			}
		}
	}
}

func tcpBefore(c rules.Change) []*networking.TCPRoute {
	if c.Before == nil {
		return nil
	}
	vs, _ := c.Before.Spec.(*networking.VirtualService)
	return vs.GetTcp()
}

func httpBefore(c rules.Change) []*networking.HTTPRoute {
	if c.Before == nil {
		return nil
	}
	vs, _ := c.Before.Spec.(*networking.VirtualService)
	return vs.GetHttp()
}

func nameless(e *networking.HTTPRoute) proto.Message {
	e = proto.CloneOf(e)
	e.Name = ""
	return e
}

// had says whether an entry had the same field before: then it is none of the
// rule's, which only carries it on.
func had[E, M proto.Message](before []E, entry E, field func(E) M) bool {
	return slices.ContainsFunc(before, func(b E) bool { return proto.Equal(field(b), field(entry)) })
}

// spot is an entry of an object that a rule writes.
type spot struct {
	change int
	list   string // http or tcp
	index  int
}

// touch alters an entry. A version that it is to send to has the subset.
type touch struct {
	spot
	id, what string
	version  string // of the service, which needs a subset then
	service  string
	do       func(o *rules.Object, index int, subset string)
}

// grouped makes one edit of what is wrong in the same way in several entries: an
// intent stands once in the file, and is wrong in all that it writes. Of an object each
// entry stands there by itself.
func (w written) grouped(touches []touch) []edit {
	var groups [][]touch
	for _, t := range touches {
		i := slices.IndexFunc(groups, func(g []touch) bool {
			return g[0].id == t.id && g[0].what == t.what && (w.rule.Intent != nil || g[0].spot == t.spot)
		})
		if i < 0 {
			groups = append(groups, []touch{t})
			continue
		}
		groups[i] = append(groups[i], t)
	}
	var edits []edit
	for _, g := range groups {
		first := g[0]
		id := first.id
		var others []touch
		for _, other := range groups {
			if other[0].id == id {
				others = append(others, other[0])
			}
		}
		edits = append(edits, edit{id: w.apart(first, others) + id, what: first.what, alter: func(w written) ([]rules.Change, error) {
			for _, t := range g {
				subset := ""
				if t.version != "" {
					w.changes, subset = w.withSubset(t.service, t.version)
				}
				t.do(w.changes[t.change].After, t.index, subset)
			}
			for _, t := range g {
				if t.version != "" {
					splitAt(w.changes[t.change].After, t.list, t.index).merge()
				}
			}
			return w.changes, nil
		}})
	}
	return edits
}

// apart is what tells an edit from others of its id, which the same rule has.
func (w written) apart(t touch, others []touch) string {
	host := func(t touch) string { return shortHost(w.changes[t.change].After) }
	var prefix string
	for _, other := range others {
		if host(other) != host(t) {
			prefix = host(t) + "/"
		}
	}
	for _, other := range others {
		if host(other) == host(t) && other.spot != t.spot {
			return prefix + fmt.Sprintf("%s[%d]/", t.list, t.index)
		}
	}
	return prefix
}

// shortHost names what an object is for.
func shortHost(o *rules.Object) string {
	switch spec := o.Spec.(type) {
	case *networking.VirtualService:
		if len(spec.Hosts) > 0 && !strings.Contains(spec.Hosts[0], "*") {
			return short(spec.Hosts[0])
		}
	case *networking.DestinationRule:
		return short(spec.Host)
	}
	return o.Name
}

func short(host string) string {
	first, _, _ := strings.Cut(host, ".")
	return first
}

// serviceOf is the service of a host, as rules write it; nil: there is none.
func serviceOf(site runner.Site, host string) *mesh.Service {
	i := slices.IndexFunc(site.Services, func(s mesh.Service) bool { return s.Host == rules.FQDN(host, site.Namespace) })
	if i < 0 {
		return nil
	}
	return &site.Services[i]
}
