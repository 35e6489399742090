package terminal

import (
	"io"
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// WriteSeveral prints how several scenarios ended: what is no pass first, and why.
func WriteSeveral(w io.Writer, all []summary.Ended, o Options) error {
	p := &printer{w: w, width: o.Width, color: o.Color}
	word, name := 0, 0
	for _, e := range all {
		word, name = max(word, twwidth.Width(e.Ending())), max(name, twwidth.Width(e.Name))
	}
	sorted := summary.GravestFirst(all)
	margin := strings.Repeat(" ", word+2)
	p.line("")
	for _, e := range sorted {
		took := "-"
		if e.Took > 0 {
			took = summary.Took(e.Took)
		}
		p.line("%s%s%-*s  %s", p.paint(e.Ending(), endingColor(e)), margin[len(e.Ending()):], name, e.Name, took)
		if e.Why != "" {
			p.fold(margin, margin, summary.Text(e.Why))
		}
	}
	p.line("")
	p.fold("", "  ", summary.Endings(sorted))
	return p.err
}

func endingColor(e summary.Ended) string {
	switch {
	case e.Passed():
		return green
	case e.Record != nil && (!e.Record.Restored || e.Record.Verdict == report.Fail):
		return red
	}
	return yellow
}
