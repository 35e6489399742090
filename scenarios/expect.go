package scenarios

import (
	"errors"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
	"github.com/invopop/jsonschema"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// fileLine is an expectation: a text, or a mapping with that and knownBug.
type fileLine struct {
	fileExpectation
	node ast.Node // of the text
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (l *fileLine) UnmarshalYAML(node ast.Node) error {
	if text, ok := yamlnode.Scalar(node); ok {
		if text == "" {
			return yamlnode.At(node, "write a comparison", "the expectation is empty")
		}
		l.That, l.node = text, node
		return nil
	}
	pair := yamlnode.Pair(node, "that")
	if pair == nil {
		return yamlnode.At(node, "quote this line", "YAML reads this expectation as %s", yamlnode.Kind(node))
	}
	if err := yamlnode.Decode(node, &l.fileExpectation, "the expectation"); err != nil {
		return err
	}
	l.node = pair.Value
	if ticket := yamlnode.Pair(node, "knownBug"); ticket != nil && !strings.ContainsFunc(l.KnownBug, nameable) {
		return yamlnode.At(ticket.Value, "name its ticket", "knownBug is empty")
	}
	return nil
}

// nameable says whether a character can be part of a ticket's name. Unicode has
// blanks that are no spaces, such as one of no width.
func nameable(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// JSONSchema describes an expectation to editors.
func (fileLine) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "string", Description: "Such as: 5.9s <= jason.p50 <= 6.6s"},
		{Ref: "#/$defs/fileExpectation"},
	}}
}

// compileLine reads an expectation and places what is wrong in it. Whether it could
// fail is asked when all is known of the loads.
func (r *reader) compileLine(scope check.Scope, line fileLine) (Line, error) {
	place := r.placeIn(line.node)
	compiled, err := check.Read(scope, line.That)
	if err != nil {
		return Line{}, place(err)
	}
	return Line{Expectation: compiled, KnownBug: line.KnownBug, Line: r.line(line.node), place: place}, nil
}

// placeIn returns what places an error in a line of the language of expectations.
func (r *reader) placeIn(node ast.Node) func(error) error {
	return func(err error) error {
		placed := yamlnode.At(node, "", "%v", err)
		var wrong *check.Error
		if errors.As(err, &wrong) {
			placed.Message, placed.Hint = wrong.Message, wrong.Hint
			r.annotate(placed)
			placed.Column += r.column(node, wrong.Offset)
		}
		return r.place(placed)
	}
}

// column is how many columns lie between the start of a scalar and a byte of
// its text; a text over several lines is placed at its start.
func (r *reader) column(node ast.Node, offset int) int {
	text := node.GetToken().Value
	if as, replaced := r.written[node.GetToken()]; replaced {
		text, offset = as.text, as.offset(offset)
	}
	characters := len([]rune(text[:min(offset, len(text))]))
	written := strings.TrimSpace(node.GetToken().Origin)
	switch kind := node.GetToken().Type; {
	case kind == token.LiteralType, kind == token.FoldedType, strings.Contains(written, "\n"):
		return 0
	case written != "" && (kind == token.DoubleQuoteType || kind == token.SingleQuoteType):
		return 1 + columnsOf(written, characters)
	}
	return characters
}

// columnsOf is how many columns the first characters of a quoted text take, where a
// quote or a backslash in it takes two.
func columnsOf(quoted string, characters int) int {
	runes := []rune(quoted)
	quote, text := runes[0], runes[1:]
	columns := 0
	for ; characters > 0 && columns < len(text); characters-- {
		if text[columns] == quote || quote == '"' && text[columns] == '\\' {
			columns++
		}
		columns++
	}
	return columns
}
