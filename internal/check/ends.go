package check

import (
	"fmt"
	"math/big"
	"strings"
)

// ends are between which amounts one lies, both included, that is not known exactly: a
// histogram tells a percentile from others by three figures, and what was begun late is
// not known for what it would have been. A comparison holds if it
// does wherever between them the amount is, and fails likewise.
type ends struct{ low, high *big.Rat }

// within returns between which amounts a value lies.
func (v value) within() (low, high *big.Rat) {
	if v.ends == nil {
		return v.amount, v.amount
	}
	return v.ends.low, v.ends.high
}

// spread is between which amounts the result of an operator lies; nil: both sides are
// exact. What is divided by is above 0 from end to end, or below.
func spread(operator string, a, b value) *ends {
	if a.ends == nil && b.ends == nil {
		return nil
	}
	aLow, aHigh := a.within()
	bLow, bHigh := b.within()
	var of *ends
	for _, one := range []*big.Rat{aLow, aHigh} {
		for _, other := range []*big.Rat{bLow, bHigh} {
			corner := apply(operator, one, other)
			if of == nil {
				of = &ends{corner, corner}
			}
			if corner.Cmp(of.low) < 0 {
				of.low = corner
			}
			if corner.Cmp(of.high) > 0 {
				of.high = corner
			}
		}
	}
	return of
}

// keeps says whether an observed value keeps to a bound. It is not known where it would
// from the one end to what lies between, and not from there to the other.
func keeps(operator string, v, limit value) (holding, known bool) {
	low, high := v.within()
	limitLow, limitHigh := limit.within()
	least, most := low.Cmp(limitHigh), high.Cmp(limitLow)
	for sign := least; sign <= most; sign++ {
		if v.least != "" && !settled(operator, sign) {
			return false, false
		}
		if sign > least && holds(operator, sign) != holding {
			return false, false
		}
		holding = holds(operator, sign)
	}
	return holding, true
}

// unsettled words why it is not known whether a value keeps to a bound.
func unsettled(k kind, v, limit value) string {
	if v.least != "" {
		return v.least
	}
	against := "and " + endsWords(k, limit, v) + " is among that"
	if limit.ends != nil {
		against = "and the limit is " + endsWords(k, limit, v)
	}
	if late := union(v.late, limit.late); len(late) > 0 {
		return fmt.Sprintf("without the load generator's own lateness it could be %s, %s: %s; run again where less else is running, or with a lower rate", endsWords(k, v, limit), against, strings.Join(late, ", "))
	}
	return fmt.Sprintf("it is %s, as far as a histogram tells, which keeps three figures, %s; move the limit by a thousandth, or run again", endsWords(k, v, limit), against)
}

// endsWords words between what a value lies, so that neither end reads like the other,
// nor like one of another value.
func endsWords(k kind, v, apart value) string {
	low, high := v.within()
	from, to := apart.within()
	if low.Cmp(high) == 0 {
		return tellApart(k, low, from, to)
	}
	return tellApart(k, low, high, from, to) + " to " + tellApart(k, high, low, from, to)
}
