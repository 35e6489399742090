package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	telemetry "istio.io/api/telemetry/v1alpha1"

	"github.com/meshchaos/meshchaos/internal/policy"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// unimplementedValues returns an UnsupportedError for every value of an object
// that Istio takes and this proxy does not carry out, or that Istio takes and
// ignores.
func unimplementedValues(o *rules.Object, filters []HTTPFilter) []error {
	v := values{ref: o.Ref}
	switch spec := o.Spec.(type) {
	case *networking.VirtualService:
		v.virtualService(virtualService{o.Ref, spec}, filters)
	case *networking.DestinationRule:
		v.destinationRule(spec)
	case *networking.Gateway:
		v.gateway(spec)
	case *telemetry.Telemetry:
		v.telemetry(spec)
	}
	return v.errs
}

// Refuse refuses the value at a path of an object, in words that say what to do.
type Refuse func(path, format string, args ...any)

// values gathers the errors of one object.
type values struct {
	ref  rules.Ref
	errs []error
}

func (v *values) refuse(path, format string, args ...any) {
	v.errs = append(v.errs, &UnsupportedError{Object: v.ref, Path: path, Reason: fmt.Sprintf(format, args...)})
}

func (v *values) virtualService(vs virtualService, filters []HTTPFilter) {
	if len(vs.GetHosts()) == 0 {
		v.refuse("spec.hosts", "the embedded mesh does not implement delegates; name the host whose traffic it routes")
	}
	for i, host := range vs.GetHosts() {
		if vs.attached(rules.MeshGateway) && strings.HasPrefix(host, "*") {
			v.refuse(fmt.Sprintf("spec.hosts[%d]", i), "the embedded mesh implements %q at gateways alone; name the service, set spec.gateways, or run with --mesh istio", host)
		}
	}
	for i, r := range vs.GetHttp() {
		path := fmt.Sprintf("spec.http[%d]", i)
		for j, m := range r.GetMatch() {
			v.headers(fmt.Sprintf("%s.match[%d]", path, j), m)
		}
		for _, f := range filters {
			f.Check(path, r, v.refuse)
		}
	}
}

// notHeaders are the names that Istio passes over in a match's headers, since
// the match has fields for them.
var notHeaders = []string{"uri", "scheme", "method", "authority"}

func (v *values) headers(path string, m *networking.HTTPMatchRequest) {
	for _, name := range slices.Sorted(maps.Keys(m.GetHeaders())) {
		if slices.Contains(notHeaders, name) {
			v.refuse(fmt.Sprintf("%s.headers[%s]", path, name), "would be ignored by Istio; write %s.%s", path, name)
		}
	}
}

func (v *values) destinationRule(rule *networking.DestinationRule) {
	if strings.HasPrefix(rule.GetHost(), "*") {
		v.refuse("spec.host", "the embedded mesh does not implement wildcards; name the service, or run with --mesh istio")
	}
	v.loadBalancer("spec.trafficPolicy", rule.GetTrafficPolicy())
	for i, subset := range rule.GetSubsets() {
		v.loadBalancer(fmt.Sprintf("spec.subsets[%d].trafficPolicy", i), subset.GetTrafficPolicy())
	}
}

func (v *values) loadBalancer(path string, p *networking.TrafficPolicy) {
	if !slices.Contains(balancers, policy.Cluster(p).Balancer) {
		v.refuse(path+".loadBalancer.simple", "the embedded mesh does not implement %s; use LEAST_REQUEST, ROUND_ROBIN or RANDOM", p.GetLoadBalancer().GetSimple())
	}
}

// gatewayProtocols are what a server of the gateway takes. HTTP, HTTP2 and GRPC Envoy tells
// from each other by what a client sends, and of HTTPS by what it asks for.
var gatewayProtocols = []string{"HTTP", "HTTP2", "GRPC", "HTTPS", "TCP"}

func (v *values) gateway(gateway *networking.Gateway) {
	if !maps.Equal(gateway.GetSelector(), rules.IngressGateway()) {
		v.refuse("spec.selector", "no gateway of the embedded mesh has these labels; write {istio: ingressgateway}")
	}
	for i, s := range gateway.GetServers() {
		v.server(fmt.Sprintf("spec.servers[%d]", i), s)
	}
}

// tlsModes are those in which a gateway itself ends the encryption, by a certificate of a
// secret.
var tlsModes = []networking.ServerTLSSettings_TLSmode{networking.ServerTLSSettings_SIMPLE, networking.ServerTLSSettings_MUTUAL}

func (v *values) server(path string, s *networking.Server) {
	protocol, tls := strings.ToUpper(s.GetPort().GetProtocol()), s.GetTls()
	switch {
	case !slices.Contains(gatewayProtocols, protocol):
		v.refuse(path+".port.protocol", "the embedded mesh does not implement %q; use HTTP, HTTPS, HTTP2, GRPC or TCP, or run with --mesh istio", s.GetPort().GetProtocol())
	case protocol != "HTTPS" && tls != nil:
		v.refuse(path+".tls", "the embedded mesh implements it of HTTPS alone; leave it out, or run with --mesh istio")
	case protocol == "HTTPS" && !slices.Contains(tlsModes, tls.GetMode()):
		v.refuse(path+".tls.mode", "the embedded mesh does not implement %s; use SIMPLE or MUTUAL, or run with --mesh istio", tls.GetMode())
	case protocol == "HTTPS" && tls.GetCredentialName() == "":
		v.refuse(path+".tls.credentialName", "the embedded mesh has certificates by this name alone; write one, or run with --mesh istio")
	}
}

func (v *values) telemetry(t *telemetry.Telemetry) {
	if labels := t.GetSelector().GetMatchLabels(); len(labels) > 0 && (v.ref.Namespace != GatewayNamespace || !maps.Equal(labels, rules.IngressGateway())) {
		v.refuse("spec.selector", "the embedded mesh takes one in %s alone, of the gateway: {istio: ingressgateway}; leave it out, or run with --mesh istio", GatewayNamespace)
	}
	for i, logging := range t.GetAccessLogging() {
		for j, p := range logging.GetProviders() {
			if p.GetName() != rules.LogProvider {
				v.refuse(fmt.Sprintf("spec.accessLogging[%d].providers[%d].name", i, j), "the embedded mesh has no provider %q; use %s", p.GetName(), rules.LogProvider)
			}
		}
	}
}
