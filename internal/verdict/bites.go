package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// unbitten names the parts of the rules of a step, and of the steps before it
// whose rules are still in force, that were not seen to bite in its load.
func unbitten(r run, w *report.Window) []string {
	if w.Name != report.During {
		return nil
	}
	var wrong []report.Bite
	for _, b := range r.bites(w) {
		if b.Stage != report.Given && !bitten(b) && !r.spokenOf(b, w) {
			wrong = append(wrong, b)
		}
	}
	return wordBites(wrong, "the "+w.Words())
}

// unbittenGiven names the parts of what is given that were seen to bite in none
// of the loads that they were in force for. One is enough: what is given is what
// the steps stand on, and a step may well go round a part of it.
func unbittenGiven(r run) []string {
	var last []report.Bite // of each part the last that was seen
	done := map[string]bool{}
	for i := range r.record.Windows {
		w := &r.record.Windows[i]
		if w.Name != report.During || w.Cut != "" {
			continue
		}
		for _, b := range r.bites(w) {
			if b.Stage != report.Given {
				continue
			}
			same := func(other report.Bite) bool { return idOf(other) == idOf(b) }
			last = append(slices.DeleteFunc(last, same), b)
			done[idOf(b)] = done[idOf(b)] || bitten(b) || r.spokenOf(b, w)
		}
	}
	wrong := slices.DeleteFunc(last, func(b report.Bite) bool { return done[idOf(b)] })
	return wordBites(wrong, "any load")
}

func idOf(b report.Bite) string {
	return strings.Join([]string{b.Stage, b.Rule, b.Path, b.Kind}, " ")
}

func bitten(b report.Bite) bool { return b.Count != nil && *b.Count > 0 }

// spokenOf says whether an expectation of the window speaks of the count that
// shows a part: who writes overflows(httpbin) == 0 wants none.
func (r run) spokenOf(b report.Bite, w *report.Window) bool {
	function := map[string]string{rules.PartOverflow: report.Overflows, rules.PartEjection: report.Ejections}[b.Kind]
	return function != "" && slices.ContainsFunc(r.expectations(w), func(line scenarios.Line) bool {
		return slices.ContainsFunc(line.Needs(), func(n check.Need) bool {
			return n.Function == function && r.sameService(n.Args[0], b.Service)
		})
	})
}

// sameService compares names of services, of which either may be qualified by
// the namespace of the run.
func (r run) sameService(a, b string) bool {
	short := func(name string) string {
		return strings.TrimSuffix(strings.TrimSuffix(name, ".svc.cluster.local"), "."+r.record.Mesh.Namespace)
	}
	return short(a) == short(b)
}

// wordBites words the parts that did not bite, but for those within another of
// them: of an entry that nothing went by, no fault and no weight can have bitten,
// and who mends it mends them.
func wordBites(wrong []report.Bite, where string) []string {
	var problems []string
	for _, b := range wrong {
		within := func(other report.Bite) bool {
			return never(b) && never(other) && b.Stage == other.Stage && b.Rule == other.Rule && strings.HasPrefix(b.Path, other.Path+".")
		}
		if !slices.ContainsFunc(wrong, within) {
			problems = append(problems, wordBite(b, where))
		}
	}
	return problems
}

// never says whether a source shows that a part never bit.
func never(b report.Bite) bool { return b.Count != nil && *b.Count == 0 }

func wordBite(b report.Bite, where string) string {
	what := fmt.Sprintf("%s: %s", b.Rule, b.Path)
	if b.Service != "" {
		what += " (" + b.Service + ")"
	}
	stage := report.StageWords(b.Stage)
	if b.Count == nil {
		return fmt.Sprintf("%s, of %s: nothing shows whether it bit in %s: %s", what, stage, where, b.Absent)
	}
	kind := kindOf(b)
	return fmt.Sprintf("%s, of %s, never bit in %s: %s; %s", what, stage, where, counted(b, kind), strings.ReplaceAll(kind.Remedy, "SERVICE", b.Service))
}

// counted words that there was nothing to count.
func counted(b report.Bite, kind rules.PartKind) string {
	if b.Source == "" {
		return "there was " + kind.None
	}
	return b.Source + " has " + kind.None
}

// kindOf is what is known of how a part is seen.
func kindOf(b report.Bite) rules.PartKind {
	for _, kind := range rules.PartKinds() {
		if kind.Name == b.Kind {
			return kind
		}
	}
	return rules.PartKind{None: "none", Remedy: "let a cohort send requests to what it is for, or take it out"}
}
