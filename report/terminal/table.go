package terminal

import (
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// table is what stands in columns.
type table struct {
	header []string
	right  []bool // columns of numbers
	rows   []row
}

// row is one of a table.
type row struct {
	heading string // a line of its own above the row
	cells   []string
}

// tall is the table with each of what its last column lists on a line of its own.
func (t table) tall() table {
	last := len(t.header) - 1
	tall := table{header: t.header, right: t.right}
	for _, r := range t.rows {
		for _, one := range strings.SplitAfter(r.cells[last], ", ") {
			tall.rows = append(tall.rows, row{r.heading, append(slices.Clone(r.cells[:last]), strings.TrimSuffix(one, " "))})
			r = row{cells: make([]string, last+1)}
		}
	}
	return tall
}

// first is the first of several tables that the terminal has room for, as lines; ok is
// false where it has room for none.
func (p *printer) first(tables ...table) (lines string, ok bool) {
	for _, t := range tables {
		lines, err := t.lines()
		if err != nil {
			p.failed(err)
			return "", false
		}
		if p.fits(lines) {
			return lines, true
		}
	}
	return "", false
}

// lines are those of a table; a heading stands before its row.
func (t table) lines() (string, error) {
	var text strings.Builder
	drawn := newTable(&text, t.right)
	drawn.Header(t.header)
	for _, r := range t.rows {
		if err := drawn.Append(r.cells); err != nil {
			return "", err
		}
	}
	if err := drawn.Render(); err != nil {
		return "", err
	}
	var out strings.Builder
	for i, line := range strings.SplitAfter(text.String(), "\n") {
		if at := i - 2; at >= 0 && at < len(t.rows) && t.rows[at].heading != "" {
			out.WriteString(" " + t.rows[at].heading + "\n")
		}
		out.WriteString(line)
	}
	return out.String(), nil
}

// newTable has plain columns, for a terminal and for a log.
func newTable(w io.Writer, right []bool) *tablewriter.Table {
	columns := make([]tw.Align, len(right))
	for i, is := range right {
		columns[i] = tw.AlignLeft
		if is {
			columns[i] = tw.AlignRight
		}
	}
	alignment := tw.CellAlignment{Global: tw.AlignLeft, PerColumn: columns}
	return tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Symbols:  tw.NewSymbols(tw.StyleASCII),
			Settings: tw.Settings{Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off}, Lines: tw.Lines{ShowHeaderLine: tw.On}},
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignmentConfig(alignment),
		tablewriter.WithRowAlignmentConfig(alignment),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithTrimSpace(tw.Off),
	)
}
