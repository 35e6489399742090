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
// its Gateway, for another one; a TCP port opens with a VirtualService only. Servers that
// end TLS are seen by how they do.
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
	var looks []*look
	if len(ports) > 0 {
		looks = append(looks, onPorts(ports, judge))
	}
	if encrypted := encryptedBy(either(change)); len(encrypted) > 0 {
		looks = append(looks, shaken(encrypted, change.After == nil))
	}
	return all(looks)
}

// onPorts judges each of the ports of servers.
func onPorts(ports []uint32, judge func(context.Context, *view, uint32) (string, error)) *look {
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

// encryptedBy is how the servers of a Gateway end TLS that do so by a secret.
func encryptedBy(o *rules.Object) []envoy.DownstreamTLS {
	var all []envoy.DownstreamTLS
	for _, server := range o.Spec.(*networking.Gateway).Servers {
		mode := server.GetTls().GetMode()
		mutual := mode == networking.ServerTLSSettings_MUTUAL
		if !strings.EqualFold(server.GetPort().GetProtocol(), "HTTPS") || mode != networking.ServerTLSSettings_SIMPLE && !mutual || server.GetTls().GetCredentialName() == "" {
			continue
		}
		of := envoy.DownstreamTLS{Secret: secretPrefix + server.Tls.CredentialName, Mutual: mutual}
		for _, host := range server.Hosts {
			if _, name, qualified := strings.Cut(host, "/"); qualified { // namespace/host
				host = name
			}
			of.Names = append(of.Names, strings.ToLower(host))
		}
		if slices.Contains(of.Names, "*") {
			of.Names = nil
		}
		slices.Sort(of.Names)
		all = append(all, of)
	}
	return all
}

// secretPrefix is what istiod puts before the name of a secret of Kubernetes.
const secretPrefix = "kubernetes://"

// shaken sees servers that end TLS by the filter chains of the gateway's listeners, of
// whichever port: that of the Gateway leads to another one in the pod. One that is active
// has its secret.
func shaken(wanted []envoy.DownstreamTLS, gone bool) *look {
	return &look{
		needs:   needs{allListeners: true},
		reaches: func(proxy mesh.Proxy) bool { return proxy.Gateway },
		judge: func(ctx context.Context, v *view) (bool, string, error) {
			listeners, err := v.listenersOn(ctx, anyPort)
			if err != nil {
				return true, "", err
			}
			var have []envoy.DownstreamTLS
			for _, l := range listeners {
				have = append(have, l.TLS...)
			}
			for _, want := range wanted {
				if found := slices.ContainsFunc(have, func(t envoy.DownstreamTLS) bool { return same(t, want) }); found == gone {
					return true, map[bool]string{true: "it still ends TLS ", false: "it does not end TLS "}[gone] + wordTLS(want), nil
				}
			}
			return true, "", nil
		},
	}
}

func same(a, b envoy.DownstreamTLS) bool {
	names := slices.Sorted(slices.Values(a.Names))
	return a.Secret == b.Secret && a.Mutual == b.Mutual && slices.Equal(names, b.Names)
}

// wordTLS words how TLS is ended: for shop.example.com by the secret shop, with a
// certificate of the client.
func wordTLS(t envoy.DownstreamTLS) string {
	words := "for any name"
	if len(t.Names) > 0 {
		words = "for " + strings.Join(t.Names, ", ")
	}
	words += " by the secret " + strings.TrimPrefix(t.Secret, secretPrefix)
	if t.Mutual {
		words += ", with a certificate of the client"
	}
	return words
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
