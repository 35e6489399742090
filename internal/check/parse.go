package check

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/parser"
)

// The limits of a line, so that no text costs much time or stack.
const (
	maxLength = 1000 // bytes
	maxDepth  = 32   // of nesting
	maxNodes  = 500
)

// source is a parsed line: CEL's tree of its structure, and the tokens that
// stand behind the leaves.
type source struct {
	text    string
	tokens  []token
	at      map[int]int // index of the token by offset
	partner map[int]int // index of the matching bracket by index of the token
	tree    *ast.AST
}

// parse reads the structure of a line.
func parse(text string) (*source, error) {
	switch {
	case len(text) > maxLength:
		return nil, &Error{Offset: maxLength, Message: fmt.Sprintf("the line has %d bytes, and at most %d are read", len(text), maxLength), Hint: "write several expectations"}
	case !utf8.ValidString(text):
		return nil, &Error{Message: "the line is not valid UTF-8"}
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	if len(tokens) == 0 {
		return nil, &Error{Message: "the line is empty", Hint: "write what must hold, as in jason.p50 < 1s"}
	}
	s := &source{text: text, tokens: tokens, at: map[int]int{}}
	for i, t := range tokens {
		s.at[t.start] = i
	}
	reader, err := parser.NewParser(parser.MaxRecursionDepth(maxDepth), parser.MaxExpressionNodeCount(maxNodes), parser.ErrorReportingLimit(1))
	if err != nil {
		return nil, &Error{Message: "preparing the parser: " + err.Error()}
	}
	tree, problems := reader.Parse(common.NewTextSource(masked(text, tokens)))
	if found := problems.GetErrors(); len(found) > 0 {
		return nil, s.syntaxError(found[0])
	}
	s.tree, s.partner = tree, partners(tokens)
	return s, nil
}

// partners finds the brackets that belong together.
func partners(tokens []token) map[int]int {
	var open []int
	partner := map[int]int{}
	for i, t := range tokens {
		if t.kind != symbolToken {
			continue
		}
		switch t.text {
		case "(", "[":
			open = append(open, i)
		case ")", "]":
			if len(open) == 0 {
				return partner
			}
			last := open[len(open)-1]
			open = open[:len(open)-1]
			partner[i], partner[last] = last, i
		}
	}
	return partner
}

// parts returns the operands of the && at the top, or the whole.
func (s *source) parts() []ast.Expr {
	var parts []ast.Expr
	var collect func(ast.Expr)
	collect = func(e ast.Expr) {
		if call, ok := callOf(e, operators.LogicalAnd); ok {
			for _, arg := range call.Args() {
				collect(arg)
			}
			return
		}
		parts = append(parts, e)
	}
	collect(s.tree.Expr())
	return parts
}

// callOf returns e as a call of the function, if it is one.
func callOf(e ast.Expr, function string) (ast.CallExpr, bool) {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != function {
		return nil, false
	}
	return e.AsCall(), true
}

// index returns the token that stands for e: of a leaf its own, of an operator
// the operator, of a field the dot, of a call the opening bracket.
func (s *source) index(e ast.Expr) int {
	at, _ := s.tree.SourceInfo().GetOffsetRange(e.ID())
	return s.at[int(at.Start)]
}

// name returns the token that names e: of a field the field, of a call the
// function, of a leaf its own.
func (s *source) name(e ast.Expr) token {
	i := s.index(e)
	switch {
	case e.Kind() == ast.SelectKind && i+1 < len(s.tokens):
		i++
	case e.Kind() == ast.CallKind && s.tokens[i].text == "(" && i > 0:
		i--
	}
	return s.tokens[i]
}

// span returns the first and the last token of e, the brackets that it needs
// included.
func (s *source) span(e ast.Expr) (first, last int) {
	first, last = s.index(e), s.index(e)
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		start, end := s.index(e), s.index(e)
		switch {
		case e.Kind() == ast.SelectKind:
			end++
		case s.tokens[start].text == "(":
			start--
		}
		first, last = min(first, start), max(last, end)
	}))
	first, last = max(first, 0), min(last, len(s.tokens)-1)
	for i := first; i <= last; i++ {
		partner, bracket := s.partner[i]
		switch {
		case bracket && partner < first:
			first, i = partner, partner
		case bracket && partner > last:
			last = partner
		}
	}
	return first, last
}

// textOf returns the text of e as it was written.
func (s *source) textOf(e ast.Expr) string {
	first, last := s.span(e)
	return s.text[s.tokens[first].start:s.tokens[last].end]
}

// startOf returns where e begins, in bytes.
func (s *source) startOf(e ast.Expr) int {
	first, _ := s.span(e)
	return s.tokens[first].start
}

// syntaxError words the error of CEL's parser by the token at which it stands.
func (s *source) syntaxError(found *common.Error) error {
	if strings.Contains(found.Message, "limit exceeded") {
		return &Error{Message: fmt.Sprintf("the line is too deeply nested or too long: at most %d levels and %d parts", maxDepth, maxNodes), Hint: "write several expectations"}
	}
	at := s.offset(found.Location)
	i, known := s.at[at]
	switch {
	case strings.Contains(found.Message, "missing ')'"):
		return &Error{Offset: at, Message: "a bracket is not closed", Hint: "write )"}
	case !known:
		return &Error{Offset: at, Message: "the line ends too early", Hint: "a comparison has two sides, as in jason.p50 < 1s"}
	default:
		return unexpected(s.text, s.tokens[i])
	}
}

// offset returns where in the line CEL's parser found an error. The mask is one
// line of ASCII, so that a column is a byte.
func (s *source) offset(l common.Location) int {
	return max(0, min(l.Column(), len(s.text)))
}
