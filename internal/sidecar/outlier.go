package sidecar

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
)

// gatewayFailures is Envoy's consecutive_gateway_failure where none is asked for:
// so many are counted, and eject nobody.
const gatewayFailures = 5

// maxEjectionTime is Envoy's default max_ejection_time; a longer base ejection
// time takes its place.
const maxEjectionTime = 300 * time.Second

// mergeWindow is Envoy's default update_merge_window (CommonLbConfig), which Istio
// leaves as it is.
const mergeWindow = time.Second

// detector ejects hosts of one cluster after consecutive errors and lets them
// back, as Envoy's outlier detection does: detection is inline, the interval
// drives only the return.
type detector struct {
	config envoy.OutlierDetection
	stats  outlierStats

	onEjected func(host int) // nil: nothing is done

	mu        sync.Mutex
	hosts     []monitor
	active    int
	delivered time.Time   // when the workers were last told who is out
	pending   *time.Timer // tells them what has changed since; nil: nothing has
	ended     bool        // its cluster is replaced: a late answer counts for nobody
}

// monitor is what the detector knows of one host.
type monitor struct {
	consecutive5xx     uint32
	consecutiveGateway uint32
	ejected            bool
	skipped            bool // by the workers, who are told of ejections later
	backoff            int  // the multiple of the base ejection time
	ejectedAt          time.Time
	unejectedAt        time.Time
}

func newDetector(cfg envoy.OutlierDetection, stats outlierStats, hosts int) *detector {
	return &detector{config: cfg, stats: stats, hosts: make([]monitor, hosts)}
}

// report counts an answer of a host, or the status that Envoy takes for a
// failure to get one: 503 for a failed connection, 504 for a timeout.
func (d *detector) report(host, status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return
	}
	m := &d.hosts[host]
	if status < 500 {
		m.consecutive5xx, m.consecutiveGateway = 0, 0
		return
	}
	if status >= 502 && status <= 504 {
		m.consecutiveGateway++
		if m.consecutiveGateway == cmp.Or(d.config.ConsecutiveGatewayFailure, gatewayFailures) {
			d.detected(host, d.stats.detectedGateway, d.stats.enforcedGateway, d.config.ConsecutiveGatewayFailure > 0)
			m.consecutiveGateway = 0
		}
	} else {
		m.consecutiveGateway = 0
	}
	m.consecutive5xx++
	if m.consecutive5xx == d.config.Consecutive5xx {
		d.detected(host, d.stats.detected5xx, d.stats.enforced5xx, true)
		m.consecutive5xx = 0
	}
}

// detected ejects a host unless too many are out already.
func (d *detector) detected(host int, detected, enforced *metric, enforce bool) {
	m := &d.hosts[host]
	if m.ejected {
		return
	}
	detected.add(1)
	if 100*(d.active+1) > int(d.config.MaxEjectionPercent)*len(d.hosts) {
		d.stats.overflow.add(1)
		return
	}
	if !enforce {
		return
	}
	m.ejected = true
	m.ejectedAt = time.Now()
	if time.Duration(m.backoff)*d.config.BaseEjectionTime < d.maxEjectionTime()+d.config.BaseEjectionTime {
		m.backoff++
	}
	d.active++
	d.stats.active.add(1)
	d.stats.enforcedTotal.add(1)
	enforced.add(1)
	if d.onEjected != nil {
		d.onEjected(host)
	}
	d.tell(m.ejectedAt)
}

// tell passes what has changed on to the workers, as Envoy's cluster manager does
// (ClusterManagerImpl::scheduleUpdate): at once if the last time is longer ago
// than the window, else with what else changes in the window that begins now.
func (d *detector) tell(now time.Time) {
	if now.Sub(d.delivered) > mergeWindow {
		d.deliver(now)
		return
	}
	if d.pending != nil {
		return
	}
	d.pending = time.AfterFunc(mergeWindow, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.pending != nil {
			d.deliver(time.Now())
		}
	})
}

func (d *detector) deliver(now time.Time) {
	d.cancel()
	d.delivered = now
	for i := range d.hosts {
		d.hosts[i].skipped = d.hosts[i].ejected
	}
}

func (d *detector) cancel() {
	if d.pending != nil {
		d.pending.Stop()
		d.pending = nil
	}
}

func (d *detector) maxEjectionTime() time.Duration {
	return max(maxEjectionTime, d.config.BaseEjectionTime)
}

// ejected says whether a host is out, as the admin interface shows it.
func (d *detector) ejected(host int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hosts[host].ejected
}

// skipped says whether the workers know that a host is out.
func (d *detector) skipped(host int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hosts[host].skipped
}

// run lets hosts back, once an interval, until ctx ends.
func (d *detector) run(ctx context.Context) {
	ticker := time.NewTicker(d.config.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			d.tick(time.Now())
		}
	}
}

// tick is one interval: a host whose time is over comes back, and one that has
// stayed in for an interval has its next ejection shortened by one base time.
func (d *detector) tick(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.hosts {
		m := &d.hosts[i]
		if m.ejected {
			out := min(time.Duration(m.backoff)*d.config.BaseEjectionTime, d.maxEjectionTime())
			if now.Sub(m.ejectedAt) >= out {
				d.uneject(m, now)
			}
			continue
		}
		if m.backoff > 0 && now.Sub(m.unejectedAt) >= d.config.Interval {
			m.backoff--
		}
	}
}

func (d *detector) uneject(m *monitor, now time.Time) {
	m.ejected = false
	m.unejectedAt = now
	m.consecutive5xx, m.consecutiveGateway = 0, 0
	d.active--
	d.stats.active.add(-1)
	d.tell(now)
}

// end gives back what the detector holds of the gauge that outlives it. It
// ejects nobody any more.
func (d *detector) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.active.add(-int64(d.active))
	d.active, d.ended = 0, true
	d.cancel()
	clear(d.hosts)
}
