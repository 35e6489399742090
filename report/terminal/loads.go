package terminal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// loads print a line for each cohort and window.
func (p *printer) loads(r *report.Record) {
	all := summary.Loads(r)
	if len(all) == 0 {
		return
	}
	p.line("")
	if lines, ok := p.first(loadTable(all, true), loadTable(all, false)); ok {
		p.text(lines)
		return
	}
	var entries []entry
	for i, l := range all {
		e := entry{title: l.Cohort, detail: wordLoad(l)}
		if first(all, i) {
			e.heading = wordWindow(l)
		}
		entries = append(entries, e)
	}
	p.stack(entries)
}

// first says whether a load is the first of its window.
func first(all []summary.Load, i int) bool { return i == 0 || all[i-1].Window != all[i].Window }

// wordWindow names the window of a load, and says why it was cut.
func wordWindow(l summary.Load) string {
	if l.Window.Cut == "" {
		return summary.When(l.Window)
	}
	return fmt.Sprintf("%s, cut off: %s", summary.When(l.Window), l.Window.Cut)
}

// loadTable has the windows in a column, or on lines of their own.
func loadTable(all []summary.Load, column bool) table {
	errors := slices.ContainsFunc(all, func(l summary.Load) bool { return l.Failures() != "-" })
	t := table{
		header: []string{"load", "requests", "qps", "p50", "p90", "p99", "max", "status"},
		right:  []bool{false, true, true, true, true, true, true, false, false},
	}
	if column {
		t.header, t.right = slices.Insert(t.header, 1, "cohort"), slices.Insert(t.right, 1, false)
	}
	if errors {
		t.header = append(t.header, "errors")
	}
	for i, l := range all {
		one := row{cells: []string{l.Cohort, l.Requests(), l.QPS(), l.P50.String(), l.P90.String(), l.P99.String(), l.Max.String(), l.Statuses()}}
		if errors {
			one.cells = append(one.cells, l.Failures())
		}
		window := ""
		if first(all, i) {
			window = wordWindow(l)
		}
		if column {
			one.cells = slices.Insert(one.cells, 0, window)
		} else {
			one.heading, one.cells[0] = window, "  "+one.cells[0]
		}
		t.rows = append(t.rows, one)
	}
	return t
}

// wordLoad is a line of the table as a text.
func wordLoad(l summary.Load) string {
	text := glued(l.Requests() + " requests")
	if l.Rate > 0 || l.Asked > 0 {
		text += ", " + glued(l.QPS()+" qps")
	}
	for _, one := range []struct {
		name string
		is   *summary.Latency
	}{{"p50", l.P50}, {"p90", l.P90}, {"p99", l.P99}, {"max", l.Max}} {
		if one.is != nil {
			text += ", " + glued(one.name+" "+one.is.String())
		}
	}
	for _, one := range []struct{ name, are string }{{"status ", l.Statuses()}, {"errors ", l.Failures()}} {
		if one.are != "-" {
			text += "; " + glued(one.name) + strings.ReplaceAll(one.are, ": ", ":"+string(glue))
		}
	}
	return text
}
