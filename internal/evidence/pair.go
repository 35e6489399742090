package evidence

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
)

// pair is one proxy at both ends of the window.
type pair struct {
	proxy         mesh.Proxy
	before, after *reading
	gap           string // why the two readings cannot be compared; empty: they can
}

// newPair pairs two readings that were taken so long after each other.
func newPair(before, after *reading, apart time.Duration) pair {
	p := pair{proxy: before.proxy, before: before, after: after}
	name := before.proxy.Name
	switch {
	case before.err != nil:
		p.gap = fmt.Sprintf("the proxy %s could not be read before the load: %v", name, before.err)
	case after == nil:
		p.gap = fmt.Sprintf("the proxy %s went away during the window; run again when the workloads are steady", name)
	case after.err != nil:
		p.gap = fmt.Sprintf("the proxy %s could not be read after the load: %v", name, after.err)
	case restarted(before.stats, after.stats, apart):
		p.gap = fmt.Sprintf("the proxy %s was restarted during the window and began to count anew; run again when the workloads are steady", name)
	}
	return p
}

const (
	uptime = "server.uptime" // in seconds
	// staleUptime is for how old an uptime may be that is read: Envoy renews it every
	// five seconds (stats_flush_interval), or later on a machine that is busy.
	staleUptime = 10 * time.Second
)

// restarted says whether a proxy began anew between two readings: one that was young at
// the first may have been up for longer at the second all the same.
func restarted(before, after map[string]uint64, apart time.Duration) bool {
	was, then := before[uptime]
	is, now := after[uptime]
	grew := time.Duration(is-was) * time.Second //nolint:gosec // of years
	return then && now && (is < was || grew+staleUptime < apart)
}

// counter returns by how much a counter grew, and whether the proxy keeps it. A
// counter that the proxy did not have before began at 0.
func (p pair) counter(name string) (delta uint64, kept bool, why string) {
	after, kept := p.after.stats[name]
	if before := p.before.stats[name]; before > after {
		return 0, false, fmt.Sprintf("%s at %s went from %d back to %d", name, p.proxy.Name, before, after)
	}
	return after - p.before.stats[name], kept, ""
}

// flow is what one cluster of one proxy did during the window.
type flow struct {
	name  envoy.ClusterName
	hosts []hostFlow
	why   string // the endpoints' counts cannot be compared; empty: they can
}

// hostFlow is what one endpoint of a cluster saw, as that proxy counted it.
type hostFlow struct {
	address                 string
	requests, errors, conns uint64
	underway                uint64 // requests that have not ended when the window does
	active                  bool   // a connection was open at an end of the window
	wasEjected, isEjected   bool
	unfit                   bool // at an end of the window, by something else than an ejection
	known                   bool // it had answered before the window, so that its counts would show if another had its address
}

// quiet says that nothing can have gone through the cluster: no request, no new
// connection, and none that was open. Envoy refuses no request by a circuit
// breaker without that, as a pool without a connection always gets one.
func (f flow) quiet() bool {
	return f.why == "" && !slices.ContainsFunc(f.hosts, func(h hostFlow) bool {
		return h.requests > 0 || h.conns > 0 || h.active
	})
}

// flows returns the outbound clusters of a service's host, sorted by name.
func (p pair) flows(host string) []flow {
	var all []flow
	for name := range p.before.clusters {
		if _, there := p.after.clusters[name]; !there && name.Direction == envoy.Outbound && name.Host == host {
			all = append(all, flow{name: name, why: fmt.Sprintf("the cluster %s of %s was removed during the window", name, p.proxy.Name)})
		}
	}
	for name := range p.after.clusters {
		if name.Direction == envoy.Outbound && name.Host == host {
			all = append(all, p.flow(name))
		}
	}
	slices.SortFunc(all, func(a, b flow) int { return cmp.Compare(a.name.String(), b.name.String()) })
	return all
}

// flow compares a cluster that is there at the end. One that was not there at
// the start began at 0.
func (p pair) flow(name envoy.ClusterName) flow {
	f := flow{name: name}
	after := p.after.clusters[name]
	before, was := p.before.clusters[name]
	if was && p.before.configs[name].LastUpdated != p.after.configs[name].LastUpdated {
		f.why = fmt.Sprintf("the cluster %s of %s was reconfigured during the window and its endpoints count anew; was a DestinationRule changed meanwhile?", name, p.proxy.Name)
		return f
	}
	for _, h := range after.Hosts {
		i := slices.IndexFunc(before.Hosts, func(b envoy.Host) bool { return b.Address == h.Address })
		if was && i < 0 || i >= 0 && (h.Requests < before.Hosts[i].Requests || h.Conns < before.Hosts[i].Conns || h.Errors < before.Hosts[i].Errors) {
			f.why = fmt.Sprintf("the endpoint %s of cluster %s of %s was added or began to count anew during the window; run again when the workloads are steady", h.Address, name, p.proxy.Name)
			return f
		}
		var b envoy.Host
		if i >= 0 {
			b = before.Hosts[i]
		}
		f.hosts = append(f.hosts, hostFlow{
			address:  h.Address,
			requests: h.Requests - b.Requests, errors: h.Errors - b.Errors, conns: h.Conns - b.Conns,
			underway:   h.Underway,
			active:     h.Active > 0 || b.Active > 0,
			wasEjected: b.Ejected, isEjected: h.Ejected,
			unfit: b.Unfit || h.Unfit, known: b.Requests > 0,
		})
	}
	if was && len(before.Hosts) != len(after.Hosts) {
		f.why = fmt.Sprintf("an endpoint of cluster %s of %s went away during the window; run again when the workloads are steady", name, p.proxy.Name)
	}
	return f
}

// stat is the name of a stat of the flow's cluster.
func (f flow) stat(name string) string { return "cluster." + f.name.String() + "." + name }

// belongs says whether an endpoint's address is that of a workload: the same
// ip:port, or the same IP where the workload has no port of its own.
func belongs(endpoint, workload string) bool {
	if workload == "" {
		return false
	}
	if endpoint == workload {
		return true
	}
	ip, _, err := net.SplitHostPort(endpoint)
	return err == nil && ip == workload
}
