package check

import (
	"fmt"
	"slices"
)

// operation reads what follows an operator, and joins it with what stood before.
func (p *parser) operation(left node, operator token, binding int) (node, error) {
	switch {
	case operator.isIn():
		return nil, p.membership(left, operator)
	case operator.text == ".":
		return p.member(left)
	case operator.text == "[":
		return p.indexed(left, operator)
	}
	right, err := p.expression(binding)
	if err != nil {
		return nil, err
	}
	at := from(left.at().outerStart, right.at().outerEnd)
	switch binding {
	case orBinding, andBinding:
		return joinedBy(operator, left, right, at), nil
	case comparisonBinding:
		return compared(operator, left, right, at)
	default:
		return &arithmetic{at, operator, left, right}, nil
	}
}

// joinedBy joins two operands by && or ||; a && b && c is one node.
func joinedBy(operator token, left, right node, at place) node {
	if all, ok := left.(*logic); ok && !all.bracketed() && all.operator.text == operator.text {
		return &logic{at, all.operator, append(slices.Clone(all.operands), right)}
	}
	return &logic{at, operator, []node{left, right}}
}

// compared compares two operands, or makes a chain of a comparison.
func compared(operator token, left, right node, at place) (node, error) {
	if left.at().bracketed() {
		return &comparison{at, operator, left, right}, nil
	}
	tooLong := &Error{Offset: operator.start, Message: "a range has two limits and runs one way", Hint: "write lo <= x <= hi"}
	switch inner := left.(type) {
	case *chain:
		return nil, tooLong
	case *comparison:
		if !isOrder(inner.operator) || inner.operator.text[0] != operator.text[0] {
			return nil, tooLong
		}
		return &chain{at, inner.operator, operator, inner.left, inner.right, right}, nil
	}
	return &comparison{at, operator, left, right}, nil
}

// isOrder says whether an operator is one of < <= > >=.
func isOrder(operator token) bool { return operator.text[0] == '<' || operator.text[0] == '>' }

// member reads what follows a dot: a field, or a function of what stood before.
func (p *parser) member(of node) (node, error) {
	if p.peek().kind != wordToken {
		return nil, p.unexpected()
	}
	t, start := p.take(), of.at().outerStart
	if !p.peek().is("(") {
		return &field{from(start, t.end), of, t}, nil
	}
	args, end, err := p.arguments()
	if err != nil {
		return nil, err
	}
	return &call{from(start, end), of, t, args}, nil
}

// indexed reads what stands in square brackets.
func (p *parser) indexed(of node, open token) (node, error) {
	key, err := p.expression(loosest)
	if err != nil {
		return nil, err
	}
	end, err := p.closed(open, "]")
	if err != nil {
		return nil, err
	}
	return &index{from(of.at().outerStart, end), of, key}, nil
}

// membership is the error of x in [a, b].
func (p *parser) membership(left node, in token) error {
	wrong := &Error{Offset: in.start, Message: "in has no place here", Hint: "write lo <= x <= hi"}
	if !p.found("[") {
		return wrong
	}
	low, err := p.expression(loosest)
	if err != nil || !p.found(",") {
		return wrong
	}
	high, err := p.expression(loosest)
	if err != nil || !p.found("]") {
		return wrong
	}
	text := func(n node) string { return p.text[n.at().start:n.at().end] }
	wrong.Hint = fmt.Sprintf("write %s <= %s <= %s", text(low), text(left), text(high))
	return wrong
}
