package check

import (
	"math/big"
	"slices"
	"strings"
)

// ratio is a quotient whose divisor is not below 0, and not 0 either where it is
// judged.
type ratio struct{ of, by linear }

// quotient returns a/b, where b is not 0. Counts by what was sent are shares.
func (o observables) quotient(a, b linear) linear {
	if b.isConstant() {
		return a.times(new(big.Rat).Inv(b.constant))
	}
	if shared, ok := o.ofSent(a, b); ok {
		return shared
	}
	if other, ok := o.reduced(a, b); ok {
		return other
	}
	name := "(" + a.key() + ")/(" + b.key() + ")"
	quotient, zero := one(name), just(new(big.Rat))
	known := observable{free: true}
	positive := o.surely(">=", b, zero)
	if positive {
		known.ratio = &ratio{a, b}
	}
	if positive && o.surely(">=", a, zero) {
		known.free = false
		if o.surely(">", a, zero) {
			known.limits = append(known.limits, inequality{quotient, true})
		}
		if o.surely("<=", a, b) {
			known.limits = append(known.limits, inequality{linear: just(ratOf(1)).minus(quotient)})
		}
		if o.surely(">=", a, b) {
			known.limits = append(known.limits, inequality{linear: quotient.minus(just(ratOf(1)))})
		}
		if most := o.most(a); most != nil && o.isCount(b) { // and so 1 at least, or nothing is divided
			known.limits = append(known.limits, inequality{linear: just(most).minus(quotient)})
		}
	}
	o.named[name] = known
	return quotient
}

// isPart says whether one number may be how many of another: of times, rates and shares
// none is, nor are answers of one kind a part of those of another, of which there may be
// more. What proxies counted is taken for one.
func (o observables) isPart(a, b term) bool {
	if a.kind != number || b.kind != number {
		return false
	}
	names := append(a.form.quantities(), b.form.quantities()...)
	if slices.ContainsFunc(names, func(name string) bool { return !o.named[name].whole }) {
		return false
	}
	proxies := slices.ContainsFunc(names, func(name string) bool { return o.named[name].isOf(proxied) })
	return proxies || o.surely("<=", a.form, b.form)
}

// most returns the most that a sum can be; nil: that is not known.
func (o observables) most(a linear) *big.Rat {
	sum := new(big.Rat).Set(a.constant)
	for name, factor := range a.factors {
		q := o.named[name]
		limit := max(q.size.most, q.size.made)
		if limit == 0 || factor.Sign() < 0 || q.isOf(responses) || q.isOf(services) {
			return nil
		}
		sum.Add(sum, new(big.Rat).Mul(factor, ratOf(limit)))
	}
	return sum
}

// isCount says whether a sum is a whole number.
func (o observables) isCount(a linear) bool {
	return !slices.ContainsFunc(a.quantities(), func(name string) bool { return !o.named[name].whole || !a.factors[name].IsInt() }) && a.constant.IsInt()
}

// ofSent returns a/b in shares, if a are counts of a cohort and b is what it
// sent.
func (o observables) ofSent(a, b linear) (linear, bool) {
	names := b.quantities()
	whole := o.named[names[0]]
	if whole.part != "sent" || b.minus(one(names[0])).key() != "0" || a.constant.Sign() != 0 {
		return linear{}, false
	}
	cohort := strings.TrimSuffix(whole.family, " "+counts)
	window, name, _ := strings.Cut(cohort, ".")
	sum := just(new(big.Rat))
	for _, counted := range a.quantities() {
		part := o.named[counted]
		switch {
		case part.family != whole.family:
			return linear{}, false
		case part.part == "sent":
			sum = sum.plus(a.factors[counted], just(ratOf(1)))
		default:
			sum = sum.plus(a.factors[counted], o.share(Load{Window: window, Cohort: name}, part.part, part.size))
		}
	}
	return sum, true
}

// multiplied says the same of what is divided as of its quotients, where all of
// those that an inequality has are by the same: a/b < 5 is a < 5·b.
func (o observables) multiplied(f formula) formula {
	if f.holds != nil {
		return o.undivided(*f.holds)
	}
	same := formula{unsure: f.unsure, either: f.either}
	for _, part := range f.parts {
		same.parts = append(same.parts, o.multiplied(part))
	}
	return same
}

// undivided says the same of one inequality, with its divisor above 0.
func (o observables) undivided(i inequality) formula {
	as := formula{holds: &i}
	var by linear
	sum := just(new(big.Rat))
	for _, name := range i.quantities() {
		r := o.named[name].ratio
		if r == nil || by.constant != nil && by.key() != r.by.key() {
			return as
		}
		by, sum = r.by, sum.plus(i.factors[name], r.of)
	}
	if by.constant == nil {
		return as
	}
	return formula{parts: []formula{
		as,
		{holds: &inequality{sum.plus(i.constant, by), i.strict}},
		{holds: &inequality{by, true}},
	}}
}
