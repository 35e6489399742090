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
	case theirs == nil, rules.Equal(was, theirs):
		return theirs, nil
	case was == nil && ours != nil && !rules.Rewritten(ours, theirs) && proto.Equal(ours.Spec, theirs.Spec):
		return nil, nil
	case was == nil || ours == nil:
		return nil, &OverlapError{theirs.Ref, []string{"spec"}}
	}
	r := retraction{}
	var trees [3]map[string]any
	for i, o := range []*rules.Object{was, ours, theirs} {
		said, err := rules.Decode(o.Manifest)
		if err == nil {
			r.specs[i] = said.Spec
			dec := json.NewDecoder(bytes.NewReader(o.Manifest))
			dec.UseNumber()
			err = dec.Decode(&trees[i])
		}
		if err != nil {
			return nil, fmt.Errorf("reading the manifest of %s: %w", o.Ref, err)
		}
	}
	out := r.object(trees[0], trees[1], trees[2])
	if len(r.overlaps) > 0 {
		return nil, &OverlapError{theirs.Ref, r.overlaps}
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("editing the manifest of %s: %w", theirs.Ref, err)
	}
	return rules.Decode(text)
}

// retraction collects what both have changed.
type retraction struct {
	specs    [3]proto.Message // as it was, as the run made it, and as it is
	overlaps []string
}

// object retracts from the parts of a manifest that a run writes.
func (r *retraction) object(was, ours, theirs map[string]any) map[string]any {
	out := maps.Clone(theirs)
	set(out, "spec", r.value("spec", field(was, "spec"), field(ours, "spec"), field(theirs, "spec")))
	meta := [3]map[string]any{}
	for i, tree := range []map[string]any{was, ours, theirs} {
		meta[i], _ = tree["metadata"].(map[string]any)
	}
	metadata := maps.Clone(meta[2])
	for _, name := range []string{"labels", "annotations"} {
		set(metadata, name, r.value("metadata."+name, field(meta[0], name), field(meta[1], name), field(meta[2], name)))
	}
	if owners := ownersOf(listIn(meta[0]), listIn(meta[1]), listIn(meta[2])); len(owners) > 0 {
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

func set(tree map[string]any, name string, value any) {
	if value == (any)(absent{}) {
		delete(tree, name)
		return
	}
	tree[name] = value
}

// value retracts from what stands at a path.
func (r *retraction) value(path string, was, ours, theirs any) any {
	switch {
	case reflect.DeepEqual(ours, theirs):
		return was
	case reflect.DeepEqual(was, ours), reflect.DeepEqual(was, theirs):
		return theirs
	}
	if list, ok := r.list(path, was, ours, theirs); ok {
		return list
	}
	w, wasOne := treeOf(was)
	o, oursOne := treeOf(ours)
	t, theirsOne := treeOf(theirs)
	if !wasOne || !oursOne || !theirsOne {
		r.overlap(path)
		return theirs
	}
	out := map[string]any{}
	for _, name := range slices.Compact(slices.Sorted(names(w, o, t))) {
		set(out, name, r.value(path+"."+name, field(w, name), field(o, name), field(t, name)))
	}
	if len(out) == 0 && was == (any)(absent{}) {
		return was
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
func ownersOf(was, ours, theirs []any) []any {
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
