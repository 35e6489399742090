package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// atOnce has a load begin.
func atOnce(context.Context) error { return nil }

// agents are some of this process, one of them in it.
func agents(t *testing.T, n int) (shares []*Share) {
	t.Helper()
	for range n - 1 {
		shares = append(shares, &Share{Name: "agent", From: serve(t)})
	}
	return append(shares, &Share{Name: "here", From: NewHere()})
}

func TestSendersBeginTogetherAndSendOneSchedule(t *testing.T) {
	var mu sync.Mutex
	var came []time.Time
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		came = append(came, time.Now())
		mu.Unlock()
	}))
	defer s.Close()
	shares := agents(t, 4)
	plan := loadgen.Plan{
		HTTP: &loadgen.HTTP{Method: "GET", URL: s.URL}, Connections: 8, Requests: 202, Senders: 4,
		Rate:    []loadgen.RatePoint{{QPS: 100}, {At: loadgen.Duration{Duration: time.Second}, QPS: 300}},
		Arrival: loadgen.ArrivalPoisson,
	}
	g, err := Together([]Cohort{{Name: "pages", Plan: plan, From: shares}}, Request{})
	if err != nil {
		t.Fatal(err)
	}
	var begun time.Time
	var last loadgen.Progress
	results, err := g.Run(t.Context(), func(context.Context) error { begun = time.Now(); return nil }, func(p loadgen.Progress) {
		last = p
		if p.Planned != 202 || p.QPS < 100 {
			t.Errorf("it was told of %d requests, at %v a second, whoever had been heard of", p.Planned, p.QPS)
		}
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := results["pages"]
	if r.Sent != 202 || len(came) != 202 || r.Seed == 0 || r.Planned != 202 || r.Missed != 0 {
		t.Errorf("%d sent, %d came, by seed %d", r.Sent, len(came), r.Seed)
	}
	if last.Sent != 202 || last.Planned != 202 || !last.Ended || len(last.Ways) != 1 || last.Ways[0].Count != 202 {
		t.Errorf("the last that was told is %+v", last)
	}
	if early := begun.Add(lead).Sub(r.Started); early > 50*time.Millisecond || early < -50*time.Millisecond {
		t.Errorf("it was begun %v before its time", early)
	}
	// What came is the schedule of one sender with that seed, but for what a machine is late
	// by, which the longest answer has in it, and the difference that it sees of two clocks.
	longest, _ := r.Response.Max()
	plan.Seed = r.Seed
	slices.SortFunc(came, func(a, b time.Time) int { return a.Compare(b) })
	var late []time.Duration
	for i, at := range came {
		late = append(late, at.Sub(r.Started)-plan.Due(int64(i), r.Seed))
	}
	slices.Sort(late)
	if late[0] < -50*time.Millisecond || late[len(late)-1] > longest+50*time.Millisecond {
		t.Errorf("requests came %v to %v after they were due, and were answered %v after that at most", late[0], late[len(late)-1], longest)
	}
}

func TestACohortBesideSendersIsThereUntilTheLastHasEnded(t *testing.T) {
	url, _ := target(t)
	shares := agents(t, 3)
	one := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 1, QPS: 100, While: "pages"}
	three := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 3, QPS: 100, While: "pages", Senders: 3}
	pages := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 3, QPS: 3, Requests: 4, Senders: 3}
	g, err := Together([]Cohort{{Name: "one", Plan: one, From: shares[2:]}, {Name: "three", Plan: three, From: shares}, {Name: "pages", Plan: pages, From: shares}}, Request{})
	if err != nil {
		t.Fatal(err)
	}
	results, err := g.Run(t.Context(), atOnce, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Two of the senders of pages have ended at once, and one after a second.
	for _, name := range []string{"one", "three"} {
		if r := results[name]; r.Elapsed.Duration < time.Second || r.Elapsed.Duration > 30*time.Second || r.Sent+r.Missed < 95 || r.Sent == 0 {
			t.Errorf("%s was there for %v, sent %d and missed %d", name, r.Elapsed, r.Sent, r.Missed)
		}
		for _, s := range results[name].Senders {
			if s.Sent+s.Missed < 30 || s.Sent == 0 {
				t.Errorf("of %s %s sent %d and missed %d", name, s.Name, s.Sent, s.Missed)
			}
		}
	}
	if results["pages"].Sent != 4 || results["one"].Senders != nil {
		t.Errorf("pages sent %d; the one sender of one: %v", results["pages"].Sent, results["one"].Senders)
	}
}

func TestAConditionIsJudgedByAllSenders(t *testing.T) {
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) > 100 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer s.Close()
	shares := agents(t, 3)
	plan := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: s.URL}, Connections: 3, QPS: 300, Senders: 3}
	g, err := Together([]Cohort{{Name: "pages", Plan: plan, From: shares}}, Request{AbortWhen: []string{"pages.status[503] > 90"}})
	if err != nil {
		t.Fatal(err)
	}
	heard := 0
	results, err := g.Run(t.Context(), atOnce, nil, func(*loadgen.StopError) { heard++ })
	var stop *loadgen.StopError
	if !errors.As(err, &stop) || heard != 1 || stop.Condition != "pages.status[503] > 90" || stop.Sent < 190 {
		t.Errorf("error %v, heard of %d times; %+v", err, heard, stop)
	}
	// None has seen so many alone.
	if n := results["pages"].Sent; n > 9000 {
		t.Errorf("%d were sent before it was ended", n)
	}
}

func TestACapIsOfAllSenders(t *testing.T) {
	url, _ := target(t)
	shares := agents(t, 3)
	for cap, want := range map[float64]bool{100: false, 60: true} {
		plan := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 3, QPS: 90, Requests: 100, Senders: 3} // and a tenth, if a stalled machine begins all at once
		if want {
			plan.Requests = 9000
		}
		g, err := Together([]Cohort{{Name: "pages", Plan: plan, From: shares}}, Request{QPS: cap})
		if err != nil {
			t.Fatal(err)
		}
		_, err = g.Run(t.Context(), atOnce, nil, nil)
		var stop *loadgen.StopError
		if errors.As(err, &stop) != want {
			t.Errorf("90 requests a second of three senders, of which %v are allowed: %v", cap, err)
		}
	}
}

// However little of a cap is left for a share, it has one: 0 would be none.
func TestNoShareIsWithoutItsCap(t *testing.T) {
	open, closed := &Share{asked: Request{Plans: map[string]loadgen.Plan{"open": {QPS: 90}}}}, &Share{asked: Request{Plans: map[string]loadgen.Plan{"closed": {}}}}
	divide(90, []*Share{open, closed})
	if open.asked.QPS != 90 || closed.asked.QPS != 1 {
		t.Errorf("of 90 the load that asks for as many has %v, and the other %v", open.asked.QPS, closed.asked.QPS)
	}
}

// Of a generator that cannot be reached, whoever knows of its death says more than that.
func TestWhyASenderIsGoneIsAskedOfWhoeverKnows(t *testing.T) {
	url, _ := target(t)
	gone := &Share{
		Name: "pod a", From: &Client{Base: "http://127.0.0.1:1", HTTP: http.DefaultClient},
		Fate: func(context.Context) error { return errors.New("pod a was deleted") },
	}
	plan := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 2, Requests: 10, Senders: 2}
	for _, knows := range []bool{true, false} {
		want := "pod a was deleted"
		if !knows {
			gone.Fate, want = nil, "connection refused"
		}
		g, err := Together([]Cohort{{Name: "pages", Plan: plan, From: []*Share{gone, {Name: "here", From: NewHere()}}}}, Request{})
		if err != nil {
			t.Fatal(err)
		}
		results, err := g.Run(t.Context(), atOnce, nil, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
		if r := results["pages"]; r == nil || !strings.Contains(r.Senders[0].Lost, want) || r.Senders[1].Lost != "" || r.Sent != 0 {
			t.Errorf("the result is %+v", r)
		}
	}
}

// What cannot be prepared ends the load of all: who is ready would wait for it.
func TestWhoIsReadyDoesNotWaitForWhoCannotBe(t *testing.T) {
	url, _ := target(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	shares := agents(t, 2)
	one := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 1, Requests: 10}
	other := one
	other.HTTP, other.Prime = &loadgen.HTTP{Method: "GET", URL: gone.URL}, true
	g, err := Together([]Cohort{{Name: "one", Plan: one, From: shares[:1]}, {Name: "other", Plan: other, From: shares[1:]}}, Request{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	begun := false
	results, err := g.Run(ctx, func(context.Context) error { begun = true; return nil }, nil, nil)
	if err != nil || begun {
		t.Errorf("it was begun: %t; %v", begun, err)
	}
	if r := results["other"]; r == nil || !strings.Contains(r.Failure, "refused") {
		t.Errorf("what could not be prepared is %+v", r)
	}
	if r := results["one"]; r == nil || r.Sent != 0 {
		t.Errorf("what was ready is %+v", r)
	}
}

// A cohort has ended when the last of its senders has.
func TestHowFarSendersAreIsHowFarAllOfThemAre(t *testing.T) {
	of := &spread{plan: loadgen.Plan{Requests: 20}, progress: []loadgen.Progress{
		{Cohort: "pages", Sent: 10, Errors: 1, Elapsed: loadgen.Duration{Duration: time.Second}, Ended: true, Ways: []loadgen.Way{{Status: 200, Count: 9}, {Status: 503, Count: 1}}, P50: loadgen.Duration{Duration: 5}},
		{},
		{Cohort: "pages", Sent: 4, Errors: 2, Elapsed: loadgen.Duration{Duration: 2 * time.Second}, Ways: []loadgen.Way{{Status: 503, Count: 2}, {Status: 200, Count: 2}}, P50: loadgen.Duration{Duration: 9}},
	}}
	want := loadgen.Progress{
		Cohort: "pages", Sent: 14, Errors: 3, Planned: 20, Elapsed: loadgen.Duration{Duration: 2 * time.Second}, P50: loadgen.Duration{Duration: 9},
		Ways: []loadgen.Way{{Status: 200, Count: 11}, {Status: 503, Count: 3}},
	}
	for _, ended := range []bool{false, true} {
		want.Ended = ended
		if got := of.far(); !reflect.DeepEqual(got, want) {
			t.Errorf("they are %+v, want %+v", got, want)
		}
		of.progress[1].Ended, of.progress[2].Ended = true, true
	}
}

// A clock is taken to be told in the middle of the answer that came quickest.
func TestAClockIsComparedThoughItsAnswersTakeTime(t *testing.T) {
	const each, ahead = 200 * time.Millisecond, time.Hour
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-time.After(each)
		now := time.Now().Add(ahead)
		<-time.After(each)
		fmt.Fprint(w, now.UnixNano())
	}))
	defer s.Close()
	got, err := (&Client{Base: s.URL, HTTP: s.Client()}).ahead(t.Context())
	if err != nil || (got-ahead).Abs() > each*3/4 {
		t.Errorf("it is %v ahead, %v; want %v", got, err, ahead)
	}
}

// One answer of several that took its time on one way alone tells less than the others.
func TestTheQuickestAnswerTellsAClock(t *testing.T) {
	const ahead = time.Hour
	var looks atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		now := time.Now().Add(ahead)
		if looks.Add(1) == clockLooks {
			<-time.After(4 * time.Second)
		}
		fmt.Fprint(w, now.UnixNano())
	}))
	defer s.Close()
	got, err := (&Client{Base: s.URL, HTTP: s.Client()}).ahead(t.Context())
	if err != nil || (got-ahead).Abs() > time.Second {
		t.Errorf("it is %v ahead, %v; want %v", got, err, ahead)
	}
}

// Of several senders one that cannot be reached is named in the error, too.
func TestASenderThatCannotBeReachedIsNamed(t *testing.T) {
	url, _ := target(t)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	gone := &Share{Name: "process 4711", From: &Client{HTTP: http.DefaultClient, Base: closed.URL}}
	plan := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 2, Requests: 20, Senders: 2}
	g, err := Together([]Cohort{{Name: "pages", Plan: plan, From: []*Share{{Name: "here", From: NewHere()}, gone}}}, Request{})
	if err != nil {
		t.Fatal(err)
	}
	results, err := g.Run(t.Context(), atOnce, nil, nil)
	const want = "process 4711: starting the load: "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("the error is %v, want %s", err, want)
	}
	if r := results["pages"]; r == nil || !strings.HasPrefix(r.Senders[1].Lost, "starting the load: ") {
		t.Errorf("the result is %+v", r)
	}
}
