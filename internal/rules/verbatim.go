package rules

import (
	"fmt"
	"maps"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// Verbatim returns the changes, in the order to write them, that put objects as
// they stand in a file beside those in force, as kubectl apply would: an object
// that is there takes the file's spec, its labels and annotations are added to
// those it has; another is created.
//
// A VirtualService that shares a host with another one in the sidecars is
// refused, since only the first created of the two works (istio/istio#36621).
// Gateways do merge them. Neither objects nor wanted are touched.
func Verbatim(objects, wanted []*Object) ([]Change, error) {
	after := objects
	seen := map[Ref]bool{}
	for _, w := range wanted {
		if seen[w.Ref] {
			return nil, fmt.Errorf("applying %s: it stands twice in the files", w.Ref)
		}
		seen[w.Ref] = true
		w = w.Clone()
		if have := Find(objects, w.Ref); have != nil {
			w.Labels = union(have.Labels, w.Labels)
			w.Annotations = union(have.Annotations, w.Annotations)
		}
		after = Put(after, w)
	}
	for _, w := range wanted {
		if other, host := rival(w, after); other != nil {
			return nil, fmt.Errorf("applying %s: %s has the host %s too, and sidecars follow only the first created of the two (istio/istio#36621); put the rule into that one, or delete it", w.Ref, other.Ref, host)
		}
	}
	return changes(objects, after), nil
}

// rival returns another VirtualService of the namespace that has one of an
// object's hosts in the sidecars.
func rival(o *Object, objects []*Object) (*Object, string) {
	vs, ok := o.Spec.(*networking.VirtualService)
	if !ok || !inSidecars(vs) {
		return nil, ""
	}
	hosts := Hosts(o)
	for _, other := range objects {
		vs, ok := other.Spec.(*networking.VirtualService)
		if !ok || other.Ref == o.Ref || other.Namespace != o.Namespace || !inSidecars(vs) {
			continue
		}
		for _, host := range Hosts(other) {
			if slices.Contains(hosts, host) {
				return other, host
			}
		}
	}
	return nil, ""
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, b)
	return all
}
