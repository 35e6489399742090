package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
)

// Clone returns a copy that shares nothing with o.
func (o *Object) Clone() *Object {
	c := *o
	c.Labels = maps.Clone(o.Labels)
	c.Annotations = maps.Clone(o.Annotations)
	c.Spec = proto.Clone(o.Spec)
	c.Manifest = slices.Clone(o.Manifest)
	c.zeros = slices.Clone(o.zeros)
	return &c
}

// Equal says whether two objects are the same rule: the same Ref, spec, labels
// and annotations. Nil stands for an object that is not there.
func Equal(a, b *Object) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Ref == b.Ref && proto.Equal(a.Spec, b.Spec) && maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Annotations, b.Annotations)
}

// Diff words, one field a line, how an object as it is differs from the one it
// should be. It is empty where the two are Equal.
func Diff(want, have *Object) []string {
	switch {
	case Equal(want, have):
		return nil
	case want == nil:
		return []string{have.String() + " is there, and should not be"}
	case have == nil:
		return []string{want.String() + " is gone"}
	case want.Ref != have.Ref:
		return []string{"it is " + have.String() + ", and should be " + want.String()}
	}
	wanted, err := leaves(want)
	if err != nil {
		return []string{err.Error()}
	}
	found, err := leaves(have)
	if err != nil {
		return []string{err.Error()}
	}
	var lines []string
	for _, path := range slices.Sorted(maps.Keys(union(wanted, found))) {
		w, wantedThere := wanted[path]
		f, foundThere := found[path]
		switch {
		case !wantedThere:
			lines = append(lines, fmt.Sprintf("%s is %s, and should not be there", path, f))
		case !foundThere:
			lines = append(lines, fmt.Sprintf("%s is gone, and should be %s", path, w))
		case w != f:
			lines = append(lines, fmt.Sprintf("%s is %s, and should be %s", path, f, w))
		}
	}
	return lines
}

// leaves returns the values of an object that are neither list nor object, or
// are empty ones, by path.
func leaves(o *Object) (map[string]string, error) {
	spec, err := o.specTree()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	collect(out, "spec", spec)
	for key, value := range o.Labels {
		collect(out, at("metadata.labels", key), value)
	}
	for key, value := range o.Annotations {
		collect(out, at("metadata.annotations", key), value)
	}
	return out, nil
}

func collect(out map[string]string, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, child := range value {
			collect(out, at(path, key), child)
		}
		if len(value) == 0 {
			out[path] = "{}"
		}
	case []any:
		for i, child := range value {
			collect(out, fmt.Sprintf("%s[%d]", path, i), child)
		}
	case string:
		out[path] = fmt.Sprintf("%q", value)
	case json.Number:
		out[path] = value.String()
	default:
		out[path] = fmt.Sprint(value)
	}
}
