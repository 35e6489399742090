package summary

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aymanbagabas/go-udiff"
	"github.com/goccy/go-yaml"

	"github.com/meshchaos/meshchaos/report"
)

// Object is one that a run wrote, once or several times.
type Object struct {
	Name    string          // VirtualService/default/ratings
	Changes []report.Change // each time that it was written
}

// State is how an object is after a run.
type State string

// The states.
const (
	GoneAgain   State = "gone again"        // there was none, and there is none
	AsBefore    State = "as before"         // it is what was there
	ByOthers    State = "changed by others" // nothing of the run is left in it, but somebody else changed it
	NotRestored State = "NOT RESTORED"
)

// Objects are those that a run wrote, in the order of the first writes.
func Objects(r *report.Record) []Object {
	var all []Object
	for _, c := range r.Changes {
		i := slices.IndexFunc(all, func(o Object) bool { return o.Name == c.Object })
		if i < 0 {
			i, all = len(all), append(all, Object{Name: c.Object})
		}
		all[i].Changes = append(all[i].Changes, c)
	}
	return all
}

// State says how the object is now. Whether there was one before is in the first of its
// changes: a later one finds what the run itself made.
func (o Object) State() State {
	switch {
	case slices.ContainsFunc(o.Changes, func(c report.Change) bool { return !c.Restored }):
		return NotRestored
	case slices.ContainsFunc(o.Changes, func(c report.Change) bool { return c.Kept }):
		return ByOthers
	case o.Changes[0].Before == nil:
		return GoneAgain
	}
	return AsBefore
}

// Lost says whether the object is not as it was.
func (o Object) Lost() bool { return o.State() == NotRestored || o.State() == ByOthers }

// Proof says how the state is known; of one that is not as it was, what is wrong and
// how to mend it.
func (o Object) Proof() string {
	for _, c := range o.Changes {
		if !c.Restored || c.Kept {
			return c.Proof
		}
	}
	return o.Changes[len(o.Changes)-1].Proof
}

// Before is the manifest that was there before the run, as it can be written again;
// empty: there was none.
func (o Object) Before() string {
	if len(o.Changes[0].Before) == 0 {
		return ""
	}
	return JSON(pruned(o.Changes[0].Before, false))
}

// ToWriteBack says what is to be done before Before is written back, which is where it
// lacks a secret; empty: nothing.
func (o Object) ToWriteBack() string {
	if !masked.MatchString(o.Before()) {
		return ""
	}
	return report.Mask + " stands for a secret: put it in where it was before you write this back"
}

// served are the keys of metadata that only the API server writes, and those of its
// history.
func served() []string { return []string{"creationTimestamp", "generation", "resourceVersion", "uid"} }

const applied = "kubectl.kubernetes.io/last-applied-configuration"

// pruned is a manifest without what the API server writes into it: the next write of it
// would have to find the same there. For reading, what kubectl and others keep beside
// it is left out too.
func pruned(manifest json.RawMessage, read bool) json.RawMessage {
	var object, metadata map[string]json.RawMessage
	if json.Unmarshal(manifest, &object) != nil || json.Unmarshal(object["metadata"], &metadata) != nil {
		return manifest
	}
	for _, key := range served() {
		delete(metadata, key)
	}
	if read {
		delete(metadata, "managedFields")
		var annotations map[string]string
		if json.Unmarshal(metadata["annotations"], &annotations) == nil {
			delete(annotations, applied)
			metadata["annotations"], _ = json.Marshal(annotations) // texts can be written
			if len(annotations) == 0 {
				delete(metadata, "annotations")
			}
		}
	}
	text, err := json.Marshal(metadata)
	if err != nil {
		return manifest
	}
	object["metadata"] = text
	if text, err = json.Marshal(object); err != nil {
		return manifest
	}
	return text
}

// YAML is a manifest of the record as people read it: without what the API server and
// kubectl write beside it; empty: there is none.
func YAML(manifest json.RawMessage) string {
	if len(manifest) == 0 || string(manifest) == "null" {
		return ""
	}
	text, err := yaml.JSONToYAML([]byte(JSON(pruned(manifest, true))))
	if err != nil {
		return JSON(manifest)
	}
	return Lines(string(text))
}

// Diffs are the changes of the object, each as the diff by which it differs from what was
// there.
func (o Object) Diffs() []string {
	var all []string
	by, was := "before", o.Changes[0].Before
	for _, c := range o.Changes {
		stage := report.StageName(c.Step)
		all = append(all, diff(by, was, stage, c.After))
		by, was = stage, c.After
	}
	return all
}

// Left is what stood there after the run, as the diff by which it differs from what was
// there before; empty: it is that, or nobody has read it.
func (o Object) Left() string {
	first := o.Changes[0]
	if len(first.Left) == 0 {
		return ""
	}
	return diff("before", first.Before, "after", first.Left)
}

// mostDiffed is how many bytes a manifest has of which a diff is made: to write one as YAML
// takes seconds for each megabyte, and nobody reads a diff of that.
const mostDiffed = 256 << 10

// diff is the unified diff of two manifests as YAML, or says that one is too large for it.
func diff(by string, was json.RawMessage, as string, is json.RawMessage) string {
	switch {
	case bytes.Equal(was, is):
		return ""
	case max(len(was), len(is)) > mostDiffed:
		return fmt.Sprintf("no diff is made of a manifest of more than %d bytes: it has %d (%s) and %d (%s), and report.json has both\n", mostDiffed, len(was), by, len(is), as)
	}
	return udiff.Unified(by, as, YAML(was), YAML(is))
}

// Restored says in a sentence what has become of all that was changed.
func Restored(r *report.Record) string {
	objects := Objects(r)
	var left, others int64
	for _, o := range objects {
		switch o.State() {
		case NotRestored:
			left++
		case ByOthers:
			others++
		}
	}
	changed := Plural(int64(len(objects)), "object") + " changed"
	switch {
	case left > 0:
		return fmt.Sprintf("%s, %d NOT restored", changed, left)
	case len(objects) == 0 && r.Restored:
		return "nothing was changed"
	case !r.Restored:
		return changed + ", and not everything is proved to be as it was"
	case others > 0:
		return fmt.Sprintf("%s; nothing of this run is left, but somebody else changed %d meanwhile", changed, others)
	case len(objects) == 1:
		return changed + ", and is as it was"
	}
	return changed + ", all as they were"
}
