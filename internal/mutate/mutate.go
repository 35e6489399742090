// Package mutate asks of a scenario whether it could fail: it derives from its
// rules what could be wrong with them, runs each such mutant on an embedded mesh of
// its own, and says which expectation noticed.
//
// A mutant is a scenario like any other, whose file had one thing wrong: the mesh
// is honest, and the run is told what it writes. Nothing is read of a mesh but what
// the embedded one would have.
//
// A kind of mutant is a file, with its line in kinds. The package may import
// internal/runner, internal/mesh/embedded and what they may.
package mutate

import (
	"errors"
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Mutant is a scenario with one thing wrong in what it writes.
type Mutant struct {
	ID       string // stable as long as the rule and its place are: apply[0]/delay-halved
	Line     int    // of the rule in the file
	What     string // what is wrong: the delay of ratings is 3.5s, not 7s
	Advice   string // how it would be noticed
	Scenario *scenarios.Scenario

	stage int  // of the rule: 0 is what is given
	draws bool // something in force draws lots, so that another run may go another way
}

// kind is one way in which what a rule writes can be wrong.
type kind struct {
	of     func(written) []edit
	advice string // how a mutant of it would be noticed
}

// kinds are those that there are.
func kinds() []kind {
	const excuse = ", or say in spec.mutants why nothing can tell it from the rule"
	return []kind{
		{dropped, "expect what the rule brings about, rather than that nothing breaks" + excuse},
		{match, "let a cohort send requests that are nearly, but not, what the rule asks for, and expect of it what is so without the rule" + excuse},
		{delay, "let a cohort with more patience than the callers meet the delay, and expect its time from below and from above (cohort.min, cohort.max)" + excuse},
		{percentage, "expect how many requests met it, as in faults(SERVICE) == cohort.sent of all, or 40% < faults(SERVICE) / cohort.sent < 60% of half of many" + excuse},
		{mirrored, "expect how many requests the version has that the copies are for, as in requests(SERVICE, v2) == cohort.sent of all, or 40% < requests(SERVICE, v2) / cohort.sent < 60% of half of many" + excuse},
		{status, "let a cohort see the status itself, and expect it, as in cohort.status[503] == cohort.sent" + excuse},
		{nearby, "expect of what is not to be hit that it is as before: its status, its content, its time, and how many faults there were" + excuse},
		{subset, "expect which version answers, as in split(cohort).is(v1 == 100%), with requests: auto" + excuse},
		{weights, "expect the weights, as in split(cohort).is(v1 == 90%, v2 == 10%), with requests: auto" + excuse},
		{caller, "expect of each caller which version answers it, and of the other version how many requests it has, as in requests(SERVICE, v1) == 0" + excuse},
		{timeout, "let a cohort see when the timeout ends its requests, and expect its time from below and from above" + excuse},
		{retries, "let requests fail that are tried again, and expect how often the service was asked, as in requests(SERVICE) == 3 * cohort.sent" + excuse},
		{mirror, "expect how many requests the version has that the copies are for, as in requests(SERVICE, v2) == cohort.sent" + excuse},
		{gateways, "let one cohort enter by the gateway and another call past it, and expect of each what is so for it" + excuse},
		{encryption, "let one cohort enter with a certificate and another without, and expect of each whether it is answered" + excuse},
		{balancer, "send enough to each endpoint, and expect how evenly they share, as in imbalance(SERVICE) <= 1" + excuse},
		{limits, "send as much as the limit turns away, and expect it, as in overflows(SERVICE) > 0, or, of requests for each connection, connections(SERVICE) >= cohort.status[200]" + excuse},
		{ejection, "let an endpoint fail as often as it takes, and expect ejections(SERVICE) > 0" + excuse},
	}
}

// Of derives the mutants of a scenario, in the order of its rules. One that does
// the same with the traffic as the scenario, or as a mutant before it, is not made.
// The error is that of a scenario that cannot be planned on the embedded mesh.
func Of(s *scenarios.Scenario) ([]Mutant, error) {
	if s.App == "" {
		return nil, errors.New("the scenario names no app, so there is nothing to start on the embedded mesh; add app: bookinfo")
	}
	services, err := embedded.Services(s.App)
	if err != nil {
		return nil, err
	}
	workloads, err := embedded.Workloads(s.App)
	if err != nil {
		return nil, err
	}
	site := runner.Site{Namespace: embedded.Namespace, Services: services, Workloads: workloads, Closed: true, Beyond: runner.Alone()}
	honest, err := follow(site, s, nil)
	if err != nil {
		return nil, err
	}
	known := []stages{honest}
	var all []Mutant
	for _, w := range honest.rules {
		for _, k := range kinds() {
			for _, e := range k.of(w) {
				altered, err := follow(site, s, &alteration{at: w.at, edit: e})
				if err != nil || altered.refused(honest) || slices.ContainsFunc(known, altered.same) {
					continue // a rule that cannot be written is no mutant
				}
				known = append(known, altered)
				all = append(all, Mutant{ID: w.at.id + "/" + e.id, Line: w.rule.Line(), What: e.what, Advice: k.advice, Scenario: altered.in(s), stage: w.at.stage, draws: altered.draws()})
			}
		}
	}
	return all, nil
}

// place is where a rule stands in a scenario.
type place struct {
	stage int // 0 is what is given
	rule  int
	id    string // given[0], apply[1], half/apply[0]
}

// alteration is what is wrong, and where.
type alteration struct {
	at   place
	edit edit
}

func (a *alteration) altersAt(at place) bool { return a != nil && a.at == at && a.edit.alter != nil }

func (a *alteration) addsTo(stage int) bool {
	return a != nil && a.at.stage == stage && a.edit.also != nil
}

// stages are what a scenario writes, stage by stage.
type stages struct {
	site    runner.Site
	rules   []written
	touched [][]*rules.Object // by each stage, as they are when it is over
	objects [][]*rules.Object // all in force by then
}

// follow works out what a scenario writes, with one thing wrong unless it is nil.
func follow(site runner.Site, s *scenarios.Scenario, wrong *alteration) (stages, error) {
	out := stages{site: site}
	sets := [][]scenarios.Rule{s.Given}
	for _, step := range s.Steps {
		sets = append(sets, step.Apply)
	}
	for i, set := range sets {
		var refs []rules.Ref
		put := func(changes []rules.Change) {
			for _, change := range changes {
				site.Objects = rules.Put(site.Objects, change.After)
				refs = append(slices.DeleteFunc(refs, func(r rules.Ref) bool { return r == change.Ref() }), change.Ref())
			}
		}
		for j, rule := range set {
			at := place{i, j, fmt.Sprintf("%s[%d]", wordStage(s, i), j)}
			changes, err := runner.Changes(site, rule)
			if err != nil {
				return out, rule.Wrong(err)
			}
			w := written{at, site, rule, changes, s.Steps[max(0, i-1)].Cohorts}
			out.rules = append(out.rules, w)
			if wrong.altersAt(at) {
				if changes, err = wrong.edit.alter(w.clone()); err != nil {
					return out, err
				}
			}
			put(changes)
		}
		if wrong.addsTo(i) {
			changes, err := runner.Changes(site, scenarios.Rule{Intent: wrong.edit.also})
			if err != nil {
				return out, err
			}
			put(changes)
		}
		var touched []*rules.Object
		for _, ref := range refs {
			touched = append(touched, rules.Find(site.Objects, ref))
		}
		out.touched, out.objects = append(out.touched, touched), append(out.objects, site.Objects)
	}
	return out, nil
}

// refused says whether Istio itself would refuse an object that stands otherwise in
// the scenario: what it notices is none of what the scenario does.
func (g stages) refused(honest stages) bool {
	for i, objects := range g.objects {
		if len(rules.Check(objects)) > len(rules.Check(honest.objects[i])) {
			return true
		}
	}
	return false
}

// draws says whether requests that are alike may meet different things.
func (g stages) draws() bool {
	return slices.ContainsFunc(g.objects, func(inForce []*rules.Object) bool { return slices.ContainsFunc(inForce, rules.Draws) })
}

// wordStage names the list that holds the rules of a stage.
func wordStage(s *scenarios.Scenario, i int) string {
	switch {
	case i == 0:
		return report.Given
	case s.Steps[i-1].Name == "":
		return "apply"
	}
	return s.Steps[i-1].Name + "/apply"
}

// in is the scenario with these stages for its own.
func (g stages) in(s *scenarios.Scenario) *scenarios.Scenario {
	mutant := *s
	mutant.Given = as(s.Given, g.touched[0])
	mutant.Steps = slices.Clone(s.Steps)
	for i := range mutant.Steps {
		mutant.Steps[i].Apply = as(s.Steps[i].Apply, g.touched[i+1])
	}
	return &mutant
}

// as is a list of rules that writes objects as they stand.
func as(set []scenarios.Rule, objects []*rules.Object) []scenarios.Rule {
	if len(objects) == 0 {
		return nil
	}
	var plain []*rules.Object
	for _, o := range objects {
		o = o.Clone()
		o.Manifest, o.ResourceVersion, o.Namespace = nil, "", "" // which is that of the run
		plain = append(plain, o)
	}
	return []scenarios.Rule{set[0].As(plain)}
}
