package runner

import (
	"fmt"
	"maps"
	"slices"

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
	for _, step := range r.scenario.Steps {
		r.doubtFaults(step)
	}
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
		if reason := shortfall(w.Loads[name]); reason != "" {
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
func shortfall(l *loadgen.Result) string {
	if l.Failure != "" {
		return l.Failure
	}
	if l.Planned > 0 && l.Sent < l.Planned {
		return fmt.Sprintf("%d of %d requests were sent", l.Sent, l.Planned)
	}
	qps, ok := l.ActualQPS()
	if ok && l.TargetQPS > 0 && l.Sent >= minRateSamples && qps < minRate*l.TargetQPS {
		return fmt.Sprintf("it reached %.1f of %.1f requests a second; take more connections or a lower rate", qps, l.TargetQPS)
	}
	return ""
}

// minRateSamples is how many requests a rate takes to mean anything: few are
// off by one.
const minRateSamples = 20

// doubtFaults notes the faults that were never seen to bite.
func (r *run) doubtFaults(step scenarios.Step) {
	w := r.windowOf(report.During, step.Name)
	if w == nil {
		return
	}
	for _, service := range r.faulted(step) {
		for _, q := range w.Quantities {
			switch {
			case q.Function != "faults" || q.Args[0] != service:
			case q.Value == nil:
				r.problem("nothing shows whether the fault on %s bit: %s", service, q.Absent)
			case *q.Value == 0:
				r.problem("the fault on %s never bit: %s counted none", service, q.Source)
			}
		}
	}
}

// doubtRecovery notes answers after the undoing of a sort that the baseline
// did not have.
func (r *run) doubtRecovery() {
	base, after := r.windowOf(report.Baseline, ""), r.windowOf(report.Recovery, "")
	if base == nil || after == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(after.Loads)) {
		if base.Loads[name] == nil {
			continue
		}
		before := badAnswers(base.Loads[name])
		for _, bad := range badAnswers(after.Loads[name]) {
			if !slices.Contains(before, bad) {
				r.problem("the baseline is not back: after the undoing %s was answered %s, before it never", name, bad)
			}
		}
	}
}

// badAnswers are the transport errors and the statuses from 400 of a load.
func badAnswers(l *loadgen.Result) []string {
	found := map[string]bool{}
	for _, o := range l.Outcomes {
		switch {
		case o.Error != "":
			found[o.Error] = true
		case o.Status >= 400:
			found[fmt.Sprint(o.Status)] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
