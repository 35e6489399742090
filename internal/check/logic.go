package check

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/report"
)

// joined compiles a || b, and a && b where it is not at the top.
func (c *compiler) joined(n *logic) (claim, error) {
	var claims []claim
	for _, operand := range n.operands {
		part, err := c.claim(operand)
		if err != nil {
			return claim{}, err
		}
		claims = append(claims, part)
	}
	return together(claims, n.operator.text == "||"), nil
}

// together is the claim that all claims are true, or that either is.
func together(claims []claim, either bool) claim {
	word := " and "
	if either {
		word = " or "
	}
	all := formula{either: either}
	for _, part := range claims {
		all.parts = append(all.parts, part.says)
	}
	split := slices.ContainsFunc(claims, func(c claim) bool { return c.split })
	return claim{split: split, says: all, judge: func(w Windows) finding {
		findings := make([]finding, len(claims))
		for i, part := range claims {
			findings[i] = part.judge(w)
			findings[i].values = ofEach(part.of, findings[i].values)
		}
		return join(findings, either, word)
	}}
}

// ofEach says in what was observed of an operand of which that is.
func ofEach(operand string, values []report.Measure) []report.Measure {
	values = slices.Clone(values)
	for i := range values {
		values[i].Of = strings.TrimSpace(operand + " " + values[i].Of)
	}
	return values
}

// join puts findings together. Where one of them is inconclusive, the whole is:
// what is missing must not be made good by what is there.
func join(findings []finding, either bool, word string) finding {
	var result finding
	var observed, limits, reasons []string
	verdicts := map[report.Verdict]bool{}
	for _, f := range findings {
		verdicts[f.verdict] = true
		observed = append(observed, cmp.Or(f.observed, "not known"))
		limits = append(limits, f.limit)
		result.values = append(result.values, f.values...)
		if f.reason != "" {
			reasons = append(reasons, f.reason)
		}
		result.samples = fewest(result.samples, f.samples)
		result.sources = union(result.sources, f.sources)
		result.doubts = union(result.doubts, f.doubts)
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
func (c *compiler) negated(n *not) (claim, error) {
	inner, err := c.claim(n.operand)
	if err != nil {
		return claim{}, err
	}
	if inner.split {
		return claim{}, &Error{Offset: n.start, Message: "a split cannot be negated: it would pass whenever an answer is wrong", Hint: "say what the split should be"}
	}
	return opposite(inner), nil
}

// opposite is the claim that another is not true.
func opposite(inner claim) claim {
	return claim{of: inner.of, says: inner.says.negated(), judge: func(w Windows) finding {
		result := inner.judge(w)
		result.limit, result.bounds = "not "+result.limit, nil // which the words tell: of a range it is either of two
		switch result.verdict {
		case report.Pass:
			result.verdict, result.reason = report.Fail, inner.text+" is true"
		case report.Fail:
			result.verdict, result.reason = report.Pass, ""
		}
		return result
	}}
}
