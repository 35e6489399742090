package terminal

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// otherCalls prints the trees that explain bad answers of which no failed expectation
// speaks, or all that stand with none if asked.
func (p *printer) otherCalls(r *report.Record, explain bool) {
	all := summary.Explaining(r)
	if explain {
		all = summary.Trees(r)
	}
	failures := summary.Failures(r)
	for _, tree := range all {
		if !slices.ContainsFunc(failures, func(f summary.Failure) bool { return f.Explains(tree) }) {
			p.tree(tree)
		}
	}
	if explain && len(summary.Trees(r)) == 0 {
		p.line("")
		p.fold("", "  ", summary.NoCalls)
	}
}

func (p *printer) tree(t summary.Tree) {
	p.line("")
	p.say("", "%s:", t.Title())
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, c := range t.Calls() {
		fmt.Fprintf(columns, "%s%s\t%s\t%s\t%s\t%s\n", strings.Repeat("  ", c.Depth+1), c.To, c.Took, c.Status, c.Flags, c.Upstream)
	}
	if err := columns.Flush(); err != nil {
		p.failed(err)
	}
	p.text(text.String())
	if t.Note != "" {
		p.fold("  ", "  ", "("+t.Note+")")
	}
}
