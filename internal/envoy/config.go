package envoy

import (
	"context"
	"fmt"
	"time"
)

// ClusterConfig is how a cluster is configured.
type ClusterConfig struct {
	Name ClusterName
	ClusterPolicy
	LastUpdated string // changes with every new configuration of the cluster
}

// ClusterPolicy is what a DestinationRule decides about a cluster, as far as it
// can be waited for. Two that are equal behave alike.
type ClusterPolicy struct {
	Thresholds               Thresholds
	MaxRequestsPerConnection uint32 // 0: no limit
	Outlier                  OutlierDetection
}

// OutlierDetection is what a cluster's outlier detection does, Envoy's defaults
// filled in. The zero value ejects nobody.
type OutlierDetection struct {
	Consecutive5xx            uint32        // 0: they eject nobody
	ConsecutiveGatewayFailure uint32        // 0: they eject nobody
	Interval                  time.Duration // between sweeps that end ejections
	BaseEjectionTime          time.Duration // of the first ejection
	MaxEjectionPercent        uint32        // of a cluster's endpoints, 0 to 100
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
// empty.
func (a *Admin) ClusterConfigs(ctx context.Context, name string) ([]ClusterConfig, error) {
	elements, err := dump[clusterElement](ctx, a, "dynamic_active_clusters", name, clusterMask)
	if err != nil {
		return nil, err
	}
	var configs []ClusterConfig
	for _, e := range elements {
		parsed, ok := ParseClusterName(e.Cluster.Name)
		if !ok {
			continue
		}
		outlier, err := e.Cluster.Outlier.inForce()
		if err != nil {
			return nil, fmt.Errorf("decoding the outlier detection of cluster %s: %w", e.Cluster.Name, err)
		}
		configs = append(configs, ClusterConfig{
			Name: parsed,
			ClusterPolicy: ClusterPolicy{
				Thresholds:               e.Cluster.Breakers.standard(),
				MaxRequestsPerConnection: e.Cluster.Options.HTTP.Common.MaxRequests,
				Outlier:                  outlier,
			},
			LastUpdated: e.LastUpdated,
		})
	}
	return configs, nil
}

// clusterMask leaves out the certificates, which are most of a cluster's dump.
const clusterMask = "cluster.name,cluster.circuit_breakers,cluster.outlier_detection,cluster.typed_extension_protocol_options,last_updated"

type clusterElement struct {
	Cluster struct {
		Name     string            `json:"name"`
		Breakers thresholds        `json:"circuit_breakers"`
		Outlier  *outlierDetection `json:"outlier_detection"`
		Options  struct {
			HTTP struct {
				Common struct {
					MaxRequests uint32 `json:"max_requests_per_connection"`
				} `json:"common_http_protocol_options"`
			} `json:"envoy.extensions.upstreams.http.v3.HttpProtocolOptions"`
		} `json:"typed_extension_protocol_options"`
	} `json:"cluster"`
	LastUpdated string `json:"last_updated"`
}

type outlierDetection struct {
	Consecutive5xx    *uint32 `json:"consecutive_5xx"`
	Enforcing5xx      *uint32 `json:"enforcing_consecutive_5xx"`
	ConsecutiveGW     *uint32 `json:"consecutive_gateway_failure"`
	EnforcingGW       *uint32 `json:"enforcing_consecutive_gateway_failure"`
	Interval          string  `json:"interval"`
	BaseEjection      string  `json:"base_ejection_time"`
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
	if o.MaxEjectionPer100 != nil {
		out.MaxEjectionPercent = *o.MaxEjectionPer100
	}
	if err := override(&out.Interval, o.Interval); err != nil {
		return OutlierDetection{}, err
	}
	if err := override(&out.BaseEjectionTime, o.BaseEjection); err != nil {
		return OutlierDetection{}, err
	}
	return out, nil
}

// override sets a default to a duration as protobuf's JSON has it, if there is one.
func override(to *time.Duration, text string) error {
	if text == "" {
		return nil
	}
	d, err := time.ParseDuration(text)
	if err == nil {
		*to = d
	}
	return err
}
