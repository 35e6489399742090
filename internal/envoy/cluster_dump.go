package envoy

import (
	"strings"
	"time"
)

// The fields to ask for. The certificates, which TLS brings along, are most of a
// cluster's dump.
const (
	generationMask = "cluster.name,cluster.outlier_detection,last_updated"
	clusterMask    = generationMask + ",cluster.connect_timeout,cluster.lb_policy,cluster.circuit_breakers,cluster.common_lb_config," +
		"cluster.upstream_connection_options,cluster.typed_extension_protocol_options"
	tlsMask = ",cluster.transport_socket,cluster.transport_socket_matches"
)

// clusterElement is an element of ClustersConfigDump, as far as it is read.
type clusterElement struct {
	Cluster     clusterDump `json:"cluster"`
	LastUpdated string      `json:"last_updated"`
}

// clusterDump is envoy.config.cluster.v3.Cluster, as far as it is read.
type clusterDump struct {
	Name           string            `json:"name"`
	ConnectTimeout period            `json:"connect_timeout"`
	Balancer       string            `json:"lb_policy"` // absent for ROUND_ROBIN
	Breakers       thresholds        `json:"circuit_breakers"`
	Outlier        *outlierDetection `json:"outlier_detection"`
	Common         struct {
		Panic *struct {
			Value float64 `json:"value"` // absent for 0
		} `json:"healthy_panic_threshold"`
	} `json:"common_lb_config"`
	Connection struct {
		Keepalive struct {
			Probes   uint32 `json:"keepalive_probes"`
			Time     uint32 `json:"keepalive_time"`
			Interval uint32 `json:"keepalive_interval"`
		} `json:"tcp_keepalive"`
	} `json:"upstream_connection_options"`
	Options struct {
		HTTP struct {
			Common struct {
				MaxRequests uint32 `json:"max_requests_per_connection"`
				Idle        period `json:"idle_timeout"`
				MaxDuration period `json:"max_connection_duration"`
			} `json:"common_http_protocol_options"`
		} `json:"envoy.extensions.upstreams.http.v3.HttpProtocolOptions"`
	} `json:"typed_extension_protocol_options"`
	Socket  *transportSocket `json:"transport_socket"`
	Matches []struct {
		Name   string          `json:"name"`
		Socket transportSocket `json:"transport_socket"`
	} `json:"transport_socket_matches"`
}

type transportSocket struct {
	Name string `json:"name"`
}

// defaultPanicThreshold is Envoy's, for a cluster that gives none.
const defaultPanicThreshold = 50

func (c clusterDump) policy() (ClusterPolicy, error) {
	outlier, err := c.Outlier.inForce()
	if err != nil {
		return ClusterPolicy{}, err
	}
	common, keepalive := c.Options.HTTP.Common, c.Connection.Keepalive
	p := ClusterPolicy{
		Thresholds:               c.Breakers.standard(),
		MaxRequestsPerConnection: common.MaxRequests,
		Keepalive:                Keepalive{keepalive.Probes, seconds(keepalive.Time), seconds(keepalive.Interval)},
		Outlier:                  outlier,
		PanicThreshold:           defaultPanicThreshold,
		Balancer:                 c.Balancer,
	}
	if c.Common.Panic != nil {
		p.PanicThreshold = c.Common.Panic.Value
	}
	if p.Balancer == "" {
		p.Balancer = RoundRobin
	}
	for _, each := range []struct {
		to   *time.Duration
		text period
	}{{&p.ConnectTimeout, c.ConnectTimeout}, {&p.IdleTimeout, common.Idle}, {&p.MaxConnectionDuration, common.MaxDuration}} {
		if err := each.text.override(each.to); err != nil {
			return ClusterPolicy{}, err
		}
	}
	return p, nil
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

// tls says how the cluster's connections are secured; empty where another layer
// decides it, as ambient's tunnels do.
func (c clusterDump) tls() string {
	switch {
	case c.Socket == nil && len(c.Matches) == 0:
		return PlainText
	case c.Socket != nil && strings.HasSuffix(c.Socket.Name, ".tls"):
		return TLS
	case c.Socket == nil && strings.HasPrefix(c.Matches[0].Name, "tlsMode-"):
		return AutoTLS
	}
	return ""
}

// outlierDetection is envoy.config.cluster.v3.OutlierDetection, as far as it is read.
type outlierDetection struct {
	Consecutive5xx    *uint32 `json:"consecutive_5xx"`
	Enforcing5xx      *uint32 `json:"enforcing_consecutive_5xx"`
	ConsecutiveGW     *uint32 `json:"consecutive_gateway_failure"`
	EnforcingGW       *uint32 `json:"enforcing_consecutive_gateway_failure"`
	Split             bool    `json:"split_external_local_origin_errors"`
	ConsecutiveLocal  *uint32 `json:"consecutive_local_origin_failure"`
	Interval          period  `json:"interval"`
	BaseEjection      period  `json:"base_ejection_time"`
	MaxEjectionPer100 *uint32 `json:"max_ejection_percent"`
}

func (o *outlierDetection) inForce() (OutlierDetection, error) {
	if o == nil {
		return OutlierDetection{}, nil
	}
	out := DefaultOutlierDetection
	if o.Consecutive5xx != nil {
		out.Consecutive5xx = *o.Consecutive5xx
	}
	if o.Enforcing5xx != nil && *o.Enforcing5xx == 0 {
		out.Consecutive5xx = 0
	}
	if o.EnforcingGW != nil && *o.EnforcingGW > 0 {
		out.ConsecutiveGatewayFailure = 5
		if o.ConsecutiveGW != nil {
			out.ConsecutiveGatewayFailure = *o.ConsecutiveGW
		}
	}
	if o.Split && o.ConsecutiveLocal != nil {
		out.ConsecutiveLocalOriginFailure = *o.ConsecutiveLocal
	}
	if o.MaxEjectionPer100 != nil {
		out.MaxEjectionPercent = *o.MaxEjectionPer100
	}
	if err := o.Interval.override(&out.Interval); err != nil {
		return OutlierDetection{}, err
	}
	return out, o.BaseEjection.override(&out.BaseEjectionTime)
}

// period is a duration as protobuf's JSON has it; empty if it is absent.
type period string

// override sets a default to the period, if there is one.
func (p period) override(to *time.Duration) error {
	if p == "" {
		return nil
	}
	d, err := time.ParseDuration(string(p))
	if err == nil {
		*to = d
	}
	return err
}
