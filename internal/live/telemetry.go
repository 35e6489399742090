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

// telemetryOf sees a Telemetry by the access logs of the proxies that it selects:
// of sidecars on the listeners of the namespace's services and of what comes in,
// of a gateway on all. A run writes one only where nothing is logged, so it is
// undone when nothing is again. A gateway that has no listener yet, as its Gateway
// is written after what it logs, shows nothing until the load.
func telemetryOf(change rules.Change, services []mesh.Service) (*look, error) {
	logs := logsAll(change.After)
	if logs == logsAll(change.Before) {
		return nil, errUnseen
	}
	o := either(change)
	labels := o.Spec.(*telemetry.Telemetry).GetSelector().GetMatchLabels()
	var ports []uint32
	for _, service := range services {
		for _, port := range service.Ports {
			ports = append(ports, uint32(port.Number))
		}
	}
	return &look{
		needs: needs{logs: ports},
		reaches: func(proxy mesh.Proxy) bool {
			return proxy.Namespace == o.Namespace && rules.Selects(labels, proxy.Labels)
		},
		judge: logged{on: logs}.judge,
		early: true,
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

// logged is whether requests are to be logged.
type logged struct{ on bool }

// judge looks at each listener for itself, for each takes its new configuration
// by itself.
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
		case l.on:
			return true, fmt.Sprintf("its listener %s does not log every request to %s", listener, envoy.Stdout), nil
		default:
			return true, fmt.Sprintf("its listener %s still logs to %s", listener, envoy.Stdout), nil
		}
	}
	return len(to) > 0, "", nil
}
