package istio

import (
	"encoding/json"
	"fmt"
	"maps"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// serverFields are the metadata that the API server sets, and that an object
// to be written must not bring along.
var serverFields = []string{"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}

// read makes an Object of what the API server returned. A spec that cannot be
// decoded strictly is read as far as it goes.
func read(u *unstructured.Unstructured) (*rules.Object, error) {
	manifest, err := u.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("reading %s %s/%s: %w", u.GetKind(), u.GetNamespace(), u.GetName(), err)
	}
	o, err := rules.Decode(manifest)
	if err == nil {
		return o, nil
	}
	spec, ok := u.Object["spec"].(map[string]any)
	partial := rules.NewSpec(u.GetKind())
	if !ok || partial == nil {
		return nil, fmt.Errorf("reading %s %s/%s: %w", u.GetKind(), u.GetNamespace(), u.GetName(), err)
	}
	readKnown(partial, spec)
	return &rules.Object{
		Ref:             rules.Ref{Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()},
		APIVersion:      u.GetAPIVersion(),
		Labels:          u.GetLabels(),
		Annotations:     u.GetAnnotations(),
		ResourceVersion: u.GetResourceVersion(),
		Spec:            partial,
		Manifest:        manifest,
	}, nil
}

// readKnown reads the fields of a spec one by one, leaving out what this build
// does not know: the hosts at least are then there.
func readKnown(into proto.Message, spec map[string]any) {
	lenient := protojson.UnmarshalOptions{DiscardUnknown: true}
	for key, value := range spec {
		text, err := json.Marshal(map[string]any{key: value})
		if err != nil {
			continue
		}
		part := into.ProtoReflect().New().Interface()
		if lenient.Unmarshal(text, part) == nil {
			proto.Merge(into, part)
		}
	}
}

// body returns an object as it is sent to the API server, to create it or, with
// before, to take the place of exactly that version.
func (m *Mesh) body(o, before *rules.Object) (*unstructured.Unstructured, error) {
	u, err := restored(o)
	if u == nil && err == nil {
		u, err = merged(o, before)
	}
	if err != nil {
		return nil, err
	}
	for _, field := range serverFields {
		unstructured.RemoveNestedField(u.Object, "metadata", field)
	}
	unstructured.RemoveNestedField(u.Object, "status")
	u.SetAPIVersion(m.resources[o.Kind].GroupVersion().String())
	u.SetNamespace(m.in(o.Namespace))
	if before == nil {
		return u, nil
	}
	was, err := original(before)
	if err != nil {
		return nil, err
	}
	u.SetFinalizers(was.GetFinalizers()) // no run writes these, so what has become of them is somebody else's
	u.SetOwnerReferences(was.GetOwnerReferences())
	u.SetUID(was.GetUID())
	u.SetResourceVersion(before.ResourceVersion)
	return u, nil
}

// restored returns the manifest of an object that still says what its manifest
// says, so that nothing is lost in putting it back; nil for any other.
func restored(o *rules.Object) (*unstructured.Unstructured, error) {
	if o.Manifest == nil {
		return nil, nil
	}
	u, err := original(o)
	if err != nil {
		return nil, err
	}
	said, err := read(u)
	if err != nil {
		return nil, err
	}
	if !rules.Equal(said, o) {
		return nil, nil
	}
	return u, nil
}

// merged returns an object's spec with its metadata laid over that which before
// has. It refuses to replace a spec that this build cannot read in full, since
// what it cannot read would be lost.
func merged(o, before *rules.Object) (*unstructured.Unstructured, error) {
	text, err := o.Encode()
	if err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(text); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", o.Ref, err)
	}
	if before == nil {
		return u, nil
	}
	if _, err := rules.Decode(before.Manifest); err != nil {
		return nil, fmt.Errorf("changing %s: it has what this build does not know, and would lose: %w; change that object by hand, or use a newer build", before.Ref, err)
	}
	was, err := original(before)
	if err != nil {
		return nil, err
	}
	labels, annotations := was.GetLabels(), was.GetAnnotations()
	was.Object["spec"] = u.Object["spec"]
	was.SetLabels(overlay(labels, o.Labels))
	was.SetAnnotations(overlay(annotations, o.Annotations))
	return was, nil
}

// overlay returns under with the keys of over added or replaced; nil if empty.
func overlay(under, over map[string]string) map[string]string {
	if len(under) == 0 {
		return over
	}
	out := maps.Clone(under)
	maps.Copy(out, over)
	return out
}

// original returns an object as the API server returned it.
func original(o *rules.Object) (*unstructured.Unstructured, error) {
	if o.Manifest == nil || o.ResourceVersion == "" {
		return nil, fmt.Errorf("changing %s: it was not read from this mesh", o.Ref)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(o.Manifest); err != nil {
		return nil, fmt.Errorf("reading the manifest of %s: %w", o.Ref, err)
	}
	return u, nil
}
