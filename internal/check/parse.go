package check

import (
	"fmt"
	"unicode/utf8"
)

// The limits of a line, so that no text costs much time or stack.
const (
	maxLength = 1000 // bytes
	maxDepth  = 32   // of nesting
	maxNodes  = 500
)

// How tightly operators bind, the loosest first.
const (
	loosest = iota
	orBinding
	andBinding
	comparisonBinding
	sumBinding
	productBinding
	signBinding
	memberBinding
)

// bindings returns how tightly a symbol, or the word in, binds to what stands
// before it.
func bindings() map[string]int {
	return map[string]int{
		"||": orBinding, "&&": andBinding,
		"<": comparisonBinding, "<=": comparisonBinding, ">": comparisonBinding, ">=": comparisonBinding,
		"==": comparisonBinding, "!=": comparisonBinding, "in": comparisonBinding,
		"+": sumBinding, "-": sumBinding, "*": productBinding, "/": productBinding,
		".": memberBinding, "[": memberBinding,
	}
}

// source is a line with its tree.
type source struct {
	text string
	tree node
}

// textOf returns the text of a node as it was written.
func (s *source) textOf(n node) string { return s.text[n.at().start:n.at().end] }

// parser reads tokens by the strength with which operators bind (Pratt, "Top
// Down Operator Precedence", 1973).
type parser struct {
	text     string
	tokens   []token
	next     int
	depth    int
	nodes    int
	bindings map[string]int
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
	p := &parser{text: text, tokens: tokens, bindings: bindings()}
	tree, err := p.expression(loosest)
	if err != nil {
		return nil, err
	}
	if p.next < len(tokens) {
		return nil, p.unexpected()
	}
	return &source{text: text, tree: tree}, nil
}

// peek returns the next token; at the end, one without a text.
func (p *parser) peek() token {
	if p.next < len(p.tokens) {
		return p.tokens[p.next]
	}
	return token{kind: symbolToken, start: len(p.text), end: len(p.text)}
}

// take returns the next token and goes on behind it.
func (p *parser) take() token {
	t := p.peek()
	p.next++
	return t
}

// found says whether the next token is the symbol, and goes on behind it.
func (p *parser) found(symbol string) bool {
	is := p.peek().is(symbol)
	if is {
		p.next++
	}
	return is
}

// ended says whether all was read.
func (p *parser) ended() bool { return p.next >= len(p.tokens) }

// unexpected is the error of the next token.
func (p *parser) unexpected() error {
	next := p.peek()
	switch {
	case p.ended():
		return &Error{Offset: next.start, Message: "the line ends too early", Hint: "a comparison has two sides, as in jason.p50 < 1s"}
	case next.is("?"):
		return &Error{Offset: next.start, Message: "? : has no place here", Hint: "write two expectations"}
	default:
		return unexpected(p.text, next)
	}
}

// count notes a node, of which there may be so many.
func (p *parser) count(at int) error {
	if p.nodes++; p.nodes > maxNodes {
		return &Error{Offset: at, Message: fmt.Sprintf("the line is too long: it has more than %d parts", maxNodes), Hint: "write several expectations"}
	}
	return nil
}

// expression reads as far as operators bind more tightly than the one before.
func (p *parser) expression(before int) (node, error) {
	start := p.peek().start
	if p.depth++; p.depth > maxDepth {
		return nil, &Error{Offset: start, Message: fmt.Sprintf("the line is too deeply nested: at most %d levels are read", maxDepth), Hint: "write several expectations"}
	}
	defer func() { p.depth-- }()
	left, err := p.operand()
	for err == nil {
		operator := p.peek()
		binding := p.bindings[operator.text]
		if operator.kind != symbolToken && !operator.isIn() || binding <= before {
			return left, nil
		}
		p.next++
		if err := p.count(operator.start); err != nil {
			return nil, err
		}
		left, err = p.operation(left, operator, binding)
	}
	return nil, err
}

// operand reads what stands before an operator.
func (p *parser) operand() (node, error) {
	t := p.peek()
	if err := p.count(t.start); err != nil {
		return nil, err
	}
	switch {
	case t.kind == literalToken:
		p.next++
		return &literal{from(t.start, t.end), t}, nil
	case t.kind == wordToken && !t.isIn(), t.kind == stringToken:
		p.next++
		return p.named(t)
	case t.is("("):
		return p.group()
	case t.is("-"), t.is("!"):
		return p.sign()
	case t.is("["):
		return nil, &Error{Offset: t.start, Message: "lists and maps have no place here", Hint: "write a range as lo <= x <= hi"}
	default:
		return nil, p.unexpected()
	}
}

// named reads on after a name, which may be that of a function.
func (p *parser) named(t token) (node, error) {
	if t.kind == stringToken || !p.peek().is("(") {
		return &name{from(t.start, t.end), t}, nil
	}
	args, end, err := p.arguments()
	if err != nil {
		return nil, err
	}
	return &call{place: from(t.start, end), name: t, args: args}, nil
}

// group reads an expression in brackets.
func (p *parser) group() (node, error) {
	open := p.take()
	inner, err := p.expression(loosest)
	if err != nil {
		return nil, err
	}
	end, err := p.closed(open, ")")
	if err != nil {
		return nil, err
	}
	inner.at().outerStart, inner.at().outerEnd = open.start, end
	return inner, nil
}

// closed reads the bracket that closes another, and returns its end.
func (p *parser) closed(open token, symbol string) (int, error) {
	switch next := p.peek(); {
	case p.found(symbol):
		return next.end, nil
	case p.ended():
		return 0, &Error{Offset: open.start, Message: "a bracket is not closed", Hint: "write " + symbol}
	default:
		return 0, p.unexpected()
	}
}

// sign reads - or ! and what it stands before.
func (p *parser) sign() (node, error) {
	operator := p.take()
	operand, err := p.expression(signBinding)
	if err != nil {
		return nil, err
	}
	at := from(operator.start, operand.at().outerEnd)
	if operator.text == "!" {
		return &not{at, operand}, nil
	}
	return &minus{at, operand}, nil
}

// arguments reads what stands in the brackets of a call, and returns where they
// end.
func (p *parser) arguments() ([]node, int, error) {
	open := p.take()
	var args []node
	for more := !p.peek().is(")") && !p.ended(); more; more = p.found(",") {
		arg, err := p.expression(loosest)
		if err != nil {
			return nil, 0, err
		}
		args = append(args, arg)
	}
	end, err := p.closed(open, ")")
	return args, end, err
}
