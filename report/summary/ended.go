package summary

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/report"
)

// Ended is how a scenario of several ended.
type Ended struct {
	Name   string
	Record *report.Record // nil: there is none
	Word   string         // what became of it where there is none: refused
	Why    string         // it is no pass, in short
	Took   time.Duration  // how long the command was at it; 0: it was not begun
	Folder string         // of its report, as a link; empty: there is none
}

// Ending words how it ended: PASS; INCONCLUSIVE, NOT RESTORED; refused.
func (e Ended) Ending() string {
	if e.Record == nil {
		return cmp.Or(e.Word, "not run")
	}
	return Outcome(e.Record)
}

// Lasted words how long it took: 17s; -: it was not begun. Of a run it is what the faces of
// its record have: Took is longer by what a command does beside it, as to open the mesh.
func (e Ended) Lasted() string {
	switch {
	case e.Record != nil:
		return Lasted(e.Record)
	case e.Took > 0:
		return Took(e.Took)
	}
	return "-"
}

// Passed says whether it is a pass that has left nothing.
func (e Ended) Passed() bool {
	return e.Record != nil && e.Record.Verdict == report.Pass && e.Record.Restored
}

// CleanEnded are those that several ended as, with texts as Clean has them.
func CleanEnded(all []Ended) []Ended {
	clean := slices.Clone(all)
	for i := range clean {
		e := &clean[i]
		e.Name, e.Word, e.Why = Text(e.Name), Text(e.Word), Text(e.Why)
		if e.Record != nil {
			e.Record = Clean(e.Record)
		}
	}
	return clean
}

// GravestFirst are those that several ended as: what was not undone before what failed, that
// before what could not be judged or did not run, and last what passed.
func GravestFirst(all []Ended) []Ended {
	return slices.SortedStableFunc(slices.Values(all), func(a, b Ended) int { return cmp.Compare(a.place(), b.place()) })
}

func (e Ended) place() int {
	switch {
	case e.Passed():
		return 3
	case e.Record == nil:
		return 2
	case !e.Record.Restored:
		return 0
	case e.Record.Verdict == report.Fail:
		return 1
	}
	return 2
}

// Told is the verdict in a sentence, or why there is none.
func (e Ended) Told() string {
	if e.Record == nil {
		return cmp.Or(e.Why, e.Ending())
	}
	return Verdict(e.Record)
}

// Whence words when and where runs were, by whom and by which build; empty: there was none.
func Whence(all []Ended) string {
	var begin, end time.Time
	var where, who, builds []string
	for _, e := range all {
		r := e.Record
		if r == nil {
			continue
		}
		if begin.IsZero() || r.Started.Before(begin) {
			begin = r.Started
		}
		if r.Ended.After(end) {
			end = r.Ended
		}
		where, who, builds = append(where, Mesh(r)), append(who, Who(r)), append(builds, Build(r))
	}
	if begin.IsZero() {
		return ""
	}
	said := []string{Moment(begin) + " to " + Moment(end)}
	for _, words := range [][]string{where, who, builds} {
		if of := distinct(words); of != "" {
			said = append(said, of)
		}
	}
	return strings.Join(said, "; ")
}

// mostDistinct is how many meshes or builds are named of runs that differ in them.
const mostDistinct = 3

// distinct lists words once each.
func distinct(words []string) string {
	slices.Sort(words)
	words = slices.DeleteFunc(slices.Compact(words), func(w string) bool { return w == "" })
	if more := len(words) - mostDistinct; more > 0 {
		words = append(words[:mostDistinct], fmt.Sprintf("%d more", more))
	}
	return strings.Join(words, ", and ")
}

// Endings words how several ended: 3 scenarios: 2 PASS, 1 refused.
func Endings(all []Ended) string {
	var order, words []string
	counts := map[string]int64{}
	for _, e := range all {
		ending := strings.ReplaceAll(e.Ending(), ", ", " and ")
		if counts[ending]++; counts[ending] == 1 {
			order = append(order, ending)
		}
	}
	for _, ending := range order {
		words = append(words, Number(float64(counts[ending]))+" "+ending)
	}
	return Plural(int64(len(all)), "scenario") + ": " + strings.Join(words, ", ")
}
