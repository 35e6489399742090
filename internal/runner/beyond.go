package runner

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/envoy"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Site is what a plan is made for.
type Site struct {
	Namespace string          // of the run
	Further   []string        // those that the mesh spans beside it
	Services  []mesh.Service  // of the namespaces
	Objects   []*rules.Object // of the namespaces, in force
	Closed    bool            // there is no outside: nobody but its services can be called
	Workloads []string        // of the namespace, those with a proxy; nil: not asked for
	Beyond    Beyond
}

// Beyond is what lies outside of the namespaces, as far as a scenario names it. Of
// an empty one nobody knows what there is.
type Beyond struct {
	Services []mesh.Service // that proxies know: of other namespaces, or of ServiceEntries, whose hosts may begin with a wildcard
	Known    bool           // proxies were asked, and know none of the others
	Web      bool           // proxies route HTTP on port 80, where Istio puts rules for hosts that nobody has

	Gateways    []*rules.Object // of all namespaces
	AllGateways bool            // there are no others

	GatewayPorts map[int][]int // as mesh.GatewayPorts has them

	GatewayPods  Pods // of the ingress gateway, in whatever namespace
	WorkloadPods Pods // of the namespace, with a proxy
}

// Alone is what lies outside of a mesh of one namespace: nothing.
func Alone() Beyond { return Beyond{Known: true, AllGateways: true} }

// survey learns from a mesh what a plan of the scenario is made for.
func survey(ctx context.Context, m mesh.Mesh, s *scenarios.Scenario) (Site, error) {
	info := m.Info()
	site := Site{Namespace: info.Namespace, Further: info.Further, Closed: info.Closed}
	var err error
	if site.Services, err = m.Services(ctx); err != nil {
		return site, fmt.Errorf("reading the services: %w", err)
	}
	if site.Objects, err = m.Objects(ctx); err != nil {
		return site, fmt.Errorf("reading the rules in force: %w", err)
	}
	if slices.ContainsFunc(cohortsOf(s), func(c mesh.Cohort) bool { return c.Borrows() != "" }) {
		if site.Workloads, err = lenders(ctx, m); err != nil {
			return site, err
		}
	}
	if site.Closed {
		site.Beyond = Alone()
		return site, nil
	}
	if hosts := foreign(s, site); len(hosts) > 0 {
		if site.Beyond, err = known(ctx, m, hosts); err != nil {
			return site, err
		}
	}
	if selects(s) {
		site.Beyond.GatewayPods, site.Beyond.WorkloadPods = carriers(ctx, m)
	}
	if !entersAtGateway(s) && !bindsToGateway(s) {
		return site, nil
	}
	if site.Beyond.Gateways, site.Beyond.AllGateways, err = m.Gateways(ctx); err != nil {
		return site, fmt.Errorf("reading the gateways: %w", err)
	}
	if site.Beyond.GatewayPorts, err = m.GatewayPorts(ctx); err != nil {
		return site, fmt.Errorf("reading the ports of the ingress gateway: %w", err)
	}
	return site, nil
}

// called are the hosts that cohorts call from the namespace of a run, fully qualified.
func called(cohorts []mesh.Cohort, from mesh.Info) []string {
	var hosts []string
	for _, host := range addressed(cohorts) {
		hosts = append(hosts, rules.Qualified(host, from.Namespace, from.Further...))
	}
	return hosts
}

// addressed are the hosts that cohorts call, as they are written.
func addressed(cohorts []mesh.Cohort) []string {
	var hosts []string
	for _, c := range cohorts {
		if host, _, err := c.Plan.Address(); err == nil {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// cohortsOf returns the cohorts of all steps.
func cohortsOf(s *scenarios.Scenario) []mesh.Cohort {
	var all []mesh.Cohort
	for _, step := range s.Steps {
		all = append(all, step.Cohorts...)
	}
	return all
}

// lenders are the workloads of the namespace that load may be from.
func lenders(ctx context.Context, m mesh.Mesh) ([]string, error) {
	proxies, err := m.Proxies(ctx)
	if err != nil {
		return nil, fmt.Errorf("finding the workloads: %w", err)
	}
	names := []string{}
	for _, p := range proxies {
		if p.Namespace == m.Info().Namespace && !p.Gateway && !p.Client {
			names = append(names, p.Workload)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// objectsOf returns all objects that a scenario writes as they stand.
func objectsOf(s *scenarios.Scenario) []*rules.Object {
	var objects []*rules.Object
	for _, rule := range s.Given {
		objects = append(objects, rule.Objects...)
	}
	for _, step := range s.Steps {
		for _, rule := range step.Apply {
			objects = append(objects, rule.Objects...)
		}
	}
	return objects
}

// foreign returns the hosts that a scenario's rules name and that are no service
// of the namespace.
func foreign(s *scenarios.Scenario, site Site) []string {
	var hosts []string
	for _, o := range objectsOf(s) {
		named := *o
		named.Namespace = site.Namespace
		for _, target := range rules.Targets(&named) {
			own := slices.ContainsFunc(site.Services, func(s mesh.Service) bool { return s.Host == target.Host })
			if !own && !slices.Contains(hosts, target.Host) {
				hosts = append(hosts, target.Host)
			}
		}
	}
	return hosts
}

func bindsToGateway(s *scenarios.Scenario) bool {
	return slices.ContainsFunc(objectsOf(s), func(o *rules.Object) bool {
		_, atGateways := rules.Followers(rules.BoundTo(o))
		return atGateways
	})
}

func entersAtGateway(s *scenarios.Scenario) bool {
	return slices.ContainsFunc(cohortsOf(s), func(c mesh.Cohort) bool { return c.From == mesh.FromGateway })
}

// known asks the sidecars of the namespace which of the hosts they have clusters
// for: so other namespaces, ServiceEntries and what is exported to whom count as
// they do for the requests. A proxy that cannot be asked leaves it open.
func known(ctx context.Context, m mesh.Mesh, hosts []string) (Beyond, error) {
	proxies, err := m.Proxies(ctx)
	if err != nil {
		return Beyond{}, fmt.Errorf("finding the proxies: %w", err)
	}
	proxies = slices.DeleteFunc(proxies, func(p mesh.Proxy) bool { return p.Gateway })
	beyond := Beyond{Known: len(proxies) > 0}
	for _, proxy := range proxies {
		clusters, err := proxy.Admin.ClusterConfigs(ctx, clusterNames(hosts))
		if err != nil {
			beyond.Known = false
			continue
		}
		for _, cluster := range clusters {
			beyond.add(cluster.Name)
		}
		if beyond.hasAll(hosts) {
			return beyond, nil
		}
		web, err := proxy.Admin.VirtualHosts(ctx, "80")
		beyond.Web = beyond.Web || err != nil || len(web) > 0
	}
	return beyond, nil
}

// clusterNames is the expression for the clusters of hosts, with those of every
// wildcard.
func clusterNames(hosts []string) string {
	words := []string{`\*.*`}
	for _, host := range hosts {
		suffix, wild := strings.CutPrefix(host, "*")
		word := regexp.QuoteMeta(suffix)
		if wild {
			word = ".*" + word
		}
		words = append(words, word)
	}
	return `outbound\|[0-9]+\|\|(?:` + strings.Join(words, "|") + ")"
}

// add keeps the port of a host that a cluster is for.
func (b *Beyond) add(name envoy.ClusterName) {
	i := slices.IndexFunc(b.Services, func(s mesh.Service) bool { return s.Host == name.Host })
	if i < 0 {
		i = len(b.Services)
		b.Services = append(b.Services, mesh.Service{Name: name.Host, Host: name.Host})
	}
	port := mesh.Port{Number: name.Port, Either: true}
	if !slices.Contains(b.Services[i].Ports, port) {
		b.Services[i].Ports = append(b.Services[i].Ports, port)
	}
}

func (b *Beyond) hasAll(hosts []string) bool {
	return !slices.ContainsFunc(hosts, func(host string) bool {
		return !slices.ContainsFunc(b.Services, func(s mesh.Service) bool { return rules.Overlap(s.Host, host) })
	})
}
