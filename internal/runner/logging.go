package runner

import (
	"context"
	"maps"
	"slices"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/scenarios"
)

// logAccess adds to what is given the changes by which the access logs are
// switched on, where they are off: of the namespaces' sidecars, and of a gateway
// that the run has to do with. A run does without them where that cannot be done,
// which the warnings then word.
func (p *Planned) logAccess(ctx context.Context, m mesh.Mesh, s *scenarios.Scenario, gitOps bool) {
	const without = "the access logs stay off, and the evidence has to come from elsewhere: "
	proxies := p.proxies
	if !p.enters(s) {
		proxies = slices.DeleteFunc(slices.Clone(proxies), func(proxy mesh.Proxy) bool { return proxy.Gateway })
	}
	off, unseen, err := p.logging.Unlogged(ctx, proxies, p.services)
	if err != nil {
		p.Warnings = append(p.Warnings, without+err.Error())
		return
	}
	if len(off) > 0 {
		off = append(off, unseen...) // whoever has no listener yet will log as the others do, as far as anybody can tell
	}
	info := m.Info()
	for _, namespace := range namespaces(off) {
		var change rules.Change
		if namespace == info.Namespace || slices.Contains(info.Further, namespace) {
			change, err = rules.LogAccess(p.objects, namespace)
		} else {
			change, err = rules.LogGateway(p.objects, namespace, labelsIn(proxies, namespace))
		}
		if err == nil {
			err = notOurs(rules.Find(p.objects, change.Ref()), gitOps)
		}
		if err == nil {
			err = m.Admit(ctx, []*rules.Object{change.After})
		}
		if err != nil {
			p.Warnings = append(p.Warnings, "in the namespace "+namespace+" "+without+err.Error())
			continue
		}
		p.Stages[0].Changes = slices.Insert(p.Stages[0].Changes, 0, change)
	}
}

// enters says whether a rule or a load of the run has to do with the gateway.
func (p *Planned) enters(s *scenarios.Scenario) bool {
	return entersAtGateway(s) || slices.ContainsFunc(p.Stages, func(stage Stage) bool {
		return slices.ContainsFunc(stage.Objects(), func(o *rules.Object) bool {
			_, atGateways := rules.Followers(rules.BoundTo(o))
			return atGateways || o.Kind == rules.Gateway
		})
	})
}

func namespaces(proxies []mesh.Proxy) []string {
	found := map[string]bool{}
	for _, proxy := range proxies {
		found[proxy.Namespace] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func labelsIn(proxies []mesh.Proxy, namespace string) (all []map[string]string) {
	for _, proxy := range proxies {
		if proxy.Namespace == namespace {
			all = append(all, proxy.Labels)
		}
	}
	return all
}
