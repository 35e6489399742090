package verdict

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

func TestTheSendersOfALoadComeToTheLoad(t *testing.T) {
	for want, senders := range map[string][]loadgen.Sender{
		"":                        {{Sent: 6, Late: 1}, {Sent: 1, Missed: 3, Lost: "killed"}, {Sent: 3}},
		"has 0 entries":           nil,
		"has 2 entries":           {{Sent: 7, Late: 1}, {Sent: 3, Missed: 3}},
		"come to 9 sent":          {{Sent: 7, Late: 1}, {Missed: 3}, {Sent: 2}},
		"2 late and 3 missed":     {{Sent: 7, Late: 1}, {Missed: 3}, {Sent: 3, Late: 1}},
		"1 late and 2 missed":     {{Sent: 7, Late: 1}, {Missed: 2}, {Sent: 3}},
		"[0] has sent -1":         {{Sent: -1}, {Sent: 8, Late: 1, Missed: 3}, {Sent: 3}},
		"[2] has sent 3":          {{Sent: 7}, {Missed: 3}, {Sent: 3, Late: 4}},
		"[1] has sent 4 requests": {{Sent: 3, Late: 1}, {Sent: 4, Late: 5, Missed: 3, Lost: "killed"}, {Sent: 3}},
	} {
		for i := range senders {
			senders[i].Name = fmt.Sprintf("process %d", i)
		}
		got := sendersUnlike(loadgen.Plan{Senders: 3}, &loadgen.Result{Sent: 10, Late: 1, Missed: 3, Senders: senders})
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%+v: %q, want %q", senders, got, want)
		}
	}
	for _, plan := range []loadgen.Plan{{}, {Senders: 1}} {
		if got := sendersUnlike(plan, &loadgen.Result{Sent: 10}); got != "" {
			t.Errorf("of one sender: %s", got)
		}
		if got := sendersUnlike(plan, &loadgen.Result{Sent: 10, Senders: []loadgen.Sender{{Sent: 10}}}); got == "" {
			t.Error("one sender is named")
		}
	}
}

// What fell to each sender is known of any load that its requests or its schedule end.
func TestNoSenderHasSentMoreThanFellToIt(t *testing.T) {
	second := loadgen.Duration{Duration: time.Second}
	for _, plan := range []loadgen.Plan{
		{Senders: 3, Connections: 3, Requests: 31},
		{Senders: 3, Connections: 5, Requests: 31, QPS: 10},
		{Senders: 3, Connections: 3, QPS: 31, Duration: second},
		{Senders: 3, Connections: 3, QPS: 100, Requests: 31, Duration: second},
	} {
		for want, senders := range map[string][]loadgen.Sender{
			"":                     {{Name: "a", Sent: 11}, {Name: "b", Sent: 10}, {Name: "c", Sent: 10}},
			"[1].sent is 11":       {{Name: "a", Sent: 10}, {Name: "b", Sent: 11}, {Name: "c", Sent: 10}},
			"[0].sent is 31":       {{Name: "a", Sent: 31}, {Name: "b"}, {Name: "c"}},
			`[2].name is "a", and`: {{Name: "a", Sent: 11}, {Name: "b", Sent: 10}, {Name: "a", Sent: 10}},
			`[0].name is "", and`:  {{Sent: 11}, {Name: "b", Sent: 10}, {Name: "c", Sent: 10}},
		} {
			got := sendersUnlike(plan, &loadgen.Result{Sent: 31, Senders: senders})
			if (got == "") != (want == "") || !strings.Contains(got, want) {
				t.Errorf("%+v of %+v: %q, want %q", senders, plan, got, want)
			}
		}
	}
}

func TestARefusalIsOfWhatWasRefused(t *testing.T) {
	https := loadgen.Plan{HTTP: &loadgen.HTTP{URL: "https://web/"}}
	refused := []loadgen.Outcome{{Error: loadgen.ErrorTLS, Count: 1}}
	why := &loadgen.Refusal{Kind: loadgen.RefusedPlain}
	for _, tt := range []struct {
		plan loadgen.Plan
		of   loadgen.Result
		want bool
	}{
		{https, loadgen.Result{Outcomes: refused, Refusal: why}, false},
		{https, loadgen.Result{}, false},
		{https, loadgen.Result{Refusal: why}, false}, // of one before the load
		{https, loadgen.Result{Outcomes: refused}, true},
		{loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://web/"}}, loadgen.Result{Refusal: why}, true},
	} {
		if got := refusalUnlike(tt.plan, &tt.of); (got != "") != tt.want {
			t.Errorf("%+v: %q", tt.of, got)
		}
	}
}
