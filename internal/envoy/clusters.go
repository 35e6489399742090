package envoy

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// The directions of a cluster that Istio made.
const (
	Inbound  = "inbound"
	Outbound = "outbound"
)

// ClusterName is the name of a cluster taken apart, as Istio puts it together:
// outbound|9080|v2|reviews.default.svc.cluster.local. The port of an inbound
// cluster is the container's, and its host is empty.
type ClusterName struct {
	Direction string
	Port      int
	Subset    string
	Host      string
}

// String returns the name as Istio spells it.
func (n ClusterName) String() string {
	return fmt.Sprintf("%s|%d|%s|%s", n.Direction, n.Port, n.Subset, n.Host)
}

// ParseClusterName takes a cluster's name apart. It is false for one that Istio
// did not make for a service, such as PassthroughCluster.
func ParseClusterName(name string) (ClusterName, bool) {
	parts := strings.Split(name, "|")
	if len(parts) != 4 || parts[0] != Inbound && parts[0] != Outbound {
		return ClusterName{}, false
	}
	port, err := strconv.Atoi(parts[1])
	if err != nil {
		return ClusterName{}, false
	}
	return ClusterName{Direction: parts[0], Port: port, Subset: parts[2], Host: parts[3]}, true
}

// NoLimit is the threshold of a circuit breaker that Istio writes where none is
// asked for.
const NoLimit = 1<<32 - 1

// Thresholds are the circuit breakers of a cluster at the default priority.
type Thresholds struct {
	MaxConnections     uint32 `json:"max_connections"`
	MaxPendingRequests uint32 `json:"max_pending_requests"`
	MaxRequests        uint32 `json:"max_requests"`
	MaxRetries         uint32 `json:"max_retries"`
}

// thresholds is how both /clusters and /config_dump word circuit breakers.
type thresholds struct {
	Thresholds []struct {
		Priority string `json:"priority"` // absent for the default priority
		Thresholds
	} `json:"thresholds"`
}

func (t thresholds) standard() Thresholds {
	for _, each := range t.Thresholds {
		if each.Priority == "" || each.Priority == "DEFAULT" {
			return each.Thresholds
		}
	}
	return Thresholds{}
}

// Cluster is a cluster with what its endpoints have counted since they were
// added. A change of the cluster's configuration, as by a DestinationRule, makes
// Envoy add them anew: the counts begin again at 0. A new route does not.
type Cluster struct {
	Name       ClusterName
	Thresholds Thresholds
	Hosts      []Host
}

// Host is one endpoint of a cluster. A request that was aborted by a fault, or
// refused by a circuit breaker, never reached one and is in no count here.
type Host struct {
	Address  string // ip:port
	Requests uint64 // rq_total: attempts, retries included; for TCP, connections that were made
	Errors   uint64 // rq_error: answers with 5xx, and resets
	Conns    uint64 // cx_total
	Active   uint64 // cx_active
	Underway uint64 // rq_active: requests, or TCP connections, that have not ended
	Ejected  bool   // by outlier detection: /failed_outlier_check
	Unfit    bool   // by anything else: a health check, or what istiod says of it
}

// Clusters returns the clusters that Istio made for services, from /clusters,
// which every proxy keeps whatever its stats matcher says.
func (a *Admin) Clusters(ctx context.Context) ([]Cluster, error) {
	body, err := a.Get(ctx, "/clusters?format=json")
	if err != nil {
		return nil, err
	}
	return decodeClusters(body)
}

// clusterStatus and hostStatus are envoy.admin.v3.ClusterStatus and HostStatus,
// as far as they are read.
type clusterStatus struct {
	Name            string       `json:"name"`
	Hosts           []hostStatus `json:"host_statuses"`
	CircuitBreakers thresholds   `json:"circuit_breakers"`
}

type hostStatus struct {
	Address struct {
		Socket struct {
			Address string `json:"address"`
			Port    int    `json:"port_value"`
		} `json:"socket_address"`
	} `json:"address"`
	Stats []struct {
		Name  string `json:"name"`
		Value uint64 `json:"value,string"` // absent for 0
	} `json:"stats"`
	Health struct {
		Ejected bool   `json:"failed_outlier_check"`
		Checked bool   `json:"failed_active_health_check"`
		Leaving bool   `json:"pending_dynamic_removal"`
		EDS     string `json:"eds_health_status"`
	} `json:"health_status"`
}

func decodeClusters(body []byte) ([]Cluster, error) {
	var dump struct {
		Statuses []clusterStatus `json:"cluster_statuses"`
	}
	if err := json.Unmarshal(body, &dump); err != nil {
		return nil, fmt.Errorf("decoding /clusters of the proxy: %w", err)
	}
	var clusters []Cluster
	for _, status := range dump.Statuses {
		name, ok := ParseClusterName(status.Name)
		if !ok {
			continue
		}
		cluster := Cluster{Name: name, Thresholds: status.CircuitBreakers.standard()}
		for _, host := range status.Hosts {
			cluster.Hosts = append(cluster.Hosts, host.host())
		}
		clusters = append(clusters, cluster)
	}
	return clusters, nil
}

func (s hostStatus) host() Host {
	socket := s.Address.Socket
	host := Host{Address: net.JoinHostPort(socket.Address, strconv.Itoa(socket.Port)), Ejected: s.Health.Ejected}
	host.Unfit = s.Health.Checked || s.Health.Leaving || s.Health.EDS != "" && s.Health.EDS != "HEALTHY" && s.Health.EDS != "UNKNOWN"
	for _, stat := range s.Stats {
		switch stat.Name {
		case "rq_total":
			host.Requests = stat.Value
		case "rq_error":
			host.Errors = stat.Value
		case "cx_total":
			host.Conns = stat.Value
		case "cx_active":
			host.Active = stat.Value
		case "rq_active":
			host.Underway = stat.Value
		}
	}
	return host
}
