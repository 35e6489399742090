package runner

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshchaos/meshchaos/internal/live"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// lostPart is the part of the LiveLimit after which a deletion that no proxy has
// taken is written again: 10 s of 90.
const lostPart = 9

// waitBack waits until the proxies run what was written back.
//
// Istiod can lose the deletion of a DestinationRule for good: it looks up whose
// clusters it was for in the state before, which a change that comes a moment later
// has moved on by then (deltaFromDestinationRules in pilot/pkg/networking/core/cluster.go
// of Istio 1.31: "Prev DestinationRule form PrevSidecarScope is missing"). A rule that
// is there it finds by its name. So what proxies still run of a rule that is deleted is
// written once more, without content, and deleted when they have followed.
func (r *run) waitBack(ctx context.Context, written []rules.Change) []live.Seen {
	mark := func(c rules.Change) string { return r.marks[c.After] }
	in, err := r.waitAll(ctx, written, mark, r.LiveLimit/lostPart)
	if err == nil || isUnanswered(err) || ctx.Err() != nil {
		return in
	}
	hollow := r.writeHollow(ctx, written, in)
	in, _ = r.waitAll(ctx, written, mark, r.LiveLimit)
	for _, h := range hollow {
		in[h.of].Err = r.deleteHollow(ctx, written[h.of].Ref(), h.why, in[h.of].Err)
	}
	return in
}

// hollow is a deletion that was written once more, without content.
type hollow struct {
	of  int    // the index of the change
	why string // what proxies had instead of it
}

// writeHollow writes what of the changes may be a lost deletion. One that cannot be
// written is waited for as the others are.
func (r *run) writeHollow(ctx context.Context, written []rules.Change, in []live.Seen) []hollow {
	var all []hollow
	for i, change := range written {
		ref := change.Ref()
		if in[i].Err == nil || change.After != nil || ref.Kind != rules.DestinationRule {
			continue
		}
		r.hollowed[ref] = change.Before
		if _, err := r.putBack(ctx, rules.Change{Before: r.current[ref], After: rules.Hollow(change.Before)}); err == nil {
			all = append(all, hollow{i, strings.TrimPrefix(in[i].Err.Error(), fmt.Sprintf("waiting for %s: ", ref))})
		}
	}
	return all
}

// deleteHollow deletes it, whether proxies have followed or not, and says why it is
// not undone, if it is not.
func (r *run) deleteHollow(ctx context.Context, ref rules.Ref, why string, behind error) error {
	if _, err := r.putBack(ctx, rules.Change{Before: r.current[ref]}); err != nil {
		return fmt.Errorf("it had to be written once more, without content, since proxies went on with it (%s), and is still there: %w", why, err)
	}
	if behind == nil {
		r.record.Warnings = append(r.record.Warnings, fmt.Sprintf("proxies went on with %s after it was deleted (%s), as happens where istiod loses a deletion that another change overtakes; written once more, without content, and deleted again it is gone from them", ref, why))
	}
	return behind
}
