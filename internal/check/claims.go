package check

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/meshchaos/meshchaos/report"
)

// claim is a compiled statement that is true or false.
type claim struct {
	text  string
	split bool // it contains a statistical test
	judge func(Windows) finding
}

// finding is what came of judging a claim.
type finding struct {
	verdict  report.Verdict
	observed string
	limit    string
	samples  int64
	sources  []string
	reason   string
}

// claim compiles a statement.
func (c *compiler) claim(e ast.Expr) (claim, error) {
	result, err := c.anyClaim(e)
	if err != nil {
		return claim{}, err
	}
	result.text = c.source.textOf(e)
	return result, nil
}

// anyClaim compiles a statement, whatever its form.
func (c *compiler) anyClaim(e ast.Expr) (claim, error) {
	if e.Kind() != ast.CallKind {
		return c.notClaim(e)
	}
	call := e.AsCall()
	switch call.FunctionName() {
	case operators.LogicalAnd, operators.LogicalOr:
		return c.joined(e)
	case operators.LogicalNot:
		return c.negated(e)
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		if isOrder(call.Args()[0]) {
			return c.ranged(e)
		}
		return c.comparison(e)
	case operators.Equals, operators.NotEquals:
		return c.comparison(e)
	case operators.In:
		return claim{}, c.membership(e)
	}
	if c.source.isSplit(e) {
		return c.split(e)
	}
	return c.notClaim(e)
}

// notClaim is the error of a statement that is only a quantity, or not even
// that.
func (c *compiler) notClaim(e ast.Expr) (claim, error) {
	t, err := c.term(e)
	if err != nil {
		return claim{}, err
	}
	if t.constant {
		return claim{}, &Error{Offset: t.at, Message: fmt.Sprintf("%s is only %s", shown(t.text), t.kind), Hint: "write a comparison, as in jason.p50 < 1s"}
	}
	example := map[kind]string{number: "== 0", duration: "< 1s", share: "== 100%"}[t.kind]
	return claim{}, &Error{Offset: t.at, Message: fmt.Sprintf("%s is %s, and nothing is asked of it", shown(t.text), t.kind), Hint: "compare it, as in " + t.text + " " + example}
}

// membership is the error of x in [a, b].
func (c *compiler) membership(e ast.Expr) error {
	hint := "write lo <= x <= hi"
	if args := e.AsCall().Args(); args[1].Kind() == ast.ListKind && args[1].AsList().Size() == 2 {
		bounds := args[1].AsList().Elements()
		hint = fmt.Sprintf("write %s <= %s <= %s", c.source.textOf(bounds[0]), c.source.textOf(args[0]), c.source.textOf(bounds[1]))
	}
	return &Error{Offset: c.source.name(e).start, Message: "in has no place here", Hint: hint}
}

// isOrder says whether e is a comparison by < <= > >=.
func isOrder(e ast.Expr) bool {
	if e.Kind() != ast.CallKind {
		return false
	}
	return slices.Contains([]string{operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals}, e.AsCall().FunctionName())
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
func (c *compiler) comparison(e ast.Expr) (claim, error) {
	left, err := c.term(e.AsCall().Args()[0])
	if err != nil {
		return claim{}, err
	}
	right, err := c.term(e.AsCall().Args()[1])
	if err != nil {
		return claim{}, err
	}
	operator := c.source.name(e).text
	switch {
	case left.kind != right.kind:
		return claim{}, mismatch("compared", left, right)
	case left.constant && right.constant:
		return claim{}, &Error{Offset: left.at, Message: "neither side is observed", Hint: "name a load or a service, as in jason.p50 < 1s"}
	case left.constant:
		left, right, operator = right, left, mirrored(operator)
	}
	return bounded(left, bound{operator, right}), nil
}

// ranged compiles lo <= x <= hi, which CEL reads as (lo <= x) <= hi.
func (c *compiler) ranged(e ast.Expr) (claim, error) {
	inner := e.AsCall().Args()[0]
	first, second := c.source.name(inner), c.source.name(e)
	if first.text[0] != second.text[0] || isOrder(inner.AsCall().Args()[0]) {
		return claim{}, &Error{Offset: second.start, Message: "a range has two limits and runs one way", Hint: "write lo <= x <= hi"}
	}
	low, err := c.term(inner.AsCall().Args()[0])
	if err != nil {
		return claim{}, err
	}
	middle, err := c.term(inner.AsCall().Args()[1])
	if err != nil {
		return claim{}, err
	}
	high, err := c.term(e.AsCall().Args()[1])
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
	case low.literal != nil && high.literal != nil && emptyRange(first.text, low.literal, high.literal):
		return claim{}, &Error{Offset: low.at, Message: fmt.Sprintf("nothing is between %s and %s", low.text, high.text), Hint: "the limits may be exchanged"}
	}
	return bounded(middle, bound{mirrored(first.text), low}, bound{second.text, high}), nil
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
	return claim{judge: func(w Windows) finding {
		v := observed.eval(w)
		limits := make([]value, len(bounds))
		all := v
		for i, b := range bounds {
			limits[i] = b.limit.eval(w)
			all = evidence(all, limits[i])
		}
		result := finding{
			observed: observedWords(observed, v, limits),
			limit:    limitWords(bounds, limits, v),
			samples:  v.samples,
			sources:  all.sources,
		}
		if len(all.missing) > 0 {
			result.verdict, result.reason = report.Inconclusive, strings.Join(all.missing, "; ")
			return result
		}
		result.verdict = report.Pass
		for i, b := range bounds {
			if !holds(b.operator, v.amount.Cmp(limits[i].amount)) {
				result.verdict = report.Fail
				result.reason = fmt.Sprintf("%s %s %s", result.observed, broken(b.operator), limitOf(b, limits[i], v))
				break
			}
		}
		return result
	}}
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

// joined compiles a || b, and a && b where it is not at the top.
func (c *compiler) joined(e ast.Expr) (claim, error) {
	var claims []claim
	for _, arg := range e.AsCall().Args() {
		part, err := c.claim(arg)
		if err != nil {
			return claim{}, err
		}
		claims = append(claims, part)
	}
	either, word := e.AsCall().FunctionName() == operators.LogicalOr, " and "
	if either {
		word = " or "
	}
	split := slices.ContainsFunc(claims, func(c claim) bool { return c.split })
	return claim{split: split, judge: func(w Windows) finding {
		findings := make([]finding, len(claims))
		for i, part := range claims {
			findings[i] = part.judge(w)
		}
		return join(findings, either, word)
	}}, nil
}

// join puts findings together. Where one of them is inconclusive, the whole is:
// what is missing must not be made good by what is there.
func join(findings []finding, either bool, word string) finding {
	var result finding
	var observed, limits, reasons []string
	verdicts := map[report.Verdict]bool{}
	for _, f := range findings {
		verdicts[f.verdict] = true
		observed = append(observed, cmp.Or(f.observed, "?"))
		limits = append(limits, f.limit)
		if f.reason != "" {
			reasons = append(reasons, f.reason)
		}
		result.samples = fewest(result.samples, f.samples)
		result.sources = union(result.sources, f.sources)
	}
	result.observed, result.limit = strings.Join(observed, "; "), strings.Join(limits, word)
	switch {
	case verdicts[report.Inconclusive]:
		result.verdict = report.Inconclusive
	case either && verdicts[report.Pass], !verdicts[report.Fail]:
		result.verdict = report.Pass
		return result
	default:
		result.verdict = report.Fail
	}
	result.reason = strings.Join(reasons, "; ")
	return result
}

// negated compiles !(a).
func (c *compiler) negated(e ast.Expr) (claim, error) {
	inner, err := c.claim(e.AsCall().Args()[0])
	if err != nil {
		return claim{}, err
	}
	if inner.split {
		return claim{}, &Error{Offset: c.source.startOf(e), Message: "a split cannot be negated: it would pass whenever an answer is wrong", Hint: "say what the split should be"}
	}
	return claim{judge: func(w Windows) finding {
		result := inner.judge(w)
		result.limit = "not " + result.limit
		switch result.verdict {
		case report.Pass:
			result.verdict, result.reason = report.Fail, inner.text+" is true"
		case report.Fail:
			result.verdict, result.reason = report.Pass, ""
		}
		return result
	}}, nil
}
