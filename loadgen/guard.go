package loadgen

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// watchEvery is how often the bounds of a load are held against it.
const watchEvery = 100 * time.Millisecond

// tolerated is how far above Bounds.QPS a second may be, as a part of it.
const tolerated = 0.1

// guard holds a group to its bounds.
type guard struct {
	Bounds
	cohorts []*cohort
	end     context.CancelFunc // ends the group's context

	seconds []moment // those of the last second, the oldest first
	beyond  *moment  // the first after Duration; nil: it is not over

	reason *StopError // to be read once nothing is watched; nil: no bound was exceeded
}

// moment is how many requests had been begun at a time.
type moment struct {
	at    time.Time
	begun int64
}

// during does something, and ends it if a bound is exceeded meanwhile. Once the load
// itself is under way, its results are asked about as well.
func (g *guard) during(do func(), loading bool) {
	if !g.any() || g.reason != nil {
		do()
		return
	}
	ended := make(chan struct{})
	var watching sync.WaitGroup
	start := time.Now()
	g.seconds, g.beyond = []moment{{start, g.begun()}}, nil
	watching.Go(func() { g.watch(start, loading, ended) })
	do()
	close(ended)
	watching.Wait()
}

// watch looks at the group until it has ended, and once more then.
func (g *guard) watch(start time.Time, loading bool, ended <-chan struct{}) {
	untilEnded(watchEvery, ended, func() (more bool) {
		stop := g.look(time.Now(), start, loading)
		if stop == nil {
			return true
		}
		stop.After, stop.Sent = Duration{Duration: time.Since(start)}, g.sent()
		g.stop(stop)
		return false
	})
}

// stop ends the group.
func (g *guard) stop(reason *StopError) {
	g.reason = reason
	g.end()
	if g.Stopped != nil {
		g.Stopped(reason)
	}
}

// look returns which bound is exceeded; nil: none.
func (g *guard) look(now, start time.Time, loading bool) *StopError {
	m := moment{now, g.begun()}
	if g.Breached != nil && loading {
		soFar := map[string]*Result{}
		for _, c := range g.cohorts {
			soFar[c.name] = c.soFar()
		}
		if stop := g.Breached(soFar); stop != nil {
			return stop
		}
	}
	if stop := g.tooFast(m); stop != nil {
		return stop
	}
	return g.tooLong(m, start)
}

// tooFast counts what was begun in the last second.
func (g *guard) tooFast(m moment) *StopError {
	if g.QPS == 0 {
		return nil
	}
	for g.seconds[0].at.Before(m.at.Add(-time.Second)) && len(g.seconds) > 1 {
		g.seconds = g.seconds[1:]
	}
	since := g.seconds[0]
	g.seconds = append(g.seconds, m)
	if took := m.at.Sub(since.at); took > time.Second { // nobody looked in time
		return nil
	}
	begun := m.begun - since.begun
	if float64(begun) <= max(g.QPS*(1+tolerated), g.QPS+ruleOfOne) {
		return nil
	}
	return &StopError{
		Observed: fmt.Sprintf("%d requests were begun within %v", begun, m.at.Sub(since.at).Round(time.Millisecond)),
		Limit:    fmt.Sprintf("%s qps, of all cohorts together", digits(g.QPS)),
		Values:   []Measure{{Value: float64(begun), Unit: Number}},
		Bounds:   Cap(g.QPS),
	}
}

// ruleOfOne is the request with which a second begins that ends with another.
const ruleOfOne = 1

// tooLong says whether requests are begun when the time for that is over.
func (g *guard) tooLong(m moment, start time.Time) *StopError {
	switch {
	case g.Duration == 0 || m.at.Sub(start) <= g.Duration:
		return nil
	case g.beyond == nil:
		g.beyond = &m
		return nil
	case m.begun == g.beyond.begun:
		return nil
	}
	after := m.at.Sub(start)
	return &StopError{
		Observed: fmt.Sprintf("requests were begun after %v", after.Round(time.Millisecond)),
		Limit:    g.Duration.String(),
		Values:   []Measure{{Value: after.Seconds(), Unit: Seconds}},
		Bounds:   Cap(g.Duration.Seconds()),
	}
}

// begun is how many requests were begun so far, of whatever kind.
func (g *guard) begun() int64 {
	var all int64
	for _, c := range g.cohorts {
		all += c.begun.requests.Load() + c.begun.logins.Load()
	}
	return all
}

// sent is how many requests of the load have ended.
func (g *guard) sent() int64 {
	var all int64
	for _, c := range g.cohorts {
		sent, _ := c.rec.progress()
		all += sent
	}
	return all
}
