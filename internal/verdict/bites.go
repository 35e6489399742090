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

// unbitten names the parts of the rules of a step, and of the stages before it
// whose rules are still in force, that were not seen to bite in its load.
func unbitten(r run, w *report.Window) []string {
	if w.Name != report.During || undriven(w) {
		return nil
	}
	wrong := slices.DeleteFunc(r.missing(w), mayRest)
	return wordBites(wrong, "the "+w.Words())
}

// undriven says whether nothing was sent in a window since a load could not be carried out.
// Of what could not bite then nothing is to be said beside that.
func undriven(w *report.Window) bool {
	failed := false
	for _, l := range w.Loads {
		if l == nil || l.Sent > 0 {
			return false
		}
		failed = failed || l.Failure != ""
	}
	return failed
}

// unbittenGiven names the parts of what is given that may rest in some of the
// loads that they were in force for, and did in all.
func unbittenGiven(r run) []string {
	var last []report.Bite // of each part the last that was seen
	done := map[string]bool{}
	for i := range r.record.Windows {
		w := &r.record.Windows[i]
		if w.Name != report.During || w.Cut != "" || undriven(w) {
			continue
		}
		missing := r.missing(w)
		for _, b := range r.bites(w) {
			same := func(other report.Bite) bool { return idOf(other) == idOf(b) }
			last = append(slices.DeleteFunc(last, same), b)
			// One that must not rest is named by the load.
			done[idOf(b)] = done[idOf(b)] || !slices.ContainsFunc(missing, same) || !mayRest(b)
		}
	}
	wrong := slices.DeleteFunc(last, func(b report.Bite) bool { return done[idOf(b)] })
	return wordBites(wrong, "any load")
}

// missing are the parts in force in a window that were not seen to bite, though
// no expectation speaks of their count, nothing that a later stage wrote has
// taken their requests, and nothing that says the same bit.
func (r run) missing(w *report.Window) []report.Bite {
	all := r.bites(w)
	parts, _ := r.parts(w.Step)
	return slices.DeleteFunc(slices.Clone(all), func(b report.Bite) bool {
		return bitten(b) || alternative(b) || r.spokenOf(b, w) || r.placed(b, w) || r.displaced(b, all, parts) || r.stoodFor(b, all, parts)
	})
}

// stoodFor says whether another part that says the same was seen to bite.
func (r run) stoodFor(b report.Bite, all []report.Bite, parts []rules.Part) bool {
	i := slices.IndexFunc(parts, func(p rules.Part) bool { return r.isOf(b, p) })
	return i >= 0 && never(b) && slices.ContainsFunc(all, func(other report.Bite) bool {
		return bitten(other) && slices.ContainsFunc(parts, func(p rules.Part) bool { return r.isOf(other, p) && p.StandsFor(parts[i]) })
	})
}

// mayRest says whether a part of what is given need not bite in a load, if it
// does in another one: what is given is the ground that all steps stand on, and
// not each of them calls all of its services, or shows all that there is of it.
func mayRest(b report.Bite) bool {
	return b.Stage == report.Given && (b.Idle || kindOf(b).Rests)
}

// alternative says whether a part is a match of an entry of what is given: whoever
// writes an application's own rules there, with all of its paths, did not write them
// to see each of them.
func alternative(b report.Bite) bool { return b.Kind == rules.PartMatch && b.Stage == report.Given }

// displaced says whether of what a part belongs to nothing was seen in a window,
// since a rule that a later stage wrote took its requests.
func (r run) displaced(b report.Bite, all []report.Bite, parts []rules.Part) bool {
	i := slices.IndexFunc(parts, func(p rules.Part) bool { return r.isOf(b, p) })
	if i < 0 || !never(b) {
		return false
	}
	earlier, taken := parts[i], kindOf(b).Taken
	seen := func(p rules.Part) bool {
		return slices.ContainsFunc(all, func(b report.Bite) bool { return r.isOf(b, p) && bitten(b) })
	}
	if b.Kind != rules.PartMatch && slices.ContainsFunc(parts, func(p rules.Part) bool {
		return p.Stage == earlier.Stage && p.Object == earlier.Object && p.Whole == earlier.Whole && p.Host == earlier.Host && seen(p)
	}) {
		return false
	}
	return slices.ContainsFunc(parts, func(p rules.Part) bool {
		return (r.later(p.Stage, earlier.Stage) || taken && p.Stage == earlier.Stage) && p.Displaces(earlier) && seen(p)
	})
}

// later says whether a stage comes after another one.
func (r run) later(stage, other string) bool {
	at := func(name string) int {
		return slices.IndexFunc(r.scenario.Steps, func(s scenarios.Step) bool { return s.Name == name })
	}
	return stage != report.Given && (other == report.Given || at(stage) > at(other))
}

func (r run) isOf(b report.Bite, p rules.Part) bool {
	return b.Stage == p.Stage && b.Rule == p.Object.String() && b.Path == p.Path && b.Kind == p.Kind && b.Service == p.Service(r.record.Mesh.Namespace)
}

func idOf(b report.Bite) string {
	return strings.Join([]string{b.Stage, b.Rule, b.Path, b.Kind, b.Service}, " ")
}

func bitten(b report.Bite) bool { return b.Count != nil && *b.Count > 0 }

// spokenOf says whether an expectation of the window speaks of the count that
// shows a part: who writes overflows(httpbin) == 0 wants none, and who writes
// overflows(httpbin) < 1000000 has said nothing of it; nor who writes < 9 of a limit
// that was for five of the requests.
func (r run) spokenOf(b report.Bite, w *report.Window) bool {
	function := map[string]string{
		rules.PartOverflow: report.Overflows, rules.PartRetried: report.RetryOverflows, rules.PartEjection: report.Ejections,
	}[b.Kind]
	return function != "" && r.hinges(function, b, w)
}

// hinges says whether an expectation of the window hinges on a quantity of the
// service that a part is of.
func (r run) hinges(function string, b report.Bite, w *report.Window) bool {
	return r.says(function, b, w, func(line scenarios.Line, n check.Need) bool { return line.Hinges(r.windows(w.Step), n, b.Most) })
}

// says whether an expectation of the window says something of a quantity of the
// service that a part is of.
func (r run) says(function string, b report.Bite, w *report.Window, something func(scenarios.Line, check.Need) bool) bool {
	return slices.ContainsFunc(r.expectations(w), func(line scenarios.Line) bool {
		return slices.ContainsFunc(line.Needs(), func(n check.Need) bool {
			return n.Function == function && r.sameService(n.Args[0], b.Service) && something(line, n)
		})
	})
}

// placed says whether of a part of which nothing shows to which endpoints it bound
// requests an expectation says that they were not level, as they are where nothing
// binds them.
func (r run) placed(b report.Bite, w *report.Window) bool {
	return b.Kind == rules.PartHash && b.Count == nil && r.says(report.Imbalance, b, w, func(line scenarios.Line, n check.Need) bool {
		return line.HingesOn(r.windows(w.Step), n, 0, 1)
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
			return never(b) && never(other) && kindOf(b).Taken == kindOf(other).Taken && b.Stage == other.Stage && b.Rule == other.Rule && b.Service == other.Service && strings.HasPrefix(b.Path, other.Path+".")
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
	kind, stage := kindOf(b), report.StageWords(b.Stage)
	remedy := strings.ReplaceAll(kind.Remedy, "SERVICE", b.Service)
	switch {
	case kind.Taken && b.Count == nil:
		return fmt.Sprintf("%s is taken away by %s, and nothing shows whether anything in %s would have met it: %s", what, stage, where, b.Absent)
	case kind.Taken:
		return fmt.Sprintf("%s is taken away by %s, and nothing in %s would have met it: %s; %s", what, stage, where, counted(b, kind), remedy)
	case b.Count == nil:
		return fmt.Sprintf("%s, of %s: nothing shows whether it bit in %s: %s", what, stage, where, b.Absent)
	}
	return fmt.Sprintf("%s, of %s, never bit in %s: %s; %s", what, stage, where, counted(b, kind), remedy)
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
