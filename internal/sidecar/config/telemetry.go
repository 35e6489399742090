package config

import (
	"slices"

	telemetry "istio.io/api/telemetry/v1alpha1"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// GatewayNamespace is where the ingress gateway is. It is Istio's root namespace:
// a Telemetry there without a selector is for the whole mesh.
const GatewayNamespace = "istio-system"

// log turns the access logs on that a Telemetry object is for.
func (c *Config) log(namespace string, t *telemetry.Telemetry) {
	if !logsAccess(t) {
		return
	}
	wide := len(t.GetSelector().GetMatchLabels()) == 0
	c.AccessLog = c.AccessLog || wide
	c.gatewayLog = c.gatewayLog || namespace == GatewayNamespace
}

// logsAccess says whether a Telemetry object turns the access log on.
func logsAccess(t *telemetry.Telemetry) bool {
	return slices.ContainsFunc(t.GetAccessLogging(), func(logging *telemetry.AccessLogging) bool {
		return slices.ContainsFunc(logging.GetProviders(), func(p *telemetry.ProviderRef) bool { return p.GetName() == rules.LogProvider })
	})
}
