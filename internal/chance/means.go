package chance

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Means is Welch's test, two-sided: the chance of so great a difference of the means of
// two samples whose variances may differ (B. L. Welch, "The Generalization of
// 'Student's' Problem", 1947). Beside what the samples show, the mean of each is off by
// a standard deviation of drift, which they do not show. With fewer than two values in
// either nothing can be said, and it is 1.
func Means(first, second []float64, drift float64) float64 {
	if len(first) < 2 || len(second) < 2 {
		return 1
	}
	m1, v1 := stat.MeanVariance(first, nil)
	m2, v2 := stat.MeanVariance(second, nil)
	n1, n2 := float64(len(first)), float64(len(second))
	e1, e2, known := v1/n1, v2/n2, 2*drift*drift
	variance := e1 + e2 + known
	if variance == 0 {
		if m1 == m2 {
			return 1
		}
		return 0
	}
	// Welch and Satterthwaite: what is known without a sample has no end of freedom.
	freedom := math.Inf(1)
	if by := e1*e1/(n1-1) + e2*e2/(n2-1); by > 0 {
		freedom = variance * variance / by
	}
	t := math.Abs(m1-m2) / math.Sqrt(variance)
	if freedom > 1e6 {
		return 2 * distuv.UnitNormal.Survival(t)
	}
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}.Survival(t)
}
