package evidence

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/envoy/envoytest"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

const (
	webRetries   = "cluster.outbound|8000||web.shop.svc.cluster.local.upstream_rq_retry"
	webOverflow  = "cluster.outbound|8000||web.shop.svc.cluster.local.upstream_rq_pending_overflow"
	webEjections = "cluster.outbound|8000||web.shop.svc.cluster.local.outlier_detection.ejections_enforced_total"
	delays       = "http.outbound_0.0.0.0_8000.fault.delays_injected"
	uninvolved   = "10.244.0.99:8080"
)

var webCluster = envoy.ClusterName{Direction: envoy.Outbound, Port: 8000, Host: "web.shop.svc.cluster.local"}

// scene is a window of two proxies, caller and web-v1, that a test bends.
type scene struct {
	before, after map[string]*reading
	lasted        time.Duration
	objects       []*rules.Object
}

// newScene has caller send 10 requests to web-v1, two of which failed. Neither
// proxy keeps a counter.
func newScene() *scene {
	at := func(n, errors uint64) map[string]*reading {
		return map[string]*reading{
			"caller": readingOf("caller", "10.244.0.1", envoy.Host{Requests: n, Errors: errors, Conns: n}),
			"web-v1": readingOf("web-v1", "10.244.0.2", envoy.Host{}),
		}
	}
	return &scene{before: at(5, 0), after: at(15, 2), lasted: time.Second}
}

func readingOf(proxy, address string, web envoy.Host) *reading {
	web.Address = "10.244.0.2:8080"
	return &reading{
		proxy: mesh.Proxy{Name: proxy, Namespace: "shop", Version: "v1", Address: address},
		stats: map[string]uint64{uptime: 5},
		clusters: map[envoy.ClusterName]envoy.Cluster{
			webCluster: {Name: webCluster, Thresholds: envoytest.Unlimited(), Hosts: []envoy.Host{web}},
		},
		configs: map[envoy.ClusterName]envoy.ClusterConfig{webCluster: {Name: webCluster}},
	}
}

// host is what a proxy counts of web's endpoint.
func (s *scene) host(readings map[string]*reading, proxy string) *envoy.Host {
	return &readings[proxy].clusters[webCluster].Hosts[0]
}

// twin gives web another endpoint, which caller has sent so many requests; the one
// at 10.244.0.3 is of a workload of v1.
func (s *scene) twin(address string, before, after uint64) {
	add := func(readings map[string]*reading, n uint64) {
		c := readings["caller"].clusters[webCluster]
		c.Hosts = append(c.Hosts, envoy.Host{Address: address, Requests: n})
		readings["caller"].clusters[webCluster] = c
		readings["web-v1-2"] = readingOf("web-v1-2", "10.244.0.3", envoy.Host{})
	}
	add(s.before, before)
	add(s.after, after)
}

// toFilms has the web that caller calls be in another namespace than shop.
func (s *scene) toFilms() {
	for _, readings := range []map[string]*reading{s.before, s.after} {
		films := webCluster
		films.Host = "web.films.svc.cluster.local"
		c := readings["caller"].clusters[webCluster]
		c.Name = films
		readings["caller"].clusters = map[envoy.ClusterName]envoy.Cluster{films: c}
		readings["caller"].configs = map[envoy.ClusterName]envoy.ClusterConfig{films: {Name: films}}
	}
}

func (s *scene) telemetry(proxy, reporter, flags string, before, after uint64) {
	series := envoy.Requests{Reporter: reporter, Host: webCluster.Host, Flags: flags, Count: before}
	s.before[proxy].requests = append(s.before[proxy].requests, series)
	series.Count = after
	s.after[proxy].requests = append(s.after[proxy].requests, series)
}

func (s *scene) configure(o envoy.OutlierDetection) {
	for _, readings := range []map[string]*reading{s.before, s.after} {
		for _, r := range readings {
			c := r.configs[webCluster]
			c.Outlier = o
			r.configs[webCluster] = c
		}
	}
}

// limit puts limits on web-v1's inbound cluster, as Istio does with a
// DestinationRule's connection pool.
func (s *scene) limit() {
	limits := envoytest.Unlimited()
	limits.MaxPendingRequests = 1
	s.limitTo(limits)
}

func (s *scene) limitTo(limits envoy.Thresholds) {
	name := envoy.ClusterName{Direction: envoy.Inbound, Port: 8080}
	for _, readings := range []map[string]*reading{s.before, s.after} {
		readings["web-v1"].clusters[name] = envoy.Cluster{Name: name, Thresholds: limits}
	}
}

func (s *scene) keep(proxy, stat string, before, after uint64) {
	s.before[proxy].stats[stat], s.after[proxy].stats[stat] = before, after
}

// up is for how long a proxy had been up before the window.
func (s *scene) up(name string) uint64 {
	if r := s.before[name]; r != nil {
		return r.stats[uptime]
	}
	return 0
}

func (s *scene) snapshots() (before, after *Snapshot) {
	start := time.Now()
	before, after = &Snapshot{taken: start}, &Snapshot{taken: start.Add(s.lasted)}
	for _, name := range []string{"caller", "web-v1", "web-v1-2"} {
		if r := s.before[name]; r != nil {
			before.readings = append(before.readings, r)
		}
		if r := s.after[name]; r != nil {
			if r.stats[uptime] == s.up(name) { // it was not restarted
				r.stats[uptime] += uint64(s.lasted.Seconds())
			}
			after.readings = append(after.readings, r)
		}
	}
	return before, after
}

func TestEvidence(t *testing.T) {
	ejecting := envoy.OutlierDetection{Consecutive5xx: 5, BaseEjectionTime: 3 * time.Minute}
	tests := []struct {
		name   string
		need   string
		bend   func(*scene)
		value  int64
		absent string // a part of the reason; empty: there is a value
	}{
		{"requests are counted by difference", "requests web", func(*scene) {}, 10, ""},
		{"an unknown service", "requests wbe", func(*scene) {}, 0, "no service wbe"},
		{"an unknown version", "requests web v9", func(*scene) {}, 0, "label version: v9"},
		{"a service that no proxy has a cluster of", "requests echo", func(*scene) {}, 0, "no proxy has a cluster of echo.shop"},
		{"a cluster that came during the window began at 0", "requests web", func(s *scene) { delete(s.before["caller"].clusters, webCluster) }, 15, ""},
		{"a cluster that went", "requests web", func(s *scene) { delete(s.after["caller"].clusters, webCluster) }, 0, "was removed during"},
		{"an endpoint's counter that went backwards", "requests web", func(s *scene) { s.host(s.after, "caller").Requests = 4 }, 0, "began to count anew"},
		{"another endpoint", "requests web", func(s *scene) { s.host(s.after, "caller").Address = uninvolved }, 0, "was added or began"},
		{"an endpoint of no known workload", "requests web v1", func(s *scene) {
			s.host(s.before, "caller").Address, s.host(s.after, "caller").Address = uninvolved, uninvolved
		}, 0, "its version is not known"},
		{"an endpoint that went", "requests web", func(s *scene) {
			c := s.after["caller"].clusters[webCluster]
			c.Hosts = nil
			s.after["caller"].clusters[webCluster] = c
		}, 0, "went away"},
		{"a proxy that cannot be read", "requests web", func(s *scene) { s.after["web-v1"].err = errors.New("refused") }, 0, "web-v1 could not be read after the load: refused"},
		{"a proxy that went", "requests web", func(s *scene) { delete(s.after, "web-v1") }, 0, "web-v1 went away"},
		{"a proxy that came", "requests web", func(s *scene) { delete(s.before, "web-v1") }, 0, "web-v1 appeared"},
		{"a proxy that was restarted", "requests web", func(s *scene) { s.after["web-v1"].stats[uptime] = 1 }, 0, "web-v1 was restarted"},
		{"a proxy that was young when it was restarted", "requests web", func(s *scene) { s.lasted, s.after["web-v1"].stats[uptime] = time.Minute, 20 }, 0, "web-v1 was restarted"},

		{"connections that were opened in the window", "connections web", func(s *scene) { s.host(s.after, "caller").Conns = 8 }, 3, ""},
		{"of its only version", "connections web v1", func(s *scene) { s.host(s.after, "caller").Conns = 8 }, 3, ""},
		{"those of two proxies", "connections web", func(s *scene) { s.host(s.after, "web-v1").Conns = 2 }, 12, ""},
		{"requests on connections that were open", "connections web", func(s *scene) { s.host(s.after, "caller").Conns = 5 }, 0, ""},
		{"connections to a service that no proxy has a cluster of", "connections echo", func(*scene) {}, 0, "no proxy has a cluster of echo.shop"},
		{"connections to a version that there is not", "connections web v9", func(*scene) {}, 0, "no endpoint of web is of a workload with the label version: v9"},
		{"connections by a cluster that came during the window", "connections web", func(s *scene) { delete(s.before["caller"].clusters, webCluster) }, 15, ""},
		{"connections by a cluster that went", "connections web", func(s *scene) { delete(s.after["caller"].clusters, webCluster) }, 0, "was removed during"},
		{"a count of connections that went backwards", "connections web", func(s *scene) { s.host(s.after, "caller").Conns = 4 }, 0, "began to count anew"},
		{"connections to an endpoint that came", "connections web", func(s *scene) { s.host(s.after, "caller").Address = uninvolved }, 0, "was added or began"},
		{"connections to an endpoint of no known workload", "connections web v1", func(s *scene) {
			s.twin(uninvolved, 7, 7)
			s.after["caller"].clusters[webCluster].Hosts[1].Conns = 1
		}, 0, "caller opened 1 connections to 10.244.0.99:8080, an endpoint of web which is no workload"},
		{"connections of a proxy that went", "connections web", func(s *scene) { delete(s.after, "web-v1") }, 0, "web-v1 went away"},
		{"connections of a proxy that was restarted", "connections web", func(s *scene) { s.after["web-v1"].stats[uptime] = 1 }, 0, "web-v1 was restarted"},

		{"one endpoint cannot be out of balance", "imbalance web", func(*scene) {}, 0, "web has one endpoint alone"},
		{"nor can what nobody asked", "imbalance web v1", func(s *scene) {
			s.twin("10.244.0.3:8080", 7, 7)
			*s.host(s.after, "caller") = *s.host(s.before, "caller")
		}, 0, "no request reached web v1"},
		{"an endpoint that was sent 10 beside one that was sent 3", "imbalance web v1", func(s *scene) { s.twin("10.244.0.3:8080", 7, 10) }, 7, ""},
		{"an endpoint that was sent 10 beside one that was sent none", "imbalance web", func(s *scene) { s.twin("10.244.0.3:8080", 7, 7) }, 10, ""},
		{"two ports of one pod", "imbalance web v1", func(s *scene) { s.twin("10.244.0.2:9090", 7, 10) }, 0, "web v1 has one endpoint alone"},
		{"a twin of no known workload", "imbalance web v1", func(s *scene) { s.twin(uninvolved, 7, 7) }, 0, "its version is not known"},
		{"a twin that began to count anew", "imbalance web v1", func(s *scene) { s.twin("10.244.0.3:8080", 7, 3) }, 0, "began to count anew"},

		{"overflows that are kept", "overflows web", func(s *scene) { s.keep("caller", webOverflow, 3, 7) }, 4, ""},
		{"requests beyond their limit have a counter of their own since Envoy 1.40", "overflows web", func(s *scene) {
			s.keep("caller", webOverflow, 3, 7)
			s.keep("caller", strings.Replace(webOverflow, "pending", "active", 1), 1, 3)
		}, 6, ""},
		{"overflows that are not kept by a caller", "overflows web", func(*scene) {}, 0, "caller called web, and nothing counts what it refused (caller does not keep upstream_rq_pending_overflow of outbound|8000||web.shop.svc.cluster.local; the access logs are not read); let the access log be read, or annotate its pod with proxy.istio.io/config: {proxyStatsMatcher: {inclusionPrefixes: [cluster.outbound]}}"},
		{"a counter that went backwards", "overflows web", func(s *scene) { s.keep("caller", webOverflow, 7, 3) }, 0, "from 7 back to 3"},
		{"overflows by Istio's metric", "overflows web", func(s *scene) { s.telemetry("caller", "source", "UO", 1, 4) }, 3, ""},
		{"Istio's metric without a series of overflows", "overflows web", func(s *scene) { s.telemetry("caller", "source", "-", 5, 15) }, 0, ""},
		{"an idle proxy need not keep overflows", "overflows web", func(s *scene) { *s.host(s.after, "caller") = *s.host(s.before, "caller") }, 0, ""},
		{"a proxy with an open connection is not idle", "overflows web", func(s *scene) {
			*s.host(s.after, "caller") = *s.host(s.before, "caller")
			s.host(s.before, "caller").Active = 1
		}, 0, "caller called web"},
		{"the service's own sidecar overflows too", "overflows web", func(s *scene) {
			s.limit()
			s.keep("caller", webOverflow, 0, 4)
			s.keep("web-v1", "cluster.inbound|8080||.upstream_rq_pending_overflow", 0, 2)
			s.keep("web-v1", "cluster.inbound|8080||.upstream_rq_active_overflow", 0, 1)
		}, 7, ""},
		{"errors that may be overflows of the service's own sidecar", "overflows web", func(s *scene) {
			s.limit()
			s.keep("caller", webOverflow, 0, 4)
		}, 0, "web-v1 answered 2 requests with an error and may have overflowed itself"},
		{"without errors the service's own sidecar did not overflow", "overflows web", func(s *scene) {
			s.limit()
			s.keep("caller", webOverflow, 0, 4)
			s.host(s.after, "caller").Errors = 0
		}, 4, ""},

		{"ejections that are kept", "ejections web", func(s *scene) { s.keep("caller", webEjections, 1, 2); s.configure(ejecting) }, 1, ""},
		{"without outlier detection nobody is ejected", "ejections web", func(*scene) {}, 0, ""},
		{"ejections by their flags", "ejections web", func(s *scene) { s.configure(ejecting); s.host(s.after, "caller").Ejected = true }, 1, ""},
		{"a counter of ejections that was reset leaves their flags", "ejections web", func(s *scene) {
			s.keep("caller", webEjections, 4, 2)
			s.configure(ejecting)
			s.host(s.after, "caller").Ejected = true
		}, 1, ""},
		{"an ejection shorter than the window", "ejections web", func(s *scene) { s.configure(ejecting); s.lasted = time.Hour }, 0, "may have ended unseen"},
		{"an ejection from before the window", "ejections web", func(s *scene) { s.configure(ejecting); s.host(s.before, "caller").Ejected = true }, 0, "may have ended unseen"},

		{"faults that nobody keeps", "faults web", func(s *scene) {
			*s.host(s.before, "caller"), *s.host(s.after, "caller") = *s.host(s.before, "web-v1"), *s.host(s.after, "web-v1")
		}, 0, "no proxy keeps fault.*_injected"},
		{"faults beside another service's on the port", "faults web", func(s *scene) {
			s.keep("caller", delays, 1, 4)
			s.objects = append(s.objects, faultOn("other"))
		}, 0, "caller injected 3 faults on a port of web, but counts them by port, and other has a fault on it too"},
		{"Istio's metric tells services apart", "faults web", func(s *scene) {
			s.keep("caller", delays, 1, 9)
			s.telemetry("caller", "source", "DI,FI", 0, 1)
			s.telemetry("caller", "source", "DI", 2, 4)
			s.objects = append(s.objects, faultOn("other"))
		}, 4, ""},
		{"Istio's metric does not count a delay that goes on", "faults web", func(s *scene) {
			s.keep("caller", delays, 1, 9)
			s.telemetry("caller", "source", "DI,FI", 0, 1)
			s.objects = append(s.objects, faultOn("other"), delayOn("web"))
		}, 0, "counts a delayed request only when it ends"},
		{"a fault of a service on another port does not matter", "faults web", func(s *scene) {
			s.keep("caller", delays, 1, 4)
			s.objects = append(s.objects, faultOn("unused"))
		}, 3, ""},
		{"a fault that never bit while a proxy counts none", "faults web", func(s *scene) {
			s.keep("caller", delays, 4, 4)
			s.objects = append(s.objects, faultOn("web"))
		}, 0, "these do not count them: web-v1"},
		{"a fault at a gateway", "faults web", func(s *scene) {
			s.keep("caller", delays, 1, 4)
			s.objects = append(s.objects, faultOn("web", "ingress"))
		}, 0, "at a gateway"},
		{"a fault at a gateway that logs nothing", "faults web", func(s *scene) {
			s.before["caller"].proxy.Gateway, s.after["caller"].proxy.Gateway = true, true
			s.keep("caller", delays, 1, 4)
			s.objects = append(s.objects, faultOn("web", "ingress"))
		}, 0, "the counters of a gateway do not tell services apart; the access logs are not read); let its access log be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			tt.bend(s)
			before, after := s.snapshots()
			words := strings.Fields(tt.need)
			q := whole(Observed{Namespace: "shop", Before: before, After: after, Services: shop, Objects: s.objects}).Quantities([]check.Need{{Function: words[0], Args: words[1:]}})[0]
			switch {
			case tt.absent != "" && (q.Value != nil || !strings.Contains(q.Absent, tt.absent)):
				t.Errorf("got %v, %q", q.Value, q.Absent)
			case tt.absent == "" && (q.Value == nil || *q.Value != tt.value || q.Source == ""):
				t.Errorf("got %+v, not %v", q, tt.value)
			}
		})
	}
}

// whole is the window of what was observed, whose lines have all come that come.
func whole(o Observed) *Window {
	w := Read(o)
	w.allLogged()
	return w
}
