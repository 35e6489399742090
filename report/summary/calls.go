package summary

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/report"
)

// NoCalls is said where a run has none that could be shown.
const NoCalls = "No calls are explained: no access log was read, or nothing was sent."

// Tree is a request of a window with the calls that it led to.
type Tree struct {
	Window *report.Window
	report.Explained
}

// Title says of which request a tree is: jason under the rule, the slowest request.
func (t Tree) Title() string {
	return fmt.Sprintf("%s %s, %s", t.Cohort, In(t.Window), why(t.Explained))
}

// In is When in a sentence.
func In(w *report.Window) string {
	switch {
	case w.Name != report.During:
		return "in the " + w.Name
	case w.Step != "":
		return "in step " + w.Step
	}
	return "under the rule"
}

func why(e report.Explained) string {
	switch {
	case e.Why == report.WhyAnswer:
		return "a request whose answer shows " + e.Answer
	case e.Why != report.WhySlowest:
		return "a request with " + e.Why
	case e.Answer != "":
		return "the slowest request, whose answer shows " + e.Answer
	}
	return "the slowest request"
}

// Call is one call of a tree.
type Call struct {
	Depth    int
	To       string // the service
	Took     string // 4ms, 6.01s
	Status   string // -: the caller went away first
	Flags    string // Envoy's response flags
	Upstream string // the workload that answered
}

// Calls are those of the tree from its root on, each before those that it led to.
func (t Tree) Calls() []Call {
	var all []Call
	var enter func(c report.Call, depth int)
	enter = func(c report.Call, depth int) {
		status := strconv.Itoa(c.Status)
		if c.Status == 0 {
			status = "-"
		}
		all = append(all, Call{depth, c.To, logged(c.Duration.Duration), status, strings.Join(c.Flags, ","), c.Upstream})
		for _, below := range c.Calls {
			enter(below, depth+1)
		}
	}
	if t.Call != nil {
		enter(*t.Call, 0)
	}
	return all
}

// logged has as much as tells: an access log counts whole milliseconds.
func logged(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}

// Trees are all of a run.
func Trees(r *report.Record) []Tree {
	var all []Tree
	for i := range r.Windows {
		for _, e := range r.Windows[i].Calls {
			all = append(all, Tree{&r.Windows[i], e})
		}
	}
	return all
}

// Explaining are the trees that explain what failed: of the cohorts of which a failed
// expectation speaks and, in a run that is no pass, of bad answers.
func Explaining(r *report.Record) []Tree {
	var all []Tree
	for _, tree := range Trees(r) {
		if explains(r, tree) {
			all = append(all, tree)
		}
	}
	return all
}

// Foremost are the trees that a report shows first: those that explain what failed or,
// where there is nothing of that, those of the load under the rule.
func Foremost(r *report.Record) []Tree {
	if all := Explaining(r); len(all) > 0 {
		return all
	}
	return slices.DeleteFunc(Trees(r), func(t Tree) bool { return t.Window.Name != report.During })
}

func explains(r *report.Record, t Tree) bool {
	for _, row := range r.Expectations {
		if row.Verdict == report.Fail && speaks(row, t.Window, t.Cohort) && tells(row, t) {
			return true
		}
	}
	return r.Verdict != report.Pass && t.Why != report.WhySlowest && t.Why != report.WhyAnswer
}

// speaks says whether an expectation names a cohort in a window.
func speaks(row report.Expectation, w *report.Window, cohort string) bool {
	name := cohort // alone, it is that of the load under the rule
	if w.Name != report.During {
		name = w.Name + "." + name
	}
	return (w.Name != report.During || row.Step == w.Step) && names(row.Expression, name)
}

// names says whether an expression has a name that is no part of a longer one.
func names(expression, name string) bool {
	const within = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	for from := 0; name != ""; {
		at := strings.Index(expression[from:], name)
		if at < 0 {
			return false
		}
		at += from
		end := at + len(name)
		before, after := expression[:at], expression[end:]
		if strings.TrimRight(before, within+".") == before && strings.TrimLeft(after, within) == after {
			return true
		}
		from = end
	}
	return false
}

// tells says whether a tree can explain an expectation: what an answer showed matters
// to one that names a check or a version.
func tells(row report.Expectation, t Tree) bool {
	return t.Why != report.WhyAnswer || shows.MatchString(row.Expression)
}

// shows finds what asks for the answers' checks or versions.
var shows = regexp.MustCompile(`"|split\(`)
