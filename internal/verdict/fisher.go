package verdict

import (
	"math"

	"gonum.org/v1/gonum/stat/combin"
)

// table is how often something was found in each of two samples.
type table struct {
	first, ofFirst   int64
	second, ofSecond int64
}

// pValue is Fisher's exact test, two-sided: the chance, if both samples were
// drawn from the same, of a table at most as likely as this one with the same
// sums (R. A. Fisher, "Statistical Methods for Research Workers", §21.02).
//
// Small samples cannot say much: that 20 of 20 answers are of a sort which none
// of 20 was has a chance of 1.5e-11, of 9 of 9 after none of 9, 4e-5.
func (t table) pValue() float64 {
	found := t.first + t.second
	// What rounding makes of two tables that are equally likely.
	const tie = 1e-7
	observed := t.chance(t.first)
	p := 0.0
	for first := max(0, found-t.ofSecond); first <= min(found, t.ofFirst); first++ {
		if chance := t.chance(first); chance <= observed*(1+tie) {
			p += chance
		}
	}
	return min(1, p)
}

// chance is that of finding so many of all in the first sample.
func (t table) chance(first int64) float64 {
	found := t.first + t.second
	choose := func(n, k int64) float64 { return combin.LogGeneralizedBinomial(float64(n), float64(k)) }
	return math.Exp(choose(t.ofFirst, first) + choose(t.ofSecond, found-first) - choose(t.ofFirst+t.ofSecond, found))
}
