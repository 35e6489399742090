package scenarios

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// mendSyntax says what to do about what the parser of YAML says.
func mendSyntax(message string) string {
	for _, known := range [...]struct{ part, mend string }{
		{"already defined", "take one of the two out"},
		{"tab character", "YAML is indented with blanks, not with tabs"},
		{"'\t'", "YAML is indented with blanks, not with tabs"},
		{"must be specified", "close the bracket, and quote a text with brackets, : or # in it, or give each entry a line of its own"},
		{"end token", "close the bracket, and quote a text with brackets in it"},
		{"end character", "end the text with the quote that it begins with"},
		{"unexpected key name", "write a colon and a blank behind the key"},
		{"non-map value", "write a colon behind the key"},
		{"mapping value is not allowed", "quote a text with a colon and a blank in it, and indent keys beside each other alike"},
		{"value is not allowed", "indent keys beside each other alike, close no bracket twice, and end each quote"},
		{"header option", "quote a text with > or | in it, or give each entry a line of its own"},
		{"escape character", "write \\\\ for a backslash, or quote the text with '"},
		{"reserved character", "quote the text"},
	} {
		if strings.Contains(message, known.part) {
			return known.mend
		}
	}
	return "this is no YAML; a text with : # ! or quotes in it is to be quoted"
}

// place turns any error into one of this file, with the line it is about.
func (r *reader) place(err error) *Error {
	var own *Error
	var syntax *yaml.SyntaxError
	var theirs yaml.Error
	switch {
	case errors.As(err, &own):
	case errors.As(err, &syntax):
		own = yamlnode.AtToken(syntax.Token, mendSyntax(syntax.Message), "%s", syntax.Message)
	case errors.As(err, &theirs):
		own = yamlnode.AtToken(theirs.GetToken(), "", "%s", theirs.GetMessage())
	default:
		own = &Error{Message: err.Error()}
	}
	if own.File == "" {
		own.File = r.file
		r.annotate(own)
		own.Message, own.Hint = r.hiding.values.Hide(own.Message), r.hiding.values.Hide(own.Hint)
		if own.Line > r.own && own.Line <= len(r.lines) {
			own.Option, own.Line, own.Column = r.hiding.values.Line(r.lines[own.Line-1]), 0, 0
		}
		if own.Line > 0 && own.Line <= r.own {
			own.Snippet = r.hiding.values.Line(strings.TrimRight(r.lines[own.Line-1], "\r"))
		}
	}
	return own
}

// note remembers what the parameters are that stand in the place of a node.
func (r *reader) note(node ast.Node, words string) {
	at := yamlnode.At(node, "", "")
	there := token.Position{Line: at.Line, Column: at.Column}
	if before := r.notes[there]; before != "" && words != "" && before != words {
		words = before + "; " + words
	}
	r.notes[there] = words
}

// annotate adds to what is wrong the parameters that stand there.
func (r *reader) annotate(wrong *Error) {
	note := r.notes[token.Position{Line: wrong.Line, Column: wrong.Column}]
	if note != "" && !strings.HasSuffix(wrong.Message, "("+note+")") {
		wrong.Message += " (" + note + ")"
	}
}

// line is that of the file where a node stands, or what it takes the place of;
// 0: nothing was there.
func (r *reader) line(node ast.Node) int {
	line := yamlnode.At(node, "", "").Line
	if line > r.own {
		return r.stands[line]
	}
	return line
}
