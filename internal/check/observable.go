package check

import (
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"
)

// observable is what is known of a quantity before it is observed. All are at
// least 0, but for those that only are calculated.
type observable struct {
	whole    bool   // a whole number
	family   string // quantities of one family hold together
	part     string // what it is in its family: sent, status 503, check "stars", p99
	free     bool   // calculated, and of any size
	positive bool   // above 0
	limits   []inequality
	most     int64 // of a cohort's counts: how many requests it sends at most; 0: not known
}

// The families of quantities: those of a cohort, and of a service.
const (
	responses = "response"
	services  = "service"
	counts    = "count"
	shares    = "share"
	proxied   = "proxied" // what proxies counted of a service
)

// isOf says whether a quantity is of a family such as counts, of any cohort.
func (q observable) isOf(family string) bool { return strings.HasSuffix(q.family, " "+family) }

// observables are the quantities that a line names, by name.
type observables map[string]observable

// of returns the quantity of a cohort.
func (o observables) of(l Load, family, part string) linear {
	name := l.Window + "." + l.Cohort + " " + family
	o[name+" "+part] = observable{family: name, part: part, whole: family != shares}
	return one(name + " " + part)
}

// time returns a statistic of a cohort's times, of which none exceeds the
// longest; 0: there is no such limit.
func (o observables) time(l Load, family, part string, longest time.Duration) linear {
	statistic := o.of(l, family, part)
	if longest > 0 {
		name := statistic.quantities()[0]
		known := o[name]
		known.limits = []inequality{{linear: just(ratOf(int64(longest))).minus(statistic)}}
		o[name] = known
	}
	return statistic
}

// count returns how many requests of a cohort had some outcome, of the most that
// it sends; 0: that is not known.
func (o observables) count(l Load, part string, most int64) linear {
	counted := o.of(l, counts, part)
	name := counted.quantities()[0]
	known := o[name]
	known.most = most
	o[name] = known
	return counted
}

// rate returns the requests a second of a cohort, of which each sent some.
func (o observables) rate(l Load) linear {
	name := l.Window + "." + l.Cohort + " qps"
	o[name] = observable{positive: true}
	return one(name)
}

// counter returns what proxies counted.
func (o observables) counter(n Need) linear {
	part := "all"
	if len(n.Args) > 1 {
		part = "version " + n.Args[1]
	}
	o[n.text()] = observable{whole: true, family: n.Function + " of " + n.Args[0] + " " + proxied, part: part}
	return one(n.text())
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
	if b.key() < a.key() {
		a, b = b, a
	}
	name := "(" + a.key() + ")·(" + b.key() + ")"
	product, zero, unit := one(name), just(new(big.Rat)), just(ratOf(1))
	known := observable{free: a.key() != b.key()} // a square is not below 0
	if o.surely(">=", a, zero) && o.surely(">=", b, zero) {
		known.free = false
		if o.surely("<=", a, unit) {
			known.limits = append(known.limits, inequality{linear: b.minus(product)})
		}
		if o.surely("<=", b, unit) {
			known.limits = append(known.limits, inequality{linear: a.minus(product)})
		}
	}
	o[name] = known
	return product
}

// quotient returns a/b, where b is not 0. Counts by what was sent are shares.
func (o observables) quotient(a, b linear) linear {
	if b.isConstant() {
		return a.times(new(big.Rat).Inv(b.constant))
	}
	if shared, ok := o.ofSent(a, b); ok {
		return shared
	}
	name := "(" + a.key() + ")/(" + b.key() + ")"
	quotient, zero := one(name), just(new(big.Rat))
	known := observable{free: true}
	if o.surely(">=", a, zero) && o.surely(">=", b, zero) {
		known.free = false
		if o.surely("<=", a, b) {
			known.limits = append(known.limits, inequality{linear: just(ratOf(1)).minus(quotient)})
		}
		if o.surely(">=", a, b) {
			known.limits = append(known.limits, inequality{linear: quotient.minus(just(ratOf(1)))})
		}
	}
	o[name] = known
	return quotient
}

// ofSent returns a/b in shares, if a are counts of a cohort and b is what it
// sent.
func (o observables) ofSent(a, b linear) (linear, bool) {
	names := b.quantities()
	whole := o[names[0]]
	if whole.part != "sent" || b.minus(one(names[0])).key() != "0" || a.constant.Sign() != 0 {
		return linear{}, false
	}
	cohort := strings.TrimSuffix(whole.family, " "+counts)
	window, name, _ := strings.Cut(cohort, ".")
	sum := just(new(big.Rat))
	for _, counted := range a.quantities() {
		part := o[counted]
		switch {
		case part.family != whole.family:
			return linear{}, false
		case part.part == "sent":
			sum = sum.plus(a.factors[counted], just(ratOf(1)))
		default:
			sum = sum.plus(a.factors[counted], o.of(Load{Window: window, Cohort: name}, shares, part.part))
		}
	}
	return sum, true
}

// surely says whether left OPERATOR right holds, whatever is observed.
func (o observables) surely(operator string, left, right linear) bool {
	return !o.possible(says(operator, left, right).negated(), &solver{whole: o.isWhole, effort: maxEffort / 100})
}

// possible says whether there are observations of which a formula is true.
func (o observables) possible(f formula, s *solver) bool {
	return s.possible([]formula{f}, o.known(f.quantities()))
}

func (o observables) isWhole(quantity string) bool { return o[quantity].whole }

// known returns what holds of quantities, and of those that they depend on.
func (o observables) known(names []string) []inequality {
	var all []inequality
	families, most := map[string]map[string]linear{}, map[string]int64{}
	for i := 0; i < len(names); i++ { // names grows
		name := names[i]
		q := o[name]
		if !q.free {
			all = append(all, inequality{one(name), q.positive})
		}
		for _, limit := range q.limits {
			all = append(all, limit)
			names = union(names, limit.quantities())
		}
		if q.family != "" {
			if families[q.family] == nil {
				families[q.family] = map[string]linear{}
			}
			families[q.family][q.part] = one(name)
			most[q.family] = q.most
		}
	}
	for family, members := range families {
		switch {
		case strings.HasSuffix(family, " "+counts):
			all = append(all, countsOf(members, most[family])...)
		case strings.HasSuffix(family, " "+shares):
			all = append(all, partsOf(just(ratOf(1)), members)...)
		case strings.HasSuffix(family, " "+proxied):
			if whole, ok := members["all"]; ok {
				all = append(all, partsOf(whole, members)...)
			}
		default:
			all = append(all, ordered(members)...)
		}
	}
	return append(all, begunWhenDue(families)...)
}

// begunWhenDue is that no service time is above the response time of the same
// rank or a higher: a request begins when it is due, or later.
func begunWhenDue(families map[string]map[string]linear) []inequality {
	var all []inequality
	for family, times := range families {
		cohort, is := strings.CutSuffix(family, " "+responses)
		if !is {
			continue
		}
		for _, order := range orders() {
			for i, part := range order {
				service, known := families[cohort+" "+services][part]
				for _, above := range order[i:] {
					if response, ok := times[above]; ok && known {
						all = append(all, inequality{linear: response.minus(service)})
					}
				}
			}
		}
	}
	return all
}

// countsOf is that a cohort sent a request at least, and no more than it was to
// send; 0: that is not known.
func countsOf(members map[string]linear, most int64) []inequality {
	var all []inequality
	sent, asked := members["sent"]
	if asked {
		all = append(all, inequality{linear: sent.minus(just(ratOf(1)))})
		all = append(all, partsOf(sent, members)...)
	}
	if most == 0 {
		return all
	}
	if asked {
		return append(all, inequality{linear: just(ratOf(most)).minus(sent)})
	}
	return append(all, partsOf(just(ratOf(most)), members)...)
}

// partsOf is that no part is above the whole, nor are those together of which
// no outcome is two: statuses, versions, and errors among either.
func partsOf(whole linear, members map[string]linear) []inequality {
	sums := map[string]linear{}
	for _, part := range slices.Sorted(maps.Keys(members)) {
		kind, _, _ := strings.Cut(part, " ")
		into := []string{kind}
		switch kind {
		case "sent", "all":
			continue
		case "errors":
			into = []string{"status", "version"}
		case "check":
			into = []string{part}
		}
		for _, kind := range into {
			if _, found := sums[kind]; !found {
				sums[kind] = just(new(big.Rat))
			}
			sums[kind] = sums[kind].plus(ratOf(1), members[part])
		}
	}
	var all []inequality
	for _, kind := range slices.Sorted(maps.Keys(sums)) {
		all = append(all, inequality{linear: whole.minus(sums[kind])})
	}
	return all
}

// orders are the statistics of times, each at most the next.
func orders() [][]string {
	return [][]string{{"min", "p50", "p90", "p95", "p99", "p999", "max"}, {"min", "mean", "max"}}
}

// ordered is that the statistics of times stand in their order: the smallest,
// the percentiles, the largest; and the mean between the first and the last.
func ordered(members map[string]linear) []inequality {
	var all []inequality
	for _, order := range orders() {
		var last *linear
		for _, part := range order {
			member, ok := members[part]
			if !ok {
				continue
			}
			if last != nil {
				all = append(all, inequality{linear: member.minus(*last)})
			}
			last = &member
		}
	}
	return all
}
