// Package summary is what every face of a report tells, in one wording: what the run
// has shown, what failed and what explains it, the loads, the objects, what stood in
// the way. No face reckons or words such a thing by itself. It may import report and
// loadgen; what is of statistics it has from internal/chance, and words for how many from
// internal/plural.
package summary

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/report"
)

// Word is the verdict as it heads a report: PASS, FAIL, INCONCLUSIVE.
func Word(v report.Verdict) string { return strings.ToUpper(string(v)) }

// Outcome is Word, and that not everything is proved to be as it was: FAIL, NOT RESTORED.
func Outcome(r *report.Record) string {
	if r.Restored {
		return Word(r.Verdict)
	}
	return fmt.Sprintf("%s, %s", Word(r.Verdict), NotRestored)
}

// Verdict is the verdict of a run in a sentence, without Word: PASS is what the run has
// shown, or the summary of a scenario that does not say, and what it stands on, FAIL what
// was asked and observed, INCONCLUSIVE why there is no verdict.
func Verdict(r *report.Record) string {
	tally := tallyOf(r)
	claim := strings.TrimRight(r.Scenario.Summary, ". ")
	var words string
	switch r.Verdict {
	case report.Pass:
		held := tally.held() + stands(r)
		if shown := Conclusion(r); shown != "" {
			words = shown + " " + strings.ToUpper(held[:1]) + held[1:]
		} else {
			words = strings.TrimPrefix(claim+": ", ": ") + held
		}
	case report.Fail:
		words = quoted(claim, " was not shown: ") + failed(r) + tally.rest() + stands(r)
	default:
		words = "no verdict" + quoted(claim, "", " on ") + ": " + reason(r) + tally.rest() + stands(r)
	}
	if r.Restored {
		return words + "."
	}
	return words + "; " + Restored(r) + "."
}

// Why says in a few words what kept a run from being a pass; empty: nothing did.
func Why(r *report.Record) string {
	var words []string
	switch r.Verdict {
	case report.Pass:
	case report.Fail:
		words = append(words, failed(r))
	default:
		words = append(words, reason(r))
	}
	for _, o := range Objects(r) {
		if o.State() == NotRestored {
			words = append(words, o.Name+" is not as it was")
		}
	}
	return strings.Join(words, "; ")
}

// Headline is Verdict with the verdict's word and the scenario's name.
func Headline(r *report.Record) string {
	return fmt.Sprintf("%s %s: %s", Word(r.Verdict), r.Scenario.Name, Verdict(r))
}

// Ending is Headline in a few words: delay-jason: PASS in 17s.
func Ending(r *report.Record) string {
	return fmt.Sprintf("%s: %s in %s", r.Scenario.Name, Outcome(r), Lasted(r))
}

// quoted is a claim between others' words; of none, nothing.
func quoted(claim, behind string, before ...string) string {
	if claim == "" {
		return ""
	}
	return strings.Join(before, "") + "“" + claim + "”" + behind
}

// Where words the mesh of a run.
func Where(r *report.Record) string {
	if r.Mesh.Kind == "embedded" {
		return "on the embedded mesh"
	}
	return "on a cluster, namespace " + r.Mesh.Namespace
}

// Mesh words the mesh of a run and its versions.
func Mesh(r *report.Record) string {
	if r.Mesh.Version == "" {
		return Where(r)
	}
	return Where(r) + ", " + r.Mesh.Version
}

// Build words the program that ran it.
func Build(r *report.Record) string {
	if r.Tool.Commit == "" {
		return "meshchaos " + r.Tool.Version
	}
	return "meshchaos " + r.Tool.Version + " (commit " + r.Tool.Commit + ")"
}

// Who words who ran it, and on which cluster; empty: the record does not say.
func Who(r *report.Record) string {
	var words []string
	say := func(before, name string) {
		if name != "" {
			words = append(words, before+" "+name)
		}
	}
	if r.Who != nil {
		say("by", r.Who.User)
		say("on", r.Who.Host)
	}
	say("in the context", r.Mesh.Context)
	say("of the cluster at", r.Mesh.Server)
	say("as", r.Mesh.Account)
	return strings.Join(words, " ")
}

// Sent is how many requests all loads of a run have sent.
func Sent(r *report.Record) int64 {
	var sent int64
	for _, l := range Loads(r) {
		sent += l.Result.Sent
	}
	return sent
}

// stands words how much a run observed, and where.
func stands(r *report.Record) string {
	return fmt.Sprintf(" over %s %s", Plural(Sent(r), "request"), Where(r))
}

// failed words the first expectation that failed.
func failed(r *report.Record) string {
	i := slices.IndexFunc(r.Expectations, func(e report.Expectation) bool { return e.Verdict == report.Fail })
	if i < 0 {
		return "an expectation failed"
	}
	e := r.Expectations[i]
	step, observed := "", cmp.Or(label.ReplaceAllString(e.Observed, ""), "nothing")
	if e.Step != "" {
		step = "in step " + e.Step + " "
	}
	condition, aborted := strings.CutPrefix(e.Expression, "abortWhen: ")
	switch {
	case aborted:
		return fmt.Sprintf("%sabortWhen: %s came true and ended the load: %s was observed", step, condition, observed)
	case e.KnownBug != "":
		return fmt.Sprintf("%s%s holds now, and %s says that it does not", step, e.Expression, e.KnownBug)
	}
	return fmt.Sprintf("%s%s was asked and %s was observed", step, e.Expression, observed)
}

// label is the status before a count of answers, which the expectation names too.
var label = regexp.MustCompile(`^[0-9]+: `)

// reason words why a run has no verdict: the first that stood in the way.
func reason(r *report.Record) string {
	if all := Problems(r); len(all) > 0 {
		return all[0].What
	}
	if all := Inconclusive(r); len(all) > 0 {
		return fmt.Sprintf("%s could not be judged: %s", all[0].Expectations[0].Expression, Parts(all[0].Reason)[0])
	}
	return "not everything is proved to be as it was"
}

// tally counts the expectations of a run.
type tally struct {
	all, passed, failed, open int64
	tickets                   []string // of the known bugs among those that passed
}

func tallyOf(r *report.Record) tally {
	t := tally{all: int64(len(r.Expectations))}
	for _, e := range r.Expectations {
		switch e.Verdict {
		case report.Pass:
			if t.passed++; e.KnownBug != "" {
				t.tickets = append(t.tickets, e.KnownBug)
			}
		case report.Fail:
			t.failed++
		default:
			t.open++
		}
	}
	return t
}

// held words that all expectations passed. One of a known bug did so by being false.
func (t tally) held() string {
	known := int64(len(t.tickets))
	switch {
	case known > 0:
		tickets := slices.Compact(slices.Sorted(slices.Values(t.tickets)))
		return fmt.Sprintf("of %s %d held, and %d did not, as known (%s),", Plural(t.all, "expectation"), t.all-known, known, strings.Join(tickets, ", "))
	case t.all == 1:
		return "the one expectation held"
	}
	return fmt.Sprintf("all %d expectations held", t.all)
}

// rest words how the expectations of a run came out that did not pass.
func (t tally) rest() string {
	switch {
	case t.all == 0:
		return "; there was no expectation,"
	case t.failed == 1 && t.all == 1:
		return "; the one expectation failed,"
	case t.open == 1 && t.all == 1:
		return "; the one expectation could not be judged,"
	case t.all == t.failed:
		return fmt.Sprintf("; none of %s held,", Plural(t.all, "expectation"))
	case t.all == t.open:
		return fmt.Sprintf("; none of %s could be judged,", Plural(t.all, "expectation"))
	case t.all == t.passed:
		return "; " + t.held()
	}
	var words []string
	for _, one := range []struct {
		count int64
		word  string
	}{{t.failed, "failed"}, {t.passed, "held"}, {t.open, "could not be judged"}} {
		if one.count > 0 {
			words = append(words, fmt.Sprintf("%d %s", one.count, one.word))
		}
	}
	last := len(words) - 1
	return fmt.Sprintf("; of %s %s and %s,", Plural(t.all, "expectation"), strings.Join(words[:last], ", "), words[last])
}

// Conclusion is what a run has shown, in the sentences of its scenario with what was
// observed in them; empty: it is no pass, or the scenario has none.
func Conclusion(r *report.Record) string {
	var sentences []string
	for _, c := range r.Conclusions {
		text := strings.TrimSpace(c.Text)
		if r.Verdict != report.Pass || text == "" {
			continue
		}
		if !strings.ContainsAny(text[len(text)-1:], ".!?") {
			text += "."
		}
		sentences = append(sentences, text)
	}
	return strings.Join(sentences, " ")
}
