package terminal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// loads print a line for each cohort and window.
func (p *printer) loads(r *report.Record, wide bool) {
	all := summary.Rows(r)
	if len(all) == 0 {
		return
	}
	p.line("")
	defer p.messages(all)
	tables := []table{loadTable(all), narrowLoadTable(all)}
	for i := range tables {
		tables[i] = tables[i].without(untold(all, wide)...)
	}
	if lines, ok := p.first(tables[0], tables[1], tables[1].tall()); ok {
		p.text(lines)
		if slices.ContainsFunc(all, summary.Load.Untold) {
			p.line("(-: %s)", summary.TooFewToTell)
		}
		return
	}
	var entries []entry
	for i, l := range all {
		e := entry{title: l.Name(), detail: wordLoad(l, wide)}
		if first(all, i) {
			e.heading = wordWindow(l)
		}
		entries = append(entries, e)
	}
	p.stack(entries)
}

// messages print what came with the codes of calls, and what errors were that have no name.
func (p *printer) messages(all []summary.Load) {
	for _, l := range all {
		for _, said := range []string{l.Messages(), l.Other()} {
			if said != "" {
				p.say("", "%s", said)
			}
		}
	}
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

// loadTable has the windows in a column.
func loadTable(all []summary.Load) table {
	t := table{
		header: slices.Concat([]string{"load", "cohort", "requests", missed, "qps", grown}, lags(), []string{"p50", "p90", "p99", "max", "status", "errors"}),
		right:  []bool{false, false, true, true, true, true, true, true, true, true, true, true, false, false},
	}
	for i, l := range all {
		window := ""
		if first(all, i) {
			window = summary.When(l.Window)
			if l.Window.Cut != "" {
				window += ", cut off" // a problem says why
			}
		}
		t.rows = append(t.rows, row{cells: append([]string{window, l.Name()}, append(numbers(l), l.Statuses(), l.Failures())...)})
	}
	if !slices.ContainsFunc(all, func(l summary.Load) bool { return l.Failures() != "-" }) {
		return t.without("errors")
	}
	return t
}

// narrowLoadTable has them on lines of their own, and the errors beside the statuses.
func narrowLoadTable(all []summary.Load) table {
	t := table{
		header: slices.Concat([]string{"load", "requests", missed, "qps", grown}, lags(), []string{"p50", "p90", "p99", "max", "status"}),
		right:  []bool{false, true, true, true, true, true, true, true, true, true, true, false},
	}
	for i, l := range all {
		ended := l.Statuses()
		if errors := l.Failures(); errors != "-" {
			t.header[len(t.header)-1] = "status, errors"
			ended = strings.TrimPrefix(ended+", "+errors, "-, ")
		}
		one := row{cells: append([]string{"  " + l.Name()}, append(numbers(l), ended)...)}
		if first(all, i) {
			one.heading = wordWindow(l)
		}
		t.rows = append(t.rows, one)
	}
	return t
}

// grown is the column that tells how many connections there were, where any were added.
const grown = "connections"

func hasGrown(l summary.Load) bool { return l.Result.Grown > 0 }

// missed is the column that tells how many requests were due and never begun, where any were,
// such as those of a sender that was lost.
const missed = "missed"

// Of the requests of a list nobody knows which would have been begun.
func hasMissed(l summary.Load) bool { return l.Result.Missed > 0 && l.Request == "" }

// lags are the columns that tell how late the load generator itself was.
func lags() []string { return []string{"lag p99", "lag max"} }

func lagged(l summary.Load) bool { return l.LagMax != nil }

// untold are the columns that are left out.
func untold(all []summary.Load, wide bool) (columns []string) {
	if !wide || !slices.ContainsFunc(all, lagged) {
		columns = lags()
	}
	if !slices.ContainsFunc(all, hasGrown) {
		columns = append(columns, grown)
	}
	if !slices.ContainsFunc(all, hasMissed) {
		columns = append(columns, missed)
	}
	return columns
}

// numbers are those of a load, as a table has them.
func numbers(l summary.Load) []string {
	unsent := "-"
	if hasMissed(l) {
		unsent = strconv.FormatInt(l.Result.Missed, 10)
	}
	return []string{l.Requests(), unsent, l.QPS(), l.Connections(), l.LagP99.String(), l.LagMax.String(), l.P50.String(), l.P90.String(), l.P99.String(), l.Max.String()}
}

// wordLoad is a line of the table as a text.
func wordLoad(l summary.Load, wide bool) string {
	text := glued(l.Requests() + " requests")
	if l.Requests() == "1" {
		text = glued("1 request")
	}
	if hasMissed(l) {
		text += ", " + glued(fmt.Sprintf("%d missed", l.Result.Missed))
	}
	switch {
	case l.Rate > 0:
		text += ", " + glued(l.QPS()+" qps")
	case l.Asked > 0:
		text += ", " + glued(summary.Number(l.Asked)+" qps asked")
	}
	if hasGrown(l) {
		text += ", " + glued(l.Connections()+" connections")
	}
	for _, one := range []struct {
		name string
		is   *summary.Latency
	}{{"lag p99", l.LagP99}, {"lag max", l.LagMax}, {"p50", l.P50}, {"p90", l.P90}, {"p99", l.P99}, {"max", l.Max}} {
		if one.is != nil && (wide || !slices.Contains(lags(), one.name)) {
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
