package runner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/nearest"
)

// checkTargets refuses load to a short name that no service of the namespace
// has. The ingress gateway knows hosts of its own, and a longer name may be of
// another namespace.
func (r *run) checkTargets() error {
	var names []string
	for _, service := range r.services {
		names = append(names, service.Name)
	}
	for _, step := range r.scenario.Steps {
		for _, cohort := range step.Cohorts {
			host, _, err := cohort.Plan.Address()
			if err != nil || cohort.From != mesh.FromClient || strings.Contains(host, ".") {
				continue
			}
			if !slices.Contains(names, host) {
				return fmt.Errorf("checking the load %s: the namespace has no service %q; %s", cohort.Name, host, nearest.Hint(host, names))
			}
		}
	}
	return nil
}
