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
// Gateways do merge them. So is a DestinationRule that shares its host with another
// one: Istio joins the two, and of what both say the first created is in force, so
// that the proxies run neither. Neither objects nor wanted are touched.
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
		if other, host := Rival(w, after); other != nil {
			return nil, fmt.Errorf("applying %s: %s has the host %s too, and sidecars follow only the first created of the two (istio/istio#36621); %s", w.Ref, other.Ref, host, unite(w, other, "put the rule into that one, or delete it"))
		}
		if other := Twin(w, after); other != nil {
			return nil, fmt.Errorf("applying %s: %s has the host %s too, and Istio joins them into one that is neither: of what both say, what was created first is in force; %s", w.Ref, other.Ref, Hosts(w)[0], unite(w, other, "put both into one, under one name"))
		}
	}
	return changes(objects, after), nil
}

// unite says what to do about an object that shares its host with another one. One
// that an intent of the run has made stands in no file, and in the mesh neither.
func unite(w, other *Object, otherwise string) string {
	if other.ResourceVersion != "" || other.Labels[managedBy] != "meshchaos" {
		return otherwise
	}
	return fmt.Sprintf("an intent of this scenario makes that one, for want of an object with the host, so put both into one: write what the intent says as an object named %s too, or this rule as an intent", w.Name)
}

// Rival returns another VirtualService of the namespace that has one of an
// object's hosts in the sidecars.
func Rival(o *Object, objects []*Object) (*Object, string) {
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

// Twin returns another DestinationRule of the namespace with the host of an object
// that Istio joins with it: both for all clients, or both for the same (istio,
// pilot/pkg/model/destination_rule.go).
func Twin(o *Object, objects []*Object) *Object {
	rule, ok := o.Spec.(*networking.DestinationRule)
	if !ok {
		return nil
	}
	i := slices.IndexFunc(objects, func(other *Object) bool {
		their, ok := other.Spec.(*networking.DestinationRule)
		return ok && other.Ref != o.Ref && other.Namespace == o.Namespace && slices.Equal(Hosts(other), Hosts(o)) &&
			(their.WorkloadSelector == nil) == (rule.WorkloadSelector == nil) &&
			maps.Equal(their.WorkloadSelector.GetMatchLabels(), rule.WorkloadSelector.GetMatchLabels())
	})
	if i < 0 {
		return nil
	}
	return objects[i]
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, b)
	return all
}
