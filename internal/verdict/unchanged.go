package verdict

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/evidence"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Unchanged holds a record against itself, and against the scenario in it: what stands in
// it twice must say the same, and what no run leaves out must be there. The error names
// the first place, by its path, that is otherwise: the record was changed since the run.
//
// Who changes all places alike is not found out: a record carries no seal.
func Unchanged(record *report.Record, scenario *scenarios.Scenario) error {
	r := run{record, scenario}
	for _, look := range []func() string{r.scenarioUnlike, r.askedUnlike, r.windowsUnlike, r.stoppedUnlike, r.timesUnlike, r.loadsUnlike, r.changesUnlike, r.proxiesUnlike, r.stagesUnlike, r.expectationsUnlike, r.comparedUnlike} {
		if wrong := look(); wrong != "" {
			return fmt.Errorf("%s: it was changed since the run", wrong)
		}
	}
	return nil
}

func (r run) scenarioUnlike() string {
	s := r.record.Scenario
	if s.Digest == "" && len(s.Masked) == 0 {
		return "scenario.digest is missing"
	}
	if wrong := unlike("scenario.name", r.scenario.Name, s.Name); wrong != "" {
		return wrong
	}
	return unlike("scenario.summary", r.scenario.Summary, s.Summary)
}

// askedUnlike holds the load that was asked for against that of the scenario.
func (r run) askedUnlike() string {
	var asked []report.Asked
	for _, step := range r.scenario.Steps {
		for _, c := range step.Cohorts {
			plan := c.Plan.AsRecorded()
			if i := len(asked); i < len(r.record.Asked) {
				plan.TLS = withFiles(plan.TLS, r.record.Asked[i].Plan.TLS, c.OfFiles)
			}
			asked = append(asked, report.Asked{Step: step.Name, Cohort: c.Name, From: c.From, Plan: plan})
		}
	}
	return unlike("asked", tree(asked), tree(r.record.Asked))
}

// withFiles is how a scenario in a report has a load encrypted, with what files had, which
// stands in the load that was asked for alone.
func withFiles(want, have *loadgen.TLS, files []string) *loadgen.TLS {
	if want == nil || have == nil {
		return want
	}
	own := *want
	for _, key := range files {
		missing := "what its file had"
		switch key {
		case "caCertificates":
			own.CACertificates = cmp.Or(have.CACertificates, missing)
		case "clientCertificate":
			own.ClientCertificate = cmp.Or(have.ClientCertificate, missing)
		case "privateKey":
			own.PrivateKey = cmp.Or(have.PrivateKey, missing)
		}
	}
	return &own
}

func tree(of any) any {
	var out any
	text, err := json.Marshal(of)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		return err.Error()
	}
	return out
}

// unlike is the first place where a tree is not as the scenario has it, but for what is
// masked.
func unlike(path string, want, have any) string {
	return unlikeWhat("the scenario in the report", path, want, have)
}

// unlikeWhat is the first place where a tree is not as another has it.
func unlikeWhat(other, path string, want, have any) string {
	switch w := want.(type) {
	case map[string]any:
		h, _ := have.(map[string]any)
		all := maps.Clone(w)
		maps.Copy(all, h)
		for _, key := range slices.Sorted(maps.Keys(all)) {
			if wrong := unlikeWhat(other, path+"."+key, w[key], h[key]); wrong != "" {
				return wrong
			}
		}
		return ""
	case []any:
		h, _ := have.([]any)
		if len(h) != len(w) {
			return fmt.Sprintf("%s has %d entries, and %s comes to %d", path, len(h), other, len(w))
		}
		for i := range w {
			if wrong := unlikeWhat(other, fmt.Sprintf("%s[%d]", path, i), w[i], h[i]); wrong != "" {
				return wrong
			}
		}
		return ""
	}
	if reflect.DeepEqual(want, have) || isMasked(want) || isMasked(have) {
		return ""
	}
	return fmt.Sprintf("%s is %v, and %s comes to %v", path, word(have), other, word(want))
}

func isMasked(value any) bool {
	text, _ := value.(string)
	return strings.Contains(strings.ReplaceAll(text, `\`, ""), report.Mask)
}

func word(value any) any {
	if value == nil {
		return "not there"
	}
	return value
}

// windowsUnlike holds the windows against those that a run goes through. One that is
// missing is told of by a problem, or by the step before it that was no pass.
func (r run) windowsUnlike() string {
	at := func(name, step string) string { return name + " " + step }
	order := []string{at(report.Baseline, "")}
	for _, step := range r.scenario.Steps {
		order = append(order, at(report.During, step.Name))
	}
	order = append(order, at(report.Recovery, ""))
	last := -1
	for i := range r.record.Windows {
		w := &r.record.Windows[i]
		next := slices.Index(order, at(w.Name, w.Step))
		if next <= last {
			return fmt.Sprintf("windows[%d] is the %s, which does not come there in a run of the scenario", i, w.Words())
		}
		last = next
		if w.Cut != "" && w.Stopped == nil && len(r.record.Problems) == 0 {
			return fmt.Sprintf("windows[%d].cut is there, and problems does not say why", i)
		}
		cohorts := r.scenario.Cohorts(w.Name, r.stepOf(w))
		for _, name := range slices.Sorted(maps.Keys(w.Loads)) {
			if !slices.ContainsFunc(cohorts, func(c mesh.Cohort) bool { return c.Name == name }) {
				return fmt.Sprintf("windows[%d].loads has %s, which the scenario has not there", i, name)
			}
		}
	}
	for _, name := range []string{report.Baseline, report.Recovery} {
		if r.record.Window(name, "") == nil && len(r.record.Problems) == 0 {
			return fmt.Sprintf("windows has no %s, and problems does not say why", name)
		}
	}
	return ""
}

// stepOf is the step of a window under rules; of another one it is none.
func (r run) stepOf(w *report.Window) scenarios.Step {
	for _, step := range r.scenario.Steps {
		if w.Name == report.During && step.Name == w.Step {
			return step
		}
	}
	return scenarios.Step{}
}

// timesUnlike holds the order of what has a time by the run's own clock.
func (r run) timesUnlike() string {
	type moment struct {
		path string
		at   time.Time
	}
	all := []moment{{"started", r.record.Started}}
	for i, w := range r.record.Windows {
		all = append(all, moment{fmt.Sprintf("windows[%d].started", i), w.Started}, moment{fmt.Sprintf("windows[%d].ended", i), w.Ended})
	}
	all = append(all, moment{"ended", r.record.Ended})
	for i := range all[1:] {
		if all[i+1].at.Before(all[i].at) {
			return fmt.Sprintf("%s is before %s, as it is only where the machine's clock was set back", all[i+1].path, all[i].path)
		}
	}
	return ""
}

// longer is how much longer a load may have taken than its window: they are told by two
// clocks.
const longer = time.Second

// proxiesUnlike holds what the proxies counted against what the clients sent, and against
// the rules that were written.
func (r run) proxiesUnlike() string {
	for i := range r.record.Windows {
		w := &r.record.Windows[i]
		if w.Cut != "" {
			continue
		}
		sent := (&evidence.Window{Observed: evidence.Observed{Cohorts: r.scenario.Cohorts(w.Name, r.stepOf(w)), Loads: w.Loads}}).Reconcile()
		if len(w.Reconciled) == 0 && (len(r.record.Problems) > 0 || nothingSent(w)) { // the proxies were not read to the end, or not at all
			sent = nil
		}
		if len(sent) != len(w.Reconciled) {
			return fmt.Sprintf("windows[%d].reconciled has %d entries, and its loads come to %d", i, len(w.Reconciled), len(sent))
		}
		for j, row := range w.Reconciled {
			if row.Client != sent[j].Client {
				return fmt.Sprintf("windows[%d].reconciled[%d].client is %d, and its loads come to %d", i, j, row.Client, sent[j].Client)
			}
		}
		parts, unread := r.parts(w.Step)
		for j, b := range w.Bites {
			if len(unread) == 0 && w.Name == report.During && !slices.ContainsFunc(parts, func(p rules.Part) bool { return r.isOf(b, p) }) {
				return fmt.Sprintf("windows[%d].bites[%d] is of %s of %s, which no change has written", i, j, b.Path, b.Rule)
			}
		}
		for j, q := range w.Quantities {
			if slices.ContainsFunc(w.Quantities[:j], func(o report.Quantity) bool { return o.Function == q.Function && slices.Equal(o.Args, q.Args) }) {
				return fmt.Sprintf("windows[%d].quantities[%d] is there twice", i, j)
			}
			if q.Value != nil && *q.Value < 0 {
				return fmt.Sprintf("windows[%d].quantities[%d].value is %d", i, j, *q.Value)
			}
		}
	}
	return ""
}

// nothingSent says whether the load of a window ended before its first request, as one
// does of which a cohort cannot log in.
func nothingSent(w *report.Window) bool {
	for _, l := range w.Loads {
		if l.Sent > 0 {
			return false
		}
	}
	return true
}

// stagesUnlike holds when stages were in force against what they wrote, and against the
// loads under them. Records of versions that did not keep that have none.
func (r run) stagesUnlike() string {
	for i, s := range r.record.Stages {
		from, to := &s.Applied, &r.record.Ended
		if w := r.record.Window(report.During, s.Step); w != nil && s.Step != report.Given {
			from, to = &w.Started, &w.Ended
			if s.Live == nil {
				return fmt.Sprintf("stages[%d].live is missing, and its load was driven", i)
			}
		}
		moments := []*time.Time{&r.record.Started, &s.Applied, s.Live, from, to, s.Undone, s.Gone, &r.record.Ended}
		if s.Step == report.Given || r.record.Window(report.During, s.Step) == nil {
			moments = []*time.Time{&r.record.Started, &s.Applied, s.Live, s.Undone, s.Gone, &r.record.Ended}
		}
		moments = slices.DeleteFunc(moments, func(at *time.Time) bool { return at == nil })
		if !slices.IsSortedFunc(moments, func(a, b *time.Time) int { return a.Compare(*b) }) {
			return fmt.Sprintf("stages[%d] is not in order, as it is only where the machine's clock was set back", i)
		}
	}
	for i, c := range r.record.Changes {
		if len(r.record.Stages) > 0 && r.record.Stage(c.Step) == nil {
			return fmt.Sprintf("changes[%d].step is %q, and stages has none of it", i, c.Step)
		}
	}
	return ""
}

// expectationsUnlike holds which lines of the scenario were judged. What came of them is
// judged anew.
func (r run) expectationsUnlike() string {
	if len(r.record.Problems) > 0 { // one may be that nothing could be judged
		return ""
	}
	for _, step := range r.scenario.Steps {
		for _, line := range step.Expect {
			if !slices.ContainsFunc(r.record.Expectations, func(e report.Expectation) bool { return e.Step == step.Name && e.Line == line.Line }) {
				return fmt.Sprintf("expectations has none of line %d of the scenario", line.Line)
			}
		}
	}
	return ""
}

// comparedUnlike holds the earlier run that the record keeps against what its comparison
// says of it.
func (r run) comparedUnlike() string {
	e := r.record.ComparedWith
	switch {
	case e == nil:
		return ""
	case e.Comparison == nil || len(e.Comparison.Scenarios) != 1:
		return "comparedWith.comparison is not of one scenario"
	}
	of := e.Comparison.Scenarios[0]
	if of.Before.Run != e.Run || of.Before.Verdict != e.Verdict || of.Before.Restored != e.Restored {
		return "comparedWith is not the run that its comparison is of"
	}
	for i, v := range of.Values {
		if wrong := missingBefore(e.Record(), v); wrong != "" {
			return fmt.Sprintf("comparedWith.%s, and comparison.scenarios[0].values[%d] is of it", wrong, i)
		}
	}
	return ""
}

// missingBefore is what an earlier run lacks of which something is said to have changed:
// without it that would be compared no more, and nobody would miss it.
func missingBefore(earlier *report.Record, v report.Difference) string {
	switch w := earlier.Window(v.Window, v.Step); {
	case v.Of == "verdict", v.Of == "restored", v.Cohort != "" && v.Of == "load": // which one of them may not have
		return ""
	case v.Cohort == "":
		if slices.ContainsFunc(earlier.Expectations, func(x report.Expectation) bool { return x.Step == v.Step && strings.HasPrefix(v.Of, x.Expression) }) {
			return ""
		}
		return "expectations has no " + v.Of
	case w == nil || w.Loads[v.Cohort] == nil:
		return fmt.Sprintf("windows has no load of %s in the %s", v.Cohort, (&report.Window{Name: v.Window, Step: v.Step}).Words())
	}
	return ""
}
