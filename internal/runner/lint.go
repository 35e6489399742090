package runner

import (
	"slices"

	"github.com/meshchaos/meshchaos/internal/lint"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Around is what a site tells of what lies around the objects of a plan.
func Around(site Site) lint.Around {
	ready := map[string][]map[string]string{}
	for _, service := range site.Services {
		ready[service.Host] = service.Ready
	}
	return lint.Around{All: true, Closed: site.Closed, Ready: ready}
}

// lint notes the traps that the objects of a stage are caught in, once for all
// stages.
func (p *planner) lint(stage *Stage, touched map[rules.Ref]scenarios.Rule) {
	around := Around(p.site)
	around.Objects = p.objects
	for _, object := range p.objects {
		rule, ok := touched[object.Ref]
		if !ok {
			continue
		}
		for _, w := range lint.Find([]*rules.Object{object}, around) {
			p.warn(stage, rule, object, w)
		}
	}
}

// warn notes a trap that an object of a stage is caught in, unless it is silenced.
func (p *planner) warn(stage *Stage, rule scenarios.Rule, object *rules.Object, w lint.Warning) {
	stage.Caught = append(stage.Caught, w.Trap)
	if p.silenced(w.Trap) || lint.Silenced(object, w.Trap) || slices.Contains(p.warned, w) {
		return
	}
	p.warned = append(p.warned, w)
	stage.Warnings = append(stage.Warnings, rule.Caught(object, w))
}
