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
func gateway(change rules.Change) look {
	protocol, look := "HTTP", hasPort
	if change.After == nil {
		protocol, look = "TCP", closedPort
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
	return func(ctx context.Context, proxy mesh.Proxy) (bool, string, error) {
		if !proxy.Gateway {
			return false, "", nil
		}
		for _, port := range ports {
			if instead, err := look(ctx, proxy, port); instead != "" || err != nil {
				return true, instead, err
			}
		}
		return true, "", nil
	}
}

func hasPort(ctx context.Context, proxy mesh.Proxy, port uint32) (string, error) {
	hosts, err := proxy.Admin.VirtualHosts(ctx, "")
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

func closedPort(ctx context.Context, proxy mesh.Proxy, port uint32) (string, error) {
	listeners, err := proxy.Admin.Listeners(ctx, fmt.Sprintf(".*_%d", port))
	if err != nil || len(listeners) == 0 {
		return "", err
	}
	return fmt.Sprintf("it still listens on port %d", port), nil
}
