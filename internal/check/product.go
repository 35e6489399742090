package check

import (
	"maps"
	"math/big"
	"slices"
)

// product is a quantity by another.
type product struct{ one, other linear }

// by returns the other factor, if one of them is a sum.
func (p *product) by(factor linear) (other linear, is bool) {
	switch {
	case p == nil:
	case p.one.key() == factor.key():
		return p.other, true
	case p.other.key() == factor.key():
		return p.one, true
	}
	return linear{}, false
}

// reduced returns a/b where all that a adds up are products of b, and b is not 0.
func (o observables) reduced(a, b linear) (linear, bool) {
	if a.constant.Sign() != 0 {
		return linear{}, false
	}
	sum := just(new(big.Rat))
	for _, name := range a.quantities() {
		other, is := o.named[name].product.by(b)
		if !is {
			return linear{}, false
		}
		sum = sum.plus(a.factors[name], other)
	}
	return sum, !a.isConstant()
}

// multiples is what holds of products with a common factor, which is not below 0,
// since it holds of the other factors: where two shares are at most 1 together, so
// much of them is at most the factor.
func (o observables) multiples(names []string) []inequality {
	of := map[string]map[string]string{} // the products, by factor and by other factor
	note := func(factor, other linear, name string) {
		f, is := alone(factor)
		by, too := alone(other)
		if !is || !too || o.named[f].free {
			return
		}
		if of[f] == nil {
			of[f] = map[string]string{}
		}
		of[f][by] = name
	}
	for _, name := range names {
		if p := o.named[name].product; p != nil {
			note(p.one, p.other, name)
			note(p.other, p.one, name)
		}
	}
	var all []inequality
	for factor, products := range of {
		if len(products) < 2 {
			continue
		}
		for _, i := range o.known(slices.Sorted(maps.Keys(products))) {
			if multiple, is := i.multiplied(factor, products); is {
				all = append(all, multiple)
			}
		}
	}
	return all
}

// multiplied is the inequality times a factor that is not below 0, if the products
// with all of its quantities are known.
func (i inequality) multiplied(factor string, products map[string]string) (inequality, bool) {
	sum := one(factor).times(i.constant)
	for name, f := range i.factors {
		product, known := products[name]
		if !known {
			return inequality{}, false
		}
		sum = sum.plus(f, one(product))
	}
	return inequality{linear: sum}, true
}

// alone returns the quantity that a sum is, if it is one by itself.
func alone(l linear) (quantity string, is bool) {
	names := l.quantities()
	if len(names) != 1 || l.constant.Sign() != 0 || l.factors[names[0]].Cmp(ratOf(1)) != 0 {
		return "", false
	}
	return names[0], true
}
