package rules

import (
	"encoding/json"
	"fmt"
	"maps"

	"google.golang.org/protobuf/proto"
)

// Relabelled says whether an object is the same rule as before, but for labels
// and annotations: the spec was not written meanwhile. Nil is never that.
func Relabelled(before, after *Object) bool {
	return before != nil && after != nil && before.Ref == after.Ref && !Rewritten(before, after) &&
		proto.Equal(before.Spec, after.Spec) && !Equal(before, after)
}

// Carry returns o with what became of the labels and annotations of an object
// between before and after. The rest of its manifest stays to the letter.
func Carry(o, before, after *Object) (*Object, error) {
	if o == nil {
		return nil, nil
	}
	carried := o.Clone()
	carried.Labels = carry(o.Labels, before.Labels, after.Labels)
	carried.Annotations = carry(o.Annotations, before.Annotations, after.Annotations)
	if o.Manifest == nil {
		return carried, nil
	}
	var err error
	if carried.Manifest, err = withMetadata(o.Manifest, map[string]map[string]string{"labels": carried.Labels, "annotations": carried.Annotations}); err != nil {
		return nil, fmt.Errorf("editing the manifest of %s: %w", o.Ref, err)
	}
	return carried, nil
}

func carry(onto, before, after map[string]string) map[string]string {
	out := maps.Clone(onto)
	for key := range before {
		if _, kept := after[key]; !kept {
			delete(out, key)
		}
	}
	for key, value := range after {
		if was, there := before[key]; there && was == value {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = value
	}
	return out
}

// withMetadata sets maps of an object's metadata; one without keys is taken out.
func withMetadata(manifest []byte, set map[string]map[string]string) ([]byte, error) {
	var object, metadata map[string]json.RawMessage
	if err := json.Unmarshal(manifest, &object); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(object["metadata"], &metadata); err != nil {
		return nil, err
	}
	for name, values := range set {
		delete(metadata, name)
		if len(values) == 0 {
			continue
		}
		text, err := json.Marshal(values)
		if err != nil {
			return nil, err
		}
		metadata[name] = text
	}
	text, err := json.Marshal(metadata)
	if err != nil {
		return nil, err
	}
	object["metadata"] = text
	return json.Marshal(object)
}
