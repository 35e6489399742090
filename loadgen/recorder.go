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
	lastBegun         time.Time
	replies           map[reply]int64
	response, service Histogram
}

// record counts one request.
func (r *recorder) record(rep reply, intended, begun, ended time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.replies == nil {
		r.replies = map[reply]int64{}
	}
	r.replies[rep]++
	r.sent++
	if rep.err != "" || rep.status >= 400 {
		r.errs++
	}
	if begun.After(r.lastBegun) {
		r.lastBegun = begun
	}
	if begun.Sub(intended) > lateAfter {
		r.late++
	}
	if rep.err != ErrorCanceled {
		r.response.Record(ended.Sub(intended))
		r.service.Record(ended.Sub(begun))
	}
}

// progress is how many requests were sent, and how many failed.
func (r *recorder) progress() (sent, errs int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent, r.errs
}

// fill writes what was counted into a Result.
func (r *recorder) fill(result *Result, m *matcher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	result.Sent, result.Late = r.sent, r.late
	if r.sent > 0 {
		result.LastBegun = r.lastBegun.Sub(result.Started)
	}
	response, service := r.response, r.service
	result.Response, result.Service = &response, &service
	result.Outcomes = []Outcome{}
	for rep, count := range r.replies {
		checks := m.names(rep.checks)
		slices.Sort(checks)
		result.Outcomes = append(result.Outcomes, Outcome{
			Status: rep.status, Error: rep.err, Checks: checks, Version: rep.version, Count: count,
		})
	}
	slices.SortFunc(result.Outcomes, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), strings.Compare(a.Error, b.Error),
			strings.Compare(a.Version, b.Version), slices.Compare(a.Checks, b.Checks))
	})
}
