package markdown

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/meshchaos/meshchaos/report/summary"
)

// mostShown is how many characters of one text are shown.
const mostShown = 600

// acts are the characters by which Markdown, its tables and HTML begin something.
const acts = "\\`*_[]<|&~$"

// text is a text in which nothing acts: whatever could stands as the HTML entity of its
// character, which every Markdown shows as that. What a forge makes of a text by itself
// are links, and of @name and #1 those to a person, who is told, and to an issue: it does
// so after entities are read, so that these two are parted from what follows.
func text(of string) string {
	if of == "-" { // as a cell has it that has nothing
		return of
	}
	var out strings.Builder
	short := summary.Short(of, mostShown)
	for i, r := range short {
		switch {
		case r == '<' && comparing.MatchString(short[i:]):
			out.WriteRune(r)
		case r == '@' || r == '#':
			out.WriteString(string(r) + "<!-- -->")
		case strings.ContainsRune(acts, r):
			fmt.Fprintf(&out, "&#%d;", r)
		default:
			out.WriteRune(r)
		}
	}
	escaped := autolinks.Replace(out.String())
	return head.ReplaceAllStringFunc(escaped, func(mark string) string {
		of := strings.TrimRight(mark, " ")
		return of[:len(of)-1] + fmt.Sprintf("&#%d;", of[len(of)-1]) + mark[len(of):]
	})
}

// autolinks are by what a link begins that Markdown makes by itself.
var autolinks = strings.NewReplacer("://", "&#58;//", "www.", "www&#46;", "WWW.", "WWW&#46;")

// comparing is a < that begins no tag.
var comparing = regexp.MustCompile(`^<=? `)

// head is what makes a list, a quotation or a line of what follows, where a text begins:
// its last character counts.
var head = regexp.MustCompile(`^ *([-+=:>]|[0-9]+[.)]( |$))`)

// plain is what can stand between backticks, in a table too.
var plain = regexp.MustCompile("^[^`|\\\\\n]+$")

// code is a text in the type of code.
func code(of string) string {
	of = strings.TrimSpace(summary.Short(of, mostShown))
	switch {
	case of == "":
		return ""
	case plain.MatchString(of):
		return "`" + of + "`"
	}
	return "<code>" + text(of) + "</code>"
}

// ticks are backticks in a row.
var ticks = regexp.MustCompile("`+")

// block is lines of code, between fences that are longer than any in it.
func block(language, lines string) string {
	fence := "```"
	for _, row := range ticks.FindAllString(lines, -1) {
		if len(row) >= len(fence) {
			fence = row + "`"
		}
	}
	return fence + language + "\n" + strings.TrimRight(lines, "\n") + "\n" + fence + "\n"
}

// row is a row of a table.
func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

// header is the head of a table, the columns of numbers to the right.
func header(columns ...string) string {
	var lines []string
	for i, column := range columns {
		line := "---"
		if name, right := strings.CutSuffix(column, ">"); right {
			columns[i], line = name, "---:"
		}
		lines = append(lines, line)
	}
	return row(columns...) + "|" + strings.Join(lines, "|") + "|\n"
}
