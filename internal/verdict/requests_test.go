package verdict

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/meshchaos/meshchaos/loadgen"
)

// driven is what came of a plan at a server that gives every fourth login no token.
func driven(t *testing.T, plan loadgen.Plan) *loadgen.Result {
	t.Helper()
	var logins atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/login" || logins.Add(1)%4 != 0 {
			_, _ = io.WriteString(w, `{"token": "t"}`)
		}
	}))
	t.Cleanup(server.Close)
	for i := range plan.Send {
		plan.Send[i].HTTP.Connect = strings.TrimPrefix(server.URL, "http://")
	}
	results, err := loadgen.RunGroup(t.Context(), map[string]loadgen.Plan{"c": plan}, loadgen.Bounds{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return results["c"]
}

func sends(name string, weight int64) loadgen.Request {
	return loadgen.Request{Name: name, Weight: weight, HTTP: loadgen.HTTP{Method: "GET", URL: "http://shop/" + name}}
}

func plans() map[string]loadgen.Plan {
	chain := []loadgen.Request{sends("login", 0), sends("basket", 0), sends("order", 0)}
	chain[0].Take = &loadgen.Take{Name: "token", Pointer: "/token"}
	chain[2].HTTP.URL += "?{{.token}}"
	return map[string]loadgen.Plan{
		"a chain":           {Send: chain, Connections: 3, Requests: 200, Warmup: 5},
		"a chain at a rate": {Send: chain, Connections: 3, Requests: 100, QPS: 2000},
		"drawn":             {Send: []loadgen.Request{sends("a", 3), sends("b", 1)}, Connections: 3, Requests: 200, Seed: 7},
	}
}

func TestRequestsThatAreAsTheyWereSentAreNotContradicted(t *testing.T) {
	for name, plan := range plans() {
		if wrong := resultUnlike(plan, driven(t, plan)); wrong != "" {
			t.Errorf("%s: %s", name, wrong)
		}
	}
}

// Whoever changes how many there were of a request, or how long it took, contradicts what
// else is known.
func TestRequestsThatWereChangedAreFound(t *testing.T) {
	of := func(r *loadgen.Result, request, err string) *loadgen.Outcome {
		for i := range r.Outcomes {
			if o := &r.Outcomes[i]; o.Request == request && o.Error == err {
				return o
			}
		}
		return nil
	}
	for name, change := range map[string]func(r *loadgen.Result){
		"a chain: the times of one are left out": func(r *loadgen.Result) { r.Times = r.Times[:2] },
		"a chain: another name":                  func(r *loadgen.Result) { r.Times[1].Request = "order" },
		"a chain: another name of an outcome":    func(r *loadgen.Result) { of(r, "order", "").Request = "orders" },
		"a chain: no name of an outcome":         func(r *loadgen.Result) { of(r, "order", "").Request = "" },
		"a chain: the times of two are exchanged": func(r *loadgen.Result) {
			r.Times[0].Response, r.Times[1].Response = r.Times[1].Response, r.Times[0].Response
		},
		"a chain: what was not taken was":                  func(r *loadgen.Result) { of(r, "login", "untaken").Error, of(r, "login", "untaken").Status = "", 200 },
		"a chain: failures of one are another's":           func(r *loadgen.Result) { of(r, "login", "untaken").Request = "order" },
		"a chain at a rate: as slow from when it was sent": func(r *loadgen.Result) { r.Times[2].Service = r.Times[2].Response },
		"a chain at a rate: the lag of one is another's":   func(r *loadgen.Result) { r.Times[2].Lag = r.Times[1].Response },
		"a chain at a rate: the lags of two are exchanged": func(r *loadgen.Result) {
			r.Times[0].Lag, r.Times[2].Lag = r.Times[2].Lag, r.Times[0].Lag
		},
		"drawn: more of one and fewer of another":   func(r *loadgen.Result) { of(r, "a", "").Count--; of(r, "b", "").Count++ },
		"drawn: by another seed":                    func(r *loadgen.Result) { r.Seed = 8 },
		"a chain: it was drawn":                     func(r *loadgen.Result) { r.Seed = 8 },
		"a chain: more of one and fewer of another": func(r *loadgen.Result) { of(r, "basket", "").Count -= 10; of(r, "order", "").Count += 10 },
	} {
		plan, _, _ := strings.Cut(name, ":")
		result := driven(t, plans()[plan])
		change(result)
		if wrong := resultUnlike(plans()[plan], result); wrong == "" {
			t.Errorf("%s: nobody notices", name)
		}
	}
}

// The first of a list is sent as often as the list is begun, and that is as often as it was
// gone through, and once more over each connection at the most.
func TestAListIsBegunAsOftenAsItWasGoneThrough(t *testing.T) {
	plan := plans()["a chain"]
	for _, test := range []struct {
		login, untaken, basket, order int64
		want                          bool
	}{
		{50, 0, 50, 50, true},
		{53, 0, 50, 50, true},
		{54, 0, 52, 50, false}, // 4 are under way over 3 connections
		{54, 4, 50, 50, true},
		{60, 4, 53, 51, false},
	} {
		l := &loadgen.Result{Connections: 3, Outcomes: []loadgen.Outcome{
			{Request: "login", Status: 200, Count: test.login - test.untaken}, {Request: "login", Error: loadgen.ErrorUntaken, Count: test.untaken},
			{Request: "basket", Status: 200, Count: test.basket}, {Request: "order", Status: 200, Count: test.order},
		}}
		for _, o := range l.Outcomes {
			l.Sent += o.Count
		}
		if wrong := turnsUnlike(plan, l); (wrong == "") != test.want {
			t.Errorf("%+v: %q", test, wrong)
		}
	}
}

// What is expected of a list is nothing of a request that was never sent, unless those
// before it had nothing for it.
func TestARequestOfAListThatWasNeverSentIsADoubt(t *testing.T) {
	turns := []loadgen.Request{sends("a", 0), sends("b", 0), sends("c", 0)}
	rare := []loadgen.Request{sends("a", 1_000_000), sends("b", 1)}
	chain := plans()["a chain"].Send
	failing := loadgen.Result{Sent: 8, Outcomes: []loadgen.Outcome{{Request: "login", Status: 401, Count: 8}}}
	failed := loadgen.Result{Sent: 8, Outcomes: []loadgen.Outcome{{Request: "login", Status: 200, Count: 4}, {Request: "login", Status: 401, Count: 1}, {Request: "basket", Status: 200, Count: 3}}}
	short := loadgen.Result{Sent: 2, Outcomes: []loadgen.Outcome{{Request: "login", Status: 200, Count: 2}}}
	for _, test := range []struct {
		name string
		plan loadgen.Plan
		seen *loadgen.Result // nil: what comes of the plan
		want string
	}{
		{"too few for the list", loadgen.Plan{Send: turns, Connections: 4, Requests: 8}, nil, "of its list c was never sent"},
		{"just enough", loadgen.Plan{Send: turns, Connections: 4, Requests: 9}, nil, ""},
		{"one that is rare", loadgen.Plan{Send: rare, Connections: 2, Requests: 20, Seed: 7}, nil, "of its list b was never drawn"},
		{"a chain that goes on", loadgen.Plan{Send: chain, Connections: 1, Requests: 30}, nil, ""},
		{"a chain whose first fails", loadgen.Plan{Send: chain, Connections: 1, Requests: 8}, &failing, ""},
		{"a chain of which the first fails once", loadgen.Plan{Send: chain, Connections: 4, Requests: 8}, &failed, "of its list order was never sent"},
		{"a chain that is too long", loadgen.Plan{Send: chain, Connections: 2, Requests: 2}, &short, "of its list basket was never sent"},
	} {
		seen := test.seen
		if seen == nil {
			seen = driven(t, test.plan)
		}
		if got := unsent(test.plan, seen); !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
