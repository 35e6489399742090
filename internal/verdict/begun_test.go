package verdict

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// Whoever says that nothing was missed, or that the last request began sooner, contradicts
// the schedule and what else is known; who leaves it as it was does not.
func TestWhenRequestsBeganIsHeldAgainstTheSchedule(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-time.After(100 * time.Millisecond) }))
	t.Cleanup(server.Close)
	request := &loadgen.HTTP{URL: server.URL}
	half := loadgen.Duration{Duration: 500 * time.Millisecond}
	plans := map[string]loadgen.Plan{
		"missed":  {HTTP: request, Connections: 1, MaxConnections: 2, QPS: 100, Duration: half},
		"ramp":    {HTTP: request, Connections: 1, Rate: []loadgen.RatePoint{{QPS: 50}, {At: half, QPS: 150}}, Duration: half},
		"poisson": {HTTP: request, Connections: 1, QPS: 100, Duration: half, Arrival: loadgen.ArrivalPoisson, Seed: 3},
		"beside":  {HTTP: request, Connections: 1, QPS: 100, While: "kept"},
		"kept":    {HTTP: request, Connections: 10, QPS: 20, Duration: half},
		"slow":    {HTTP: request, Connections: 1, QPS: 100, Requests: 8},
		"closed":  {HTTP: request, Connections: 1, Requests: 3},
	}
	loads, err := loadgen.RunGroup(t.Context(), plans, loadgen.Bounds{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &report.Window{Name: report.During, Loads: loads}
	for name, l := range loads {
		if wrong := begunUnlike(plans[name], l, loads[plans[name].While], w); wrong != "" {
			t.Errorf("%s: %s", name, wrong)
		}
	}
	for _, test := range []struct {
		load   string
		change func(*loadgen.Result)
	}{
		{"missed", func(l *loadgen.Result) { l.Missed = 0 }},
		{"ramp", func(l *loadgen.Result) { l.Missed = 0 }},
		{"poisson", func(l *loadgen.Result) { l.Missed = 0 }},
		{"beside", func(l *loadgen.Result) { l.Missed = 0 }},
		{"kept", func(l *loadgen.Result) { l.Missed = 5 }},
		{"slow", func(l *loadgen.Result) { l.LastBegun.Duration = 70 * time.Millisecond }},
		{"slow", func(l *loadgen.Result) { l.LastBegun.Duration = 150 * time.Millisecond }},
		{"closed", func(l *loadgen.Result) { l.LastBegun.Duration = 0 }},
	} {
		changed := *loads[test.load]
		test.change(&changed)
		if begunUnlike(plans[test.load], &changed, loads[plans[test.load].While], w) == "" {
			t.Errorf("%s: nobody notices what was changed", test.load)
		}
	}
}

// Where the last request began in the same slot, how long the others waited tells.
func TestTheLastRequestBeganNoSoonerThanOthersWaited(t *testing.T) {
	h := func(each time.Duration) *loadgen.Histogram {
		h := new(loadgen.Histogram)
		for range 20 {
			h.Record(each)
		}
		return h
	}
	l := loadgen.Result{
		Sent: 20, TargetQPS: 1e5, LastBegun: loadgen.Duration{Duration: 60 * time.Millisecond}, Response: h(50 * time.Millisecond), Service: h(10 * time.Millisecond),
		Series: &loadgen.Series{Width: loadgen.Duration{Duration: 100 * time.Millisecond}, Begun: []int64{20}},
	}
	if wrong := lastUnlike(&l); wrong != "" {
		t.Error(wrong)
	}
	l.LastBegun.Duration = 20 * time.Millisecond
	if lastUnlike(&l) == "" {
		t.Error("requests waited for 40 ms, and the last began after 20 ms")
	}
	l.Response, l.LastBegun.Duration, l.Late = h(18*time.Millisecond), 9*time.Millisecond, 3
	if lastUnlike(&l) == "" {
		t.Error("three were more than 10 ms late, and the last began after 9 ms")
	}
}

// The response time of a request has its lag in it.
func TestNoRequestLaggedLongerThanItTook(t *testing.T) {
	l := loadgen.Result{Sent: 2, TargetQPS: 10, Engine: loadgen.EngineEpoll, Late: 2, Response: &loadgen.Histogram{}, Lag: &loadgen.Histogram{}}
	for range 2 {
		l.Response.Record(50 * time.Millisecond)
		l.Lag.Record(40 * time.Millisecond)
	}
	if wrong := lagUnlike(&l); wrong != "" {
		t.Error(wrong)
	}
	l.Lag = &loadgen.Histogram{}
	l.Lag.Record(40 * time.Millisecond)
	l.Lag.Record(60 * time.Millisecond)
	if lagUnlike(&l) == "" {
		t.Error("one lagged by 60 ms, and none took longer than 50")
	}
}
