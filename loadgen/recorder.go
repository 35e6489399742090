package loadgen

import (
	"cmp"
	"slices"
	"strings"
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
	slots             slots

	glanced  time.Time // when the percentiles below were reckoned
	p50, p99 Duration
}

// glanceEvery is how often percentiles are reckoned for an observer.
const glanceEvery = time.Second

// ended is a request that has ended. Its id is only valid until the connection
// sends the next one.
type ended struct {
	reply
	id                  *requestID // nil: it carried none of ours
	from                string     // ip:port
	intended, begun, at time.Time
	opened              int64 // connections that no request of the load had gone over before
}

func (e *ended) response() time.Duration { return e.at.Sub(e.intended) }

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

// record counts one request.
func (r *recorder) record(e ended) {
	r.mu.Lock()
	defer r.mu.Unlock()
	same := r.replies[e.reply]
	if same == nil {
		if r.replies == nil {
			r.replies = map[reply]*alike{}
		}
		same = new(alike)
		r.replies[e.reply] = same
	}
	same.add(&e)
	r.slots.record(&e)
	r.sent++
	r.used += e.opened
	if e.err != "" || e.status >= 400 {
		r.errs++
	}
	if e.begun.After(r.lastBegun) {
		r.lastBegun = e.begun
	}
	if e.begun.Sub(e.intended) > lateAfter {
		r.late++
	}
	if e.err != ErrorCanceled {
		r.response.Record(e.response())
		r.service.Record(e.at.Sub(e.begun))
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
		i := slices.IndexFunc(p.Ways, func(w Way) bool { return w.Status == rep.status && w.Error == rep.err })
		if i < 0 {
			i, p.Ways = len(p.Ways), append(p.Ways, Way{Status: rep.status, Error: rep.err})
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

// fill writes what was counted into a Result.
func (r *recorder) fill(result *Result, m *matcher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	result.Sent, result.Used, result.Late = r.sent, r.used, r.late
	if r.sent > 0 {
		result.LastBegun = Duration{Duration: r.lastBegun.Sub(result.Started)}
	}
	result.Response, result.Service = r.response.clone(), r.service.clone()
	result.Outcomes = []Outcome{}
	for rep, same := range r.replies {
		checks := m.names(rep.checks)
		slices.Sort(checks)
		result.Outcomes = append(result.Outcomes, Outcome{
			Status: rep.status, Error: rep.err, Checks: checks, Version: rep.version, Count: same.count, Slowest: same.slowest(),
		})
	}
	slices.SortFunc(result.Outcomes, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), strings.Compare(a.Error, b.Error),
			strings.Compare(a.Version, b.Version), slices.Compare(a.Checks, b.Checks))
	})
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
