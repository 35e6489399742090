package config

import (
	"slices"

	telemetry "istio.io/api/telemetry/v1alpha1"
)

// accessLogProvider is Istio's built-in provider that logs to Envoy's stdout.
const accessLogProvider = "envoy"

// logsAccess says whether a Telemetry object turns the access log on.
func logsAccess(t *telemetry.Telemetry) bool {
	return slices.ContainsFunc(t.GetAccessLogging(), func(logging *telemetry.AccessLogging) bool {
		return slices.ContainsFunc(logging.GetProviders(), func(p *telemetry.ProviderRef) bool { return p.GetName() == accessLogProvider })
	})
}
