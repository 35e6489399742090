//go:build e2e

package e2e_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/test/fidelity/page"
)

// library is the section of docs/fidelity.md that has the runs of the library side
// by side.
type library struct{ rows strings.Builder }

func (l *library) add(here, there *report.Record) {
	fmt.Fprintf(&l.rows, "| **%s** | %s | %s |\n", here.Scenario.Name, ended(here), ended(there))
	for i, e := range here.Expectations {
		step := ""
		if e.Step != "" {
			step = e.Step + ": "
		}
		fmt.Fprintf(&l.rows, "| %s`%s` | %s | %s |\n", step, inTable(e.Expression), observed(e), observed(there.Expectations[i]))
	}
}

func ended(r *report.Record) string {
	return fmt.Sprintf("**%s** in %s", r.Verdict, r.Ended.Sub(r.Started).Round(100*time.Millisecond))
}

// observed is what was, and the verdict if it is no pass.
func observed(e report.Expectation) string {
	if e.Verdict != report.Pass {
		return inTable(fmt.Sprintf("%s, **%s**", e.Observed, e.Verdict))
	}
	return inTable(e.Observed)
}

// inTable is a text as a cell of a table of Markdown.
func inTable(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func (l *library) write() error {
	return page.Write("The library on both meshes", fmt.Sprintf(`Each scenario once on each mesh, with what was observed of each expectation; it passes where nothing else is said.

| expectation | embedded mesh | Istio |
|---|---|---|
%s`, l.rows.String()))
}
