package check

import (
	"fmt"
	"math/big"
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/meshchaos/meshchaos/report"
)

// term is a compiled quantity.
type term struct {
	kind     kind
	text     string
	at       int      // where it begins in the line, in bytes
	constant bool     // names nothing that is observed
	literal  *big.Rat // of a literal alone
	eval     func(Windows) value
}

// term compiles a quantity.
func (c *compiler) term(e ast.Expr) (term, error) {
	t, err := c.anyTerm(e)
	if err != nil {
		return term{}, err
	}
	t.text, t.at = c.source.textOf(e), c.source.startOf(e)
	return t, nil
}

// anyTerm compiles a quantity, whatever its form.
func (c *compiler) anyTerm(e ast.Expr) (term, error) {
	switch e.Kind() {
	case ast.IdentKind:
		return c.leaf(c.source.name(e))
	case ast.SelectKind:
		return c.field(e)
	case ast.CallKind:
		return c.call(e)
	default:
		return term{}, &Error{Offset: c.source.startOf(e), Message: "lists and maps have no place here", Hint: "write a range as lo <= x <= hi"}
	}
}

// leaf compiles a literal. A word or a string alone is no quantity.
func (c *compiler) leaf(t token) (term, error) {
	switch {
	case t.kind == literalToken:
		v := value{amount: t.amount}
		return term{kind: t.unit, constant: true, literal: t.amount, eval: func(Windows) value { return v }}, nil
	case t.kind == stringToken:
		return term{}, &Error{Offset: t.start, Message: shown(t.text) + " is no quantity: a name in quotes stands in brackets", Hint: `as in jason.share("` + t.text + `")`}
	case t.kind != wordToken:
		return term{}, unexpected(c.source.text, t)
	case c.isCohort(t):
		return term{}, &Error{Offset: t.start, Message: fmt.Sprintf("%s is a load, not a quantity", t.text), Hint: fmt.Sprintf("write %s.p50, %s.sent or the like", t.text, t.text)}
	case t.text == report.Baseline || t.text == report.Recovery:
		return term{}, &Error{Offset: t.start, Message: fmt.Sprintf("%s is a window, not a quantity", t.text), Hint: fmt.Sprintf("write %s.LOAD.p50", t.text)}
	case slices.Contains(c.scope.Services, t.text):
		return term{}, &Error{Offset: t.start, Message: fmt.Sprintf("%s is a service, not a quantity", t.text), Hint: fmt.Sprintf("write requests(%s), faults(%s) or the like", t.text, t.text)}
	case slices.ContainsFunc(quantityFunctions(), func(f quantityFunction) bool { return f.name == t.text }):
		return term{}, &Error{Offset: t.start, Message: fmt.Sprintf("%s needs to be told of what", t.text), Hint: fmt.Sprintf("write %s(SERVICE)", t.text)}
	case slices.Contains([]string{"true", "false", "null"}, t.text):
		return term{}, &Error{Offset: t.start, Message: t.text + " is no quantity", Hint: "write a comparison, as in jason.p50 < 1s"}
	default:
		return term{}, unknown(t, "load", c.scope.Cohorts)
	}
}

// call compiles arithmetic, status[503], and functions.
func (c *compiler) call(e ast.Expr) (term, error) {
	call := e.AsCall()
	switch function := call.FunctionName(); function {
	case operators.Add, operators.Subtract, operators.Multiply, operators.Divide:
		return c.arithmetic(e)
	case operators.Negate:
		return c.negative(e)
	case operators.Index:
		return c.status(e)
	case operators.Conditional:
		return term{}, &Error{Offset: c.source.name(e).start, Message: "? : has no place here", Hint: "write two expectations"}
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals,
		operators.Equals, operators.NotEquals, operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.In:
		return term{}, &Error{Offset: c.source.startOf(e), Message: shown(c.source.textOf(e)) + " is true or false, not a quantity", Hint: "join comparisons by && or ||"}
	}
	if call.IsMemberFunction() {
		return c.loadFunction(e)
	}
	return c.proxyFunction(e)
}

// arithmetic compiles + - * /.
func (c *compiler) arithmetic(e ast.Expr) (term, error) {
	left, err := c.term(e.AsCall().Args()[0])
	if err != nil {
		return term{}, err
	}
	right, err := c.term(e.AsCall().Args()[1])
	if err != nil {
		return term{}, err
	}
	operator := c.source.name(e)
	result, possible := resultKind(operator.text, left, right)
	switch {
	case !possible && (operator.text == "+" || operator.text == "-"):
		return term{}, mismatch("added or subtracted", left, right)
	case !possible:
		return term{}, &Error{Offset: operator.start, Message: fmt.Sprintf("%s %s %s has no meaning here", left.kind, operator.text, right.kind), Hint: "a duration is scaled by a number or a percentage"}
	case operator.text == "/" && right.literal != nil && right.literal.Sign() == 0:
		return term{}, &Error{Offset: right.at, Message: "this divides by 0"}
	}
	return term{kind: result, constant: left.constant && right.constant, eval: func(w Windows) value {
		return calculate(operator.text, left.eval(w), right.eval(w))
	}}, nil
}

// resultKind returns what an operator makes of two kinds. A share of x is an
// x. A number or a duration that is divided by its like is a share, but what
// is divided by a constant number is only scaled.
func resultKind(operator string, left, right term) (kind, bool) {
	switch {
	case operator == "+" || operator == "-":
		return left.kind, left.kind == right.kind
	case operator == "*" && (left.kind == share || left.kind == number && right.kind == duration):
		return right.kind, true
	case operator == "*":
		return left.kind, right.kind != duration
	case right.kind == number && right.constant:
		return left.kind, true
	case left.kind == right.kind:
		return share, true
	default:
		return left.kind, right.kind != duration
	}
}

// negative compiles the sign.
func (c *compiler) negative(e ast.Expr) (term, error) {
	operand, err := c.term(e.AsCall().Args()[0])
	if err != nil {
		return term{}, err
	}
	zero := value{amount: new(big.Rat)}
	return term{kind: operand.kind, constant: operand.constant, eval: func(w Windows) value {
		return calculate("-", zero, operand.eval(w))
	}}, nil
}
