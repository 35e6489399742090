package summary

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/report"
)

// Problem is what kept a run from being conclusive, or is left open.
type Problem struct {
	What    string   // is wrong, of all its objects
	More    []string // further of it; the last may say what to do
	Objects []string // where there are several of which the same is said
}

// Problems are those of a run, each once.
func Problems(r *report.Record) []Problem { return joined(r.Against()) }

// Warnings are what a run leaves open, each once.
func Warnings(r *report.Record) []Problem { return joined(r.Warnings) }

// object is the name of one in a text.
var object = regexp.MustCompile(`\b[A-Z][A-Za-z]+/[a-z0-9][a-z0-9.-]*[a-z0-9](/[a-z0-9][a-z0-9.-]*[a-z0-9])?`)

// joined are texts of which those that are the same but for an object stand as one.
func joined(texts []string) []Problem {
	type group struct {
		text    string // of the first
		objects []string
	}
	var order []string
	groups := map[string]*group{}
	for _, text := range texts {
		name := object.FindString(text)
		key := text
		if name != "" {
			key = strings.ReplaceAll(text, name, "\x00")
		}
		if groups[key] == nil {
			groups[key], order = &group{text: text}, append(order, key)
		}
		if g := groups[key]; name != "" && !slices.Contains(g.objects, name) {
			g.objects = append(g.objects, name)
		}
	}
	var all []Problem
	for _, key := range order {
		g := groups[key]
		text := g.text
		if len(g.objects) < 2 {
			g.objects = nil
		} else {
			text = strings.ReplaceAll(key, "\x00", fmt.Sprintf("each of %d objects", len(g.objects)))
		}
		parts := Parts(text)
		all = append(all, Problem{parts[0], parts[1:], g.objects})
	}
	return all
}

// Parts are those of a text that semicolons join, but within quotes and brackets.
func Parts(text string) []string {
	var parts []string
	from, depth, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ';' && depth <= 0 && strings.HasPrefix(text[i:], "; "):
			parts = append(parts, text[from:i])
			from = i + len("; ")
		}
	}
	return append(parts, text[from:])
}
