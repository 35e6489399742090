package chance

import "gonum.org/v1/gonum/stat/distuv"

// Ranks is between which of n independent values, by their rank from the smallest, 1,
// the quantile q of what they were drawn from lies, with this confidence at the least,
// and half of the doubt at either end. It takes nothing for granted of how the values
// are distributed (W. R. Thompson, "On Confidence Ranges for the Median and Other
// Expectation Distributions", 1936; H. A. David and H. N. Nagaraja, "Order Statistics",
// 3rd edition, 2003, §7.1): how many of them are below the quantile is binomial.
//
// An end is 0 where there is none, since so few values may all lie on one side of it:
// of the 99th percentile at 95 % there is an upper end from 368 values on.
func Ranks(n int64, q, confidence float64) (low, high int64) {
	tail := (1 - confidence) / 2
	below, above := distuv.Binomial{N: float64(n), P: q}, distuv.Binomial{N: float64(n), P: 1 - q}
	// Low is the last rank of which it is too seldom that fewer values are below the
	// quantile, and high the first of which it is that as many are.
	low = search(1, n+1, func(rank int64) bool { return below.CDF(float64(rank-1)) > tail }) - 1
	high = search(1, n+1, func(rank int64) bool { return above.CDF(float64(n-rank)) <= tail })
	if high > n {
		high = 0
	}
	return low, high
}
