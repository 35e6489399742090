package main

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// arrivals are when requests came to the server. All of its connections note theirs here.
type arrivals struct {
	times [1 << 20]int64 // ns; those beyond are not noted
	n     atomic.Int64
}

func (a *arrivals) note(at time.Time) {
	if i := a.n.Add(1) - 1; i < int64(len(a.times)) {
		a.times[i] = at.UnixNano()
	}
}

// all are those that were noted, in their order.
func (a *arrivals) all() []int64 {
	if a == nil {
		return nil
	}
	times := a.times[:min(a.n.Load(), int64(len(a.times)))]
	slices.Sort(times)
	return times
}

// lateness is the p99 of how late requests of a rate came, by a schedule of even distances
// that the earliest of them kept. Of the first tenth nothing is said: there are requests
// beside the schedule in it, by which some open their connections.
func lateness(arrived []int64, rate float64) time.Duration {
	arrived = arrived[len(arrived)/10:]
	if len(arrived) == 0 {
		return 0
	}
	late := make([]float64, len(arrived))
	for i, at := range arrived {
		late[i] = float64(at-arrived[0]) - float64(i)/rate*1e9
	}
	slices.Sort(late)
	return time.Duration(late[int(math.Ceil(0.99*float64(len(late))))-1] - late[0])
}
