package live

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// needs is what must be read of a proxy to judge a change.
type needs struct {
	routes    []uint32 // the ports whose routes are asked for
	allRoutes bool     // of any port
	hosts     []string // fully qualified: whose clusters are asked for
	tls       bool     // with how their connections are secured
	listeners []uint32 // the ports of listeners
	logs      []uint32 // the ports of listeners whose access logs are asked for, with those of what comes in

	allListeners bool // of a gateway every listener, whatever its port
}

func (n *needs) add(other needs) {
	n.routes = append(n.routes, other.routes...)
	n.allRoutes = n.allRoutes || other.allRoutes
	n.hosts = append(n.hosts, other.hosts...)
	n.tls = n.tls || other.tls
	n.listeners = append(n.listeners, other.listeners...)
	n.allListeners = n.allListeners || other.allListeners
	n.logs = append(n.logs, other.logs...)
}

// routeNames is the expression for the names of the route configurations, which
// Istio calls after their port or after host:port, and after the server in a
// gateway.
func (n *needs) routeNames(gateway bool) string {
	if n.allRoutes || gateway {
		return ""
	}
	return `(?:.*:)?` + oneOf(n.routes)
}

func (n *needs) clusterNames() string {
	hosts := slices.Clone(n.hosts)
	slices.Sort(hosts)
	for i := range hosts {
		hosts[i] = regexp.QuoteMeta(hosts[i])
	}
	return `outbound\|.*\|.*\|(?:` + strings.Join(slices.Compact(hosts), "|") + ")"
}

// listenerNames is the expression for the names of the listeners, which Istio
// calls address_port.
func (n *needs) listenerNames(gateway bool) string {
	if n.allListeners && gateway {
		return ""
	}
	return ".*_" + oneOf(n.listeners)
}

// oneOf is an expression for any of the ports.
func oneOf(ports []uint32) string {
	ports = slices.Clone(ports)
	slices.Sort(ports)
	return "(?:" + strings.Trim(strings.ReplaceAll(fmt.Sprint(slices.Compact(ports)), " ", "|"), "[]") + ")"
}

// view is a proxy's configuration during one round. Each part of it is read when
// it is first asked for, once, and for all changes together.
type view struct {
	proxy mesh.Proxy
	needs needs

	routes    reading[envoy.VirtualHost]
	clusters  reading[envoy.ClusterConfig]
	warming   reading[string]
	listeners reading[envoy.Listener]
	logs      reading[envoy.AccessLog]
}

func newView(proxy mesh.Proxy, asked []*waiting) *view {
	v := &view{proxy: proxy}
	for _, w := range asked {
		v.needs.add(w.look.needs)
	}
	return v
}

// reading is a part of a proxy's configuration.
type reading[T any] struct {
	read bool
	all  []T
	err  error
}

func (r *reading[T]) once(ctx context.Context, read func(context.Context, string) ([]T, error), names string) ([]T, error) {
	if !r.read {
		r.all, r.err = read(ctx, names)
		r.read = true
	}
	return r.all, r.err
}

func (v *view) virtualHosts(ctx context.Context) ([]envoy.VirtualHost, error) {
	return v.routes.once(ctx, v.proxy.Admin.VirtualHosts, v.needs.routeNames(v.proxy.Gateway))
}

// clustersOf returns the clusters of a host.
func (v *view) clustersOf(ctx context.Context, host string) ([]envoy.ClusterConfig, error) {
	read := v.proxy.Admin.ClusterConfigs
	if v.needs.tls {
		read = v.proxy.Admin.ClusterConfigsWithTLS
	}
	all, err := v.clusters.once(ctx, read, v.needs.clusterNames())
	return slices.DeleteFunc(slices.Clone(all), func(c envoy.ClusterConfig) bool { return c.Name.Host != host }), err
}

// warmingOf returns a cluster of a host that the proxy does not use yet; empty if
// there is none.
func (v *view) warmingOf(ctx context.Context, host string) (string, error) {
	all, err := v.warming.once(ctx, v.proxy.Admin.Warming, v.needs.clusterNames())
	if i := slices.IndexFunc(all, func(name string) bool { return strings.HasSuffix(name, "|"+host) }); i >= 0 {
		return all[i], err
	}
	return "", err
}

// listenersOn returns the listeners of a port, or of any.
func (v *view) listenersOn(ctx context.Context, port uint32) ([]envoy.Listener, error) {
	all, err := v.listeners.once(ctx, v.proxy.Admin.Listeners, v.needs.listenerNames(v.proxy.Gateway))
	return slices.DeleteFunc(slices.Clone(all), func(l envoy.Listener) bool {
		return port != anyPort && !strings.HasSuffix(l.Name, fmt.Sprintf("_%d", port))
	}), err
}

// inboundListener is Istio's name of the listener for all that comes in.
const inboundListener = "virtualInbound"

// accessLogs returns how the listeners of the services' ports log, and that of all
// that comes in; of a gateway all do.
func (v *view) accessLogs(ctx context.Context) ([]envoy.AccessLog, error) {
	names := inboundListener
	switch {
	case v.proxy.Gateway:
		names = ""
	case len(v.needs.logs) > 0:
		names += "|.*_" + oneOf(v.needs.logs)
	}
	return v.logs.once(ctx, v.proxy.Admin.AccessLogs, names)
}
