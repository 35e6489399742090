package mutate

import (
	"fmt"
	"slices"

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
// name, which is empty if no DestinationRule can have it. One that is there already,
// whatever its name and whatever else it asks for, is as good as one of its own.
func (w written) withSubset(host, version string) ([]rules.Change, string) {
	for _, o := range w.after() {
		rule, ok := o.Spec.(*networking.DestinationRule)
		if !ok || rules.FQDN(rule.Host, o.Namespace) != rules.FQDN(host, w.site.Namespace) {
			continue
		}
		taken := func(name string) bool {
			return slices.ContainsFunc(rule.Subsets, func(s *networking.Subset) bool { return s.Name == name })
		}
		if i := slices.IndexFunc(rule.Subsets, func(s *networking.Subset) bool { return w.isVersion(host, version, s.Labels) }); i >= 0 {
			return w.changes, rule.Subsets[i].Name
		}
		name := version
		for taken(name) {
			name += "-" + version
		}
		with := o.Clone()
		spec := with.Spec.(*networking.DestinationRule)
		spec.Subsets = append(spec.Subsets, &networking.Subset{Name: name, Labels: map[string]string{versionLabel: version}})
		for i, change := range w.changes {
			if change.Ref() == o.Ref {
				w.changes[i].After = with
				return w.changes, name
			}
		}
		return append(slices.Clone(w.changes), rules.Change{Before: o, After: with}), name
	}
	return w.changes, ""
}

// isVersion says whether labels are those of every ready pod of a version, and of no
// other.
func (w written) isVersion(host, version string, labels map[string]string) bool {
	if labels[versionLabel] != version {
		return false
	}
	service := serviceOf(w.site, host)
	return service == nil || !slices.ContainsFunc(service.Ready, func(pod map[string]string) bool {
		return pod[versionLabel] == version && !rules.Selects(labels, pod)
	})
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
