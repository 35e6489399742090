package sidecar

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// stats is a proxy's store of counters and gauges, by Envoy's names. Like
// Envoy's, a metric lives as long as the proxy, also when what it counts is
// replaced by a new configuration.
type stats struct {
	mu      sync.RWMutex
	metrics map[string]*metric
}

// metric is one counter or gauge.
type metric struct {
	name   string
	gauge  bool
	tagged string // its name in Prometheus' format
	tags   map[string]string
	value  atomic.Int64
	used   atomic.Bool
}

func newStats() *stats { return &stats{metrics: map[string]*metric{}} }

func (m *metric) add(n int64) {
	m.used.Store(true)
	m.value.Add(n)
}

func (s *stats) counter(name string) *metric { return s.metric(name, false) }
func (s *stats) gauge(name string) *metric   { return s.metric(name, true) }

func (s *stats) metric(name string, gauge bool) *metric {
	s.mu.RLock()
	m := s.metrics[name]
	s.mu.RUnlock()
	if m != nil {
		return m
	}
	tagged, tags := prometheusName(name)
	return s.put(&metric{name: name, gauge: gauge, tagged: tagged, tags: tags})
}

// put keeps a metric unless one of its name is there, and returns the one kept.
func (s *stats) put(m *metric) *metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.metrics[m.name]; old != nil {
		return old
	}
	s.metrics[m.name] = m
	return m
}

// prometheusName gives the name and labels that Envoy's tag extraction makes
// of a stat by Istio's rules: its semicolon ends the name of a cluster or of a
// listener, and the class of a status is a label such as 2xx.
func prometheusName(name string) (string, map[string]string) {
	tags := map[string]string{}
	rest := name
	for prefix, tag := range map[string]string{"cluster.": "cluster_name", "http.": "http_conn_manager_prefix"} {
		if after, ok := strings.CutPrefix(name, prefix); ok {
			value, stat, _ := strings.Cut(after, ";.")
			tags[tag] = value
			rest = prefix + stat
		}
	}
	if i := strings.LastIndex(rest, "_rq_"); i >= 0 {
		switch code := rest[i+len("_rq_"):]; {
		case len(code) == 3 && strings.HasSuffix(code, "xx"):
			tags["response_code_class"] = code
			rest = rest[:i] + "_rq"
		case isCode(code):
			tags["response_code"] = code
			rest = rest[:i] + "_rq"
		}
	}
	return "envoy_" + strings.NewReplacer(".", "_", "-", "_").Replace(rest), tags
}

func isCode(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return len(s) == 3 && err == nil
}

// clusterStats are the stats of one cluster.
type clusterStats struct {
	store  *stats
	prefix string

	cxTotal, cxHTTP1Total, cxHTTP2Total                    *metric
	cxConnectFail, cxConnectTimeout                        *metric
	cxDestroy, cxDestroyLocal, cxDestroyRemote             *metric
	cxOverflow, cxNoneHealthy, cxMaxRequests               *metric
	cxActive                                               *metric
	rqTotal, rqCompleted, rqCancelled, rqTimeout           *metric
	rqPendingTotal, rqPendingOverflow, rqPendingFailure    *metric
	rqActiveOverflow                                       *metric
	rqRetry, rqRetrySuccess, rqRetryOverflow, rqRetryLimit *metric
	rqRetryBackoff, retryAbandoned, rqPerTryTimeout        *metric
	rqActive, rqPendingActive                              *metric
	lbHealthyPanic                                         *metric
}

func newClusterStats(store *stats, cluster string) clusterStats {
	p := "cluster." + cluster + ";."
	c := func(name string) *metric { return store.counter(p + name) }
	g := func(name string) *metric { return store.gauge(p + name) }
	return clusterStats{
		store: store, prefix: p,
		cxTotal: c("upstream_cx_total"), cxHTTP1Total: c("upstream_cx_http1_total"), cxHTTP2Total: c("upstream_cx_http2_total"),
		cxConnectFail: c("upstream_cx_connect_fail"), cxConnectTimeout: c("upstream_cx_connect_timeout"),
		cxDestroy: c("upstream_cx_destroy"), cxDestroyLocal: c("upstream_cx_destroy_local"), cxDestroyRemote: c("upstream_cx_destroy_remote"),
		cxOverflow: c("upstream_cx_overflow"), cxNoneHealthy: c("upstream_cx_none_healthy"), cxMaxRequests: c("upstream_cx_max_requests"),
		cxActive: g("upstream_cx_active"),
		rqTotal:  c("upstream_rq_total"), rqCompleted: c("upstream_rq_completed"), rqCancelled: c("upstream_rq_cancelled"), rqTimeout: c("upstream_rq_timeout"),
		rqPendingTotal: c("upstream_rq_pending_total"), rqPendingOverflow: c("upstream_rq_pending_overflow"), rqActiveOverflow: c("upstream_rq_active_overflow"), rqPendingFailure: c("upstream_rq_pending_failure_eject"),
		rqRetry: c("upstream_rq_retry"), rqRetrySuccess: c("upstream_rq_retry_success"), rqRetryOverflow: c("upstream_rq_retry_overflow"), rqRetryLimit: c("upstream_rq_retry_limit_exceeded"),
		rqRetryBackoff: c("upstream_rq_retry_backoff_exponential"), retryAbandoned: c("retry_or_shadow_abandoned"), rqPerTryTimeout: c("upstream_rq_per_try_timeout"),
		rqActive: g("upstream_rq_active"), rqPendingActive: g("upstream_rq_pending_active"),
		lbHealthyPanic: c("lb_healthy_panic"),
	}
}

// charge counts an answer's status, its own or the upstream's, as Envoy's
// chargeResponseStat does.
func (s *clusterStats) charge(status int) {
	s.rqCompleted.add(1)
	s.chargeStatus("", status)
}

// chargeRetried counts the status of an answer that is not the client's, since
// the request is sent again.
func (s *clusterStats) chargeRetried(status int) {
	s.store.counter(s.prefix + "retry.upstream_rq_completed").add(1)
	s.chargeStatus("retry.", status)
}

func (s *clusterStats) chargeStatus(kind string, status int) {
	s.store.counter(fmt.Sprintf("%s%supstream_rq_%d", s.prefix, kind, status)).add(1)
	s.store.counter(fmt.Sprintf("%s%supstream_rq_%dxx", s.prefix, kind, status/100)).add(1)
}

// outlierStats are the stats of a cluster's outlier detection.
type outlierStats struct {
	active, enforcedTotal, overflow  *metric
	detected5xx, enforced5xx         *metric
	detectedGateway, enforcedGateway *metric
}

func newOutlierStats(store *stats, cluster string) outlierStats {
	p := "cluster." + cluster + ";.outlier_detection.ejections_"
	return outlierStats{
		active:          store.gauge(p + "active"),
		enforcedTotal:   store.counter(p + "enforced_total"),
		overflow:        store.counter(p + "overflow"),
		detected5xx:     store.counter(p + "detected_consecutive_5xx"),
		enforced5xx:     store.counter(p + "enforced_consecutive_5xx"),
		detectedGateway: store.counter(p + "detected_consecutive_gateway_failure"),
		enforcedGateway: store.counter(p + "enforced_consecutive_gateway_failure"),
	}
}

// listenerStats are the stats of one HTTP connection manager.
type listenerStats struct {
	store  *stats
	prefix string

	cxTotal, rqTotal, rqCompleted, rqRemoteReset   *metric
	cxActive, rqActive                             *metric
	cxUpgradesTotal, cxUpgradesActive              *metric
	noRoute, noCluster                             *metric
	delaysInjected, abortsInjected, faultsOverflow *metric
	activeFaults                                   *metric
}

func newListenerStats(store *stats, direction string, port int) listenerStats {
	p := fmt.Sprintf("http.%s_0.0.0.0_%d;.", direction, port)
	c := func(name string) *metric { return store.counter(p + name) }
	g := func(name string) *metric { return store.gauge(p + name) }
	return listenerStats{
		store: store, prefix: p,
		cxTotal: c("downstream_cx_total"), rqTotal: c("downstream_rq_total"), rqCompleted: c("downstream_rq_completed"), rqRemoteReset: c("downstream_rq_rx_reset"),
		cxActive: g("downstream_cx_active"), rqActive: g("downstream_rq_active"),
		cxUpgradesTotal: c("downstream_cx_upgrades_total"), cxUpgradesActive: g("downstream_cx_upgrades_active"),
		noRoute: c("no_route"), noCluster: c("no_cluster"),
		delaysInjected: c("fault.delays_injected"), abortsInjected: c("fault.aborts_injected"), faultsOverflow: c("fault.faults_overflow"),
		activeFaults: g("fault.active_faults"),
	}
}

// charge counts an answer to the client.
func (s *listenerStats) charge(status int) {
	s.rqCompleted.add(1)
	s.store.counter(fmt.Sprintf("%sdownstream_rq_%dxx", s.prefix, status/100)).add(1)
}
