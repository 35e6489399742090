package envoy

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// ClusterConfig is how a cluster is configured.
type ClusterConfig struct {
	Name ClusterName
	ClusterPolicy
	LastUpdated string // changes with every new configuration of the cluster
}

// ClusterPolicy is what a DestinationRule decides about a cluster, as far as it
// is seen in the cluster's configuration.
type ClusterPolicy struct {
	Thresholds               Thresholds
	MaxRequestsPerConnection uint32 // 0: no limit
	ConnectTimeout           time.Duration
	IdleTimeout              time.Duration // 0: Envoy's own, an hour
	MaxConnectionDuration    time.Duration // 0: no limit
	Keepalive                Keepalive
	Outlier                  OutlierDetection
	PanicThreshold           float64 // healthy_panic_threshold, 0 to 100 %
	Balancer                 string  // lb_policy: LeastRequest and the like
	TLS                      string  // TLS, PlainText or AutoTLS; empty: it was not asked for, or cannot be told
}

// The load balancers, in Envoy's words.
const (
	RoundRobin      = "ROUND_ROBIN"
	LeastRequest    = "LEAST_REQUEST"
	Random          = "RANDOM"
	RingHash        = "RING_HASH"
	Maglev          = "MAGLEV"
	ClusterProvided = "CLUSTER_PROVIDED" // the connection's original destination
)

// How a cluster's connections are secured.
const (
	PlainText = "plain text"
	TLS       = "TLS"
	AutoTLS   = "TLS where the endpoint has it" // Istio's automatic mutual TLS
)

// Keepalive is how idle TCP connections are probed; zero fields are the kernel's.
type Keepalive struct {
	Probes   uint32        // without an answer, until a connection is dead
	Time     time.Duration // idle, until the first probe; whole seconds
	Interval time.Duration // between probes; whole seconds
}

// OutlierDetection is what a cluster's outlier detection does, Envoy's defaults
// filled in. The zero value ejects nobody.
type OutlierDetection struct {
	Consecutive5xx            uint32 // 0: they eject nobody
	ConsecutiveGatewayFailure uint32 // 0: they eject nobody
	// ConsecutiveLocalOriginFailure counts failures to reach the endpoint for
	// themselves; 0: they count as answers with 5xx.
	ConsecutiveLocalOriginFailure uint32
	Interval                      time.Duration // between sweeps that end ejections
	BaseEjectionTime              time.Duration // of the first ejection
	MaxEjectionPercent            uint32        // of a cluster's endpoints, 0 to 100
}

// DefaultOutlierDetection is what an empty outlier_detection does, by
// envoy.config.cluster.v3.OutlierDetection: consecutive gateway failures are
// counted, but enforced at 0 %.
var DefaultOutlierDetection = OutlierDetection{
	Consecutive5xx:     5,
	Interval:           10 * time.Second,
	BaseEjectionTime:   30 * time.Second,
	MaxEjectionPercent: 10,
}

// ClusterConfigs returns the active dynamic clusters that Istio made for
// services and whose whole name matches the RE2 expression name; all if it is
// empty. TLS is left out: it is most of a dump.
func (a *Admin) ClusterConfigs(ctx context.Context, name string) ([]ClusterConfig, error) {
	return a.clusterConfigs(ctx, name, clusterMask)
}

// ClusterConfigsWithTLS returns what ClusterConfigs does, with TLS.
func (a *Admin) ClusterConfigsWithTLS(ctx context.Context, name string) ([]ClusterConfig, error) {
	return a.clusterConfigs(ctx, name, clusterMask+tlsMask)
}

// ClusterGenerations returns what tells one generation of a cluster from another,
// for all clusters that Istio made: its LastUpdated, and its outlier detection.
// The rest of their policies is left out.
func (a *Admin) ClusterGenerations(ctx context.Context) ([]ClusterConfig, error) {
	return a.clusterConfigs(ctx, `(?:in|out)bound\|.*`, generationMask)
}

func (a *Admin) clusterConfigs(ctx context.Context, name, mask string) ([]ClusterConfig, error) {
	elements, err := dump[clusterElement](ctx, a, "dynamic_active_clusters", name, mask)
	if err != nil {
		return nil, err
	}
	var configs []ClusterConfig
	for _, e := range elements {
		parsed, ok := ParseClusterName(e.Cluster.Name)
		if !ok {
			continue
		}
		policy, err := e.Cluster.policy()
		if err != nil {
			return nil, fmt.Errorf("decoding the configuration of cluster %s: %w", e.Cluster.Name, err)
		}
		if strings.HasSuffix(mask, tlsMask) {
			policy.TLS = e.Cluster.tls()
		}
		configs = append(configs, ClusterConfig{Name: parsed, ClusterPolicy: policy, LastUpdated: e.LastUpdated})
	}
	return configs, nil
}

// Warming returns the names of the clusters that a proxy has taken but does not
// use yet, of those whose whole name matches the RE2 expression name: one that
// changes is replaced only when its endpoints have come.
func (a *Admin) Warming(ctx context.Context, name string) ([]string, error) {
	elements, err := dump[clusterElement](ctx, a, "dynamic_warming_clusters", name, "cluster.name")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range elements {
		names = append(names, e.Cluster.Name)
	}
	return names, nil
}
