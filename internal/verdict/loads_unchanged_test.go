package verdict

import (
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// Who says that a load was over sooner makes its rate higher than it was, and contradicts when
// requests ended.
func TestALoadIsNotOverBeforeItsRequests(t *testing.T) {
	l := &loadgen.Result{
		Sent: 10, Elapsed: loadgen.Duration{Duration: 551 * time.Millisecond}, Outcomes: []loadgen.Outcome{{Status: 200, Count: 10}},
		Series: &loadgen.Series{
			Width: loadgen.Duration{Duration: 100 * time.Millisecond}, Begun: []int64{10, 0, 0, 0, 0, 0},
			Ended: []loadgen.SeriesOf{{Status: 200, Count: []int64{0, 0, 0, 0, 0, 10}}},
		},
	}
	if wrong := seriesUnlike(l); wrong != "" {
		t.Error(wrong)
	}
	l.Elapsed.Duration = 50 * time.Millisecond
	if wrong := seriesUnlike(l); !strings.Contains(wrong, ".elapsed is 50ms") {
		t.Errorf("it was over after 50 ms, and all requests ended after 500 ms: %q", wrong)
	}
}

func TestRequestsWentOverTheConnectionsThatWereOpened(t *testing.T) {
	http := loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://web/"}}
	for _, tt := range []struct {
		name string
		plan loadgen.Plan
		of   loadgen.Result
		want string
	}{
		{"each", http, loadgen.Result{Used: 4, Dialed: 4}, ""},
		{"fewer", http, loadgen.Result{Used: 3, Dialed: 4}, ".used is 3, and .dialed is 4"},
		{"more", http, loadgen.Result{Used: 5, Dialed: 4}, ".used is 5, and .dialed is 4"},
		{"others of a warm-up", http, loadgen.Result{Used: 3, Dialed: 4, Warmup: 10}, ""},
		{"more than a warm-up's", http, loadgen.Result{Used: 5, Dialed: 4, Warmup: 10}, ".used is 5"},
		{"others of a login", http, loadgen.Result{Used: 3, Dialed: 4, Setup: 4}, ""},
		{"another to ask for the method", loadgen.Plan{GRPC: &loadgen.GRPC{}}, loadgen.Result{Used: 3, Dialed: 4}, ""},
		{"by fortio", loadgen.Plan{HTTP: http.HTTP, Engine: loadgen.EngineFortio}, loadgen.Result{Used: 5, Dialed: 4}, ""},
	} {
		tt.of.Series = new(loadgen.Series)
		if got := connectionsUnlike(tt.plan, &tt.of); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
