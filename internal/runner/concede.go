package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// concedeTries bounds how often the run gives way to somebody else at one object:
// whoever writes it again and again would never let go of it.
const concedeTries = 3

// conceded is what somebody else did to an object while a rule of the run stood in
// it: ours became theirs, nil if they deleted it.
type conceded struct{ ours, theirs *rules.Object }

// concede takes note of what somebody else did to an object, so that the run's rule
// can be taken out of what they made of it: a fault that stays in force would be
// worse. Its error says why that cannot be done without overwriting what they did.
func (r *run) concede(ctx context.Context, ref rules.Ref) error {
	objects, err := r.mesh.Objects(ctx)
	if err != nil {
		return fmt.Errorf("reading what somebody else made of it: %w", err)
	}
	now, known := rules.Find(objects, ref), r.current[ref]
	edits := slices.Concat(r.conceded[ref], []conceded{{known, now}})
	if _, err := withEdits(r.book.was(ref), edits); err != nil {
		return err
	}
	r.conceded[ref] = edits
	r.know(ref, now)
	return nil
}

// withEdits is what an object is to be taken back to, with what somebody else did to
// it meanwhile, one after the other.
func withEdits(to *rules.Object, edits []conceded) (*rules.Object, error) {
	for _, edit := range edits {
		var err error
		if to, err = journal.Retract(to, edit.ours, edit.theirs); err != nil {
			return nil, err
		}
	}
	return to, nil
}

// wanted is what an object is to be taken back to, with what was conceded.
func (r *run) wanted(ref rules.Ref, to *rules.Object) *rules.Object {
	if with, err := withEdits(to, r.conceded[ref]); err == nil {
		return with
	}
	return to // the rule has to go, whatever a manifest looks like
}

// theirs words what somebody else left of an object that has nothing of the run's any
// more; empty: nothing, or it has.
func (r *run) theirs(ref rules.Ref, is *rules.Object) string {
	was := r.book.was(ref)
	switch {
	case rules.Equal(was, is), !rules.Equal(r.wanted(ref, was), is):
		return ""
	case is != nil && rules.MarkedBy(is) == r.ID: // whoever has put it there, it is the run's
		return ""
	case is == nil:
		return "somebody else deleted it during the run, and that is left so; the manifest that was there is in report.json under changes[].before"
	}
	return fmt.Sprintf("the run's rule is out of it, and the proxies run it; what somebody else%s did to it during the run is left (%s)", byWhom(was, is), strings.Join(rules.Diff(was, is), "; "))
}
