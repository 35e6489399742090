package check

import (
	"slices"
	"strings"
)

// namedQuantity is a quantity that a term names, as it is written there.
type namedQuantity struct{ quantity, text string }

// lostOf returns the first of the quantities of a comparison that its
// difference has no more: one that is taken away again, or is multiplied by 0.
// To name it is to say nothing of it, and must not count as speaking of it.
func lostOf(names []namedQuantity, difference linear) string {
	left := difference.quantities()
	for _, named := range names {
		if !slices.ContainsFunc(left, func(q string) bool { return stands(named.quantity, q) }) {
			return named.text
		}
	}
	return ""
}

// stands says whether a quantity is, or is part of, another: a product has its
// factors in its name, a count by what was sent is a share, and a share of what was
// sent a count.
func stands(quantity, in string) bool {
	as := func(family, other string) string {
		return strings.Replace(quantity, " "+family+" ", " "+other+" ", 1)
	}
	return strings.Contains(in, quantity) || strings.Contains(in, as(counts, shares)) || strings.Contains(in, as(shares, counts))
}
