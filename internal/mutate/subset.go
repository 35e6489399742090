package mutate

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

const versionLabel = "version"

// subset sends what was meant for one version to each other one that is there, and
// of what was meant for one alone leaves a tenth with another.
func subset(w written) []edit {
	var touches []touch
	w.splits(func(at spot, s split) {
		for i, d := range s.to() {
			version := w.versionOf(d)
			if version == "" {
				continue
			}
			for j, other := range w.otherVersions(d.Host, version) {
				t := touch{spot: at, service: d.Host, version: other}
				t.id, t.what = "to-"+other, fmt.Sprintf("%s is sent to %s, not %s", short(d.Host), other, version)
				if len(s.to()) > 1 {
					t.id = version + "-to-" + other
				}
				t.do = func(o *rules.Object, index int, subset string) {
					splitAt(o, at.list, index).to()[i].Subset = subset
				}
				touches = append(touches, t)
				if len(s.to()) == 1 && j == 0 {
					touches = append(touches, w.left(at, d, other))
				}
			}
		}
	})
	return w.grouped(touches)
}

// leftBehind is the part, in percent, that another version keeps.
const leftBehind = 10

func (w written) left(at spot, d *networking.Destination, other string) touch {
	return touch{
		spot: at, service: d.Host, version: other, id: "tenth-to-" + other,
		what: fmt.Sprintf("one request in ten to %s is sent to %s", short(d.Host), other),
		do: func(o *rules.Object, index int, subset string) {
			splitAt(o, at.list, index).leave(leftBehind, subset)
		},
	}
}

// versionOf is the version that a destination leads to; empty: to none in
// particular.
func (w written) versionOf(d *networking.Destination) string {
	labels, _ := rules.Labels(w.after(), rules.FQDN(d.GetHost(), w.site.Namespace), d.GetSubset())
	return labels[versionLabel]
}

// otherVersions are those of a host's ready pods. That which the host's requests
// were sent to before comes first: it is the one that something is left with.
func (w written) otherVersions(host, version string) []string {
	service := serviceOf(w.site, host)
	if service == nil {
		return nil
	}
	var all []string
	for _, pod := range service.Ready {
		if v := pod[versionLabel]; v != "" && v != version && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	slices.Sort(all)
	for _, o := range w.site.Objects {
		vs, _ := o.Spec.(*networking.VirtualService)
		for _, d := range destinations(vs) {
			if i := slices.Index(all, w.versionOf(d)); i > 0 && rules.FQDN(d.Host, w.site.Namespace) == service.Host {
				all = slices.Insert(slices.Delete(all, i, i+1), 0, w.versionOf(d))
			}
		}
	}
	return all
}

// after are the objects in force once the rule is written.
func (w written) after() []*rules.Object {
	objects := w.site.Objects
	for _, change := range w.changes {
		objects = rules.Put(objects, change.After)
	}
	return objects
}

// withSubset returns the changes with a subset of a host for a version, and its
// name, which is empty if no DestinationRule can have it.
func (w written) withSubset(host, version string) ([]rules.Change, string) {
	labels := map[string]string{versionLabel: version}
	for _, o := range w.after() {
		rule, ok := o.Spec.(*networking.DestinationRule)
		if !ok || rules.FQDN(rule.Host, o.Namespace) != rules.FQDN(host, w.site.Namespace) {
			continue
		}
		for _, s := range rule.Subsets {
			if maps.Equal(s.Labels, labels) {
				return w.changes, s.Name
			}
		}
		with := o.Clone()
		spec := with.Spec.(*networking.DestinationRule)
		spec.Subsets = append(spec.Subsets, &networking.Subset{Name: version, Labels: labels})
		for i, change := range w.changes {
			if change.Ref() == o.Ref {
				w.changes[i].After = with
				return w.changes, version
			}
		}
		return append(slices.Clone(w.changes), rules.Change{Before: o, After: with}), version
	}
	return w.changes, ""
}

// splits calls visit with each entry whose destinations the rule has written.
func (w written) splits(visit func(spot, split)) {
	w.http(func(at spot, entry *networking.HTTPRoute, before []*networking.HTTPRoute) {
		if !had(before, entry, routeOf) {
			visit(at, splitAt(w.changes[at.change].After, at.list, at.index))
		}
	})
	w.tcp(func(at spot, _ *networking.TCPRoute) {
		visit(at, splitAt(w.changes[at.change].After, at.list, at.index))
	})
}

// routeOf is an entry with nothing but its destinations.
func routeOf(e *networking.HTTPRoute) *networking.HTTPRoute {
	return &networking.HTTPRoute{Route: e.Route}
}

// split is the destinations of an http entry or a tcp one.
type split struct {
	http *networking.HTTPRoute
	tcp  *networking.TCPRoute
}

func splitAt(o *rules.Object, list string, index int) split {
	vs := o.Spec.(*networking.VirtualService)
	if list == "tcp" {
		return split{tcp: vs.Tcp[index]}
	}
	return split{http: vs.Http[index]}
}

func (s split) to() []*networking.Destination {
	var all []*networking.Destination
	for _, route := range s.http.GetRoute() {
		all = append(all, route.Destination)
	}
	for _, route := range s.tcp.GetRoute() {
		all = append(all, route.Destination)
	}
	return all
}

// weights are those of the destinations, to be altered.
func (s split) weights() []*int32 {
	var all []*int32
	for _, route := range s.http.GetRoute() {
		all = append(all, &route.Weight)
	}
	for _, route := range s.tcp.GetRoute() {
		all = append(all, &route.Weight)
	}
	return all
}

// leave sends a part, in percent, to a subset of the sole destination's host.
func (s split) leave(part int32, subset string) {
	if s.tcp != nil {
		other := proto.CloneOf(s.tcp.Route[0])
		s.tcp.Route[0].Weight, other.Weight, other.Destination.Subset = 100-part, part, subset
		s.tcp.Route = append(s.tcp.Route, other)
		return
	}
	other := proto.CloneOf(s.http.Route[0])
	s.http.Route[0].Weight, other.Weight, other.Destination.Subset = 100-part, part, subset
	s.http.Route = append(s.http.Route, other)
}
