package rules

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// MeshGateway is the word in a VirtualService's gateways that stands for all
// sidecars.
const MeshGateway = "mesh"

// clusterDomain is how the names of services end, but for clusters that were told another
// domain than cluster.local.
const clusterDomain = ".svc.cluster.local"

// FQDN returns the fully qualified name that a host in a rule of a namespace
// stands for. A host with a dot or a wildcard stands for itself, as in Istio.
func FQDN(host, namespace string) string {
	if strings.ContainsAny(host, ".*") {
		return host
	}
	return host + "." + namespace + clusterDomain
}

// Qualified returns the fully qualified name that DNS makes of the host of a request
// that is sent in a namespace: ratings, ratings.book and ratings.book.svc are one. The
// others are namespaces that are known to be some: that ratings.shop is a service, and
// not a name of the world outside, nothing else tells.
func Qualified(host, namespace string, others ...string) string {
	host = strings.TrimSuffix(host, ".")
	name, of, two := strings.Cut(host, ".")
	of, inCluster := strings.CutSuffix(of, ".svc")
	switch {
	case !two || strings.ContainsAny(of, ".*") || strings.Contains(name, "*"):
		return FQDN(host, namespace)
	case inCluster, of == namespace, slices.Contains(others, of):
		return FQDN(name, of)
	}
	return host
}

// Asked returns the fully qualified name of the host in the authority of a request, as
// Qualified does; its port is no part of it. The namespace is that of the pod which sends
// the request.
func Asked(authority, namespace string, others ...string) string {
	host, _, _ := strings.Cut(authority, ":")
	return Qualified(host, namespace, others...)
}

// InCluster splits the fully qualified name of a service; ok is false of any other host.
func InCluster(host string) (name, namespace string, ok bool) {
	of, inCluster := strings.CutSuffix(host, clusterDomain)
	name, namespace, _ = strings.Cut(of, ".")
	if !inCluster || name == "" || namespace == "" || strings.Contains(of, "*") || strings.Contains(namespace, ".") {
		return "", "", false
	}
	return name, namespace, true
}

// Short is what a scenario calls a host whose run is in a namespace: ratings, or
// ratings.shop of another; a host that is no service's is called as it stands.
func Short(host, home string) string {
	name, namespace, ok := InCluster(host)
	switch {
	case !ok:
		return host
	case namespace == home:
		return name
	}
	return name + "." + namespace
}

// GatewayName returns namespace/name of a gateway as an object of a namespace
// writes it: name, namespace/name, ./name, or by the host of old, name.namespace
// with or without svc.cluster.local. MeshGateway stands for itself.
func GatewayName(gateway, namespace string) string {
	if gateway == MeshGateway {
		return gateway
	}
	if of, name, qualified := strings.Cut(gateway, "/"); qualified {
		if of == "." {
			of = namespace
		}
		return of + "/" + name
	}
	name, rest, old := strings.Cut(gateway, ".")
	if !old {
		return namespace + "/" + gateway
	}
	of, _, _ := strings.Cut(rest, ".")
	return of + "/" + name
}

// Hosts returns the fully qualified hosts that an object has rules for, each
// once and in its order; none for a Gateway.
func Hosts(o *Object) []string {
	var hosts []string
	switch spec := o.Spec.(type) {
	case *networking.VirtualService:
		hosts = spec.Hosts
	case *networking.DestinationRule:
		hosts = []string{spec.Host}
	}
	var out []string
	for _, host := range hosts {
		if host = FQDN(host, o.Namespace); !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	return out
}

// Covers says whether a host in a rule of a namespace, which may begin with a
// wildcard, stands for a fully qualified one.
func Covers(host, namespace, qualified string) bool {
	return covers(FQDN(host, namespace), qualified)
}

// covers says whether a host of a rule, which may begin with a wildcard, stands
// for a fully qualified one.
func covers(pattern, host string) bool {
	if suffix, wild := strings.CutPrefix(pattern, "*"); wild {
		return strings.HasSuffix(host, suffix)
	}
	return pattern == host
}

// Overlap says whether two hosts, of which each may begin with a wildcard, stand
// for one that is the same.
func Overlap(a, b string) bool { return covers(a, b) || covers(b, a) }

// Followers says who follows what is for a list of gateways, as a VirtualService and
// its matches have one: sidecars, where it is empty or has MeshGateway in it, gateways,
// where it names one, or both.
func Followers(gateways []string) (sidecars, atGateways bool) {
	return len(gateways) == 0 || slices.Contains(gateways, MeshGateway),
		slices.ContainsFunc(gateways, func(name string) bool { return name != MeshGateway })
}

// FollowedBy says who follows an object: a DestinationRule is for whoever calls its host.
func FollowedBy(o *Object) (sidecars, atGateways bool) {
	if vs, ok := o.Spec.(*networking.VirtualService); ok {
		return Followers(vs.Gateways)
	}
	return true, false
}

// inSidecars says whether sidecars, and not only gateways, follow a
// VirtualService.
func inSidecars(vs *networking.VirtualService) bool {
	sidecars, _ := Followers(vs.Gateways)
	return sidecars
}
