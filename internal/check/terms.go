package check

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/meshchaos/meshchaos/report"
)

// term is a compiled quantity.
type term struct {
	kind     kind
	text     string
	at       int      // where it begins in the line, in bytes
	constant bool     // names nothing that is observed
	rounded  bool     // names a time that a histogram keeps to three figures
	literal  *big.Rat // of a literal alone
	form     linear
	names    []namedQuantity
	eval     func(Windows) value
}

// term compiles a quantity.
func (c *compiler) term(n node) (term, error) {
	t, err := c.anyTerm(n)
	if err != nil {
		return term{}, err
	}
	t.text, t.at = c.source.textOf(n), n.at().start
	c.shares = c.shares || t.kind == share && !t.constant
	if observed := t.form.quantities(); len(t.names) == 0 && len(observed) == 1 && c.seen.named[observed[0]].part != "sent" {
		t.names = []namedQuantity{{observed[0], t.text}}
	}
	return t, nil
}

// anyTerm compiles a quantity, whatever its form.
func (c *compiler) anyTerm(n node) (term, error) {
	switch n := n.(type) {
	case *literal:
		v := value{amount: n.token.amount}
		return term{kind: n.token.unit, constant: true, literal: n.token.amount, form: just(n.token.amount), eval: func(Windows) value { return v }}, nil
	case *name:
		if c.standsAlone(n) {
			return c.loadField(c.alone(), false, n.token)
		}
		return term{}, c.notTerm(n.token)
	case *field:
		return c.field(n)
	case *index:
		return c.indexed(n)
	case *call:
		if n.of != nil || c.scope.Alone != "" && slices.Contains(loadFunctions(), n.name.text) {
			return c.loadFunction(n)
		}
		return c.proxyFunction(n)
	case *minus:
		return c.negative(n)
	case *arithmetic:
		return c.arithmetic(n)
	default:
		return term{}, &Error{Offset: n.at().start, Message: shown(c.source.textOf(n)) + " is true or false, not a quantity", Hint: "join comparisons by && or ||"}
	}
}

// notTerm is the error of a name that stands alone.
func (c *compiler) notTerm(t token) error {
	wrong := func(message, hint string) error { return &Error{Offset: t.start, Message: message, Hint: hint} }
	switch {
	case t.kind == stringToken:
		return wrong(shown(t.text)+" is no quantity: a name in quotes stands in brackets", `as in jason.share("`+t.text+`")`)
	case c.isCohort(t):
		return wrong(t.text+" is a load, not a quantity", fmt.Sprintf("write %s.p50, %s.sent or the like", t.text, t.text))
	case t.text == report.Baseline || t.text == report.Recovery:
		return wrong(t.text+" is a window, not a quantity", fmt.Sprintf("write %s.LOAD.p50", t.text))
	case slices.Contains(c.scope.Services, t.text):
		return wrong(t.text+" is a service, not a quantity", fmt.Sprintf("write requests(%s), faults(%s) or the like", t.text, t.text))
	case c.scope.isCounted(t.text):
		return wrong(t.text+" needs to be told of what", fmt.Sprintf("write %s(SERVICE)", t.text))
	case slices.Contains([]string{"true", "false", "null"}, t.text):
		return wrong(t.text+" is no quantity", "write a comparison, as in jason.p50 < 1s")
	default:
		return unknown(t, "load", c.scope.Cohorts)
	}
}

// arithmetic compiles + - * /.
func (c *compiler) arithmetic(n *arithmetic) (term, error) {
	left, err := c.term(n.left)
	if err != nil {
		return term{}, err
	}
	right, err := c.term(n.right)
	if err != nil {
		return term{}, err
	}
	operator := n.operator
	result, possible := resultKind(operator.text, left, right)
	switch {
	case !possible && (operator.text == "+" || operator.text == "-"):
		return term{}, mismatch("added or subtracted", left, right)
	case !possible:
		return term{}, &Error{Offset: operator.start, Message: fmt.Sprintf("%s %s %s has no meaning here", left.kind, operator.text, right.kind), Hint: "a duration is scaled by a number or a percentage"}
	case operator.text == "*" && left.kind == number && right.kind == number && !left.constant && !right.constant:
		return term{}, &Error{Offset: operator.start, Message: fmt.Sprintf("%s times %s counts nothing that there is", shown(left.text), shown(right.text)), Hint: "multiply by a constant or a share, as in 2 * jason.sent"}
	case operator.text == "/" && right.form.isConstant() && right.form.constant.Sign() == 0:
		return term{}, &Error{Offset: right.at, Message: "this divides by 0"}
	}
	form, requests := c.seen.calculated(operator.text, left.form, right.form), c.seen.isPart(left, right)
	names := append(slices.Clone(left.names), right.names...)
	return term{kind: result, constant: left.constant && right.constant, rounded: left.rounded || right.rounded, form: form, names: names, eval: func(w Windows) value {
		v := calculate(operator.text, left.eval(w), right.eval(w))
		if !requests {
			v.part = nil
		}
		return v
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
func (c *compiler) negative(n *minus) (term, error) {
	operand, err := c.term(n.operand)
	if err != nil {
		return term{}, err
	}
	zero := value{amount: new(big.Rat)}
	return term{kind: operand.kind, constant: operand.constant, rounded: operand.rounded, form: operand.form.times(ratOf(-1)), names: operand.names, eval: func(w Windows) value {
		return calculate("-", zero, operand.eval(w))
	}}, nil
}
