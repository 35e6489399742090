package runner

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// minRate is the part of its rate that an open loop must have reached.
const minRate = 0.9

// judge judges the whole run, after everything was undone.
func (r *run) judge() {
	for _, step := range r.scenario.Steps {
		r.record.Expectations = append(r.record.Expectations, r.rows(step)...)
	}
	for i := range r.record.Windows {
		r.doubt(&r.record.Windows[i])
	}
	r.doubtFaults()
	r.doubtRecovery()
	r.record.Verdict = check.Overall(r.record.Expectations)
	if r.record.Verdict == report.Pass && (len(r.record.Problems) > 0 || !r.record.Restored) {
		r.record.Verdict = report.Inconclusive
	}
}

// failed judges a step as its load ends. What asks for the recovery is not yet
// known then, and does not count.
func (r *run) failed(step scenarios.Step) bool {
	for _, row := range r.rows(step) {
		if row.Verdict == report.Fail {
			return true
		}
	}
	return false
}

func (r *run) rows(step scenarios.Step) []report.Expectation {
	windows := check.Windows{
		During:   r.windowOf(report.During, step.Name),
		Baseline: r.windowOf(report.Baseline, ""),
		Recovery: r.windowOf(report.Recovery, ""),
	}
	var rows []report.Expectation
	for _, line := range step.Expect {
		judged := line.Judge(windows)
		if line.KnownBug != "" {
			judged = check.KnownBug(judged, line.KnownBug)
		}
		for _, row := range judged {
			row.Step, row.Line = step.Name, line.Line
			switch {
			case windows.During == nil:
				row.Verdict, row.Reason = report.Inconclusive, "its load was not driven"
			case windows.During.Cut != "":
				row.Verdict, row.Reason = report.Inconclusive, "its load was cut off"
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func (r *run) windowOf(name, step string) *report.Window {
	for i, w := range r.record.Windows {
		if w.Name == name && w.Step == step {
			return &r.record.Windows[i]
		}
	}
	return nil
}

// doubt notes what keeps a window's observations from being believed: load
// that was not driven as asked, and proxies that counted something else.
func (r *run) doubt(w *report.Window) {
	where := wordWindow(w.Name, w.Step)
	for _, name := range slices.Sorted(maps.Keys(w.Loads)) {
		if reason := shortfall(w.Loads[name], r.planOf(w.Step, name)); reason != "" {
			r.problem("%s, cohort %s: %s", where, name, reason)
		}
	}
	for _, row := range w.Reconciled {
		if row.Proxy != nil && *row.Proxy != row.Client {
			r.problem("%s: the clients sent %d requests to %s, and their proxy counted %d (%s)", where, row.Client, row.Target, *row.Proxy, row.Source)
		}
	}
}

// shortfall says how a load fell short of its plan; empty: it did not.
func shortfall(l *loadgen.Result, plan loadgen.Plan) string {
	if l.Failure != "" {
		return l.Failure
	}
	if l.Sent < l.Planned && plan.Duration == 0 {
		return fmt.Sprintf("%d of %d requests were sent", l.Sent, l.Planned)
	}
	qps, _ := l.ActualQPS()
	owed := l.TargetQPS * l.Elapsed.Seconds()
	if l.TargetQPS > 0 && owed >= minOwed && qps < minRate*l.TargetQPS {
		return fmt.Sprintf("it reached %.1f of %.1f requests a second; take more connections or a lower rate", qps, l.TargetQPS)
	}
	return ""
}

// minOwed is how many requests a rate must have asked for to mean anything: of
// few, one more or less is a tenth.
const minOwed = 20

// planOf is what was asked of a cohort; the windows without a step have the
// cohorts of the first.
func (r *run) planOf(step, cohort string) loadgen.Plan {
	for _, asked := range r.record.Asked {
		if asked.Cohort == cohort && (asked.Step == step || step == "") {
			return asked.Plan
		}
	}
	return loadgen.Plan{}
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

// quantity is what a window has of a function and its only argument.
func quantity(w *report.Window, function, arg string) *report.Quantity {
	for i, q := range w.Quantities {
		if q.Function == function && len(q.Args) == 1 && q.Args[0] == arg {
			return &w.Quantities[i]
		}
	}
	return nil
}

// doubtRecovery notes answers after the undoing of a sort that the baseline
// did not have: another status or error, or, where all answers of the baseline
// were alike, other checks that hold. Where they were not, a rule that is given
// may draw what a small baseline did not show.
func (r *run) doubtRecovery() {
	base, after := r.windowOf(report.Baseline, ""), r.windowOf(report.Recovery, "")
	if base == nil || after == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(after.Loads)) {
		before := base.Loads[name]
		if before == nil || before.Sent == 0 {
			continue
		}
		alike := len(sorts(before, true)) == 1
		known := sorts(before, alike)
		for _, sort := range sorts(after.Loads[name], alike) {
			if !slices.Contains(known, sort) {
				r.problem("the baseline is not back: after the undoing %s was answered %s, before it never", name, sort)
			}
		}
	}
}

// sorts words the sorts of answers of a load, by status or error and, if asked,
// by the checks that held.
func sorts(l *loadgen.Result, checks bool) []string {
	found := map[string]bool{}
	for _, o := range l.Outcomes {
		words := o.Error
		if words == "" {
			words = fmt.Sprint(o.Status)
		}
		if checks && len(o.Checks) > 0 {
			words += " with " + strings.Join(o.Checks, " and ")
		}
		found[words] = true
	}
	return slices.Sorted(maps.Keys(found))
}
