package verdict_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/verdict"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// file has two steps; the second speaks of overflows, and of the recovery.
const file = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: two}
spec:
  app: httpbin
  given:
    - route: {service: httpbin, to: v1}
  checks:
    fine: {body: fine}
  onFailure: rollback
  steps:
    - name: one
      apply:
        - fault: {service: httpbin, delay: 10ms}
      load:
        client: {get: "http://httpbin:8000/get", connections: 1, requests: 20}
        beside: {get: "http://httpbin:8000/get", connections: 1, qps: 100, while: client}
      expect:
        - client.status[200] > 0
    - name: two
      apply:
        - breaker: {service: httpbin, maxConnections: 1}
      load:
        client: {get: "http://httpbin:8000/get", connections: 1, requests: 20}
        beside: {get: "http://httpbin:8000/get", connections: 1, qps: 100, while: client}
      expect:
        - client.status[200] > 0 && overflows(httpbin) == 0
        - client.share(503) <= 50%
        - recovery.client.status[200] > 0
`

// healthy is a record of it that passes.
func healthy(t *testing.T) (*report.Record, *scenarios.Scenario) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "two.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &report.Record{Restored: true, Mesh: report.Mesh{Kind: "embedded", Namespace: "default"}}
	for _, step := range s.Steps {
		for _, c := range step.Cohorts {
			r.Asked = append(r.Asked, report.Asked{Step: step.Name, Cohort: c.Name, From: c.From, Plan: c.Plan})
		}
	}
	route := report.Bite{Rule: "VirtualService/default/httpbin", Path: "spec.http[0]", Kind: rules.PartRoute, Service: "httpbin", Stage: report.Given}
	delay := report.Bite{Rule: "VirtualService/default/httpbin", Path: "spec.http[0].fault.delay", Kind: rules.PartDelay, Service: "httpbin", Stage: "one"}
	pool := report.Bite{Rule: "DestinationRule/default/httpbin", Path: "spec.trafficPolicy.connectionPool", Kind: rules.PartOverflow, Service: "httpbin", Stage: "two"}
	one := during("one", bitten(route, 20), bitten(delay, 20))
	two := during("two", idle(bitten(route, 0)), bitten(delay, 20), bitten(pool, 0))
	two.Quantities = []report.Quantity{{Function: report.Overflows, Args: []string{"httpbin"}, Value: new(int64)}}
	r.Windows = []report.Window{window(report.Baseline), one, two, window(report.Recovery)}
	return r, s
}

// ask asks another load of client in step one.
func ask(r *report.Record, plan loadgen.Plan) {
	for i, a := range r.Asked {
		if a.Step == "one" && a.Cohort == "client" {
			r.Asked[i].Plan = plan
		}
	}
}

func bitten(b report.Bite, n int64) report.Bite {
	b.Count, b.Source = &n, "access log"
	return b
}

// idle is a part to whose service no request was.
func idle(b report.Bite) report.Bite {
	b.Idle = true
	return b
}

func window(name string) report.Window {
	return report.Window{Name: name, Loads: map[string]*loadgen.Result{
		"client": load(7, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 7}),
		"beside": open(load(0, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 8})),
	}}
}

func during(step string, bites ...report.Bite) report.Window {
	return report.Window{Name: report.During, Step: step, Bites: bites, Loads: map[string]*loadgen.Result{
		"client": load(20, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 20}),
		"beside": open(load(0, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 20})),
	}}
}

// load is what a cohort saw that sent every 10 ms.
func load(planned int64, outcomes ...loadgen.Outcome) *loadgen.Result {
	l := &loadgen.Result{Planned: planned, Outcomes: outcomes, Response: &loadgen.Histogram{}, Service: &loadgen.Histogram{}}
	for _, o := range outcomes {
		l.Sent += o.Count
	}
	l.LastBegun.Duration = time.Duration(l.Sent-1) * 10 * time.Millisecond
	l.Elapsed.Duration = l.LastBegun.Duration + 10*time.Millisecond
	return l
}

func open(l *loadgen.Result) *loadgen.Result {
	l.TargetQPS, l.Elapsed.Duration = 100, 3*time.Second // the last answer took its time
	return l
}

// ramped is at a rate from nothing to 100 a second, of which 20 requests are due in 400 ms.
func ramped(l *loadgen.Result) *loadgen.Result {
	l.Rate = []loadgen.RatePoint{{}, {At: loadgen.Duration{Duration: 400 * time.Millisecond}, QPS: 100}}
	l.TargetQPS, l.Elapsed.Duration = 50, 3*time.Second
	return l
}

// put takes another result for one of a window's.
func put(w *report.Window, cohort string, l *loadgen.Result) { w.Loads[cohort] = l }

// written are the changes of given and of the first step.
func written() []report.Change {
	const object = `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"httpbin","namespace":"default"},
 "spec":{"hosts":["httpbin"],"http":[{"route":[{"destination":{"host":"httpbin","subset":"v1"}}]}]}}`
	slow := strings.Replace(object, `"http":[{`, `"http":[{"fault":{"delay":{"fixedDelay":"0.01s","percentage":{"value":100}}},`, 1)
	return []report.Change{
		{Object: "VirtualService/default/httpbin", Step: report.Given, After: json.RawMessage(object)},
		{Object: "VirtualService/default/httpbin", Step: "one", Before: json.RawMessage(object), After: json.RawMessage(slow)},
		{Object: "VirtualService/default/late", Step: "three", After: json.RawMessage(`{"kind":"unreadable"}`)},
	}
}

// narrowed has the first step put an entry for some requests before that of
// given, and says how many requests went by the one and by the other.
func narrowed(r *report.Record, given, own int64) {
	const object = `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"httpbin","namespace":"default"},
 "spec":{"hosts":["httpbin"],"http":[{"route":[{"destination":{"host":"httpbin","subset":"v1"}}]}]}}`
	const jasons = `"http":[{"match":[{"headers":{"end-user":{"exact":"jason"}}}],"route":[{"destination":{"host":"httpbin","subset":"v2"}}]},{`
	r.Changes = []report.Change{
		{Object: "VirtualService/default/httpbin", Step: report.Given, After: json.RawMessage(object)},
		{Object: "VirtualService/default/httpbin", Step: "one", Before: json.RawMessage(object), After: json.RawMessage(strings.Replace(object, `"http":[{`, jasons, 1))},
	}
	route := report.Bite{Rule: "VirtualService/default/httpbin", Path: "spec.http[0]", Kind: rules.PartRoute, Service: "httpbin"}
	byGiven, byOwn := route, route
	byGiven.Stage, byOwn.Stage = report.Given, "one"
	r.Windows[1].Bites = []report.Bite{bitten(byGiven, given), bitten(byOwn, own)}
	r.Windows[2].Bites = append(r.Windows[2].Bites, bitten(byOwn, 20))
}

func TestWhatIsNoPass(t *testing.T) {
	for name, test := range map[string]struct {
		bend func(*report.Record)
		want report.Verdict
		says string // in a problem, or in a warning of a pass
	}{
		"a healthy run": {func(*report.Record) {}, report.Pass, ""},

		"1: a part of the step's own that never bit": {func(r *report.Record) {
			r.Windows[1].Bites[1] = bitten(r.Windows[1].Bites[1], 0)
		}, report.Inconclusive, "VirtualService/default/httpbin: spec.http[0].fault.delay (httpbin), of step one, never bit in the load of step one: access log has no request that it delayed"},
		"1: a part of the step before that bites no more": {func(r *report.Record) {
			r.Windows[2].Bites[1] = bitten(r.Windows[2].Bites[1], 0)
		}, report.Inconclusive, "of step one, never bit in the load of step two"},
		"1: a part that nothing shows": {func(r *report.Record) {
			r.Windows[1].Bites[1].Count, r.Windows[1].Bites[1].Absent = nil, "the log of a is sampled"
		}, report.Inconclusive, "nothing shows whether it bit in the load of step one: the log of a is sampled"},
		"1: a part of given that bites in neither step": {func(r *report.Record) {
			r.Windows[1].Bites[0] = idle(bitten(r.Windows[1].Bites[0], 0))
		}, report.Inconclusive, "spec.http[0] (httpbin), of what is given, never bit in any load"},
		"1: a part of given of a service that a step calls, and that bites in the other step": {func(r *report.Record) {
			r.Windows[2].Bites[0].Idle = false
		}, report.Inconclusive, "spec.http[0] (httpbin), of what is given, never bit in the load of step two"},
		"1: a part of given that nothing shows in a step": {func(r *report.Record) {
			r.Windows[2].Bites[0].Idle, r.Windows[2].Bites[0].Count = false, nil
		}, report.Inconclusive, "of what is given: nothing shows whether it bit in the load of step two"},
		"1: a timeout that is given, and that a step keeps within": {func(r *report.Record) {
			r.Windows[1].Bites[0].Kind, r.Windows[2].Bites[0].Kind = rules.PartTimeout, rules.PartTimeout
			r.Windows[2].Bites[0].Idle = false
		}, report.Pass, ""},
		"1: a timeout that is given, and that every step keeps within": {func(r *report.Record) {
			for i := range r.Windows[1:3] {
				r.Windows[1+i].Bites[0] = bitten(r.Windows[1+i].Bites[0], 0)
				r.Windows[1+i].Bites[0].Kind = rules.PartTimeout
			}
		}, report.Inconclusive, "of what is given, never bit in any load"},
		"1: an overflow of which another step speaks": {func(r *report.Record) {
			r.Windows[1].Bites = append(r.Windows[1].Bites, r.Windows[2].Bites[2])
		}, report.Inconclusive, "say so: overflows(httpbin) == 0"},
		"1: an overflow of another service": {func(r *report.Record) {
			r.Windows[2].Bites[2].Service = "ratings"
		}, report.Inconclusive, "connectionPool (ratings)"},
		"1: an overflow of the service by its longer name": {func(r *report.Record) {
			r.Windows[2].Bites[2].Service = "httpbin.default.svc.cluster.local"
		}, report.Pass, ""},

		"1: a part that was written and that nobody looked for": {func(r *report.Record) {
			r.Changes = written()
			r.Windows[1].Bites = r.Windows[1].Bites[:1]
		}, report.Inconclusive, "spec.http[0].fault.delay (httpbin), of step one: nothing shows whether it bit in the load of step one: nobody has looked for it"},
		"1: all that was written and looked for": {func(r *report.Record) {
			r.Changes = written()
			for i := range r.Windows[1:3] {
				r.Windows[1+i].Bites = append(r.Windows[1+i].Bites, bitten(report.Bite{Rule: "VirtualService/default/httpbin", Path: "spec.http[0]", Kind: rules.PartRoute, Service: "httpbin", Stage: "one"}, 20))
			}
		}, report.Pass, ""},
		"1: an entry of given all of whose requests go by a step's own": {func(r *report.Record) {
			narrowed(r, 0, 20)
		}, report.Pass, ""},
		"1: an entry of given behind a step's own that took nothing either": {func(r *report.Record) {
			narrowed(r, 0, 0)
		}, report.Inconclusive, "spec.http[0] (httpbin), of what is given, never bit in the load of step one"},

		"2: failures that nobody speaks of": {func(r *report.Record) {
			put(&r.Windows[1], "client", load(20, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 18}, loadgen.Outcome{Status: 503, Count: 2}))
		}, report.Inconclusive, "load of step one, cohort client: 2 of 20 requests ended in status 503, and no expectation speaks of that; write one, as in client.status[503] == 0"},
		"2: more failures than can be named": {func(r *report.Record) {
			outcomes := []loadgen.Outcome{{Status: 200, Checks: []string{"fine"}, Count: 8}}
			for i := range 12 {
				outcomes = append(outcomes, loadgen.Outcome{Status: 500 + i, Count: 1})
			}
			put(&r.Windows[1], "client", load(20, outcomes...))
		}, report.Inconclusive, "load of step one, cohort client: 3 of 20 requests ended in 3 further ways, from status 509 to status 511, and no expectation speaks of them; write one, as in client.errors == 0"},
		"2: timeouts in the baseline": {func(r *report.Record) {
			for i := range r.Windows {
				if r.Windows[i].Step == "" {
					put(&r.Windows[i], "client", load(7, loadgen.Outcome{Error: loadgen.ErrorTimeout, Count: 7}))
				}
			}
		}, report.Inconclusive, "baseline, cohort client: 7 of 7 requests ended in error timeout, and no expectation speaks of that; write one, as in baseline.client.errors == baseline.client.sent, if all of them are to fail so, or have in given what answers them, such as a Gateway with its route"},
		"2: nothing could be taken in the baseline": {func(r *report.Record) {
			for i := range r.Windows {
				if r.Windows[i].Step == "" {
					put(&r.Windows[i], "client", load(7, loadgen.Outcome{Error: loadgen.ErrorUntaken, Count: 7}))
				}
			}
		}, report.Inconclusive, "write one, as in baseline.client.errors == baseline.client.sent, if all of them are to fail so, or correct the take of the load, which none of their answers had"},
		"2: failures of which an expectation of that window speaks": {func(r *report.Record) {
			put(&r.Windows[2], "client", load(20, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 18}, loadgen.Outcome{Status: 503, Count: 2}))
		}, report.Pass, ""},

		"3: a check that no answer fulfils": {func(r *report.Record) {
			for _, w := range r.Windows {
				for _, l := range w.Loads {
					l.Outcomes[0].Checks = nil
				}
			}
		}, report.Pass, "no answer of the run fulfilled the check fine"},
		"3: a check that one answer fulfils": {func(r *report.Record) {
			for _, w := range r.Windows[1:] {
				for _, l := range w.Loads {
					l.Outcomes[0].Checks = nil
				}
			}
			r.Draws = []string{"x"} // else the recovery is doubted
		}, report.Pass, ""},

		"5: one request of twenty not sent": {func(r *report.Record) {
			put(&r.Windows[1], "client", load(20, loadgen.Outcome{Status: 200, Count: 19}))
		}, report.Inconclusive, "load of step one, cohort client: 19 of 20 requests were sent"},
		"5: one request of eighteen sent": {func(r *report.Record) {
			l := open(load(0, loadgen.Outcome{Status: 200, Count: 1}))
			l.Missed, l.Elapsed = 17, loadgen.Duration{Duration: time.Second}
			put(&r.Windows[0], "beside", l)
		}, report.Inconclusive, "baseline, cohort beside: of 18 requests that fell due 17 never began"},
		"5: a sender lost": {func(r *report.Record) {
			l := load(20, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 20})
			l.Senders = []loadgen.Sender{{Name: "process 1", Sent: 20}, {Name: "process 2", Missed: 7, Lost: "signal: killed"}}
			put(&r.Windows[1], "client", l)
		}, report.Inconclusive, "load of step one, cohort client: sender 2 of 2, process 2, was lost, and with it what came of 7 requests: signal: killed"},
		"5: one of a small load missed": {func(r *report.Record) {
			r.Windows[1].Loads["beside"].Missed = 1
		}, report.Inconclusive, "of 21 requests that fell due 1 never began"},
		"5: one of a large load missed": {func(r *report.Record) {
			l := open(load(0, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 999}))
			l.Missed = 1
			put(&r.Windows[1], "beside", l)
		}, report.Inconclusive, "of 1000 requests that fell due 1 never began"},
		"5: nine tenths of the due in the last moment": {func(r *report.Record) {
			ask(r, loadgen.Plan{QPS: 1000, Duration: loadgen.Duration{Duration: 20 * time.Millisecond}})
			l := open(load(0, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 17}))
			put(&r.Windows[1], "client", l)
		}, report.Inconclusive, "of 20 requests that fell due 3 never began"},
		"5: the last of the due in the last moment": {func(r *report.Record) {
			ask(r, loadgen.Plan{QPS: 1000, Duration: loadgen.Duration{Duration: 20 * time.Millisecond}})
			l := open(load(0, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 18}))
			put(&r.Windows[1], "client", l)
		}, report.Pass, ""},
		"5: a long load that ends a tenth of a second late": {func(r *report.Record) {
			l := open(load(1000, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 1000}))
			l.LastBegun.Duration += 101 * time.Millisecond
			l.Elapsed = loadgen.Duration{Duration: l.LastBegun.Duration + time.Second}
			put(&r.Windows[1], "client", l)
			put(&r.Windows[1], "beside", l)
		}, report.Inconclusive, "the last was begun 101ms late"},
		"5: a long load that ends less late": {func(r *report.Record) {
			l := open(load(1000, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 1000}))
			l.LastBegun.Duration += 99 * time.Millisecond
			l.Elapsed = loadgen.Duration{Duration: l.LastBegun.Duration + time.Second}
			put(&r.Windows[1], "client", l)
			put(&r.Windows[1], "beside", l)
		}, report.Pass, ""},
		"5: half the rate": {func(r *report.Record) {
			l := open(load(20, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 20}))
			l.LastBegun = loadgen.Duration{Duration: 400 * time.Millisecond}
			put(&r.Windows[1], "client", l)
		}, report.Inconclusive, "it reached 47.5 of 100.0 requests a second, and the last was begun 210ms late"},
		"5: a ramp that was kept": {func(r *report.Record) {
			l := ramped(load(20, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 20}))
			l.LastBegun = loadgen.Duration{Duration: 395 * time.Millisecond} // 200 ms after an even rate would have it
			put(&r.Windows[1], "client", l)
		}, report.Pass, ""},
		"5: a ramp that was late": {func(r *report.Record) {
			l := ramped(load(20, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 20}))
			l.LastBegun = loadgen.Duration{Duration: 500 * time.Millisecond}
			put(&r.Windows[1], "client", l)
		}, report.Inconclusive, "requests a second, and the last was begun 110ms late"},
		"5: a control group that went early": {func(r *report.Record) {
			r.Windows[1].Loads["client"].Elapsed = loadgen.Duration{Duration: 9 * time.Second}
		}, report.Inconclusive, "cohort beside: it was there for 3s of the 9s that client took"},
		"5: a cohort without a result": {func(r *report.Record) {
			delete(r.Windows[1].Loads, "beside")
		}, report.Inconclusive, "cohort beside: it has no result"},
		"5: a control group whose other was over at once": {func(r *report.Record) {
			put(&r.Windows[0], "beside", open(load(0)))
		}, report.Pass, ""},
		"5: a load that failed": {func(r *report.Record) {
			r.Windows[1].Loads["beside"].Failure = "the login was refused"
		}, report.Inconclusive, "cohort beside: the login was refused"},

		"7: a proxy that counted other requests": {func(r *report.Record) {
			r.Windows[1].Reconciled = []report.Reconciliation{{Target: "httpbin:8000", Client: 40, Proxy: new(int64(41)), Source: "stat"}}
		}, report.Inconclusive, "the clients sent 40 requests to httpbin:8000, and their proxy counted 41"},
		"7: a proxy that counted the same": {func(r *report.Record) {
			r.Windows[1].Reconciled = []report.Reconciliation{{Target: "httpbin:8000", Client: 40, Proxy: new(int64(40)), Source: "stat"}}
		}, report.Pass, ""},

		"10: not everything is back": {func(r *report.Record) { r.Restored = false }, report.Inconclusive, ""},
		"10: something went wrong":   {func(r *report.Record) { r.Problems = []string{"x"} }, report.Inconclusive, ""},
		"10: one answer of another sort": {func(r *report.Record) {
			put(&r.Windows[3], "client", load(7, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 6}, loadgen.Outcome{Status: 200, Count: 1}))
		}, report.Inconclusive, "the baseline is not back: after the undoing client was answered status 200, before it never"},
		"10: one answer of another version": {func(r *report.Record) {
			put(&r.Windows[3], "client", load(7, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Version: "v2", Count: 7}))
		}, report.Inconclusive, "answered status 200 by v2 with fine, before it never"},
		"10: one answer of another sort where something draws": {func(r *report.Record) {
			r.Draws = []string{"VirtualService/default/httpbin"}
			put(&r.Windows[3], "client", load(7, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 6}, loadgen.Outcome{Status: 200, Count: 1}))
		}, report.Pass, ""},
		"10: all answers of another sort where something draws": {func(r *report.Record) {
			r.Draws = []string{"VirtualService/default/httpbin"}
			put(&r.Windows[0], "client", load(20, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 20}))
			put(&r.Windows[3], "client", load(20, loadgen.Outcome{Status: 200, Count: 20}))
		}, report.Inconclusive, "answered status 200 in 20 of 20 requests, before it in 0 of 20"},
		"10: a mixture that differs by chance": {func(r *report.Record) {
			put(&r.Windows[0], "client", load(20, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 12}, loadgen.Outcome{Status: 200, Count: 8}))
			put(&r.Windows[3], "client", load(20, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 6}, loadgen.Outcome{Status: 200, Count: 13}, loadgen.Outcome{Status: 200, Version: "v3", Count: 1}))
		}, report.Pass, ""},
		"10: a mixture that differs": {func(r *report.Record) {
			put(&r.Windows[0], "client", load(200, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 180}, loadgen.Outcome{Status: 200, Count: 20}))
			put(&r.Windows[3], "client", load(200, loadgen.Outcome{Status: 200, Checks: []string{"fine"}, Count: 100}, loadgen.Outcome{Status: 200, Count: 100}))
		}, report.Inconclusive, "answered status 200 with fine in 100 of 200 requests, before it in 180 of 200"},
		"10: a fail beats a doubt": {func(r *report.Record) {
			r.Restored = false
			r.Windows[2].Quantities[0].Value = new(int64(1))
		}, report.Fail, ""},
	} {
		t.Run(name, func(t *testing.T) {
			record, scenario := healthy(t)
			test.bend(record)
			j := verdict.Judge(record, scenario)
			if j.Verdict != test.want {
				t.Errorf("the verdict is %s, want %s; problems %q, %+v", j.Verdict, test.want, said(j), j.Expectations)
			}
			if words := strings.Join(append(said(j), j.Warnings...), "\n"); !strings.Contains(words, test.says) || test.says == "" && words != "" {
				t.Errorf("it says %q, want %q", words, test.says)
			}
			if again := verdict.Judge(record, scenario); again.Verdict != j.Verdict || len(said(again)) != len(said(j)) {
				t.Errorf("judged again it is %s: %q", again.Verdict, said(again))
			}
		})
	}
}

func TestWhatIsWithinAnEntryThatNothingWentByIsNotNamedAsWell(t *testing.T) {
	record, scenario := healthy(t)
	entry := record.Windows[1].Bites[1]
	entry.Path, entry.Kind = "spec.http[0]", rules.PartRoute
	elsewhere := record.Windows[1].Bites[1]
	elsewhere.Path = "spec.http[01].fault.delay"
	record.Windows[1].Bites = append(record.Windows[1].Bites, bitten(entry, 0), bitten(elsewhere, 0))
	record.Windows[1].Bites[1] = bitten(record.Windows[1].Bites[1], 0)
	j := verdict.Judge(record, scenario)
	words := strings.Join(said(j), "\n")
	if j.Verdict != report.Inconclusive || !strings.Contains(words, "spec.http[0] (httpbin)") || strings.Contains(words, "spec.http[0].fault") || !strings.Contains(words, "spec.http[01].fault") {
		t.Errorf("it is %s and says %q", j.Verdict, words)
	}
	for i, doubt := range j.Doubts {
		if doubt.Point != 1 {
			t.Errorf("the doubt %d is %+v", i, doubt)
		}
	}
	if len(j.Doubts) == 0 {
		t.Error("it has no doubts")
	}

	record.Windows[1].Bites[1].Count, record.Windows[1].Bites[1].Absent = nil, "the log of a is sampled"
	if words := strings.Join(said(verdict.Judge(record, scenario)), "\n"); !strings.Contains(words, "the log of a is sampled") {
		t.Errorf("what is not known is not said: %q", words)
	}
}

func TestAStepPassesOnlyIfNothingSpeaksAgainstIt(t *testing.T) {
	for name, test := range map[string]struct {
		bend func(*report.Record)
		step int
		want bool
	}{
		"all is well":                   {func(*report.Record) {}, 0, true},
		"the recovery is not known yet": {func(r *report.Record) { r.Windows = r.Windows[:3] }, 1, true},
		"an expectation fails":          {func(r *report.Record) { r.Windows[2].Quantities[0].Value = new(int64(1)) }, 1, false},
		"an expectation is in doubt":    {func(r *report.Record) { r.Windows[2].Quantities[0].Value = nil }, 1, false},
		"the other step's is in doubt":  {func(r *report.Record) { r.Windows[2].Quantities[0].Value = nil }, 0, true},
		"a rule never bit":              {func(r *report.Record) { r.Windows[1].Bites[1] = bitten(r.Windows[1].Bites[1], 0) }, 0, false},
		"the load fell short": {func(r *report.Record) {
			put(&r.Windows[1], "client", load(20, loadgen.Outcome{Status: 200, Count: 19}))
		}, 0, false},
		"the baseline is in doubt": {func(r *report.Record) {
			put(&r.Windows[0], "client", load(7, loadgen.Outcome{Status: 500, Count: 7}))
		}, 0, false},
		"something went wrong": {func(r *report.Record) { r.Problems = []string{"a proxy was away"} }, 0, false},
		"it was not driven":    {func(r *report.Record) { r.Windows = r.Windows[:1] }, 0, false},
		"it was cut off":       {func(r *report.Record) { r.Windows[1].Cut = "interrupted" }, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			record, scenario := healthy(t)
			test.bend(record)
			if got := verdict.Passed(record, scenario, scenario.Steps[test.step]); got != test.want {
				t.Errorf("passed is %v", got)
			}
		})
	}
}

func TestARunThatEndedEarlySaysNothingOfItsChecks(t *testing.T) {
	record, scenario := healthy(t)
	for _, w := range record.Windows {
		for _, l := range w.Loads {
			l.Outcomes[0].Checks = nil
		}
	}
	record.Windows = record.Windows[:2]
	if j := verdict.Judge(record, scenario); len(j.Warnings) > 0 {
		t.Errorf("it warns: %q", j.Warnings)
	}
}

// said is what a judgement has against a run.
func said(j verdict.Judgement) []string {
	return (&report.Record{Doubts: j.Doubts}).Against()
}
