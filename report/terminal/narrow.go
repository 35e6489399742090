package terminal

import (
	"io"
	"regexp"
	"strings"
	"unicode"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// entry is a row of a table for a terminal that is narrower than the table.
type entry struct {
	heading string // above the entry, if any
	mark    string // how it ended, before the title
	title   string
	detail  string // below the title
}

// stack prints the entries below each other, their titles in line.
func (p *printer) stack(entries []entry) {
	column := 0
	for _, e := range entries {
		column = max(column, twwidth.Width(e.mark)+2)
	}
	margin := strings.Repeat(" ", column)
	for _, e := range entries {
		if e.heading != "" {
			p.line("%s", e.heading)
		}
		p.fold(e.mark+margin[twwidth.Width(e.mark):], margin+"  ", e.title)
		p.fold(margin, margin, e.detail)
	}
}

// fits says whether the terminal has room for every line of the text.
func (p *printer) fits(text string) bool {
	if p.width == 0 {
		return true
	}
	for line := range strings.Lines(text) {
		if twwidth.Width(strings.TrimRight(line, " \n")) > p.width {
			return false
		}
	}
	return true
}

// fold prints a text after first, in as many lines as the terminal needs for it,
// each with rest before it but the first. A word that is longer than a line stays
// whole, so that a name or a path can be copied, and the gap between two columns of a row
// stays where no line ends in it.
func (p *printer) fold(first, rest, text string) {
	if p.fits(first + text) {
		p.line("%s%s", first, text)
		return
	}
	line, empty := first, true
	for gap, word, left := nextWord(text); word != ""; gap, word, left = nextWord(left) {
		switch {
		case empty:
			line += word
		case twwidth.Width(line)+len(gap)+twwidth.Width(word) > p.width:
			p.line("%s", line)
			line = rest + word
		default:
			line += gap + word
		}
		empty = false
	}
	p.line("%s", line)
}

// nextWord is the first word of a text, the blanks to set before it, and what is left. It is
// empty where there is none.
func nextWord(text string) (gap, word, left string) {
	between := func(r rune) bool { return unicode.IsSpace(r) && r != glue }
	word = strings.TrimLeftFunc(text, between)
	gap = text[:len(text)-len(word)]
	if len(gap) < 2 || strings.Trim(gap, " ") != "" {
		gap = " "
	}
	if end := strings.IndexFunc(word, between); end >= 0 {
		word, left = word[:end], word[end:]
	}
	return gap, word, left
}

// glue is a blank at which no line ends. No text of a record has one.
const glue = '\u00a0'

// glued is a text that stays on one line.
func glued(text string) string { return strings.ReplaceAll(text, " ", string(glue)) }

// whole is a text that stays on one line, if there is room for one so far in.
func (p *printer) whole(text string, margin int) string {
	if p.width > 0 && margin+twwidth.Width(text) > p.width {
		return text
	}
	return glued(text)
}

// Fold prints lines of text for a terminal of so many columns, 0 for none: one that
// is wider goes on below, further in than it begins. A first word with a gap behind it is
// a mark, and the line goes on below what it marks.
func Fold(w io.Writer, text string, width int) error {
	p := &printer{w: w, width: width}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		words := strings.TrimLeft(line, " ")
		margin := line[:len(line)-len(words)]
		if mark := marked.FindString(line); mark != "" && twwidth.Width(mark) < width/2 {
			p.fold(mark, strings.Repeat(" ", twwidth.Width(mark)), line[len(mark):])
			continue
		}
		p.fold(margin, margin+"  ", words)
	}
	return p.err
}

var marked = regexp.MustCompile(`^ *\S+ {2,}`)
