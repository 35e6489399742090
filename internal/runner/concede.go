package runner

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// conceded is what somebody else did to the labels and annotations of an object
// while a rule of the run stood in it.
type conceded struct{ before, after *rules.Object }

// concede says whether all that came between the run and an object is its labels
// and annotations. Then the rule can be taken out all the same, and what somebody
// else wrote is left: a fault that stays in force would be worse. Once only, for
// whoever writes it again and again would never let go of it.
func (r *run) concede(ctx context.Context, ref rules.Ref) bool {
	if _, again := r.conceded[ref]; again {
		return false
	}
	objects, err := r.mesh.Objects(ctx)
	if err != nil {
		return false
	}
	now, known := rules.Find(objects, ref), r.current[ref]
	if !rules.Relabelled(known, now) {
		return false
	}
	r.conceded[ref] = conceded{known, now}
	r.current[ref], r.marks[now] = now, r.marks[known]
	return true
}

// wanted is what an object is to be taken back to, with what was conceded.
func (r *run) wanted(ref rules.Ref, to *rules.Object) *rules.Object {
	theirs, ok := r.conceded[ref]
	if !ok {
		return to
	}
	if carried, err := rules.Carry(to, theirs.before, theirs.after); err == nil {
		return carried
	}
	return to // the rule has to go, whatever a manifest looks like
}

// left says what somebody else left in an object that is as it was but for that;
// empty: nothing, or more than that is not as it was.
func (r *run) left(ref rules.Ref, is *rules.Object) string {
	was := r.original[ref]
	if rules.Equal(was, is) || !rules.Equal(r.wanted(ref, was), is) {
		return ""
	}
	return fmt.Sprintf("its spec is as it was, and the proxies run it; what somebody else did to its labels and annotations during the run is left (%s)",
		strings.Join(rules.Diff(was, is), "; "))
}
