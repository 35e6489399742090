package scenarios

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/samples"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/report"
)

var namePattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// compile turns a decoded file into a scenario. It goes on after an error, so
// that one reading shows all that is wrong.
func (r *reader) compile(f *fileScenario) (*Scenario, error) {
	var wrong []error
	note := func(err error) {
		if err != nil {
			wrong = append(wrong, r.place(err))
		}
	}
	spec := yamlnode.Pair(f.body, "spec")
	note(envelope(f))
	if spec == nil {
		return nil, errors.Join(wrong...)
	}
	note(checkLabels(f))
	s := &Scenario{Name: f.Metadata.Name, Labels: f.Metadata.Labels, Summary: f.Spec.Summary, App: f.Spec.App, Rollback: f.Spec.OnFailure == "rollback"}
	note(checkWord(spec.Value, "app", f.Spec.App, samples.Apps()))
	note(checkWord(spec.Value, "onFailure", f.Spec.OnFailure, []string{"continue", "rollback"}))

	var err error
	s.Given, err = r.compileRules(f.Spec.Given)
	wrong = append(wrong, err)
	for _, err := range f.checkMatchers() {
		note(err)
	}
	s.NoEndpoints, err = r.compileNoEndpoints(f)
	note(err)
	s.Excuses, err = r.compileExcuses(f)
	note(err)
	s.Silences, err = r.compileSilences(f)
	note(err)
	steps, err := stepsOf(f)
	note(err)
	for _, step := range steps {
		apply, err := r.compileRules(step.Apply)
		wrong = append(wrong, err)
		s.Steps = append(s.Steps, Step{Name: step.Name, Apply: apply})
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	note(rulesInForce(f, s))
	for i, step := range steps {
		wrong = append(wrong, r.compileStep(f, s, &s.Steps[i], step))
	}
	wrong = append(wrong, r.compileAborts(f, s, steps))
	if err := errors.Join(wrong...); err != nil {
		return nil, errors.Join(err, s.decided())
	}
	if err := r.compileConclusions(f, s, steps); err != nil {
		return nil, err
	}
	if err := s.bind(); err != nil {
		return nil, err
	}
	s.alike = r.likeVersions(f)
	s.lint()
	return s, nil
}

func (r *reader) compileNoEndpoints(f *fileScenario) ([]NoEndpoints, error) {
	var out []NoEndpoints
	for i, entry := range f.Spec.NoEndpoints {
		node := yamlnode.Follow(f.body, fmt.Sprintf("spec.noEndpoints[%d]", i))
		if entry.Service == "" {
			return nil, yamlnode.At(node, "write service: with its name", "the entry of noEndpoints names no service")
		}
		out = append(out, NoEndpoints{Service: entry.Service, Subset: entry.Subset, place: *r.place(yamlnode.At(node, "", ""))})
	}
	return out, nil
}

// envelope checks what heads the file.
func envelope(f *fileScenario) error {
	switch {
	case f.APIVersion != scenarioAPI:
		return yamlnode.At(yamlnode.Follow(f.body, "apiVersion"), "write apiVersion: "+scenarioAPI, "the apiVersion is %q", f.APIVersion)
	case f.Kind != scenarioKind:
		return yamlnode.At(yamlnode.Follow(f.body, "kind"), "write kind: "+scenarioKind, "the kind is %q", f.Kind)
	case !namePattern.MatchString(f.Metadata.Name):
		return yamlnode.At(yamlnode.Follow(f.body, "metadata.name"), "use lower-case letters, digits and hyphens", "metadata.name is %q", f.Metadata.Name)
	case yamlnode.Pair(f.body, "spec") == nil:
		return yamlnode.At(f.body, "", "the scenario has no spec")
	}
	return nil
}

// checkWord refuses a word outside its choice; an empty one is a default.
func checkWord(parent ast.Node, key, word string, choice []string) error {
	if word == "" || slices.Contains(choice, word) {
		return nil
	}
	return yamlnode.At(yamlnode.Follow(parent, key), nearest.Hint(word, choice), "unknown %s %q", key, word)
}

// stepsOf returns the steps of a file; without steps the spec itself is one.
func stepsOf(f *fileScenario) ([]fileStep, error) {
	spec := &f.Spec
	if len(spec.Steps) == 0 {
		if len(spec.Load) == 0 {
			return nil, yamlnode.At(yamlnode.Follow(f.body, "spec"), "write load: with a cohort", "the scenario drives no load")
		}
		return []fileStep{{Apply: spec.Apply, Load: spec.Load, Expect: spec.Expect, Conclusion: spec.Conclusion}}, nil
	}
	if len(spec.Apply)+len(spec.Load)+len(spec.Expect) > 0 {
		at := f.body
		for _, key := range []string{"apply", "load", "expect"} {
			if yamlnode.Pair(yamlnode.Pair(f.body, "spec").Value, key) != nil {
				at = yamlnode.Follow(f.body, "spec."+key)
				break
			}
		}
		return nil, yamlnode.At(at, "move them into a step", "a scenario with steps has no apply, load or expect beside them")
	}
	names := map[string]bool{report.Given: true}
	for i, step := range spec.Steps {
		node := yamlnode.Follow(f.body, fmt.Sprintf("spec.steps[%d]", i))
		switch {
		case step.Name == "" || names[step.Name]:
			return nil, yamlnode.At(yamlnode.Follow(node, "name"), "", "each step needs a name of its own, not %q", step.Name)
		case len(step.Load) == 0:
			return nil, yamlnode.At(node, "write load: with a cohort", "the step %q drives no load", step.Name)
		}
		names[step.Name] = true
	}
	return spec.Steps, nil
}

func (r *reader) compileRules(in []fileRule) ([]Rule, error) {
	var out []Rule
	var wrong []error
	for _, rule := range in {
		compiled, err := r.compileRule(rule)
		if err != nil {
			wrong = append(wrong, r.place(err))
			continue
		}
		out = append(out, compiled)
	}
	wrong = append(wrong, replaced(out))
	return out, errors.Join(wrong...)
}

// compileStep compiles the load and the expectations of a step.
func (r *reader) compileStep(f *fileScenario, s *Scenario, into *Step, step fileStep) error {
	scope := scopeOf(f, s, step)
	into.scope = scope
	var wrong []error
	note := func(err error) {
		if err != nil {
			wrong = append(wrong, r.place(err))
		}
	}
	for _, name := range scope.Cohorts {
		one := scope
		one.Cohorts = []string{name}
		if err := one.Validate(); err != nil {
			note(yamlnode.At(yamlnode.Pair(loadsNode(f, step), name), "", "%v", err))
		}
		note(misnamed(loadNode(f, step, name), step.Load[name])) // before a line that names one is read
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	for _, line := range step.Expect {
		compiled, err := r.compileLine(scope, line)
		if err == nil {
			err = inFirstStep(compiled, line, s.Steps[0].Name == step.Name, f)
		}
		note(err)
		into.Expect = append(into.Expect, compiled)
	}
	if len(step.Expect) == 0 {
		note(yamlnode.At(yamlnode.Pair(stepNode(f, step), "load"), "write expect: with a line", "nothing is expected of the load; a run without an expectation proves nothing"))
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	into.targets, into.froms = map[string]Error{}, map[string]Error{}
	into.fields = func(cohort, field string) Error {
		return *r.place(yamlnode.At(f.fieldOf(loadNode(f, step, cohort), field), "", ""))
	}
	for _, name := range slices.Sorted(maps.Keys(step.Load)) {
		cohort, err := r.compileLoad(f, step, name, into.Expect)
		note(err)
		into.Cohorts = append(into.Cohorts, cohort)
		node := loadNode(f, step, name)
		into.targets[name] = *r.place(yamlnode.At(targetOf(node), "", ""))
		into.froms[name] = *r.place(yamlnode.At(yamlnode.Follow(node, "from"), "", ""))
	}
	note(f.uncredited(s, step, into.Cohorts))
	return errors.Join(wrong...)
}

// inFirstStep refuses a line that asks for the baseline or the recovery of a
// cohort which is not among those of the first step: only they are driven then.
func inFirstStep(compiled Line, line fileLine, first bool, f *fileScenario) error {
	if first {
		return nil
	}
	for _, load := range compiled.Loads() {
		if _, driven := f.Spec.Steps[0].Load[load.Cohort]; load.Window != report.During && !driven {
			return yamlnode.At(line.node, "name a cohort of the first step", "%s.%s is not driven: the %s has the cohorts of the first step", load.Window, load.Cohort, load.Window)
		}
	}
	return nil
}

// scopeOf is what the expectations of a step may name.
func scopeOf(f *fileScenario, s *Scenario, step fileStep) check.Scope {
	services, versions := map[string]bool{}, map[string]bool{}
	if workloads, err := samples.App(s.App); err == nil {
		for _, w := range workloads {
			services[w.App], versions[w.Version] = true, true
		}
	}
	ruleSets := [][]Rule{s.Given}
	for _, step := range s.Steps {
		ruleSets = append(ruleSets, step.Apply)
	}
	for _, set := range ruleSets {
		for _, rule := range set {
			rule.mention(services, versions)
		}
	}
	for _, load := range step.Load {
		for _, name := range hostsOf(load) {
			services[name] = true
		}
	}
	for name := range f.Spec.Versions {
		versions[name] = true
	}
	delete(services, "")
	return check.Scope{
		Functions: evidence.Functions(),
		Cohorts:   slices.Sorted(maps.Keys(step.Load)),
		Requests:  requestsOf(step.Load),
		Checks:    slices.Sorted(maps.Keys(f.Spec.Checks)),
		Answers:   slices.Sorted(maps.Keys(f.Spec.Versions)),
		Versions:  slices.Sorted(maps.Keys(versions)),
		Services:  slices.Sorted(maps.Keys(services)),
		Longest:   longestOf(f),
		Implied:   impliedBy(f),
	}
}

// mention adds the services and versions that a rule names.
func (rule Rule) mention(services, versions map[string]bool) {
	var named, versionsNamed []string
	if rule.Intent != nil {
		named, versionsNamed = rule.Intent.Services(), rule.Intent.Versions()
	}
	for _, object := range rule.Objects {
		hosts, subsets := rules.Mentions(object)
		named, versionsNamed = append(named, hosts...), append(versionsNamed, subsets...)
	}
	for _, service := range named {
		services[service] = true
	}
	for _, version := range versionsNamed {
		versions[version] = true
	}
}
