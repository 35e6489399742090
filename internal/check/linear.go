package check

import (
	"maps"
	"math/big"
	"slices"
	"strings"
)

// linear is a sum of quantities, each times a factor that is not 0, and of a
// constant. It is never changed once it is made.
type linear struct {
	factors  map[string]*big.Rat // by name of the quantity
	constant *big.Rat
}

// just is a constant.
func just(amount *big.Rat) linear { return linear{constant: amount} }

// one is a quantity alone.
func one(quantity string) linear {
	return linear{map[string]*big.Rat{quantity: big.NewRat(1, 1)}, new(big.Rat)}
}

// isConstant says whether l is without quantities.
func (l linear) isConstant() bool { return len(l.factors) == 0 }

// quantities returns the names of those in l, sorted.
func (l linear) quantities() []string { return slices.Sorted(maps.Keys(l.factors)) }

// plus returns l + factor·m.
func (l linear) plus(factor *big.Rat, m linear) linear {
	sum := linear{maps.Clone(l.factors), new(big.Rat).Add(l.constant, new(big.Rat).Mul(factor, m.constant))}
	if sum.factors == nil {
		sum.factors = map[string]*big.Rat{}
	}
	for name, f := range m.factors {
		total := new(big.Rat).Mul(factor, f)
		if have := sum.factors[name]; have != nil {
			total.Add(total, have)
		}
		sum.factors[name] = total
		if total.Sign() == 0 {
			delete(sum.factors, name)
		}
	}
	return sum
}

// minus returns l - m.
func (l linear) minus(m linear) linear { return l.plus(big.NewRat(-1, 1), m) }

// times returns factor·l. Most sums of a solver are scaled already.
func (l linear) times(factor *big.Rat) linear {
	if factor.IsInt() && factor.Num().IsInt64() && factor.Num().Int64() == 1 {
		return l
	}
	return just(new(big.Rat)).plus(factor, l)
}

// key is the same text for the same sum.
func (l linear) key() string {
	var text strings.Builder
	for _, name := range l.quantities() {
		text.WriteString(l.factors[name].RatString() + "·" + name + " + ")
	}
	text.WriteString(l.constant.RatString())
	return text.String()
}
