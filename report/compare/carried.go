package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// place is one load of two runs, as each of them had it.
type place struct {
	window, step, cohort string
	old, new             *report.Window // nil: it was not driven
}

// places are those of all loads that any of two runs had: first those of the later one.
func places(before, now *report.Record) []place {
	var all []place
	add := func(w, old, new *report.Window) {
		cohorts := map[string]bool{}
		for _, of := range []*report.Window{old, new} {
			if of != nil {
				for cohort := range of.Loads {
					cohorts[cohort] = true
				}
			}
		}
		for _, cohort := range slices.Sorted(maps.Keys(cohorts)) {
			all = append(all, place{window: w.Name, step: w.Step, cohort: cohort, old: old, new: new})
		}
	}
	for i := range now.Windows {
		w := &now.Windows[i]
		add(w, before.Window(w.Name, w.Step), w)
	}
	for i := range before.Windows {
		if w := &before.Windows[i]; now.Window(w.Name, w.Step) == nil {
			add(w, w, nil)
		}
	}
	return all
}

// lacks is why there is nothing of a load in a window that could be compared; empty:
// there is.
func lacks(w *report.Window, cohort string) string {
	switch {
	case w == nil:
		return "the window was not driven"
	case w.Cut != "":
		return "it was cut off" // nobody knows what it would have come to
	case w.Loads[cohort] == nil:
		return "no such load"
	case w.Loads[cohort].Failure != "":
		return "it could not be carried out: " + w.Loads[cohort].Failure
	case w.Loads[cohort].Sent == 0:
		return "no request was sent"
	}
	return ""
}

// carried says which loads are in one run and not in the other, or were not carried out:
// what is not compared must not pass for what has not changed. That a run does what the
// one before it did not is no change of a value; the runs are only not alike in it.
func carried(before, now *report.Record) []*value {
	var all []*value
	for _, p := range places(before, now) {
		old, new := lacks(p.old, p.cohort), lacks(p.new, p.cohort)
		there := p.old != nil && p.old.Loads[p.cohort] != nil
		became := report.Regressed
		switch {
		case (old == "") == (new == ""), old != "" && !there:
			continue
		case old != "":
			became = report.Improved
		}
		words := func(why string) report.Observed {
			if why == "" {
				why = "carried out"
			}
			return report.Observed{Words: why}
		}
		all = append(all, &value{Difference: report.Difference{Of: "load", Window: p.window, Step: p.step, Cohort: p.cohort, Became: became, Before: words(old), Now: words(new)}})
	}
	return all
}

// uncompared says which loads are not compared, and why: a window at once, where that is
// so of all of it.
func uncompared(before, now *report.Record) []string {
	var all []string
	for _, w := range now.Windows {
		if old := before.Window(w.Name, w.Step); old == nil {
			all = append(all, summary.When(&w)+": it was not driven before")
		} else if w.Cut != "" || old.Cut != "" {
			all = append(all, summary.When(&w)+": the load was cut off, and is not compared")
		}
	}
	for _, w := range before.Windows {
		if now.Window(w.Name, w.Step) == nil {
			all = append(all, summary.When(&w)+": it was driven before, and not now")
		}
	}
	for _, p := range places(before, now) {
		whole := p.old != nil && p.new != nil && p.old.Cut == "" && p.new.Cut == ""
		if why := sides(lacks(p.old, p.cohort), lacks(p.new, p.cohort)); whole && why != "" {
			all = append(all, fmt.Sprintf("%s: %s is not compared: %s", summary.When(p.new), p.cohort, why))
		}
	}
	return all
}

// sides words what is lacking now, and what was before; empty: nothing is.
func sides(old, new string) string {
	var words []string
	if new != "" {
		words = append(words, "now "+new)
	}
	if old != "" {
		words = append(words, "before "+old)
	}
	return strings.Join(words, "; ")
}

// both calls each with the loads of both runs that are compared.
func both(before, now *report.Record, each func(loads)) {
	for _, p := range places(before, now) {
		if lacks(p.old, p.cohort) == "" && lacks(p.new, p.cohort) == "" {
			each(loads{before: before, now: now, window: p.new, cohort: p.cohort, old: p.old.Loads[p.cohort], new: p.new.Loads[p.cohort]})
		}
	}
}
