package loadgen

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// recorder counts what became of the requests of one cohort. All connections
// share it: a histogram for each would cost 10,000 connections gigabytes.
type recorder struct {
	mu                sync.Mutex
	sent, errs, late  int64
	used              int64 // connections
	lastBegun         time.Time
	replies           map[reply]*alike
	response, service Histogram
	lag               Histogram // of an open loop
	of                []times   // of each request of a list
	open              bool      // it is one
	apart             bool      // those that are not OK are told apart
	notOK             Histogram
	slots             slots
	messages          int // different ones, of codes

	glanced  time.Time // when the percentiles below were reckoned
	p50, p99 Duration
}

// glanceEvery is how often percentiles are reckoned for an observer.
const glanceEvery = time.Second

// ended is a request that has ended. Its id is only valid until the connection
// sends the next one.
type ended struct {
	reply
	id                  *requestID    // nil: it carried none of ours
	from                string        // ip:port
	free                time.Time     // when its connection became free for it
	behind              time.Duration // the lag of the one before it on that connection
	intended, begun, at time.Time
	opened              int64 // connections that no request of the load had gone over before
}

func (e *ended) response() time.Duration { return e.at.Sub(e.intended) }

// lag is how late the request was begun by the generator's own doing: although its
// connection was free, or would have been if the one before it had not lagged. Until that
// it was the server, or too few connections, that kept it from being begun.
func (e *ended) lag() time.Duration {
	if free := e.free.Add(-e.behind); free.After(e.intended) {
		return e.begun.Sub(free)
	}
	return e.begun.Sub(e.intended)
}

// alike counts the requests with one reply, and knows the slowest of those that
// carried an id and were not canceled.
type alike struct {
	count    int64
	known    bool // the rest is set
	id       requestID
	from     string
	begun    time.Time
	response time.Duration
}

func (a *alike) add(e *ended) {
	a.count++
	if e.id == nil || e.err == ErrorCanceled || a.known && e.response() <= a.response {
		return
	}
	a.known, a.id, a.from, a.begun, a.response = true, *e.id, e.from, e.begun, e.response()
}

func (a *alike) slowest() *Example {
	if !a.known {
		return nil
	}
	return &Example{RequestID: string(a.id[:]), From: a.from, Begun: a.begun, Response: Duration{Duration: a.response}}
}

// times are those of one request of a list.
type times struct{ response, service, lag Histogram }

// mostMessages is how many different messages of codes are told apart: a server may say
// another with each.
const mostMessages = 32

// record counts one request.
func (r *recorder) record(e *ended) {
	r.mu.Lock()
	defer r.mu.Unlock()
	same := r.replies[e.reply]
	if same == nil && e.message != "" {
		if r.messages == mostMessages {
			e.message = ""
			same = r.replies[e.reply]
		} else {
			r.messages++
		}
	}
	if same == nil {
		if r.replies == nil {
			r.replies = map[reply]*alike{}
		}
		same = new(alike)
		r.replies[e.reply] = same
	}
	same.add(e)
	r.slots.record(e)
	r.sent++
	r.used += e.opened
	if e.isFailure() {
		r.errs++
	}
	if e.begun.After(r.lastBegun) {
		r.lastBegun = e.begun
	}
	if e.begun.Sub(e.intended) > lateAfter {
		r.late++
	}
	r.time(e, &r.response, &r.service, &r.lag)
	if r.apart && e.err != ErrorCanceled && !e.ok() {
		r.notOK.Record(e.response())
	}
	if len(r.of) > 0 {
		of := &r.of[e.request]
		r.time(e, &of.response, &of.service, &of.lag)
	}
}

func (r *recorder) time(e *ended, response, service, lag *Histogram) {
	if r.open {
		lag.Record(e.lag())
	}
	if e.err != ErrorCanceled {
		response.Record(e.response())
		service.Record(e.at.Sub(e.begun))
	}
}

// progress is how many requests were sent, and how many failed.
func (r *recorder) progress() (sent, errs int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent, r.errs
}

// glance is what a progress tells of the requests so far. It holds the lock, for which
// every request waits, for as long as it takes to go through a handful of replies and,
// once a second, through a histogram.
func (r *recorder) glance(p *Progress, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.Sent, p.Errors = r.sent, r.errs
	for rep, same := range r.replies {
		i := slices.IndexFunc(p.Ways, func(w Way) bool { return w.Status == rep.status && w.GRPC == rep.grpc && w.Error == rep.err })
		if i < 0 {
			i, p.Ways = len(p.Ways), append(p.Ways, Way{Status: rep.status, GRPC: rep.grpc, Error: rep.err})
		}
		p.Ways[i].Count += same.count
	}
	if now.Sub(r.glanced) >= glanceEvery || p.Ended {
		r.glanced = now
		r.p50.Duration, _ = r.response.Quantile(0.5)
		r.p99.Duration, _ = r.response.Quantile(0.99)
	}
	p.P50, p.P99 = r.p50, r.p99
}

// series is how the load went over time.
func (r *recorder) series() *Series {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.slots.series()
}

// partOfSeries is that of one sender among several, with what it takes to merge them.
func (r *recorder) partOfSeries() *Series {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.slots.series()
	if s != nil {
		s.Responses = r.slots.responses()
	}
	return s
}

// fill writes what was counted of a plan into a Result.
func (r *recorder) fill(result *Result, plan *Plan, m *matcher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	result.Sent, result.Used, result.Late = r.sent, r.used, r.late
	if r.sent > 0 {
		result.LastBegun = Duration{Duration: r.lastBegun.Sub(result.Started)}
	}
	result.Response, result.Service = r.response.clone(), r.service.clone()
	if r.open {
		result.Lag = r.lag.clone()
	}
	if r.apart {
		result.NotOK = r.notOK.clone()
	}
	for i := range r.of {
		of := TimesOf{Request: plan.Send[i].Name, Response: r.of[i].response.clone(), Service: r.of[i].service.clone()}
		if r.open {
			of.Lag = r.of[i].lag.clone()
		}
		result.Times = append(result.Times, of)
	}
	result.Outcomes = []Outcome{}
	for rep, same := range r.replies {
		checks := m.names(rep.checks)
		slices.Sort(checks)
		var request string
		if len(plan.Send) > 0 {
			request = plan.Send[rep.request].Name
		}
		result.Outcomes = append(result.Outcomes, Outcome{
			Request: request, Status: rep.status, GRPC: rep.grpc, Message: rep.message, Error: rep.err, Checks: checks, Version: rep.version, Count: same.count, Slowest: same.slowest(),
		})
	}
	slices.SortFunc(result.Outcomes, Outcome.compare)
	result.forgetFast()
}

// mostExamples is how many kinds of outcome have their slowest request in a result: each is
// to be explained, and nobody reads hundreds of explanations.
const mostExamples = 32

// forgetFast leaves an example to the kinds of outcome that took longest.
func (r *Result) forgetFast() {
	var told []*Outcome
	for i := range r.Outcomes {
		if r.Outcomes[i].Slowest != nil {
			told = append(told, &r.Outcomes[i])
		}
	}
	slices.SortStableFunc(told, func(a, b *Outcome) int { return cmp.Compare(b.Slowest.Response.Duration, a.Slowest.Response.Duration) })
	for i := mostExamples; i < len(told); i++ {
		told[i].Slowest = nil
	}
}
