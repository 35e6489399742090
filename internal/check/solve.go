package check

import (
	"maps"
	"math/big"
	"slices"
)

// inequality is that a sum is at least 0, or above it.
type inequality struct {
	linear
	strict bool
}

// negated is that the sum is not.
func (i inequality) negated() inequality {
	return inequality{i.times(big.NewRat(-1, 1)), !i.strict}
}

// settled says whether an inequality without quantities holds.
func (i inequality) settled() bool {
	return i.constant.Sign() > 0 || i.constant.Sign() == 0 && !i.strict
}

// solver decides whether inequalities can hold together, within a limit of
// effort: beyond it, it takes them to.
type solver struct {
	whole  func(quantity string) bool // it is a whole number
	effort int                        // how many inequalities may still be made
}

// maxEffort is the effort for one line. An inequality costs some microseconds.
const maxEffort = 20_000

// tightened scales an inequality, so that equal ones look equal. Among whole
// numbers a sum is as good as the next whole number that it can be.
func (s *solver) tightened(i inequality) inequality {
	if i.isConstant() {
		return i
	}
	scale := new(big.Rat).SetFrac(commonDenominator(i.factors), big.NewInt(1))
	scaled := i.times(scale)
	divisor := new(big.Int)
	whole := true
	for name, f := range scaled.factors {
		divisor.GCD(nil, nil, divisor, new(big.Int).Abs(f.Num()))
		whole = whole && s.whole(name)
	}
	result := inequality{scaled.times(new(big.Rat).SetFrac(big.NewInt(1), divisor)), i.strict}
	if !whole {
		return result
	}
	// Without a remainder of its own, the least that a strict sum can be is 1.
	floor := new(big.Int).Div(result.constant.Num(), result.constant.Denom()) // Euclidean: towards -∞
	if result.strict && result.constant.IsInt() {
		floor.Sub(floor, big.NewInt(1))
	}
	return inequality{linear{result.factors, new(big.Rat).SetInt(floor)}, false}
}

// commonDenominator is the product of the denominators, which need not be the
// least: what is common is divided out afterwards.
func commonDenominator(factors map[string]*big.Rat) *big.Int {
	product := big.NewInt(1)
	for _, f := range factors {
		product.Mul(product, f.Denom())
	}
	return product
}

// tightest keeps of inequalities with the same quantities and factors the one
// that says most. It is false if one of them cannot hold.
func (s *solver) tightest(all []inequality) ([]inequality, bool) {
	kept := map[string]inequality{}
	for _, i := range all {
		i = s.tightened(i)
		if i.isConstant() {
			if !i.settled() {
				return nil, false
			}
			continue
		}
		key := linear{i.factors, new(big.Rat)}.key()
		have, found := kept[key]
		if sign := 0; found {
			sign = i.constant.Cmp(have.constant)
			if sign > 0 || sign == 0 && !i.strict {
				continue
			}
		}
		kept[key] = i
	}
	var list []inequality
	for _, key := range slices.Sorted(maps.Keys(kept)) {
		list = append(list, kept[key])
	}
	return list, true
}

// together says whether inequalities can all hold. They can, as far as real
// numbers go, if they still can when one quantity after the other is eliminated
// (Fourier and Motzkin: each lower bound of it must be below each upper bound).
func (s *solver) together(all []inequality) bool {
	for {
		list, possible := s.tightest(all)
		if !possible {
			return false
		}
		quantity, cost := s.cheapest(list)
		if s.effort -= cost; quantity == "" || s.effort < 0 {
			return true
		}
		all = eliminated(list, quantity)
	}
}

// sides counts the inequalities that bound each quantity from below and above.
func sides(list []inequality) map[string][2]int {
	counts := map[string][2]int{}
	for _, i := range list {
		for name, f := range i.factors {
			c := counts[name]
			c[(1-f.Sign())/2]++
			counts[name] = c
		}
	}
	return counts
}

// cheapest returns the quantity whose elimination makes the fewest
// inequalities, and how many; an empty one: there is none left. Whole numbers come
// last: what is said of a share of them can be tightened only when it is theirs.
func (s *solver) cheapest(list []inequality) (string, int) {
	best, cost := "", 0
	counts := sides(list)
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		c := counts[name][0] * counts[name][1]
		sooner := !s.whole(name) && s.whole(best)
		later := s.whole(name) && !s.whole(best)
		if best == "" || sooner || !later && c < cost {
			best, cost = name, c
		}
	}
	return best, cost + len(list)
}

// eliminated returns what the inequalities say without a quantity.
func eliminated(list []inequality, quantity string) []inequality {
	var rest, below, above []inequality
	for _, i := range list {
		switch f := i.factors[quantity]; {
		case f == nil:
			rest = append(rest, i)
		case f.Sign() > 0:
			below = append(below, i)
		default:
			above = append(above, i)
		}
	}
	for _, b := range below {
		for _, a := range above {
			factor := new(big.Rat).Quo(b.factors[quantity], new(big.Rat).Neg(a.factors[quantity]))
			rest = append(rest, inequality{b.plus(factor, a.linear), b.strict || a.strict})
		}
	}
	return rest
}
