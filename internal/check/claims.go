package check

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/report"
)

// claim is a compiled statement that is true or false.
type claim struct {
	node  node
	text  string
	split bool   // it contains a statistical test
	of    string // what is observed, as it is written; empty: several things
	says  formula
	lost  string // a quantity that it names, and that makes no difference to it; empty: none does so
	judge func(Windows) finding
}

// finding is what came of judging a claim.
type finding struct {
	verdict  report.Verdict
	observed string
	limit    string
	values   []report.Measure
	bounds   []report.Bound
	samples  int64
	sources  []string
	reason   string
	doubts   []string // why it may be otherwise, though by the words of the line it is not
}

// claim compiles a statement.
func (c *compiler) claim(n node) (claim, error) {
	result, err := c.anyClaim(n)
	if err != nil {
		return claim{}, err
	}
	result.node, result.text = n, c.source.textOf(n)
	if c.asked || c.scope.seen != nil { // a part of the line may well be decided by now
		return result, nil
	}
	if err := c.undecided(result, n); err != nil {
		return claim{}, err
	}
	if result.lost != "" {
		return claim{}, &Error{Offset: n.at().start, Message: fmt.Sprintf("%s makes no difference to %s", result.lost, shown(result.text)), Hint: "leave it out, or compare it by itself"}
	}
	return result, nil
}

// anyClaim compiles a statement, whatever its form.
func (c *compiler) anyClaim(n node) (claim, error) {
	switch n := n.(type) {
	case *logic:
		if err := c.notMeanwhile(n); err != nil {
			return claim{}, err
		}
		return c.joined(n)
	case *not:
		return c.negated(n)
	case *comparison:
		return c.comparison(n)
	case *chain:
		return c.chain(n)
	}
	if isSplit(n) {
		if err := c.notMeanwhile(n); err != nil {
			return claim{}, err
		}
		return c.split(n)
	}
	return claim{}, c.notClaim(n)
}

// notClaim is the error of a statement that is only a quantity, or not even
// that.
func (c *compiler) notClaim(n node) error {
	t, err := c.term(n)
	if err != nil {
		return err
	}
	if t.constant {
		return &Error{Offset: t.at, Message: fmt.Sprintf("%s is only %s", shown(t.text), t.kind), Hint: "write a comparison, as in jason.p50 < 1s"}
	}
	example := map[kind]string{number: "== 0", duration: "< 1s", share: "== 100%"}[t.kind]
	return &Error{Offset: t.at, Message: fmt.Sprintf("%s is %s, and nothing is asked of it", shown(t.text), t.kind), Hint: "compare it, as in " + t.text + " " + example}
}

// bound is one side of what is asked of an observed quantity.
type bound struct {
	operator string // observed OPERATOR limit
	limit    term
}

// mirrored returns the operator with its sides exchanged.
func mirrored(operator string) string {
	return strings.NewReplacer("<", ">", ">", "<").Replace(operator)
}

// comparison compiles a claim of two sides. The observed side is the left,
// unless that is a constant.
func (c *compiler) comparison(n *comparison) (claim, error) {
	left, err := c.term(n.left)
	if err != nil {
		return claim{}, err
	}
	right, err := c.term(n.right)
	if err != nil {
		return claim{}, err
	}
	operator := n.operator.text
	switch {
	case left.kind != right.kind:
		return claim{}, mismatch("compared", left, right)
	case left.constant && right.constant:
		return claim{}, &Error{Offset: left.at, Message: "neither side is observed", Hint: "name a load or a service, as in jason.p50 < 1s"}
	case (operator == "==" || operator == "!=") && (left.rounded || right.rounded):
		of := left
		if !left.rounded {
			of = right
		}
		return claim{}, &Error{Offset: n.operator.start, Message: shown(of.text) + " is known to three figures only, and so never to be exactly that, nor not to be", Hint: "write a range, as in 5.9s <= jason.p50 <= 6.1s"}
	case left.constant:
		left, right, operator = right, left, mirrored(operator)
	}
	c.versus = append(c.versus, versus{left, right})
	return bounded(left, bound{operator, right}), nil
}

// chain compiles lo <= x <= hi.
func (c *compiler) chain(n *chain) (claim, error) {
	low, err := c.term(n.low)
	if err != nil {
		return claim{}, err
	}
	middle, err := c.term(n.middle)
	if err != nil {
		return claim{}, err
	}
	high, err := c.term(n.high)
	if err != nil {
		return claim{}, err
	}
	switch {
	case low.kind != middle.kind:
		return claim{}, mismatch("compared", low, middle)
	case high.kind != middle.kind:
		return claim{}, mismatch("compared", middle, high)
	case middle.constant:
		return claim{}, &Error{Offset: middle.at, Message: "the middle of a range is what is observed", Hint: "write lo <= x <= hi"}
	case low.literal != nil && high.literal != nil && emptyRange(n.first.text, low.literal, high.literal):
		return claim{}, &Error{Offset: low.at, Message: fmt.Sprintf("nothing is between %s and %s", low.text, high.text), Hint: "the limits may be exchanged"}
	}
	c.versus = append(c.versus, versus{middle, low}, versus{middle, high})
	return bounded(middle, bound{mirrored(n.first.text), low}, bound{n.second.text, high}), nil
}

// emptyRange says whether the limits of a range are the wrong way round.
func emptyRange(operator string, low, high *big.Rat) bool {
	if operator[0] == '>' {
		low, high = high, low
	}
	return low.Cmp(high) > 0
}

// bounded is the claim that the observed quantity keeps to its bounds.
func bounded(observed term, bounds ...bound) claim {
	all := formula{}
	lost := ""
	for _, b := range bounds {
		all.parts = append(all.parts, says(b.operator, observed.form, b.limit.form))
		lost = cmp.Or(lost, lostOf(append(slices.Clone(observed.names), b.limit.names...), observed.form.minus(b.limit.form)))
	}
	return claim{of: observed.text, says: all, lost: lost, judge: func(w Windows) finding {
		v := observed.eval(w)
		limits := make([]value, len(bounds))
		all := v
		for i, b := range bounds {
			limits[i] = b.limit.eval(w).exact()
			all = evidence(all, limits[i])
		}
		result := finding{
			observed: observedWords(observed, v, limits),
			limit:    limitWords(bounds, limits, v),
			values:   measures(observed.kind, v),
			bounds:   boundsOf(observed.kind, bounds, limits),
			samples:  v.samples,
			sources:  all.sources,
			doubts:   all.doubts,
		}
		if len(all.missing) > 0 {
			result.verdict, result.reason = report.Inconclusive, strings.Join(all.missing, "; ")
			return result
		}
		result.verdict = report.Pass
		between := ""
		for i, b := range bounds {
			holding, known := keeps(b.operator, v, limits[i])
			switch {
			case !known:
				result.verdict, result.reason = report.Inconclusive, unsettled(observed.kind, v, limits[i])
				if v.ends != nil {
					between = endsWords(observed.kind, v, limits[i])
				}
			case !holding:
				result.verdict = report.Fail
				result.reason = fmt.Sprintf("%s %s %s", result.observed, broken(b.operator), limitOf(b, limits[i], v))
				return result
			}
		}
		result.observed = cmp.Or(between, result.observed)
		return result
	}}
}

// settled says whether a comparison that came out as sign would come out no other
// way if the observed side were larger.
func settled(operator string, sign int) bool {
	return sign > 0 || sign == 0 && (operator == ">=" || operator == "<")
}

// holds says whether a comparison that came out as sign is as the operator
// asks.
func holds(operator string, sign int) bool {
	switch operator {
	case "<":
		return sign < 0
	case "<=":
		return sign <= 0
	case ">":
		return sign > 0
	case ">=":
		return sign >= 0
	case "==":
		return sign == 0
	default:
		return sign != 0
	}
}
