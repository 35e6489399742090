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
	sorted := summary.GravestFirst(summary.CleanEnded(all))
	for _, e := range sorted {
		word, name = max(word, twwidth.Width(e.Ending())), max(name, twwidth.Width(e.Name))
	}
	margin := strings.Repeat(" ", word+2)
	p.line("")
	for _, e := range sorted {
		p.line("%s%s%-*s  %s", p.paint(e.Ending(), endingColor(e)), margin[twwidth.Width(e.Ending()):], name, e.Name, e.Lasted())
		if e.Why != "" {
			p.fold(margin, margin, e.Why)
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
