package runner

import (
	"fmt"
	"maps"
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/lint"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/scenarios"
)

// withoutCohort warns of the rules of a sample application that no cohort passes
// through, in the step that has them or a later one. Of any other application it is
// not known who calls whom.
func (p *planner) withoutCohort(s *scenarios.Scenario, stages []Stage) {
	objects := slices.Clone(p.site.Objects)
	for _, stage := range stages {
		objects = append(objects, stage.Objects()...)
	}
	for i := range stages {
		stage := &stages[i]
		var cohorts []mesh.Cohort
		for _, step := range s.Steps[max(i-1, 0):] {
			cohorts = append(cohorts, step.Cohorts...)
		}
		t, known := p.traffic(s.App, cohorts, objects)
		if !known {
			continue
		}
		var seen []string
		for _, change := range stage.Changes {
			for _, part := range rules.Parts(change.Before, change.After) {
				where := change.Ref().String() + part.Whole
				why := t.misses(change.After, part)
				if why == "" || slices.Contains(seen, where) {
					continue
				}
				seen = append(seen, where)
				p.warn(stage, stage.by[change.Ref()], change.After, lint.Warning{
					Trap: scenarios.RuleWithoutCohort, Ref: change.Ref(), Path: part.Whole,
					Message: why + ", so it cannot be seen to bite; add a load that passes through it, or take it out",
				})
			}
		}
	}
}

// misses says why no cohort passes through a part of an object; empty: one may.
func (t *traffic) misses(o *rules.Object, part rules.Part) string {
	vs, ok := o.Spec.(*networking.VirtualService)
	if !ok {
		if o.Kind == rules.DestinationRule && t.own[part.Host] && !t.sent[part.Host] {
			return fmt.Sprintf("%s is called by no load, nor on behalf of one", part.Service(t.home))
		}
		return ""
	}
	sidecars, gateways := rules.Followers(vs.Gateways)
	switch {
	case gateways && t.gateway:
		return ""
	case !sidecars:
		return "only gateways follow it, and no load has from: gateway"
	case t.own[part.Host] && !t.called[part.Host]:
		return fmt.Sprintf("%s is called by no load, nor on behalf of one, in the mesh", part.Service(t.home))
	}
	for i, entry := range vs.Http {
		if part.Whole != fmt.Sprintf("spec.http[%d]", i) || !t.own[part.Host] {
			continue
		}
		if header := t.unsent(part.Host, entry.Match); header != "" {
			return fmt.Sprintf("no load sends %s to %s", header, part.Service(t.home))
		}
	}
	return ""
}

// unsent is a header that a request to a host would need to match any of the blocks,
// and that none has; empty: some may match. Only an exact value that clients alone
// give is decided here.
func (t *traffic) unsent(host string, blocks []*networking.HTTPMatchRequest) string {
	if t.edited {
		return ""
	}
	var lacks string
	for _, block := range blocks {
		lacks = ""
		for _, name := range slices.Sorted(maps.Keys(block.Headers)) {
			if value := block.Headers[name].GetExact(); value != "" && !rules.AddedOnTheWay(name) && !t.sends(host, name, value) {
				lacks = name + ": " + value
			}
		}
		if lacks == "" {
			return ""
		}
	}
	return lacks
}
