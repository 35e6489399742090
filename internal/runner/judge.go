package runner

import (
	"maps"
	"slices"

	"github.com/meshchaos/meshchaos/internal/verdict"
	"github.com/meshchaos/meshchaos/report"
)

// judge enters into the record what the run means, after everything was undone.
func (r *run) judge() {
	r.doubtFaults()
	j := verdict.Judge(r.record, r.scenario)
	r.record.Verdict, r.record.Expectations = j.Verdict, j.Expectations
	r.record.Problems = append(r.record.Problems, j.Problems...)
	r.record.Warnings = append(r.record.Warnings, j.Warnings...)
}

// doubtFaults notes the faults of the run's rules that were never seen to bite
// in any load that they were in force for.
func (r *run) doubtFaults() {
	bit, source, absent := map[string]bool{}, map[string]string{}, map[string]string{}
	for i, step := range r.scenario.Steps {
		w := r.windowOf(report.During, step.Name)
		if w == nil {
			continue
		}
		for _, service := range r.faulted(i) {
			q := quantity(w, report.Faults, service)
			if q == nil {
				continue // its load was cut off, which is a problem already
			}
			if q.Value == nil {
				absent[service] = q.Absent
				continue
			}
			bit[service], source[service] = bit[service] || *q.Value > 0, q.Source
		}
	}
	for _, service := range slices.Sorted(maps.Keys(absent)) {
		if !bit[service] {
			r.problem("nothing shows whether the fault on %s bit: %s", service, absent[service])
		}
	}
	for _, service := range slices.Sorted(maps.Keys(bit)) {
		if !bit[service] && absent[service] == "" {
			r.problem("the fault on %s never bit: %s counted none", service, source[service])
		}
	}
}

func (r *run) windowOf(name, step string) *report.Window {
	for i, w := range r.record.Windows {
		if w.Name == name && w.Step == step {
			return &r.record.Windows[i]
		}
	}
	return nil
}

// quantity is what a window has of a function and its only argument.
func quantity(w *report.Window, function, arg string) *report.Quantity {
	for i, q := range w.Quantities {
		if q.Function == function && len(q.Args) == 1 && q.Args[0] == arg {
			return &w.Quantities[i]
		}
	}
	return nil
}
