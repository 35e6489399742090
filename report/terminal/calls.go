package terminal

import (
	"fmt"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/meshchaos/meshchaos/report"
)

// calls prints the trees that explain what failed, or all of them if asked.
func (p *printer) calls(r *report.Record, explain bool) {
	known := false
	for _, w := range r.Windows {
		known = known || len(w.Calls) > 0
		for _, e := range w.Calls {
			if explain || explains(r, w, e) {
				p.tree(w, e)
			}
		}
	}
	if explain && !known {
		p.line("")
		p.fold("", "  ", "No calls are explained: no access log was read, or nothing was sent.")
	}
}

// explains says whether a tree is of a cohort of which an expectation of its
// window failed or, in a run that is no pass, of a bad answer. What an answer showed
// matters to an expectation that names a check or a version.
func explains(r *report.Record, w report.Window, e report.Explained) bool {
	name := e.Cohort // alone, it is that of the load under the rule
	if w.Name != report.During {
		name = w.Name + "." + name
	}
	said := regexp.MustCompile(`(^|[^A-Za-z0-9_.-])` + regexp.QuoteMeta(name) + `($|[^A-Za-z0-9_-])`)
	for _, row := range r.Expectations {
		if row.Verdict == report.Fail && (w.Name != report.During || row.Step == w.Step) && said.MatchString(row.Expression) &&
			(e.Why != report.WhyAnswer || shows.MatchString(row.Expression)) {
			return true
		}
	}
	return r.Verdict != report.Pass && e.Why != report.WhySlowest && e.Why != report.WhyAnswer
}

// shows finds what asks for the answers' checks or versions.
var shows = regexp.MustCompile(`"|split\(`)

func (p *printer) tree(w report.Window, e report.Explained) {
	p.line("")
	p.say("", "%s %s, %s:", e.Cohort, wordWhen(w), wordWhy(e))
	if e.Call != nil {
		table := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
		p.call(table, *e.Call, "  ")
		if err := table.Flush(); err != nil && p.err == nil {
			p.err = err
		}
	}
	if e.Note != "" {
		p.fold("  ", "  ", "("+e.Note+")")
	}
}

func wordWhen(w report.Window) string {
	switch {
	case w.Name != report.During:
		return "in the " + w.Name
	case w.Step != "":
		return "in step " + w.Step
	}
	return "under the rule"
}

func wordWhy(e report.Explained) string {
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

// call prints a call and, further in, those that it led to.
func (p *printer) call(table *tabwriter.Writer, c report.Call, indent string) {
	status := fmt.Sprint(c.Status)
	if c.Status == 0 {
		status = "-"
	}
	if _, err := fmt.Fprintf(table, "%s%s\t%s\t%s\t%s\t%s\n", indent, c.To, wordDuration(c.Duration), status, strings.Join(c.Flags, ","), c.Upstream); err != nil && p.err == nil {
		p.err = err
	}
	for _, below := range c.Calls {
		p.call(table, below, indent+"  ")
	}
}

// wordDuration has as much as tells: an access log counts whole milliseconds.
func wordDuration(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}
