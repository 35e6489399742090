package chance

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Sample is what was seen of a mean.
type Sample struct {
	Values []float64

	// Known is a variance of the mean beside what the values show.
	Known float64

	// Of the variance of the values, as much as exceeds Explained is not averaged out:
	// this share of it is one of the mean, however many values there are.
	Share, Explained float64
}

// Means is Welch's test, two-sided: the chance of so great a difference of the means of
// two samples whose variances may differ (B. L. Welch, "The Generalization of
// 'Student's' Problem", 1947). With fewer than two values in either nothing can be
// said, and it is 1.
func Means(first, second Sample) float64 {
	if len(first.Values) < 2 || len(second.Values) < 2 {
		return 1
	}
	mean1, seen1 := first.mean()
	mean2, seen2 := second.mean()
	variance := seen1 + seen2 + first.Known + second.Known
	if variance == 0 {
		if mean1 == mean2 {
			return 1
		}
		return 0
	}
	t := math.Abs(mean1-mean2) / math.Sqrt(variance)
	// Welch and Satterthwaite: what is known without a sample has no end of freedom.
	by := seen1*seen1/float64(len(first.Values)-1) + seen2*seen2/float64(len(second.Values)-1)
	if freedom := variance * variance / by; by > 0 && freedom < endless {
		return 2 * distuv.StudentsT{Sigma: 1, Nu: freedom}.Survival(t)
	}
	return Normal(t)
}

// Normal is the chance of what is so many standard deviations off, to either side.
func Normal(deviations float64) float64 { return 2 * distuv.UnitNormal.Survival(math.Abs(deviations)) }

// endless is from how many degrees of freedom on Student's distribution is the normal one.
const endless = 1e6

// mean is the mean, and the variance of it that the values show.
func (s Sample) mean() (mean, variance float64) {
	mean, of := stat.MeanVariance(s.Values, nil)
	return mean, of/float64(len(s.Values)) + s.Share*max(0, of-s.Explained)
}
