package compare

import (
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// mostMarkdown bounds what Markdown writes: GitHub takes 64 KB of it.
const mostMarkdown = 60_000

// Markdown writes what has changed for a pull request. What has not is folded away.
func Markdown(w io.Writer, c *report.Comparison) error {
	var out strings.Builder
	heading := "Nothing has regressed"
	if c.Regressed {
		heading = "Regressed"
	}
	fmt.Fprintf(&out, "## %s\n\n%s.\n", heading, cell(Sum(c)))
	for _, s := range c.Scenarios {
		fmt.Fprintf(&out, "\n### %s\n\n- before: %s\n- now: %s\n", cell(Heading(s)), cell(Where(s.Before)), cell(Where(s.Now)))
		for _, reason := range s.Unlike {
			fmt.Fprintf(&out, "- %s\n", cell(reason))
		}
		table(&out, Shown(s, false))
	}
	for _, name := range c.New {
		fmt.Fprintf(&out, "\n%s: there is no earlier run.\n", cell(name))
	}
	for _, s := range c.Scenarios {
		var rest strings.Builder
		fmt.Fprintf(&rest, "\n<details><summary>All of %s</summary>\n", cell(s.Scenario))
		table(&rest, Shown(s, true))
		rest.WriteString("\n</details>\n")
		if out.Len()+rest.Len() < mostMarkdown {
			out.WriteString(rest.String())
		}
	}
	text := out.String()
	if len(text) > mostMarkdown {
		end := strings.LastIndexByte(text[:mostMarkdown], '\n')
		text = text[:end] + "\n\nThere is more than a page takes: see the text or JSON.\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

func table(out *strings.Builder, values []report.Difference) {
	if len(values) == 0 {
		return
	}
	out.WriteString("\n| | value | now, and before |\n|---|---|---|\n")
	for _, v := range values {
		became := string(v.Became)
		if v.Became == report.Regressed {
			became = "**regressed**"
		}
		fmt.Fprintf(out, "| %s | %s | %s |\n", became, cell(Name(v)), cell(Words(v)))
	}
}

// cell is a text in which nothing is Markdown or HTML.
func cell(text string) string {
	var out strings.Builder
	for _, r := range html.EscapeString(summary.Text(text)) {
		if strings.ContainsRune("\\`*_{}[]()#+!|~@", r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}
