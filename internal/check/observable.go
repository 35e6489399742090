package check

import (
	"math/big"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/report"
)

// observable is what is known of a quantity before it is observed. All are at
// least 0, but for those that only are calculated.
type observable struct {
	whole   bool   // a whole number
	family  string // quantities of one family hold together
	part    string // what it is in its family: sent, status 503, check "stars", p99
	free    bool   // calculated, and of any size
	size    size   // of counts: of what they are a part of; of times: how many they are
	limits  []inequality
	product *product // what it is a product of; nil: it is none
	ratio   *ratio   // what it is a quotient of; nil: it is none, or its divisor may be below 0
}

// The families of quantities: those of a cohort, and of a service.
const (
	responses = "response"
	services  = "service"
	counts    = "count"
	shares    = "share"
	rates     = "qps"
	proxied   = "proxied" // what proxies counted of a service
)

// isOf says whether a quantity is of a family such as counts, of any cohort.
func (q observable) isOf(family string) bool { return strings.HasSuffix(q.family, " "+family) }

// observables are the quantities that a line names, by name.
type observables struct {
	named    map[string]observable
	implied  Implied
	requests map[string][]string              // of the list of a cohort
	inTurn   func(window, cohort string) bool // that list is sent in turn
}

// of returns the quantity of a cohort.
func (o observables) of(l Load, family, part string) linear {
	name := cohortPart(l, family, part)
	o.named[name] = observable{family: strings.TrimSuffix(name, " "+part), part: part, whole: family != shares}
	return one(name)
}

// cohortPart names a quantity of a cohort.
func cohortPart(l Load, family, part string) string {
	return l.Window + "." + l.name() + " " + family + " " + part
}

// limit notes what holds of a quantity, whatever is observed.
func (o observables) limit(quantity linear, limits ...inequality) {
	name := quantity.quantities()[0]
	known := o.named[name]
	known.limits = append(known.limits, limits...)
	o.named[name] = known
}

// time returns a statistic of a cohort's times, of which none exceeds the
// longest; 0: there is no such limit. None is below a microsecond, in which
// nothing is sent and answered.
func (o observables) time(l Load, family, part string, all size, longest time.Duration) linear {
	statistic := o.sized(o.of(l, family, part), all)
	o.limit(statistic, notBelow(statistic, int64(time.Microsecond)))
	if longest > 0 {
		o.limit(statistic, notAbove(statistic, int64(longest)))
	}
	return statistic
}

// count returns how many requests of a cohort had some outcome.
func (o observables) count(l Load, part string, all size) linear {
	return o.sized(o.of(l, counts, part), all)
}

// sized notes of how many requests a quantity is.
func (o observables) sized(quantity linear, all size) linear {
	name := quantity.quantities()[0]
	known := o.named[name]
	known.size = all
	o.named[name] = known
	return quantity
}

// share returns which share of a cohort's requests had some outcome. Where it is
// known how many they are, it is a whole number of them.
func (o observables) share(l Load, part string, all size) linear {
	shared := o.of(l, shares, part)
	if n := all.exactly(); n > 0 {
		missing := o.count(l, part, all).minus(shared.times(ratOf(n)))
		o.limit(shared, inequality{linear: missing}, inequality{linear: missing.times(ratOf(-1))})
	}
	return shared
}

// rate returns the requests a second of a cohort, of which each sent some. The last
// of a schedule begins along it, so that of few the rate is higher than it.
func (o observables) rate(l Load, within Bounds, all size) linear {
	name := l.Window + "." + l.name() + " " + rates
	rate := one(name)
	o.named[name] = observable{}
	o.limit(rate, inequality{linear: rate.minus(just(ratOfFloat(within.Slowest))), strict: within.Slowest == 0})
	fastest := within.Fastest
	if within.Scheduled > 0 && all.made > 1 {
		fastest = min(fastest, within.Scheduled*float64(all.made)/float64(all.made-1))
	}
	if fastest > 0 {
		o.limit(rate, inequality{linear: just(ratOfFloat(fastest)).minus(rate)})
	}
	return rate
}

// counter returns what proxies counted, of the most that they can have; 0: that is
// not known.
func (o observables) counter(n Need, most int64) linear {
	part := "all"
	if len(n.Args) > 1 {
		part = "version " + n.Args[1]
	}
	counted := one(n.text())
	family := n.Function + " of " + n.Args[0]
	if n.Function == report.Imbalance { // those of versions are no parts of the whole
		family = n.text()
	}
	o.named[n.text()] = observable{whole: true, family: family + " " + proxied, part: part, size: size{most: most}}
	if most != 0 {
		o.limit(counted, notAbove(counted, max(most, 0)))
	}
	return counted
}

func notBelow(l linear, least int64) inequality {
	return inequality{linear: l.minus(just(ratOf(least)))}
}

func notAbove(l linear, most int64) inequality {
	return inequality{linear: just(ratOf(most)).minus(l)}
}

// calculated returns what an operator makes of two sums.
func (o observables) calculated(operator string, a, b linear) linear {
	switch operator {
	case "+":
		return a.plus(ratOf(1), b)
	case "-":
		return a.minus(b)
	case "*":
		return o.product(a, b)
	default:
		return o.quotient(a, b)
	}
}

// product returns a·b. Where neither is constant it is a quantity of its own.
func (o observables) product(a, b linear) linear {
	if a.isConstant() {
		return b.times(a.constant)
	}
	if b.isConstant() {
		return a.times(b.constant)
	}
	for _, pair := range [][2]linear{{a, b}, {b, a}} {
		if counted, ok := o.sharesOf(pair[0], pair[1]); ok {
			return counted
		}
	}
	if b.key() < a.key() {
		a, b = b, a
	}
	name := "(" + a.key() + ")·(" + b.key() + ")"
	whole, zero, unit := one(name), just(new(big.Rat)), just(ratOf(1))
	known := observable{free: a.key() != b.key(), product: &product{a, b}} // a square is not below 0
	if o.surely(">=", a, zero) && o.surely(">=", b, zero) {
		known.free = false
		if o.surely("<=", a.plus(ratOf(1), b), unit) { // and so at most as if they were equal
			known.limits = append(known.limits, inequality{linear: just(big.NewRat(1, 4)).minus(whole)})
		}
		if o.surely("<=", a, unit) {
			known.limits = append(known.limits, inequality{linear: b.minus(whole)})
		}
		if o.surely("<=", b, unit) {
			known.limits = append(known.limits, inequality{linear: a.minus(whole)})
		}
	}
	o.named[name] = known
	return whole
}

// sharesOf returns a·b in counts, if a are shares of a cohort and b is what it
// sent.
func (o observables) sharesOf(a, b linear) (linear, bool) {
	whole := o.named[b.quantities()[0]]
	if whole.part != "sent" || len(b.factors) > 1 || b.constant.Sign() != 0 {
		return linear{}, false
	}
	cohort := strings.TrimSuffix(whole.family, " "+counts)
	window, name, _ := strings.Cut(cohort, ".")
	factor := b.factors[b.quantities()[0]]
	sum := b.times(a.constant)
	for _, shared := range a.quantities() {
		part := o.named[shared]
		if part.family != cohort+" "+shares {
			return linear{}, false
		}
		sum = sum.plus(new(big.Rat).Mul(factor, a.factors[shared]), o.count(Load{Window: window, Cohort: name}, part.part, whole.size))
	}
	return sum, true
}

// surely says whether left OPERATOR right holds, whatever is observed.
func (o observables) surely(operator string, left, right linear) bool {
	return !o.possible(says(operator, left, right).negated(), &solver{whole: o.isWhole, effort: maxEffort / 100})
}

// possible says whether there are observations of which a formula is true.
func (o observables) possible(f formula, s *solver) bool {
	f = o.multiplied(f)
	return s.possible([]formula{f}, o.known(f.quantities()))
}

func (o observables) isWhole(quantity string) bool { return o.named[quantity].whole }
