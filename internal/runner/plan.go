package runner

import (
	"errors"
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/lint"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Stage is the changes that are made together: those of given, or of a step.
type Stage struct {
	Name    string
	Changes []rules.Change // in the order to write them; Before is what the stage finds
	Mark    string         // stands in the http[].name of every VirtualService it writes, with the number of the object

	Warnings []scenarios.Warning // of what it writes: allowed, and probably not meant
	Caught   []string            // the traps that it is caught in, silenced or not

	idle []error                      // entries that change nothing
	by   map[rules.Ref]scenarios.Rule // the last rule that touched an object
}

// Objects are those that the stage writes.
func (s Stage) Objects() []*rules.Object {
	objects := make([]*rules.Object, len(s.Changes))
	for i, change := range s.Changes {
		objects[i] = change.After
	}
	return objects
}

// Plan works out every change of a run from the objects in force. The first
// stage is given, and each step has one. Nothing is written. The error joins all
// that is wrong, with what rules and load name and the mesh has not.
func Plan(site Site, s *scenarios.Scenario, id string) ([]Stage, error) {
	stages, err := plan(site, s, id)
	if err != nil {
		return nil, err
	}
	if err := unaltered(stages[0], stages[1:]); err != nil {
		return nil, err
	}
	if err := inert(stages[1:]); err != nil {
		return nil, err
	}
	return stages, nil
}

// plan is Plan, and takes rules that change nothing.
func plan(site Site, s *scenarios.Scenario, id string) ([]Stage, error) {
	p := planner{
		site: site, objects: slices.Clone(site.Objects), silenced: s.Silenced,
		there: there{namespace: site.Namespace, further: site.Further, services: site.Services, workloads: site.Workloads, nobody: s.NoEndpoints, closed: site.Closed, beyond: site.Beyond},
	}
	given := p.stage(report.Given, s.Given, id+"-0")
	var steps []Stage
	for i, step := range s.Steps {
		steps = append(steps, p.stage(step.Name, step.Apply, fmt.Sprintf("%s-%d", id, i+1)))
		for _, cohort := range step.Cohorts {
			if err := p.there.load(cohort, p.objects); err != nil {
				p.note(step.WrongTarget(cohort.Name, err))
			}
			if err := p.there.lender(cohort); err != nil {
				p.note(step.WrongEntrance(cohort.Name, err))
			}
		}
	}
	p.note(p.there.untrue(p.objects))
	if err := errors.Join(p.wrong...); err != nil {
		return nil, err
	}
	stages := append([]Stage{given}, steps...)
	p.withoutCohort(s, stages)
	return stages, nil
}

// targets are the services as rules know them.
func targets(services []mesh.Service) []rules.Service {
	out := make([]rules.Service, len(services))
	for i, service := range services {
		name, namespace, inCluster := rules.InCluster(service.Host)
		if !inCluster {
			name = service.Name
		}
		out[i] = rules.Service{
			Name: name, Namespace: namespace,
			TCP: !slices.ContainsFunc(service.Ports, func(p mesh.Port) bool { return !p.TCP }),
		}
	}
	return out
}

// planner follows the objects through the stages.
type planner struct {
	site    Site
	objects []*rules.Object
	there   there
	wrong   []error

	silenced func(trap string) bool
	warned   []lint.Warning
}

// note keeps an error, once: steps may have a load in common.
func (p *planner) note(err error) {
	if err != nil && !slices.ContainsFunc(p.wrong, func(e error) bool { return e.Error() == err.Error() }) {
		p.wrong = append(p.wrong, err)
	}
}

// stage works out what a list of rules writes, all of it together.
func (p *planner) stage(name string, ruleSet []scenarios.Rule, mark string) Stage {
	before := slices.Clone(p.objects)
	touched := p.merge(ruleSet)
	stage := Stage{Name: name, Mark: rules.MarkPrefix + mark, by: touched}
	for _, object := range p.objects {
		if rule, ok := touched[object.Ref]; ok {
			p.write(&stage, rule, rules.Change{Before: rules.Find(before, object.Ref), After: object})
		}
	}
	for _, problem := range rules.Check(p.objects) {
		if rule, ok := touched[problem.Ref]; ok {
			p.note(placed(rule, wrongField(problem.Ref, problem.Path, "%s", problem.Message)))
		}
	}
	p.lint(&stage, touched)
	slices.SortStableFunc(stage.Changes, rules.InWritingOrder)
	return stage
}

// merge works a list of rules into the objects, and returns the last of them that
// touched each.
func (p *planner) merge(ruleSet []scenarios.Rule) map[rules.Ref]scenarios.Rule {
	touched := map[rules.Ref]scenarios.Rule{}
	for _, rule := range ruleSet {
		changes, err := p.changes(rule)
		if err == nil && len(rule.Objects) > 0 {
			err = twice(changes, touched)
		}
		if err != nil {
			p.note(rule.Wrong(err))
			continue
		}
		for _, change := range changes {
			touched[change.Ref()] = rule
			p.objects = rules.Put(p.objects, change.After)
		}
	}
	return touched
}

// write adds a change of an object to a stage, marked, and notes what is wrong with it
// in this mesh.
func (p *planner) write(stage *Stage, rule scenarios.Rule, change rules.Change) {
	p.note(placed(rule, p.there.rule(change.Before, change.After, p.objects)))
	for of := range dropped(change.Before, change.After, p.objects) {
		if gone(of, p.objects) {
			p.there.dropped = append(p.there.dropped, of)
		}
	}
	if err := p.changesNothing(rule, change); err != nil {
		stage.idle = append(stage.idle, err)
	}
	change.After = change.After.Clone()
	rules.Mark(change.After, fmt.Sprintf("%s-%d", stage.Mark, len(stage.Changes)))
	stage.Changes = append(stage.Changes, change)
}

// changesNothing refuses an entry under which a step would measure what the mesh
// does without it.
func (p *planner) changesNothing(rule scenarios.Rule, change rules.Change) error {
	path := rules.Unchanged(change, p.there.ports)
	if path == "" {
		return nil
	}
	if change.Ref().Kind == rules.DestinationRule {
		return placed(rule, wrongField(change.Ref(), path, "it changes nothing: LEAST_REQUEST is what proxies take by themselves; name another load balancer, or take it out"))
	}
	return placed(rule, wrongField(change.Ref(), path, "it changes nothing: what it matches meets the same without it; let it do something else, or take it out"))
}

// changes are those of one rule, on top of the rules before it.
func (p *planner) changes(rule scenarios.Rule) ([]rules.Change, error) {
	site := p.site
	site.Objects = p.objects
	return Changes(site, rule)
}

// Changes returns what one rule changes of the objects in force, whether or not
// there is what it names.
func Changes(site Site, rule scenarios.Rule) ([]rules.Change, error) {
	if rule.Intent != nil {
		return rules.Merge(site.Objects, targets(site.Services), site.Namespace, []rules.Intent{rule.Intent})
	}
	wanted := make([]*rules.Object, len(rule.Objects))
	for i, object := range rule.Objects {
		wanted[i] = object.Clone()
		if wanted[i].Namespace == "" {
			wanted[i].Namespace = site.Namespace
		}
		if wanted[i].Namespace != site.Namespace {
			return nil, fmt.Errorf("applying %s: it is in another namespace than the run's, %q; take the namespace out of the file, or give --namespace", object.Ref, site.Namespace)
		}
	}
	return rules.Verbatim(site.Objects, wanted)
}

// twice refuses an object as it stands for one that the stage has written
// already: it would take away what that says.
func twice(changes []rules.Change, touched map[rules.Ref]scenarios.Rule) error {
	for _, change := range changes {
		if _, taken := touched[change.Ref()]; taken {
			return fmt.Errorf("applying %s: a rule above it in the same list writes it too; put both into one", change.Ref())
		}
	}
	return nil
}
