package compare

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/meshchaos/meshchaos/report"
)

//go:embed compare.tmpl
var page string

var pages = template.Must(template.New("compare").Funcs(template.FuncMap{
	"sum": Sum, "heading": Heading, "where": Where, "name": Name, "words": Words, "worst": Worst,
	"moved": func(s report.Compared) []report.Difference { return Shown(s, false) },
	"all":   func(s report.Compared) []report.Difference { return Shown(s, true) },
}).Parse(page))

// HTML writes what has changed as one page that needs nothing beside it.
func HTML(w io.Writer, c *report.Comparison) error {
	if err := pages.Execute(w, c); err != nil {
		return fmt.Errorf("writing the page of a comparison: %w", err)
	}
	return nil
}
