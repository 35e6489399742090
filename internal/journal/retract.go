// Package journal knows what a run has changed of the objects of a mesh, and what is
// to become of them when that is undone.
//
// The package is pure: it reads no mesh and writes none. It may import
// internal/rules.
package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// OverlapError says that somebody else has changed the very part of an object that
// a run has.
type OverlapError struct {
	Ref   rules.Ref
	Paths []string // of the parts: spec.http[1]
}

// Error implements error.
func (e *OverlapError) Error() string {
	return fmt.Sprintf("somebody else changed what the run's rule stands in (%s)", strings.Join(e.Paths, ", "))
}

// Retract takes what a run has made of an object out of it again, and leaves what
// somebody else did to it since: was became ours by the run, and ours theirs by
// somebody else. The manifest that results is spelt as theirs and was are.
//
// Labels, annotations and fields of the spec are held against each other one by
// one, subsets by their names, http, tcp and tls entries each as a whole, where
// the mark in an entry's name counts for nothing. Whatever both have changed is an
// *OverlapError. Nil stands for an object that is not there: what somebody else
// has deleted stays so, and what a run has created goes whoever has labelled it.
func Retract(was, ours, theirs *rules.Object) (*rules.Object, error) {
	switch {
	case theirs == nil, rules.Equal(was, theirs), rules.Equal(was, ours):
		return theirs, nil
	case was == nil && ours != nil && !rules.Rewritten(ours, theirs) && proto.Equal(ours.Spec, theirs.Spec):
		return nil, nil
	case was == nil || ours == nil:
		return nil, &OverlapError{theirs.Ref, []string{"spec"}}
	}
	all, err := treesOf(was, ours, theirs)
	if err != nil {
		return nil, err
	}
	r := retraction{specs: sides[proto.Message]{was: was.Spec, ours: ours.Spec, theirs: theirs.Spec}}
	out := r.object(all)
	if len(r.overlaps) > 0 {
		return nil, &OverlapError{theirs.Ref, r.overlaps}
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("editing the manifest of %s: %w", theirs.Ref, err)
	}
	return rules.Decode(text)
}

// treesOf reads the manifests of the sides.
func treesOf(was, ours, theirs *rules.Object) (all sides[map[string]any], err error) {
	if all.was, err = treeOfManifest(was, was.Manifest); err != nil {
		return all, err
	}
	if all.ours, err = treeOfManifest(ours, ours.Manifest); err != nil {
		return all, err
	}
	if all.theirs, err = treeOfManifest(theirs, theirs.Manifest); err != nil {
		return all, err
	}
	text, err := was.Encode()
	if err != nil {
		return all, err
	}
	all.meant, err = treeOfManifest(was, text)
	return all, err
}

// treeOfManifest reads a manifest of an object that this build understands whole.
func treeOfManifest(o *rules.Object, manifest []byte) (tree map[string]any, err error) {
	if _, err = rules.Decode(manifest); err == nil {
		dec := json.NewDecoder(bytes.NewReader(manifest))
		dec.UseNumber()
		err = dec.Decode(&tree)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the manifest of %s: %w", o.Ref, err)
	}
	return tree, nil
}

// sides are a part of an object as it was, as the run made it, and as it is; meant is
// was in the spelling of ours: 90s for 1m30s, and no weight of 0.
type sides[T any] struct{ was, meant, ours, theirs T }

// each returns what a function makes of each side.
func each[T, U any](s sides[T], of func(T) U) sides[U] {
	return sides[U]{of(s.was), of(s.meant), of(s.ours), of(s.theirs)}
}

// retraction collects what both have changed.
type retraction struct {
	specs    sides[proto.Message] // but meant
	overlaps []string
}

// object retracts from the parts of a manifest that a run writes.
func (r *retraction) object(all sides[map[string]any]) map[string]any {
	out := maps.Clone(all.theirs)
	set(out, "spec", r.value("spec", fields(all, "spec")))
	meta := each(all, func(tree map[string]any) map[string]any {
		metadata, _ := tree["metadata"].(map[string]any)
		return metadata
	})
	metadata := maps.Clone(meta.theirs)
	for _, name := range []string{"labels", "annotations"} {
		set(metadata, name, r.value("metadata."+name, fields(meta, name)))
	}
	if owners := ownersOf(each(meta, listIn)); len(owners) > 0 {
		metadata["managedFields"] = owners
	}
	out["metadata"] = metadata
	return out
}

// absent stands for a field that is not there.
type absent struct{}

func field(tree map[string]any, name string) any {
	if value, there := tree[name]; there {
		return value
	}
	return absent{}
}

func fields(trees sides[map[string]any], name string) sides[any] {
	return each(trees, func(tree map[string]any) any { return field(tree, name) })
}

func set(tree map[string]any, name string, value any) {
	if value == (any)(absent{}) {
		delete(tree, name)
		return
	}
	tree[name] = value
}

// value retracts from what stands at a path.
func (r *retraction) value(path string, v sides[any]) any {
	switch {
	case reflect.DeepEqual(v.ours, v.theirs):
		return v.was
	case reflect.DeepEqual(v.meant, v.ours), reflect.DeepEqual(v.meant, v.theirs), reflect.DeepEqual(v.was, v.theirs):
		return v.theirs
	}
	if list, ok := r.list(path, v); ok {
		return list
	}
	all := true
	trees := each(v, func(value any) map[string]any {
		tree, one := treeOf(value)
		all = all && one
		return tree
	})
	if !all {
		r.overlap(path)
		return v.theirs
	}
	out := map[string]any{}
	for _, name := range slices.Compact(slices.Sorted(names(trees.was, trees.ours, trees.theirs))) {
		set(out, name, r.value(path+"."+name, fields(trees, name)))
	}
	if len(out) == 0 && v.was == (any)(absent{}) {
		return v.was
	}
	return out
}

// names are those of the fields of objects, some more than once.
func names(trees ...map[string]any) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, tree := range trees {
			for name := range tree {
				if !yield(name) {
					return
				}
			}
		}
	}
}

// treeOf returns the fields of an object; one that is not there has none.
func treeOf(value any) (map[string]any, bool) {
	if value == (any)(absent{}) {
		return nil, true
	}
	fields, ok := value.(map[string]any)
	return fields, ok
}

func (r *retraction) overlap(path string) { r.overlaps = append(r.overlaps, path) }

// listIn returns the managedFields of an object's metadata.
func listIn(metadata map[string]any) []any {
	list, _ := metadata["managedFields"].([]any)
	return list
}

// ownersOf says who owns which field once a run's writes are taken out: what was, but
// for those who have written since the run did, who own what they own now.
func ownersOf(all sides[[]any]) []any {
	was, ours, theirs := all.was, all.ours, all.theirs
	var out []any
	for _, entry := range theirs {
		before, known := managed(was, entry), managed(ours, entry)
		switch {
		case known != nil && before == nil: // the run's own
		case reflect.DeepEqual(known, entry):
			out = append(out, before)
		default:
			out = append(out, entry)
		}
	}
	for _, entry := range was {
		if managed(theirs, entry) == nil {
			out = append(out, entry)
		}
	}
	return out
}

// managed returns the entry of a list that is of the same manager as another, and of
// the same kind of write; nil: there is none.
func managed(list []any, like any) any {
	who := func(entry any) [4]any {
		fields, _ := entry.(map[string]any)
		return [4]any{fields["manager"], fields["operation"], fields["apiVersion"], fields["subresource"]}
	}
	if i := slices.IndexFunc(list, func(entry any) bool { return who(entry) == who(like) }); i >= 0 {
		return list[i]
	}
	return nil
}
