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
	if err == nil || ctx.Err() != nil {
		return in
	}
	again := map[int]string{} // by the index of the change: what the proxies had instead
	for i, change := range written {
		if in[i].Err == nil || change.After != nil || change.Ref().Kind != rules.DestinationRule {
			continue
		}
		if err := r.putBack(ctx, rules.Change{Before: r.current[change.Ref()], After: rules.Hollow(change.Before)}); err == nil {
			again[i] = in[i].Err.Error()
		}
	}
	in, _ = r.waitAll(ctx, written, mark, r.LiveLimit)
	for i, why := range again {
		ref := written[i].Ref()
		if err := r.putBack(ctx, rules.Change{Before: r.current[ref]}); err != nil {
			in[i].Err = fmt.Errorf("it had to be written once more, without content, since proxies went on with it (%s), and is still there: %w", why, err)
			continue
		}
		if in[i].Err == nil {
			r.record.Warnings = append(r.record.Warnings, fmt.Sprintf("proxies went on with %s after it was deleted (%s), as happens where istiod loses a deletion that another change overtakes; written once more, without content, and deleted again it is gone from them", ref, strings.TrimPrefix(why, fmt.Sprintf("waiting for %s: ", ref))))
		}
	}
	return in
}
