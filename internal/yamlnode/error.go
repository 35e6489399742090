// Package yamlnode reads the nodes of a YAML file strictly, and says at which
// line and column what is wrong stands and what to write instead.
//
// It may import internal/nearest.
package yamlnode

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Error is something wrong at one place of a file.
type Error struct {
	File    string
	Option  string // of the command line, where it stands if it is not in the file: --set load.a.requests=5
	Line    int    // from 1; 0: the file as a whole, or Option
	Column  int    // from 1
	Message string
	Hint    string // what to write instead; may be empty
	Snippet string // the line of the file
}

// snippetWidth is how much of a line is shown: with its number before it as much
// as a terminal of 80 columns has room for, where a longer one would come apart
// from its caret.
const snippetWidth = 80 - len("  1234 | ")

// Error returns file:line:column, what is wrong, and the line with a caret; of a
// long line what is around the column.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Option != "" {
		fmt.Fprintf(&b, ": %s", e.Option)
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	fmt.Fprintf(&b, ": %s", e.Message)
	if e.Hint != "" {
		fmt.Fprintf(&b, "; %s", e.Hint)
	}
	if e.Snippet != "" {
		snippet, column := shorten(e.Snippet, e.Column)
		fmt.Fprintf(&b, "\n  %4d | %s\n       | %s^", e.Line, snippet, indent(snippet, column))
	}
	return b.String()
}

// shown is what Error shows of a file.
var shown = regexp.MustCompile(`\n +\d* \| .*`)

// Brief is the text of an error, or of several joined, on one line, without what they show
// of files.
func Brief(text string) string {
	return strings.ReplaceAll(shown.ReplaceAllString(text, ""), "\n", "; ")
}

// Where words the place of an error for a sentence about another one.
func (e *Error) Where() string {
	if e.Option != "" {
		return e.Option
	}
	return fmt.Sprintf("line %d", e.Line)
}

// shorten returns what of a line is around the column, and the column in that.
func shorten(line string, column int) (string, int) {
	const behind = 20 // is shown of what follows the column
	runes := []rune(line)
	if len(runes) <= snippetWidth {
		return line, column
	}
	if cut := min(column+behind, len(runes)) - snippetWidth; cut > 0 {
		runes = append([]rune{'…'}, runes[cut+1:]...)
		column -= cut
	}
	if len(runes) > snippetWidth {
		runes = append(runes[:snippetWidth-1], '…')
	}
	return string(runes), column
}

// indent is the space before the caret, with the tabs of the line kept.
func indent(line string, column int) string {
	var b strings.Builder
	for i, r := range []rune(line) {
		if i >= column-1 {
			break
		}
		if r == '\t' {
			b.WriteRune('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// At is an error at a node: at the key of a pair, and at the first key of a
// mapping in block style. The file and the snippet are added by who read the
// file.
func At(node ast.Node, hint, format string, args ...any) *Error {
	switch n := node.(type) { // the token of a pair is its colon
	case *ast.MappingValueNode:
		node = n.Key
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			node = n.Values[0].Key
		}
	}
	return AtToken(node.GetToken(), hint, format, args...)
}

// AtToken is an error at a token, nil if it is not known.
func AtToken(t *token.Token, hint, format string, args ...any) *Error {
	e := &Error{Message: fmt.Sprintf(format, args...), Hint: hint}
	if t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
	return e
}
