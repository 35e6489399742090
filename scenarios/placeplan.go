package scenarios

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/loadgen"
)

// placePlan places what is wrong with the plan of a cohort at the key that says
// it, of the cohort or of the checks and versions.
func (f *fileScenario) placePlan(cohort ast.Node, err error) error {
	var wrong *loadgen.FieldError
	if !errors.As(err, &wrong) {
		return yamlnode.At(cohort, "", "%v", err)
	}
	return yamlnode.At(f.fieldOf(cohort, wrong.Field), "", "%v", wrong)
}

// fieldOf is the node that says a field of a plan.
func (f *fileScenario) fieldOf(cohort ast.Node, field string) ast.Node {
	list, name, _ := strings.Cut(field, ".")
	switch {
	case list == "checks" || list == "versions":
		return f.matcherOf(list, name)
	case list == "http", list == "grpc":
		return fieldOfRequest(cohort, cohort, name)
	case strings.HasPrefix(field, "send"):
		return fieldOfSend(cohort, strings.TrimPrefix(field, "send"))
	case strings.HasPrefix(field, "tcp.lines"):
		return yamlnode.Follow(cohort, strings.TrimPrefix(field, "tcp."))
	case strings.HasPrefix(field, "tcp."):
		return targetOf(cohort)
	case strings.HasPrefix(field, "rate"):
		return pointOf(cohort, strings.TrimPrefix(field, "rate"))
	}
	return yamlnode.Follow(cohort, field)
}

// pointOf is the node that says a point of a rate, by its index in brackets, or all of it.
func pointOf(cohort ast.Node, index string) ast.Node {
	i, _ := strconv.Atoi(strings.Trim(index, "[]"))
	if yamlnode.Pair(cohort, "stages") == nil {
		return yamlnode.Follow(cohort, []string{"qps.from", "qps.to"}[min(i, 1)])
	}
	if i == 0 && yamlnode.Pair(cohort, "qps") != nil {
		return yamlnode.Follow(cohort, "qps")
	}
	return yamlnode.Follow(cohort, fmt.Sprintf("stages[%d].target", max(i-1, 0)))
}

// matcherOf is the node of a check or a version, or of its match.
func (f *fileScenario) matcherOf(list, name string) ast.Node {
	all := yamlnode.Pair(yamlnode.Pair(f.body, "spec").Value, list)
	if entry := yamlnode.Pair(all.Value, name); entry != nil {
		return entry
	}
	if entry := yamlnode.Pair(all.Value, strings.TrimSuffix(name, ".match")); entry != nil {
		return yamlnode.Follow(entry.Value, "match")
	}
	return all
}

// checkMatchers refuses, once and at its place, a check or a version that no load
// could be carried out with.
func (f *fileScenario) checkMatchers() []error {
	plan := loadgen.Plan{Connections: 1, HTTP: &loadgen.HTTP{URL: "http://service"}}
	var wrong []error
	try := func(checks, versions []loadgen.Check) {
		plan.Checks, plan.Versions = checks, versions
		if err := plan.Validate(); err != nil {
			wrong = append(wrong, f.placePlan(f.body, err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Spec.Checks)) {
		try(checksOf(map[string]fileCheck{name: f.Spec.Checks[name]}), nil)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Spec.Versions)) {
		try(nil, checksOf(map[string]fileCheck{name: f.Spec.Versions[name]}))
	}
	if len(wrong) == 0 {
		try(checksOf(f.Spec.Checks), checksOf(f.Spec.Versions))
	}
	return wrong
}
