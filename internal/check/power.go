package check

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// samplesNeeded returns how many samples a split of these shares takes: so many
// that the exact test rejects, with at least the chance power, a share that is
// off by so much to either side, and that it always rejects a share above 0 of
// which no answer came. Of several shares and sides the greatest number counts;
// a side that leaves 0 to 1 does not. It returns 0 if no share can be off by so
// much.
//
// Several shares are tested one by one (see levelOfEach), so that the power of
// the whole is at least that of the share that is off.
//
// 90/10 against 80/20 takes 697; 5 points off, 2,448; 50/50 against 55/45, 5,654.
// The usual approximation by the normal distribution gives 656, 2,359 and 5,613,
// at which the power of the exact test is 99.80, 99.84 and 99.89 %.
func samplesNeeded(shares []float64, off float64) int64 {
	level := levelOfEach(len(shares))
	var tests []shareTest
	most := int64(0)
	for _, p := range shares {
		for _, asked := range []float64{p, 1 - p} {
			// A difference such as 0.9-0.9 may miss 0 by a rounding.
			if real := asked - off; real > -1e-12 {
				tests = append(tests, shareTest{asked, max(0, real), level})
				most = max(most, absenceNoticed(p, level))
			}
		}
	}
	// The share that varies most takes the most samples, and spares the others.
	slices.SortFunc(tests, func(a, b shareTest) int { return cmp.Compare(b.variance(), a.variance()) })
	for _, test := range tests {
		if n := most - test.teeth(); n < 1 || test.power(n, test.critical(n)) < power {
			most = max(most, test.samples())
		}
	}
	return most
}

// absenceNoticed returns the smallest number of samples of which none for a
// share is rejected: 2(1-p)ⁿ is below the level.
func absenceNoticed(p, level float64) int64 {
	if p <= 0 || p >= 1 {
		return 1
	}
	return int64(math.Floor(math.Log(level/2)/math.Log1p(-p))) + 1
}

// shareTest is the test of a share that is asked for, while a smaller one is
// real. Of what is too much for a share, the rest has too little.
type shareTest struct{ asked, real, level float64 }

func (t shareTest) variance() float64 { return t.asked*(1-t.asked) + t.real*(1-t.real) }

// teeth is how many samples further than one with enough power all have it.
//
// The power does not grow steadily: it falls from sample to sample, until one
// more count is critical, and jumps. A tooth of that saw is worth two samples
// over the difference of the shares in steady growth, so that a few teeth
// further on none dips so far any more. These are ten.
func (t shareTest) teeth() int64 { return int64(20 / (t.asked - t.real)) }

// samples returns the number of samples from which on the test rejects with at
// least the chance power; not the first at which it does.
func (t shareTest) samples() int64 {
	enough := func(n int) bool { return t.power(int64(n), t.critical(int64(n))) >= power }
	limit := 1
	for !enough(limit) {
		limit *= 2
	}
	first := int64(sort.Search(limit, enough))
	needed, critical := first, t.critical(first)
	for n := first; n <= first+t.teeth(); n++ {
		// With a sample more at most one count more is critical.
		if t.rejects(critical+1, n) {
			critical++
		}
		if t.power(n, critical) < power {
			needed = n + 1
		}
	}
	return needed
}

// power is the chance that of n samples no more than the critical count are for
// the share. That so many are that the test rejects them for being too many adds
// less than half of the level, and is left out.
func (t shareTest) power(n, critical int64) float64 {
	if critical < 0 {
		return 0
	}
	return distuv.Binomial{N: float64(n), P: t.real}.CDF(float64(critical))
}

// critical returns the greatest count that is too few; -1: none is.
func (t shareTest) critical(n int64) int64 {
	return int64(sort.Search(int(n)+1, func(x int) bool { return !t.rejects(int64(x), n) })) - 1
}

// rejects says whether x of n is too few.
func (t shareTest) rejects(x, n int64) bool {
	return float64(x) < t.asked*float64(n) && pValue(x, n, t.asked) < t.level
}
