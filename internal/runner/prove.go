package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// prove reads the objects once more, after everything was undone, and holds
// each that the run wrote against what was there before it.
func (r *run) prove(ctx context.Context) {
	limit := patience
	if r.away { // it was asked long enough
		limit = interruptLimit
	}
	ctx, cancel := r.patient(ctx, limit, interruptLimit)
	defer cancel()
	r.record.Restored = true
	var objects []*rules.Object
	err := r.insist(ctx, func() (err error) {
		once, cancel := context.WithTimeout(ctx, writeLimit)
		defer cancel()
		objects, err = r.mesh.Objects(once)
		return err
	})
	for _, ref := range r.book.refs() {
		left, kept := "", ""
		var stands json.RawMessage
		if err == nil {
			is := rules.Find(objects, ref)
			stands = otherThan(r.book.was(ref), is)
			if kept = r.theirs(ref, is); kept == "" {
				left = remains(r.book.was(ref), is)
			}
			if left == "" && journal.Signed(r.wanted(ref, r.book.was(ref)), is) {
				left = "its rule is as it was, but this program still owns fields of it, so that the next server-side apply of their owner conflicts"
			}
		}
		switch {
		case left != "" && r.unproven[ref] != "":
			left = r.unproven[ref] + "; " + left
		case r.unproven[ref] != "":
			left = r.unproven[ref]
		case left == "" && err != nil:
			left = fmt.Sprintf("it could not be read after the run: %v; look at it", err)
		}
		r.record.Restored = r.record.Restored && left == ""
		if left == "" && kept != "" {
			r.problem("undoing %s: %s", ref, kept)
		}
		r.settle(ref, left, kept, stands)
	}
}

// settle writes into the record how a change ended: with what is left of it, or with
// what somebody else did to the object, which was kept; and with what stands there now, if
// that is not what was there before.
func (r *run) settle(ref rules.Ref, left, kept string, stands json.RawMessage) {
	for i := range r.record.Changes {
		entry := &r.record.Changes[i]
		if entry.Object != ref.String() {
			continue
		}
		entry.Restored, entry.Kept, entry.Left = left == "", left == "" && kept != "", stands
		switch {
		case left != "":
			entry.Proof = left
		case kept != "":
			entry.Proof = kept
		case r.book.was(ref) == nil:
			entry.Proof = "it is gone again, and so it is from the proxies"
		default:
			entry.Proof = "spec, labels and annotations equal what was there, and the proxies run it"
		}
	}
}

// otherThan is the manifest of an object that is not what was there, as a record has it.
func otherThan(was, is *rules.Object) json.RawMessage {
	switch {
	case rules.Equal(was, is):
		return nil
	case is == nil:
		return json.RawMessage("null")
	}
	return json.RawMessage(is.Manifest)
}

// remains says in what an object is not as it was, and how to mend it; empty:
// it is.
func remains(was, is *rules.Object) string {
	switch {
	case was == nil && is == nil:
		return ""
	case was == nil && strings.Contains(string(is.Manifest), `"deletionTimestamp":`):
		return "it is still there"
	case was == nil:
		return fmt.Sprintf("it is still there; delete it: kubectl -n %s delete %s %s", is.Namespace, is.Kind, is.Name)
	case is == nil:
		return "it is gone; kubectl apply -f - puts back the manifest that was there, which report.json has under changes[].before"
	case !rules.Equal(was, is):
		return "it differs from what was there (" + strings.Join(rules.Diff(was, is), "; ") + "); kubectl replace -f - puts back the manifest that was there, which report.json has under changes[].before, without its resourceVersion"
	}
	return ""
}
