package live

import (
	"context"
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// gateway sees the HTTP servers of a Gateway that is written by the virtual
// hosts of their ports, which Istio names host:port, and the TCP servers of one
// that is deleted by their listeners. An HTTP port may rightly stay open after
// its Gateway, for another one; a TCP port opens with a VirtualService only.
func gateway(change rules.Change) *look {
	protocol, judge := "HTTP", hasPort
	if change.After == nil {
		protocol, judge = "TCP", closedPort
	}
	var ports []uint32
	for _, server := range either(change).Spec.(*networking.Gateway).Servers {
		if strings.EqualFold(server.GetPort().GetProtocol(), protocol) {
			ports = append(ports, server.GetPort().GetNumber())
		}
	}
	if len(ports) == 0 {
		return nil
	}
	return &look{
		needs:   needs{allRoutes: true, listeners: ports},
		reaches: func(proxy mesh.Proxy) bool { return proxy.Gateway },
		judge: func(ctx context.Context, v *view) (bool, string, error) {
			for _, port := range ports {
				if instead, err := judge(ctx, v, port); instead != "" || err != nil {
					return true, instead, err
				}
			}
			return true, "", nil
		},
	}
}

func hasPort(ctx context.Context, v *view, port uint32) (string, error) {
	hosts, err := v.virtualHosts(ctx)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(hosts, func(host envoy.VirtualHost) bool {
		return strings.HasSuffix(host.Name, fmt.Sprintf(":%d", port))
	}) {
		return "", nil
	}
	return fmt.Sprintf("it has no virtual host on port %d", port), nil
}

func closedPort(ctx context.Context, v *view, port uint32) (string, error) {
	listeners, err := v.listenersOn(ctx, port)
	if err != nil || len(listeners) == 0 {
		return "", err
	}
	return fmt.Sprintf("it still listens on port %d", port), nil
}
