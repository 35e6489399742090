package check

import (
	"math/big"
	"slices"
)

// formula is what a claim says of quantities, without how it is judged.
type formula struct {
	holds  *inequality // a formula of one inequality
	unsure bool        // it may come out either way, whatever else holds
	either bool        // one of the parts is enough
	parts  []formula
}

// says is the formula of left OPERATOR right.
func says(operator string, left, right linear) formula {
	leaf := func(above, below linear, strict bool) formula {
		return formula{holds: &inequality{above.minus(below), strict}}
	}
	switch operator {
	case "<":
		return leaf(right, left, true)
	case "<=":
		return leaf(right, left, false)
	case ">":
		return leaf(left, right, true)
	case ">=":
		return leaf(left, right, false)
	case "==":
		return formula{parts: []formula{leaf(left, right, false), leaf(right, left, false)}}
	default:
		return formula{either: true, parts: []formula{leaf(left, right, true), leaf(right, left, true)}}
	}
}

// negated says the opposite.
func (f formula) negated() formula {
	if f.holds != nil {
		opposite := f.holds.negated()
		return formula{holds: &opposite}
	}
	if f.unsure {
		return f
	}
	turned := formula{either: !f.either}
	for _, part := range f.parts {
		turned.parts = append(turned.parts, part.negated())
	}
	return turned
}

// quantities collects the names of those in f.
func (f formula) quantities() []string {
	var names []string
	if f.holds != nil {
		names = f.holds.quantities()
	}
	for _, part := range f.parts {
		names = union(names, part.quantities())
	}
	return names
}

// possible says whether the formulas and inequalities can all hold together.
func (s *solver) possible(open []formula, known []inequality) bool {
	if s.effort <= 0 || len(open) == 0 {
		return s.together(known)
	}
	first, rest := open[0], open[1:]
	switch {
	case first.unsure:
		return s.possible(rest, known)
	case first.holds != nil:
		known = append(slices.Clone(known), *first.holds)
		return s.together(known) && s.possible(rest, known)
	case !first.either:
		return s.possible(append(slices.Clone(first.parts), rest...), known)
	}
	return slices.ContainsFunc(first.parts, func(part formula) bool {
		return s.possible(append([]formula{part}, rest...), known)
	})
}

// ratOf is a whole number.
func ratOf(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }

// ratOfFloat is a number that is not infinite.
func ratOfFloat(f float64) *big.Rat { return new(big.Rat).SetFloat64(f) }
