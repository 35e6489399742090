package evidence

import (
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// logSource is the access log, as the record names it.
const logSource = "access log"

// logCount counts the requests of a proxy that are as asked, by its access log.
func (w *Window) logCount(p pair, as func(logged) bool) (uint64, string) {
	log := w.Log.of(p.proxy.Name)
	if log == nil {
		return 0, "the access logs are not read"
	}
	n, why := log.began(as)
	if why == nil {
		why = w.incomplete[p.proxy.Name]
	}
	if why != nil {
		return 0, fmt.Sprintf("the access log of %s is no evidence: %v", p.proxy.Name, why)
	}
	return n, ""
}

// loggedRequests counts the requests, each once whatever its attempts, or TCP
// connections that reached an endpoint of a service.
func loggedRequests(w *Window, p pair, a asked) answer {
	unknownVersion := false
	n, why := w.logCount(p, func(k logged) bool {
		if k.upstream == "" || !isOf(k.cluster, a.service.Host) {
			return false
		}
		version, known := w.version(k.upstream)
		unknownVersion = unknownVersion || !known
		return a.version == "" || version == a.version
	})
	switch {
	case why != "":
		return unknown(why)
	case a.version != "" && unknownVersion:
		return unknown(fmt.Sprintf("%s sent requests to an endpoint of %s that is no workload with a proxy that is read, so its version is not known", p.proxy.Name, a.service.Name))
	}
	return counted(logSource, n)
}

// loggedFaults counts the delays and aborts of a service's requests: those by
// the routes of the VirtualServices that the run has marked for its host, and
// of unmarked ones those to its clusters. So services that share a port, and
// faults at a gateway, are told apart.
func loggedFaults(w *Window, p pair, a asked) answer {
	var n uint64
	for _, flag := range []string{"DI", "FI"} {
		some, why := w.logCount(p, func(k logged) bool {
			return k.flagged(flag) && w.about(k, a.service.Host)
		})
		if why != "" {
			return unknown(why)
		}
		n += some
	}
	return counted(logSource+" DI, FI", n)
}

// about says whether a request was to a host: by the rule that it went by if
// the run has marked that, else by its cluster.
func (w *Window) about(k logged, host string) bool {
	if !strings.Contains(k.route, rules.MarkPrefix) {
		return isOf(k.cluster, host)
	}
	return slices.ContainsFunc(w.Objects, func(o *rules.Object) bool {
		vs, ok := o.Spec.(*networking.VirtualService)
		return ok && slices.ContainsFunc(vs.Http, func(entry *networking.HTTPRoute) bool { return byEntry(k.route, entry.Name) }) &&
			(w.meant(k, o, host) || w.outer(rules.Hosts(o)) && isOf(k.cluster, host))
	})
}

// meant says whether a request that went by an object was to one of its hosts: of
// several, to that which its authority names, or else its cluster.
func (w *Window) meant(k logged, o *rules.Object, host string) bool {
	hosts := rules.Hosts(o)
	if len(hosts) < 2 {
		return slices.Contains(hosts, host)
	}
	if !slices.Contains(hosts, k.asked) {
		return slices.Contains(hosts, host) && isOf(k.cluster, host)
	}
	return k.asked == host
}

// outer says whether one of the hosts is no service of the namespace, but a name
// that a gateway takes requests under, or a wildcard: then it is the cluster that
// tells which service a request is to.
func (w *Window) outer(hosts []string) bool {
	return slices.ContainsFunc(hosts, func(h string) bool {
		_, known := w.service(h)
		return !known
	})
}

// byEntry says whether a route is one of an http entry: Istio names it after the
// entry and, behind a dot, after the match if that has a name; and where an entry
// delegates, after it and, behind a hyphen, the delegate's (pilot/pkg/model,
// mergeHTTPRoute). An entry that is marked is told in the middle too.
func byEntry(route, entry string) bool {
	if entry == "" || !strings.Contains(entry, rules.MarkPrefix) {
		return entry != "" && (route == entry || strings.HasPrefix(route, entry+"."))
	}
	before, after, found := strings.Cut(route, entry)
	return found && (before == "" || strings.HasSuffix(before, "-")) && (after == "" || after[0] == '.' || after[0] == '-')
}

// loggedOverflows counts the requests, or TCP connections, to a service that a
// client's circuit breaker refused.
func loggedOverflows(w *Window, p pair, a asked) answer {
	n, why := w.logCount(p, func(k logged) bool {
		name, ok := envoy.ParseClusterName(k.cluster)
		return ok && isOf(k.cluster, a.service.Host) && k.refused(isTCP(a.service, name.Port))
	})
	if why != "" {
		return unknown(why)
	}
	return counted(logSource+" UO", n)
}

// refused says whether a circuit breaker refused a request, or a connection of a TCP
// port: that has UO if there were too many connections. If too many waited for theirs
// it has lost its only attempt (URX) before an endpoint had it (Envoy, tcp_proxy.cc).
func (k logged) refused(tcp bool) bool {
	return k.flagged("UO") || tcp && k.upstream == "" && k.flagged("URX") && !k.flagged("UF")
}

// isOf says whether a cluster is an outbound one of a host.
func isOf(cluster, host string) bool {
	name, ok := envoy.ParseClusterName(cluster)
	return ok && name.Direction == envoy.Outbound && name.Host == host
}
