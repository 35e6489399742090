package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// Overwritten returns the path of what an object says and an intent, merged
// into it, would take away: a delay that gets another one, weights that get
// others. Empty: all of it stays. What an intent with when leaves to other
// requests stays.
func Overwritten(o *Object, intent Intent) string {
	d := draft{home: o.Namespace, namespace: o.Namespace, objects: []*Object{o.Clone()}}
	for _, name := range intent.Services() {
		short, namespace := splitName(name)
		service := Service{Name: short}
		if slices.Contains(Hosts(o), FQDN(short, cmp.Or(namespace, o.Namespace))) && intent.merge(&d, service) != nil {
			return "" // it is refused with its reason when the run is planned
		}
	}
	stays := map[string]bool{}
	for _, s := range settingsOf(d.objects[0]) {
		stays[s.scope+s.value] = true
	}
	for _, s := range settingsOf(o) {
		if !stays[s.scope+s.value] {
			return s.path
		}
	}
	return ""
}

// setting is one value of a rule.
type setting struct {
	path  string // from the object's top
	scope string // the path in its entry, and what that matches: others may come to stand before it
	value string
}

// settingsOf lists the values of an object, in the order of their paths.
func settingsOf(o *Object) []setting {
	vs, ok := o.Spec.(*networking.VirtualService)
	if !ok {
		return valuesOf(o.Spec, "spec", "")
	}
	var out []setting
	for i, entry := range vs.Http {
		rest := proto.CloneOf(entry)
		rest.Match, rest.Name = nil, ""
		if len(rest.Route) == 1 { // it takes all, whatever its weight
			rest.Route[0].Weight = 0
		}
		one := &networking.VirtualService{Http: []*networking.HTTPRoute{rest}}
		out = append(out, valuesOf(one, fmt.Sprintf("spec.http[%d]", i), contentOf(nil, &networking.HTTPRoute{Match: entry.Match}))...)
	}
	return out
}

// valuesOf lists those of a spec, which is the whole or has one http entry.
func valuesOf(spec proto.Message, path, scope string) []setting {
	values, err := leaves(&Object{Spec: spec})
	if err != nil { // what cannot be encoded is refused elsewhere
		return nil
	}
	var out []setting
	for _, key := range slices.Sorted(maps.Keys(values)) {
		inside := strings.TrimPrefix(strings.TrimPrefix(key, "spec"), ".http[0]")
		out = append(out, setting{path: path + inside, scope: scope + inside, value: values[key]})
	}
	return out
}
