package check

import (
	"math"

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

// samplesNeeded returns how many samples it takes for the test to reject, with
// the chance power, a share that is off by so much to either side. Of several
// shares and sides the greatest number counts; a side that leaves 0 to 1 does
// not. It returns 0 if no share can be off by so much.
//
// The number is that of the normal approximation (Fleiss, Levin and Paik,
// "Statistical Methods for Rates and Proportions", chapter 2), to the nearest
// whole number:
//
//	n = ((z(1-α/2) √(p(1-p)) + z(power) √(q(1-q))) / (p-q))²
//
// 90/10 against 80/20 takes 656; 5 points off, 2,359; 50/50 against 55/45,
// 5,613. The test itself is exact, and its steps are whole counts: its power at
// these numbers is 99.80, 99.84 and 99.89 %, at 99/1 against 89/11 it is 99.4 %.
func samplesNeeded(shares []float64, off float64) int64 {
	surprise := distuv.UnitNormal.Quantile(1 - levelOfEach(len(shares))/2)
	certainty := distuv.UnitNormal.Quantile(power)
	most := 0.0
	for _, p := range shares {
		for _, q := range []float64{p - off, p + off} {
			// A sum such as 0.9+0.1 may miss 0 or 1 by a rounding.
			if q < -1e-12 || q > 1+1e-12 {
				continue
			}
			q = min(1, max(0, q))
			root := (surprise*math.Sqrt(p*(1-p)) + certainty*math.Sqrt(q*(1-q))) / off
			most = max(most, root*root, 1)
		}
	}
	return int64(math.Round(most))
}
