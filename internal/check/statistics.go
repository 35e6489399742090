package check

import (
	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// alpha is the chance that a split which is as asked fails: a hundred tests
	// a night cry wolf in less than one night of a thousand.
	alpha = 1e-5
	// power is the chance that a split which is off by what must be detected
	// does not pass.
	power = 0.999
)

// levelOfEach returns the level at which each share of a split is tested, so
// that the level of the whole is at most alpha. The two counts of two versions
// say the same thing: one test. Those of more are tested one by one, each at
// its part of alpha. This is Bonferroni's bound (the chance of any of several
// events is at most the sum of their chances; Dunn, "Multiple Comparisons Among
// Means", 1961), and needs no enumeration of outcomes, as the exact multinomial
// test does: three versions and 2,000 requests have two million.
func levelOfEach(shares int) float64 {
	if shares <= 2 {
		return alpha
	}
	return alpha / float64(shares)
}

// pValue is the exact two-sided binomial test: the chance of a count at least
// as far out as the observed, on its side, doubled (Clopper and Pearson, "The
// Use of Confidence or Fiducial Limits", 1934: the share lies outside their
// interval exactly when this is below the level).
func pValue(observed, total int64, share float64) float64 {
	if share <= 0 || share >= 1 {
		if float64(observed) == share*float64(total) {
			return 1
		}
		return 0
	}
	n, x := float64(total), float64(observed)
	atMost := distuv.Binomial{N: n, P: share}.CDF(x)
	// Counting the misses keeps the digits of the upper tail, which are lost
	// when a CDF near 1 is taken from 1.
	atLeast := distuv.Binomial{N: n, P: 1 - share}.CDF(n - x)
	return min(1, 2*min(atMost, atLeast))
}
