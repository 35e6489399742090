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
// of a gateway on all. A run writes one only where what goes out is not logged, so
// it is undone when that is not logged again. A gateway that has no listener yet,
// as its Gateway is written after what it logs, shows nothing until the load.
func telemetryOf(change rules.Change, services []mesh.Service) (*look, error) {
	before, after := logsOf(change.Before), logsOf(change.After)
	if before == after {
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
		judge: after.judge,
		early: true,
	}, nil
}

// logged is whether every request is logged to stdout: those that come in, and
// those that go out. Some meshes log only the one or the other.
type logged struct {
	in, out bool
	inOpen  bool // only what goes out is spoken of, and what comes in is as the mesh has it
}

func logsOf(o *rules.Object) logged {
	if o == nil {
		return logged{}
	}
	all := o.Spec.(*telemetry.Telemetry).GetAccessLogging()
	in, inSaid := logsWhole(all, telemetry.WorkloadMode_SERVER)
	out, outSaid := logsWhole(all, telemetry.WorkloadMode_CLIENT)
	return logged{in: in, out: out, inOpen: outSaid && !inSaid}
}

// logsWhole says whether a Telemetry has every request of a mode logged to stdout, and
// whether it says anything of that. Of several entries the last one holds.
func logsWhole(all []*telemetry.AccessLogging, mode telemetry.WorkloadMode) (whole, said bool) {
	for _, l := range all {
		of := l.GetMatch().GetMode()
		if of != mode && of != telemetry.WorkloadMode_CLIENT_AND_SERVER {
			continue
		}
		if slices.ContainsFunc(l.Providers, func(p *telemetry.ProviderRef) bool { return p.GetName() == rules.LogProvider }) {
			whole, said = !l.GetDisabled().GetValue() && l.Filter == nil, true
		}
	}
	return whole, said
}

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
		want := l.out
		if listener == inboundListener {
			want = l.in
		}
		switch {
		case logs == want, listener == inboundListener && l.inOpen:
		case want:
			return true, fmt.Sprintf("its listener %s does not log every request to %s", listener, envoy.Stdout), nil
		default:
			return true, fmt.Sprintf("its listener %s still logs to %s", listener, envoy.Stdout), nil
		}
	}
	return len(to) > 0, "", nil
}
