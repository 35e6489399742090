package rules

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// Mentions returns the services that an object names, by their short names and, those
// of another namespace, as reviews.shop too, and the versions that its subsets are: the
// hosts that it has rules for, and those that it sends to. A wildcard and a host outside
// of the cluster are no service.
func Mentions(o *Object) (services, versions []string) {
	hosts := Hosts(o)
	switch spec := o.Spec.(type) {
	case *networking.VirtualService:
		for _, d := range destinations(spec) {
			if host := d.to.GetHost(); host != "" {
				hosts = append(hosts, FQDN(host, o.Namespace))
			}
		}
	case *networking.DestinationRule:
		for _, subset := range spec.Subsets {
			if version := subset.Labels["version"]; version != "" {
				versions = append(versions, version)
			}
		}
	}
	for _, host := range hosts {
		short, rest, _ := strings.Cut(host, ".")
		inCluster := strings.HasSuffix(rest, ".svc.cluster.local") || !strings.Contains(rest, ".")
		if strings.Contains(host, "*") || !inCluster {
			continue
		}
		for _, name := range []string{short, Short(host, o.Namespace)} {
			if !strings.Contains(name, "..") && !slices.Contains(services, name) {
				services = append(services, name)
			}
		}
	}
	return services, versions
}
