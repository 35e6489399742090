package scenarios

import (
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/nearest"
)

// Override replaces parts of the load; a nil field leaves what the file says.
type Override struct {
	Connections *int
	Requests    *int64
	QPS         *float64 // 0: no limit
	Cohort      string   // empty: every cohort that ends by itself
}

// Override changes the plans of the cohorts it names in every step. A cohort
// that runs while another does keeps its plan unless it is named.
func (s *Scenario) Override(o Override) error {
	var names []string
	found := o.Cohort == ""
	for i := range s.Steps {
		for j := range s.Steps[i].Cohorts {
			cohort := &s.Steps[i].Cohorts[j]
			names = append(names, cohort.Name)
			if o.Cohort != cohort.Name && (o.Cohort != "" || cohort.Plan.While != "") {
				continue
			}
			found = true
			if o.Connections != nil {
				cohort.Plan.Connections = *o.Connections
			}
			if o.Requests != nil {
				cohort.Plan.Requests = *o.Requests
			}
			if o.Requests != nil && (*o.Requests < 1 || *o.Requests > maxRequests) {
				return fmt.Errorf("overriding the load %q: -n takes 1 to %d requests, not %d", cohort.Name, maxRequests, *o.Requests)
			}
			if o.QPS != nil {
				cohort.Plan.QPS = *o.QPS
			}
			if err := cohort.Plan.Validate(); err != nil {
				return fmt.Errorf("overriding the load %q: %w", cohort.Name, err)
			}
		}
	}
	s.Warnings = nil
	s.lint()
	if !found {
		slices.Sort(names)
		names = slices.Compact(names)
		return fmt.Errorf("overriding the load %q: the scenario has no such cohort; %s", o.Cohort, nearest.Hint(o.Cohort, names))
	}
	return nil
}
