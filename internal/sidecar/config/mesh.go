package config

import (
	"strings"
)

// Mesh is what the proxies of a mesh have in common beside its objects.
type Mesh struct {
	Services    []Service
	NoAccessLog bool // until a Telemetry object says so no proxy writes an access log, as where accessLogFile is empty
}

// Service is a Kubernetes service as the proxies know it.
type Service struct {
	Name  string // short: ratings
	Host  string // fully qualified: ratings.default.svc.cluster.local
	Ports []Port
}

// Port is a port of a service, with the endpoints behind it.
type Port struct {
	Number    int
	TCP       bool // opaque TCP rather than HTTP
	HTTP2     bool // spoken to its endpoints, as Istio has it of ports named http2 or grpc
	Endpoints []Endpoint
}

// Endpoint is one workload behind a port of a service.
type Endpoint struct {
	Address   string            // host:port
	Workload  string            // reviews-v2
	Labels    map[string]string // app and version, which subsets select by
	MutualTLS bool              // its proxy takes the connections: Istio's label tlsMode
}

// Port returns the port of that number, nil if the service has none.
func (s *Service) Port(number int) *Port {
	for i := range s.Ports {
		if s.Ports[i].Number == number {
			return &s.Ports[i]
		}
	}
	return nil
}

// Namespace is the second label of the host.
func (s *Service) Namespace() string {
	_, rest, _ := strings.Cut(s.Host, ".")
	namespace, _, _ := strings.Cut(rest, ".")
	return namespace
}

// Domains are the names by which DNS in the service's namespace finds it, and
// the domains of its virtual host.
func (s *Service) Domains() []string {
	namespaced := s.Name + "." + s.Namespace()
	return []string{s.Host, s.Host + ".", s.Name, namespaced, namespaced + ".svc"}
}
