package check

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind is what a value measures. Only values of one kind can be compared.
type kind string

const (
	number   kind = "a number"
	duration kind = "a duration" // in nanoseconds
	share    kind = "a share"    // of 1
)

// value is an amount and the evidence for it.
type value struct {
	amount  *big.Rat // nil if anything is missing
	ends    *ends    // between which it lies; nil: it is exact
	part    *part    // how a share came about; nil: otherwise than by requests
	label   string   // what was counted: 503
	samples int64    // how many requests it stands on; 0 for a constant
	sources []string // what it was read from
	missing []string // what is missing, and why
	doubts  []string // what may have been counted elsewhere, and why
	least   string   // why the amount is only what it is at least; empty: it is exact
	late    []string // why its ends are wide apart: what was begun late
}

// part is how many of how many requests.
type part struct{ count, total *big.Int }

func (p *part) String() string { return p.count.String() + " of " + p.total.String() }

// absent is a value that is not known.
func absent(format string, args ...any) value {
	return value{missing: []string{fmt.Sprintf(format, args...)}}
}

// union appends those of more that list lacks.
func union(list, more []string) []string {
	list = slices.Clone(list)
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// fewest returns the smaller number of samples. 0 stands on none, as a
// constant does.
func fewest(a, b int64) int64 {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// exact returns the value as one that can be reckoned with: what is known by its
// least alone is missing.
func (v value) exact() value {
	if v.least != "" {
		v.amount, v.missing = nil, union(v.missing, []string{v.least})
	}
	return v
}

// evidence returns what two values stand on together, without an amount.
func evidence(a, b value) value {
	return value{
		samples: fewest(a.samples, b.samples),
		sources: union(a.sources, b.sources),
		missing: union(a.missing, b.missing),
		doubts:  union(a.doubts, b.doubts),
		late:    union(a.late, b.late),
	}
}

// calculate applies an arithmetic operator. What is missing on either side is
// missing in the result.
func calculate(operator string, a, b value) value {
	result := evidence(a.exact(), b.exact())
	if len(result.missing) > 0 {
		return result
	}
	if operator == "/" {
		if b.amount.Sign() == 0 {
			return value{sources: result.sources, missing: []string{"it divides by 0"}}
		}
		if low, high := b.within(); low.Sign()*high.Sign() <= 0 {
			return value{sources: result.sources, missing: []string{"it divides by what may be 0, as exactly as that is known"}}
		}
		if b.samples > 0 && a.amount.IsInt() && b.amount.IsInt() {
			result.part = &part{a.amount.Num(), b.amount.Num()}
		}
	}
	result.amount, result.ends = apply(operator, a.amount, b.amount), spread(operator, a, b)
	return result
}

// apply applies an arithmetic operator to two amounts. What is divided by is not 0.
func apply(operator string, a, b *big.Rat) *big.Rat {
	switch operator {
	case "+":
		return new(big.Rat).Add(a, b)
	case "-":
		return new(big.Rat).Sub(a, b)
	case "*":
		return new(big.Rat).Mul(a, b)
	default:
		return new(big.Rat).Quo(a, b)
	}
}

// words returns an amount in at most so many significant digits.
func words(k kind, amount *big.Rat, digits int) string {
	switch k {
	case duration:
		return durationWords(amount, digits)
	case share:
		return decimalWords(new(big.Rat).Mul(amount, big.NewRat(100, 1)), digits) + "%"
	default:
		return decimalWords(amount, digits)
	}
}

// decimalWords writes a whole number in full, and another with as many
// decimals as the digits ask for.
func decimalWords(amount *big.Rat, digits int) string {
	if amount.IsInt() {
		return amount.RatString()
	}
	whole := new(big.Int).Quo(amount.Num(), amount.Denom())
	decimals := digits
	if whole.Sign() != 0 {
		decimals = max(1, digits-len(new(big.Int).Abs(whole).String()))
	}
	text := amount.FloatString(decimals)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// durationWords writes nanoseconds as Go does, rounded to the digits.
func durationWords(amount *big.Rat, digits int) string {
	nanoseconds, err := strconv.ParseInt(amount.FloatString(0), 10, 64)
	if err != nil {
		return decimalWords(new(big.Rat).Quo(amount, big.NewRat(int64(time.Second), 1)), digits) + "s"
	}
	unit := int64(1)
	for range len(strconv.FormatInt(max(nanoseconds, -nanoseconds), 10)) - digits {
		unit *= 10
	}
	return time.Duration(nanoseconds).Round(time.Duration(unit)).String()
}

// tellApart returns the observed amount in three digits, or in as many more as
// it takes for it not to read like a limit that it does not equal. A share
// that is not all or nothing must not read so either.
func tellApart(k kind, observed *big.Rat, limits ...*big.Rat) string {
	if k == share {
		limits = append(slices.Clone(limits), new(big.Rat), big.NewRat(1, 1))
	}
	digits := 3
	for ; digits < 15; digits++ {
		alike := func(limit *big.Rat) bool {
			return limit.Cmp(observed) != 0 && words(k, limit, digits) == words(k, observed, digits)
		}
		if !slices.ContainsFunc(limits, alike) {
			break
		}
	}
	return words(k, observed, digits)
}
