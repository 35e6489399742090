package evidence

import (
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
)

// No healthy upstream is what a request finds whose endpoints were ejected, and
// what it finds where there never was one.
func TestOnlyWhereThereAreEndpointsDoesNoHealthyUpstreamShowAnEjection(t *testing.T) {
	start := time.Now()
	proxy := mesh.Proxy{Name: "caller"}
	name := envoy.ClusterName{Direction: envoy.Outbound, Port: 8000, Host: "web.shop.svc.cluster.local"}
	part := rules.Part{Kind: rules.PartEjection, Host: name.Host}
	for _, hosts := range [][]envoy.Host{nil, {{Address: "10.0.0.1:8000"}}} {
		clusters := map[envoy.ClusterName]envoy.Cluster{name: {Name: name, Hosts: hosts}}
		p := pair{proxy: proxy, before: &reading{proxy: proxy, clusters: clusters}, after: &reading{proxy: proxy, clusters: clusters}}
		log := newProxyLog(proxy, 0)
		log.begin(start, 0)
		w := &Window{Observed: Observed{Log: &Log{proxies: []*proxyLog{log}}}}
		if said := loggedUnhealthy(w, p, part); said.name != "" {
			t.Errorf("%d endpoints, no request: %+v", len(hosts), said)
		}
		log.add(envoy.LogEntry{Started: start.Add(time.Second), Method: "GET", Status: 503, Flags: []string{"UH"}, Cluster: name.String()})
		if said := loggedUnhealthy(w, p, part); (said.value == 1) != (len(hosts) > 0) {
			t.Errorf("%d endpoints, a request with UH: %+v", len(hosts), said)
		}
	}
}

// outage is a caller whose two endpoints failed and were then both out, and back
// before the window ended: only the flag UH tells of it.
type outage struct {
	before, after []envoy.Host
	lines         map[string]int // of requests, by endpoint; empty: of those that found none; FI, UO: aborted, refused
	outlier       envoy.OutlierDetection
}

func newOutage() *outage {
	return &outage{
		before:  []envoy.Host{{Address: "10.0.0.1:8000", Requests: 1}, {Address: "10.0.0.2:8000", Requests: 1}},
		after:   []envoy.Host{{Address: "10.0.0.1:8000", Requests: 4, Errors: 3}, {Address: "10.0.0.2:8000", Requests: 5, Errors: 3}},
		lines:   map[string]int{"10.0.0.1:8000": 3, "10.0.0.2:8000": 4, "": 2},
		outlier: envoy.OutlierDetection{Consecutive5xx: 3, BaseEjectionTime: time.Second, MaxEjectionPercent: 100},
	}
}

// count counts the ejections as a window of an hour has them.
func (o *outage) count() *tally {
	w, name := o.window()
	t := newTally()
	w.ejected(t, w.pairs[0], w.pairs[0].flow(name))
	return t
}

// window is that of the outage, and the cluster that it is of.
func (o *outage) window() (*Window, envoy.ClusterName) {
	start := time.Now()
	proxy := mesh.Proxy{Name: "caller"}
	name := envoy.ClusterName{Direction: envoy.Outbound, Port: 8000, Host: "web.shop.svc.cluster.local"}
	taken := func(hosts []envoy.Host) *reading {
		return &reading{
			proxy:    proxy,
			clusters: map[envoy.ClusterName]envoy.Cluster{name: {Name: name, Hosts: hosts}},
			configs:  map[envoy.ClusterName]envoy.ClusterConfig{name: {Name: name, ClusterPolicy: envoy.ClusterPolicy{Outlier: o.outlier}}},
		}
	}
	log := newProxyLog(proxy, 0)
	log.begin(start, 0)
	for upstream, n := range o.lines {
		entry := envoy.LogEntry{Started: start.Add(time.Second), Method: "GET", Status: 500, Cluster: name.String(), Upstream: upstream}
		switch upstream {
		case "":
			entry.Status, entry.Flags = 503, []string{"UH"}
		case "FI", "UO":
			entry.Status, entry.Flags, entry.Upstream = 503, []string{upstream}, ""
		}
		for range n {
			log.add(entry)
		}
	}
	p := pair{proxy: proxy, before: taken(o.before), after: taken(o.after)}
	return &Window{Observed: Observed{Log: &Log{proxies: []*proxyLog{log}}}, pairs: []pair{p}, length: time.Hour}, name
}

func TestAnEjectionTakesErrorsAndTime(t *testing.T) {
	for name, test := range map[string]struct {
		bend func(*outage)
		want possible
	}{
		"an hour":                 {func(*outage) {}, possible{3, 2 * 3601, true}},
		"ten minutes at a time":   {func(o *outage) { o.outlier.BaseEjectionTime = 10 * time.Minute }, possible{3, 2 * 7, true}},
		"longer than the window":  {func(o *outage) { o.outlier.BaseEjectionTime = 2 * time.Hour }, possible{3, 2, true}},
		"fewer of the gateway's":  {func(o *outage) { o.outlier.ConsecutiveGatewayFailure = 2 }, possible{2, 2 * 3601, true}},
		"no outlier detection":    {func(o *outage) { o.outlier = envoy.OutlierDetection{} }, possible{0, 0, true}},
		"an endpoint that came":   {func(o *outage) { o.before = o.before[:1] }, possible{}},
		"one endpoint, ever":      {func(o *outage) { o.before, o.after = o.before[:1], o.after[:1] }, possible{3, 3601, true}},
		"one that is out already": {func(o *outage) { o.before[0].Ejected = true }, possible{3, 2 * 3601, true}},
		"half of them":            {func(o *outage) { o.outlier.MaxEjectionPercent = 50 }, possible{3, 3601, true}},
		"less than one of them":   {func(o *outage) { o.outlier.MaxEjectionPercent = 49 }, possible{0, 0, true}},
		"errors that none counts": {func(o *outage) { o.outlier.Consecutive5xx, o.outlier.ConsecutiveGatewayFailure = 0, 0 }, possible{0, 0, true}},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOutage()
			o.lines[""] = 100_000
			test.bend(o)
			if got := o.could(anyCluster); got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
	}
}

func anyCluster(envoy.ClusterName) bool { return true }

// could is how many ejections there could have been, in some of its clusters.
func (o *outage) could(of func(envoy.ClusterName) bool) possible {
	w, cluster := o.window()
	return w.ejectable(cluster.Host, of)
}

// The outage has seven requests that got somewhere, and two that found nobody.
func TestAnEjectionTakesRequests(t *testing.T) {
	for name, test := range map[string]struct {
		bend func(*outage)
		want possible
	}{
		"three each":                  {func(*outage) {}, possible{3, 3, true}},
		"as many as there were":       {func(o *outage) { o.outlier.Consecutive5xx = 9 }, possible{9, 1, true}},
		"one more than there were":    {func(o *outage) { o.outlier.Consecutive5xx = 10 }, possible{10, 0, true}},
		"nobody called it":            {func(o *outage) { o.after, o.lines = o.before, nil }, possible{3, 0, true}},
		"attempts, and no more lines": {func(o *outage) { o.after[0].Requests = 25 }, possible{3, 9, true}},
		"connections that failed":     {func(o *outage) { o.after[0].Conns = 30 }, possible{3, 10, true}},
		"more that a fault aborted":   {func(o *outage) { o.lines["FI"] = 90 }, possible{3, 3, true}},
		"more that a limit refused":   {func(o *outage) { o.lines["UO"] = 90 }, possible{3, 3, true}},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOutage()
			test.bend(o)
			if got := o.could(anyCluster); got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
			if got := o.could(func(envoy.ClusterName) bool { return false }); got != (possible{known: true}) {
				t.Errorf("in no cluster %+v", got)
			}
		})
	}
	o := newOutage()
	o.outlier.Consecutive5xx = 10
	w, cluster := o.window()
	w.Log, w.Loads = nil, map[string]*loadgen.Result{"client": {Sent: 13}}
	if got := w.ejectable(cluster.Host, anyCluster); got.most != 2 {
		t.Errorf("without a log, of seven calls that are counted and thirteen requests that were sent: %+v", got)
	}
}

func TestNoHealthyUpstreamTellsHowManyEjectionsThereWereAtLeast(t *testing.T) {
	for name, test := range map[string]struct {
		bend func(*outage)
		want uint64
		why  string // why there may be more, or why it tells nothing
	}{
		"both were out":                     {func(*outage) {}, 2, "may have ended unseen"},
		"one was out before":                {func(o *outage) { o.before[0].Ejected = true }, 1, "may have ended unseen"},
		"no request found none":             {func(o *outage) { delete(o.lines, "") }, 0, "may have ended unseen"},
		"one is out still":                  {func(o *outage) { delete(o.lines, ""); o.after[1].Ejected = true }, 1, "may have ended unseen"},
		"one may never be out":              {func(o *outage) { o.outlier.MaxEjectionPercent = 50 }, 0, "maxEjectionPercent 50 never lets all 2 be ejected"},
		"one had not errors enough":         {func(o *outage) { o.after[0].Errors = 2 }, 0, "had 2 errors, and it takes 3"},
		"one was not ready":                 {func(o *outage) { o.after[0].Unfit = true }, 0, "was not fit for requests"},
		"one came anew, and was not called": {func(o *outage) { o.before[0].Requests, o.after[0].Requests = 0, 3 }, 0, "may have gone away meanwhile"},
		"one came anew, and was called":     {func(o *outage) { o.after[0].Requests = 3 }, 0, "may have gone away meanwhile"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOutage()
			test.bend(o)
			got := o.count()
			if got.value != test.want || got.absent != "" || !strings.Contains(got.more, test.why) {
				t.Errorf("%d ejections at least, %q, %q; want %d, %q", got.value, got.absent, got.more, test.want, test.why)
			}
		})
	}
}
