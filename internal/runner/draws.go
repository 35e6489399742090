package runner

import (
	"slices"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// draws names what is in force in the baseline and answers alike requests by
// lot: rules with weights, percentages or limits, and services of several
// versions between which no rule decides.
func draws(objects []*rules.Object, services []mesh.Service) []string {
	var names []string
	for _, o := range objects {
		if rules.Draws(o) {
			names = append(names, o.String())
		}
	}
	for _, s := range services {
		if len(versions(s)) > 1 && !decided(objects, s) {
			names = append(names, "Service/"+s.Name)
		}
	}
	return names
}

// versions are those of the ready pods of a service.
func versions(s mesh.Service) []string {
	var all []string
	for _, labels := range s.Ready {
		if v := labels["version"]; !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// decided says whether every rule that sends requests to a service names a
// subset, and there is one.
func decided(objects []*rules.Object, s mesh.Service) bool {
	decides := false
	for _, o := range objects {
		for _, target := range rules.Targets(o) {
			if target.Host != s.Host || !target.Sent {
				continue
			}
			if target.Subset == "" {
				return false
			}
			decides = true
		}
	}
	return decides
}
