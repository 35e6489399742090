package live

import (
	"context"
	"fmt"
	"slices"

	telemetry "istio.io/api/telemetry/v1alpha1"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// logged sees a Telemetry by the access logs of the sidecars that it selects, on
// the listeners of the namespace's services and of what comes in. A run writes
// one only where nothing is logged, so it is undone when nothing is again.
type logged struct {
	on       bool
	selector map[string]string
}

func telemetryOf(change rules.Change, services []mesh.Service) (*look, error) {
	logs := logsAll(change.After)
	if logs == logsAll(change.Before) {
		return nil, errUnseen
	}
	spec := either(change).Spec.(*telemetry.Telemetry)
	l := logged{on: logs, selector: spec.GetSelector().GetMatchLabels()}
	var ports []uint32
	for _, service := range services {
		for _, port := range service.Ports {
			ports = append(ports, uint32(port.Number))
		}
	}
	return &look{
		needs:   needs{logs: ports},
		reaches: func(proxy mesh.Proxy) bool { return !proxy.Gateway && agrees(l.selector, proxy) },
		judge:   l.judge,
	}, nil
}

// logsAll says whether a Telemetry has every request logged to stdout.
func logsAll(o *rules.Object) bool {
	if o == nil {
		return false
	}
	return slices.ContainsFunc(o.Spec.(*telemetry.Telemetry).GetAccessLogging(), func(l *telemetry.AccessLogging) bool {
		return !l.GetDisabled().GetValue() && l.Filter == nil &&
			slices.ContainsFunc(l.Providers, func(p *telemetry.ProviderRef) bool { return p.GetName() == rules.LogProvider })
	})
}

// judge looks at each listener for itself, for each takes its new configuration
// by itself. Of labels only app and version are known: a proxy without the log
// that a selector of others may pass over is not behind.
func (l logged) judge(ctx context.Context, v *view) (bool, string, error) {
	logs, err := v.accessLogs(ctx)
	if err != nil {
		return true, "", err
	}
	to := map[string]bool{} // by listener
	for _, log := range logs {
		to[log.Listener] = to[log.Listener] || log.Whole()
	}
	for listener, logs := range to {
		switch {
		case logs == l.on:
		case l.on && !l.selects():
			return false, "", nil
		case l.on:
			return true, fmt.Sprintf("its listener %s does not log every request to %s", listener, envoy.Stdout), nil
		default:
			return true, fmt.Sprintf("its listener %s still logs to %s", listener, envoy.Stdout), nil
		}
	}
	return len(to) > 0, "", nil
}

// selects says whether the selector is one that can be told from a proxy.
func (l logged) selects() bool {
	for label := range l.selector {
		if label != "app" && label != "version" {
			return false
		}
	}
	return true
}
