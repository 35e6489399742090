package evidence

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

const pageID = "5d28be0f-1111-4222-8333-444444444444"

var (
	loader  = mesh.Proxy{Name: "load-1", Workload: "load", Address: "10.0.0.9", Client: true}
	ingress = mesh.Proxy{Name: "gw-1", Workload: "ingress", Address: "10.0.0.8", Gateway: true}
	pages   = mesh.Proxy{Name: "page-1", Workload: "page-v1", Address: "10.0.0.1"}
	stars   = mesh.Proxy{Name: "stars-1", Workload: "stars-v2", Address: "10.0.0.2"}
	points  = mesh.Proxy{Name: "points-1", Workload: "points-v1", Address: "10.0.0.3"}
)

// call is a line of a request of the id: at is when it began, in ms.
func call(at int, took time.Duration, to mesh.Proxy, bend ...func(*envoy.LogEntry)) envoy.LogEntry {
	service, _, _ := strings.Cut(to.Workload, "-")
	return entry(at, append([]func(*envoy.LogEntry){func(e *envoy.LogEntry) {
		e.RequestID, e.Duration, e.Upstream = pageID, took, to.Address+":9080"
		e.Cluster = fmt.Sprintf("outbound|9080||%s.shop.svc.cluster.local", service)
	}}, bend...)...)
}

func givenUp(e *envoy.LogEntry) { e.Status, e.Flags = 0, []string{"DC"} }

// logOf is a log that has these lines.
func logOf(lines map[*mesh.Proxy][]envoy.LogEntry) *Log {
	l := &Log{calls: newCalls()}
	for _, p := range []*mesh.Proxy{&loader, &ingress, &pages, &stars, &points} {
		log := newProxyLog(*p, 0)
		l.proxies = append(l.proxies, log)
		for _, e := range lines[p] {
			log.add(e)
			l.calls.add(*p, e)
		}
	}
	return l
}

func sketch(c *report.Call, indent string) string {
	if c == nil {
		return "none"
	}
	s := fmt.Sprintf("%s%s>%s %v %d %s %s\n", indent, c.From, c.To, c.Duration, c.Status, strings.Join(c.Flags, ","), c.Upstream)
	for i := range c.Calls {
		s += sketch(&c.Calls[i], indent+" ")
	}
	return s
}

func TestTheTreeOfARequest(t *testing.T) {
	namespace := []mesh.Service{{Name: "page", Host: "page.shop.svc.cluster.local"}, {Name: "stars", Host: "stars.shop.svc.cluster.local"}, {Name: "points", Host: "points.shop.svc.cluster.local"}}
	twoAttempts := map[*mesh.Proxy][]envoy.LogEntry{
		&loader: {call(0, 6*time.Second, pages)},
		&pages:  {call(5, 3*time.Second, stars, givenUp), call(3006, 3*time.Second, stars, givenUp)},
		// The traced character of the id is another one behind the first proxy.
		&stars: {call(7, 7*time.Second, points, flagged("DI")), call(3008, 7*time.Second, points, flagged("DI"), func(e *envoy.LogEntry) { e.RequestID = pageID[:14] + "9" + pageID[15:] })},
	}
	for name, one := range map[string]struct {
		lines map[*mesh.Proxy][]envoy.LogEntry
		want  string
		note  string
	}{
		"two attempts": {twoAttempts, `load>page 6s 200  page-v1
 page-v1>stars 3s 0 DC stars-v2
  stars-v2>points 7s 200 DI points-v1
 page-v1>stars 3s 0 DC stars-v2
  stars-v2>points 7s 200 DI points-v1
`, ""},
		"through the gateway": {map[*mesh.Proxy][]envoy.LogEntry{&ingress: {call(0, time.Second, pages)}, &pages: {call(1, time.Millisecond, stars)}},
			"ingress>page 1s 200  page-v1\n page-v1>stars 1ms 200  stars-v2\n", ""},
		"an application that does not pass the id on": {map[*mesh.Proxy][]envoy.LogEntry{&loader: {call(0, time.Second, pages)}},
			"load>page 1s 200  page-v1\n", "does not pass x-request-id on"},
		"aborted": {map[*mesh.Proxy][]envoy.LogEntry{&loader: {call(0, 0, pages, nowhere, flagged("FI"))}},
			"load>page 0s 503 FI \n", ""},
		"an endpoint without a proxy": {map[*mesh.Proxy][]envoy.LogEntry{&loader: {call(0, time.Second, mesh.Proxy{Workload: "page-v1", Address: "10.9.9.9"})}},
			"load>page 1s 200  10.9.9.9:9080\n", "does not pass"},
		"clocks that are apart": {map[*mesh.Proxy][]envoy.LogEntry{&loader: {call(0, 10*time.Millisecond, pages)}, &pages: {call(500, time.Millisecond, stars)}},
			"load>page 10ms 200  page-v1\n", "1 more have this request's id"},
		"no line of the first proxy": {map[*mesh.Proxy][]envoy.LogEntry{&pages: {call(0, time.Second, stars)}}, "none", "no access log has this request"},
		"nothing":                    {nil, "none", "where it was given another id?"},
	} {
		t.Run(name, func(t *testing.T) {
			got := logOf(one.lines).explain("pages", example{loadgen.Example{RequestID: pageID}, report.WhySlowest, ""}, namespace)
			if diff := cmp.Diff(one.want, sketch(got.Call, "")); diff != "" {
				t.Error(diff)
			}
			if (one.note == "") != (got.Note == "") || !strings.Contains(got.Note, one.note) {
				t.Errorf("the note is %q; want %q", got.Note, one.note)
			}
		})
	}
	l := logOf(twoAttempts)
	l.of("stars-1").fail(fmt.Errorf("rotated away"))
	if got := l.explain("pages", example{loadgen.Example{RequestID: pageID}, "", ""}, namespace); !strings.Contains(got.Note, "the tree may lack calls: the access log of stars-1 is not read: rotated away") {
		t.Errorf("the note is %q", got.Note)
	}
}

func TestTheSlowestOfEachStatusOutlastAFloodOfOthers(t *testing.T) {
	c := newCalls()
	add := func(id string, status int, took time.Duration) {
		for _, proxy := range []mesh.Proxy{pages, loader} {
			c.add(proxy, call(0, took, stars, func(e *envoy.LogEntry) { e.RequestID, e.Status = id, status }))
		}
	}
	add("slow", 200, time.Second)
	add("bad", 503, time.Second)
	add("cut", 0, time.Second)
	add("plain", 200, time.Millisecond)
	for i := range 10 * keptRequests {
		add(fmt.Sprint(i), []int{200, 503, 0}[i%3], time.Duration(i%100+2)*time.Millisecond)
	}
	for _, id := range []string{"slow", "bad", "cut"} {
		if lines, _ := c.lines(id); len(lines) != 2 {
			t.Errorf("%d lines are kept of the request %s", len(lines), id)
		}
	}
	if lines, forgot := c.lines("plain"); len(lines) > 0 || !forgot {
		t.Errorf("%d lines of a plain one are kept; forgotten: %v", len(lines), forgot)
	}
	for range 2 * keptLines {
		c.add(pages, call(0, 0, stars))
	}
	if lines, _ := c.lines(pageID); len(lines) != keptLines {
		t.Errorf("%d lines are kept of one request", len(lines))
	}
}

func TestTheSlowestAndOneOfEachBadAnswerAreExplained(t *testing.T) {
	of := func(id string, took time.Duration) *loadgen.Example {
		return &loadgen.Example{RequestID: id, Response: loadgen.Duration{Duration: took}}
	}
	got := (&Log{calls: newCalls()}).Calls(map[string]*loadgen.Result{
		"a": {Outcomes: []loadgen.Outcome{
			{Status: 200, Slowest: of("ok", 2*time.Second)},
			{Status: 503, Slowest: of("unavailable", 1)}, {Status: 503, Version: "v1", Slowest: of("worse", 2)},
			{Error: loadgen.ErrorTimeout, Slowest: of("late", time.Second)}, {Error: loadgen.ErrorCanceled, Slowest: of("cut", 1)}, {Status: 404},
		}},
		"b": {Sent: 1, Outcomes: []loadgen.Outcome{{Status: 200}}}, // as engine fortio has it, and TCP
		"c": {},
	}, nil)
	var words []string
	for _, e := range got {
		words = append(words, e.Cohort+" "+e.Why+": "+e.Request)
		if (e.Note == untold) != (e.Cohort == "b") {
			t.Errorf("of cohort %s it is said: %s", e.Cohort, e.Note)
		}
	}
	if diff := cmp.Diff([]string{"a slowest: ok", "a error timeout: late", "a status 503: worse", "b slowest: "}, words); diff != "" {
		t.Error(diff)
	}
}

func TestARequestThatTLSFailedBeforeIsSoughtInNoLog(t *testing.T) {
	got := (&Log{calls: newCalls()}).Calls(map[string]*loadgen.Result{
		"strangers": {
			Outcomes: []loadgen.Outcome{{Error: loadgen.ErrorTLS, Slowest: &loadgen.Example{RequestID: "refused"}}, {Status: 503, Slowest: &loadgen.Example{RequestID: "unavailable"}}},
			Refusal:  &loadgen.Refusal{Kind: loadgen.RefusedClient, Words: "remote error: tls: certificate required"},
		},
	}, nil)
	for _, e := range got {
		if told := strings.HasSuffix(e.Note, "refused the other by TLS, the first time with: remote error: tls: certificate required"); told != (e.Request == "refused") {
			t.Errorf("of %s it is said: %s", e.Request, e.Note)
		}
	}
	if len(got) < 2 {
		t.Errorf("%+v", got)
	}
	// Whom the client refuses gets no request, and so none of an id.
	got = (&Log{calls: newCalls()}).Calls(map[string]*loadgen.Result{
		"wary": {Sent: 2, Outcomes: []loadgen.Outcome{{Error: loadgen.ErrorTLS, Count: 2}}, Refusal: &loadgen.Refusal{Kind: loadgen.RefusedUntrusted, Words: "unknown authority"}},
	}, nil)
	if len(got) != 1 || !strings.HasSuffix(got[0].Note, "the first time with: unknown authority") {
		t.Errorf("%+v", got)
	}
}

func TestOneOfEachKindOfAnswerIsExplained(t *testing.T) {
	of := func(id string, took time.Duration) *loadgen.Example {
		return &loadgen.Example{RequestID: id, Response: loadgen.Duration{Duration: took}}
	}
	got := (&Log{calls: newCalls()}).Calls(map[string]*loadgen.Result{
		"a": {Outcomes: []loadgen.Outcome{
			{Status: 200, Version: "v2", Checks: []string{"good", "stars"}, Slowest: of("both", 3)},
			{Status: 200, Slowest: of("neither", 1)}, {Status: 201, Slowest: of("slower", 2)},
			{Status: 503, Checks: []string{"sorry"}, Slowest: of("bad", 1)},
			{Error: loadgen.ErrorCanceled, Slowest: of("cut", 1)},
		}},
		"b": {Outcomes: []loadgen.Outcome{{Status: 200, Checks: []string{"good"}, Slowest: of("alone", 1)}}},
	}, nil)
	var words []string
	for _, e := range got {
		words = append(words, e.Cohort+" "+e.Why+" "+e.Answer+": "+e.Request)
	}
	if diff := cmp.Diff([]string{"a slowest version v2, check good, check stars: both", "a status 503 : bad", "a answer nothing that is checked: slower", "b slowest : alone"}, words); diff != "" {
		t.Error(diff)
	}
}

// A real gateway gives each request from outside an id of its own. It is known by
// the connection that it came on, and by its time.
func TestARequestThatTheGatewayRenamedIsFound(t *testing.T) {
	const from, renamed = "10.0.0.9:4711", "aaaaaaaa-1111-4222-8333-444444444444"
	named := func(id, from string) func(*envoy.LogEntry) {
		return func(e *envoy.LogEntry) { e.RequestID, e.From = id, from }
	}
	lines := map[*mesh.Proxy][]envoy.LogEntry{
		&ingress: {
			call(0, time.Second, pages, named("before", from)),
			call(1000, 2*time.Second, pages, named(renamed, from)),
			call(1001, 2*time.Second, pages, named("beside", "10.0.0.9:4712")),
		},
		&loader: {call(1002, 2*time.Second, pages, named("own", from))},
		&pages:  {call(1005, time.Second, stars, named(renamed, ""))},
	}
	begun := call(1004, 0, pages).Started
	for name, one := range map[string]struct {
		wanted  loadgen.Example
		request string
		calls   bool
	}{
		"by its connection and time":                {loadgen.Example{RequestID: pageID, From: from, Begun: begun, Response: loadgen.Duration{Duration: 2 * time.Second}}, renamed, true},
		"one whose connection was long in making":   {loadgen.Example{RequestID: pageID, From: from, Begun: begun.Add(-200 * time.Millisecond), Response: loadgen.Duration{Duration: 2200 * time.Millisecond}}, renamed, true},
		"no line that took longer than its client":  {loadgen.Example{RequestID: pageID, From: from, Begun: begun, Response: loadgen.Duration{Duration: time.Second}}, pageID, false},
		"none that began at another time":           {loadgen.Example{RequestID: pageID, From: from, Begun: begun.Add(-100 * time.Millisecond), Response: loadgen.Duration{Duration: 2 * time.Second}}, pageID, false},
		"none of another connection":                {loadgen.Example{RequestID: pageID, From: "10.0.0.9:1", Begun: begun, Response: loadgen.Duration{Duration: 2 * time.Second}}, pageID, false},
		"one whose id is in the log needs no other": {loadgen.Example{RequestID: "beside", From: from, Begun: begun, Response: loadgen.Duration{Duration: 2 * time.Second}}, "beside", false},
	} {
		t.Run(name, func(t *testing.T) {
			all := logOf(lines).Calls(map[string]*loadgen.Result{"a": {Outcomes: []loadgen.Outcome{{Status: 200, Slowest: &one.wanted}}}}, nil)
			if len(all) != 1 || all[0].Request != one.request || (all[0].Call != nil && len(all[0].Call.Calls) == 1) != one.calls {
				t.Errorf("got %+v, want the request %s with calls %v", all, one.request, one.calls)
			}
		})
	}
}
