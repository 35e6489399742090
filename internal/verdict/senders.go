package verdict

import (
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/loadgen"
)

// sendersUnlike is where what the senders of a load have done adds up to something else
// than the load.
func sendersUnlike(plan loadgen.Plan, l *loadgen.Result) string {
	if want := max(plan.Senders, 1); max(len(l.Senders), 1) != want || len(l.Senders) == 1 {
		return fmt.Sprintf(".senders has %d entries, and the scenario in the report comes to %s", len(l.Senders), plural.Of(int64(want), "sender"))
	}
	if len(l.Senders) == 0 {
		return ""
	}
	var sent, late, missed int64
	parts := plan.Parts()
	for i, s := range l.Senders {
		if s.Name == "" || slices.ContainsFunc(l.Senders[:i], func(other loadgen.Sender) bool { return other.Name == s.Name }) {
			return fmt.Sprintf(".senders[%d].name is %q, and each has one of its own", i, s.Name)
		}
		if min(s.Sent, s.Late, s.Missed) < 0 || s.Late > s.Sent {
			return fmt.Sprintf(".senders[%d] has sent %d requests, of which %d were late, and missed %d; it was lost: %q", i, s.Sent, s.Late, s.Missed, s.Lost)
		}
		if most, known := parts[i].Most(l.Seed); known && s.Sent > most {
			return fmt.Sprintf(".senders[%d].sent is %d, and no more than %d fell to it", i, s.Sent, most)
		}
		sent, late, missed = sent+s.Sent, late+s.Late, missed+s.Missed
	}
	if sent != l.Sent || late != l.Late || missed != l.Missed {
		return fmt.Sprintf(".senders come to %d sent, %d late and %d missed, and the load to %d, %d and %d", sent, late, missed, l.Sent, l.Late, l.Missed)
	}
	return ""
}

// refusalUnlike is where it is said why TLS was refused, and it was not, or the other way
// around. What was refused before the load is in no outcome.
func refusalUnlike(plan loadgen.Plan, l *loadgen.Result) string {
	refused := l.Count(func(o loadgen.Outcome) bool { return o.Error == loadgen.ErrorTLS })
	switch {
	case l.Refusal == nil && refused > 0:
		return fmt.Sprintf(".refusal is missing, and %d of .outcomes ended as %s", refused, loadgen.ErrorTLS)
	case l.Refusal != nil && !plan.Encrypted():
		return ".refusal is there, and nothing of the load was encrypted"
	}
	return ""
}
