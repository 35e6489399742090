package markdown

import (
	"fmt"
	"io"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
)

// Compared writes what has changed between runs. What has not is folded away.
func Compared(w io.Writer, c *report.Comparison) error {
	heading := "Nothing has regressed"
	if c.Regressed {
		heading = "Regressed"
	}
	p := &page{}
	fmt.Fprintf(&p.out, "## %s\n\n%s.\n", heading, text(compare.Sum(c)))
	p.left = most - p.out.Len() - reserve
	for _, s := range c.Scenarios {
		p.compared(s, "\n### "+text(compare.Heading(s))+"\n", most/2)
	}
	for _, name := range c.New {
		p.add("", "scenario", most/8, []string{"\n" + text(name) + ": there is no earlier run.\n"})
	}
	for _, s := range c.Scenarios {
		p.differences("\n<details><summary>All of "+text(s.Scenario)+"</summary>\n\n", compare.Shown(s, true), "\n</details>\n", most)
	}
	p.cut()
	_, err := io.WriteString(w, p.out.String())
	return err
}

// earlier is what has changed since an earlier run.
func (p *page) earlier(r *report.Record, room int) {
	c := r.Comparison()
	if c == nil {
		return
	}
	for _, s := range c.Scenarios {
		p.compared(s, "\n### Compared with an earlier run: "+text(compare.Heading(s))+"\n", room)
	}
}

// compared is what has changed between two runs of a scenario.
func (p *page) compared(s report.Compared, heading string, room int) {
	lines := []string{"\n- before: " + text(compare.Where(s.Before)) + "\n- now: " + text(compare.Where(s.Now)) + "\n"}
	for _, reason := range s.Unlike {
		lines = append(lines, "- "+text(reason)+"\n")
	}
	p.add(heading, "difference between the runs", room/2, lines)
	p.differences("\n", compare.Shown(s, false), "", room)
}

// differences is a table of values, between what stands before and after it.
func (p *page) differences(before string, values []report.Difference, after string, room int) {
	var rows []string
	for _, v := range values {
		became := string(v.Became)
		if v.Became == report.Regressed {
			became = "**regressed**"
		}
		rows = append(rows, row(became, text(compare.Name(v)), text(compare.Words(v))))
	}
	p.enclose(before+header("", "value", "now, and before"), after, "compared value", room, rows)
}
