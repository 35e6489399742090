// Package chance says how likely a difference between two samples is, if there is none
// but chance between them.
//
// It knows nothing of runs and reports, and imports nothing else of this module.
package chance

import (
	"cmp"
	"math"
	"slices"
)

// Holm says which of several tests are beyond chance, so that the chance that any of
// those is which is not is at most alpha (S. Holm, "A Simple Sequentially Rejective
// Multiple Test Procedure", 1979). The tests may hang together in any way.
//
// Least is, of each, the least p that it could have had: a test that could never have
// been beyond alpha, such as one of two answers with two others, takes no part of it
// (R. E. Tarone, "A Modified Bonferroni Method for Discrete Data", 1990).
func Holm(ps, least []float64, alpha float64) []bool {
	var order []int
	for i := range ps {
		if InFamily(least[i], alpha) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(ps[a], ps[b]) })
	beyond := make([]bool, len(ps))
	for rank, i := range order {
		if ps[i] > alpha/float64(len(order)-rank) {
			break
		}
		beyond[i] = true
	}
	return beyond
}

// InFamily says whether a test takes a part of alpha in Holm, by the least p that it could
// have had.
func InFamily(least, alpha float64) bool { return least <= alpha }

// Table is how often something was found in each of two samples.
type Table struct {
	First, OfFirst   int64
	Second, OfSecond int64
}

// P is Fisher's exact test, two-sided: the chance, if both samples were drawn from the
// same, of a table at most as likely as this one with the same sums (R. A. Fisher,
// "Statistical Methods for Research Workers", §21.02).
//
// Small samples cannot say much: that 20 of 20 answers are of a sort which none of 20
// was has a chance of 1.5e-11, of 9 of 9 after none of 9, 4e-5.
func (t Table) P() float64 {
	low, high := t.between()
	mode := t.mode(low, high)
	observed := t.chance(t.First)
	at := observed * (1 + tie)
	// The chances rise until the mode and fall from there: of each side only what is at
	// most as likely counts, and it begins where a search finds it.
	left := search(low, mode+1, func(k int64) bool { return t.chance(k) > at })      // the first that is more likely
	right := search(mode+1, high+1, func(k int64) bool { return t.chance(k) <= at }) // the first that is not
	return min(1, t.tail(left-1, -1, low)+t.tail(right, 1, high))
}

// tie is what rounding makes of two tables that are equally likely. The logarithms of
// the factorials of millions have errors of this order.
const tie = 1e-7

// Least is the least P of tables with these sums.
func (t Table) Least() float64 {
	low, high := t.between()
	p := 1.0
	for _, first := range []int64{low, high} {
		p = min(p, Table{first, t.OfFirst, t.First + t.Second - first, t.OfSecond}.P())
	}
	return p
}

// between is between which counts of the first sample there is a table with these sums.
func (t Table) between() (low, high int64) {
	found := t.First + t.Second
	return max(0, found-t.OfSecond), min(found, t.OfFirst)
}

// mode is the likeliest count of the first sample.
func (t Table) mode(low, high int64) int64 {
	all := float64(t.OfFirst + t.OfSecond)
	k := int64(math.Floor(float64(t.First+t.Second+1) * float64(t.OfFirst+1) / (all + 2)))
	return min(max(k, low), high)
}

// tail sums the chances from a count on in one direction, until they add nothing.
func (t Table) tail(from, step, last int64) float64 {
	sum := 0.0
	for k := from; (last-k)*step >= 0; k += step {
		one := t.chance(k)
		sum += one
		if one <= sum*1e-12 {
			break
		}
	}
	return sum
}

// chance is that of finding so many of all in the first sample.
func (t Table) chance(first int64) float64 {
	found := t.First + t.Second
	return math.Exp(choose(t.OfFirst, first) + choose(t.OfSecond, found-first) - choose(t.OfFirst+t.OfSecond, found))
}

// choose is the logarithm of n over k.
func choose(n, k int64) float64 {
	factorial := func(n int64) float64 {
		log, _ := math.Lgamma(float64(n) + 1)
		return log
	}
	return factorial(n) - factorial(k) - factorial(n-k)
}

// search is the first of low to high-1 of which it is so, and high if of none; as
// sort.Search, it is so of all from there on.
func search(low, high int64, so func(int64) bool) int64 {
	for low < high {
		if middle := low + (high-low)/2; so(middle) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}
