package config

import (
	"slices"

	telemetry "istio.io/api/telemetry/v1alpha1"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// logsAccess says whether a Telemetry object turns the access log on.
func logsAccess(t *telemetry.Telemetry) bool {
	return slices.ContainsFunc(t.GetAccessLogging(), func(logging *telemetry.AccessLogging) bool {
		return slices.ContainsFunc(logging.GetProviders(), func(p *telemetry.ProviderRef) bool { return p.GetName() == rules.LogProvider })
	})
}
