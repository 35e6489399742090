package markdown

import (
	"fmt"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// bites is the proof that each rule bit.
func (p *page) bites(r *report.Record, room int) {
	var rows []string
	for _, b := range summary.Bites(r) {
		rule := code(b.Rule) + " " + code(b.Path)
		if b.Stage == report.Given {
			rule += ", given"
		}
		rows = append(rows, row(rule, text(b.SeenBy()), text(summary.When(b.Window)), text(b.Times()), text(b.Told())))
	}
	p.proof("That each rule bit, and that it is gone", summary.NoBites, "bite", room, rows, "rule", "seen by", "window", "times>", "source")
}

// states is the proof that each object is as it was, or what is known instead.
func (p *page) states(r *report.Record, room int) {
	var rows []string
	for _, o := range summary.Objects(r) {
		state := text(string(o.State()))
		if o.Lost() {
			state = "**" + state + "**"
		}
		rows = append(rows, row(code(o.Name), state, text(o.KnownBy())))
	}
	p.add("\n"+header("object", "now", "how that is known"), "object", room, rows)
}

// counts are what the clients sent beside what their proxy counted.
func (p *page) counts(r *report.Record, room int) {
	var rows []string
	for _, c := range summary.Reconciled(r) {
		agreed := c.Agreed()
		if !c.Equal() {
			agreed = "**" + agreed + "**"
		}
		rows = append(rows, row(text(summary.When(c.Window)), text(c.Target), fmt.Sprint(c.Client), text(c.Counted()), agreed, text(c.Source)))
	}
	p.proof("What clients and proxies counted", summary.NoCounts, "count", room, rows, "window", "to", "clients sent>", "the proxy counted>", "agreed", "source")
}

// proof is a table, or the sentence that says that there is none: that something is not
// proved is said, too.
func (p *page) proof(heading, none, what string, room int, rows []string, columns ...string) {
	heading = "\n### " + heading + "\n\n"
	if len(rows) == 0 {
		p.add(heading, "sentence", room, []string{none + "\n"})
		return
	}
	p.add(heading+header(columns...), what, room, rows)
}
