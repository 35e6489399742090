package compare

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

//go:embed compare.tmpl
var page string

var pages = template.Must(template.New("compare").Funcs(template.FuncMap{
	"sum": Sum, "heading": Heading, "where": Where, "name": Name, "words": Words,
	"moved": func(s report.Compared) rows { return first(Shown(s, false)) },
	"all":   func(s report.Compared) rows { return first(Shown(s, true)) },
	"text":  func(text string) string { return summary.Short(summary.Text(text), mostOfCell) },
	"least": func(all []string) []string { return all[:min(len(all), mostRows)] },
}).Parse(page))

// A page has no more of a scenario than this, so that a service that answers each request
// with another version makes none that no browser shows: the first rows are those that
// regressed, and the JSON has all.
const (
	mostRows   = 200
	mostOfCell = 300 // characters
)

// rows are the first of those that a table could have.
type rows struct {
	Values []report.Difference
	More   int // there would be
}

func first(all []report.Difference) rows {
	shown := min(len(all), mostRows)
	return rows{all[:shown], len(all) - shown}
}

// HTML writes what has changed as one page that needs nothing beside it.
func HTML(w io.Writer, c *report.Comparison) error {
	if err := pages.Execute(w, c); err != nil {
		return fmt.Errorf("writing the page of a comparison: %w", err)
	}
	return nil
}
