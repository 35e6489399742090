package plot

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// steps are 1, 2 and 5 times each power of ten.
var steps = []float64{1, 2, 5, 10}

// even are ticks from 0 to a round number that is not below most, few enough to be read.
func even(most float64) (ticks plot.ConstantTicks, top float64) {
	if most <= 0 {
		most = 1
	}
	step := above(most / 4)
	for i := 0; ; i++ {
		at := float64(i) * step
		ticks = append(ticks, plot.Tick{Value: at, Label: number(at)})
		if at >= most {
			return ticks, at
		}
	}
}

// above is the least round number that is not below a number above 0.
func above(n float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(n)))
	for _, step := range steps {
		if step*power >= n*(1-1e-9) {
			return step * power
		}
	}
	return 10 * power
}

// below is the largest round number that is not above a number above 0.
func below(n float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(n)))
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i]*power <= n*(1+1e-9) {
			return steps[i] * power
		}
	}
	return power
}

// magnitudes are ticks of seconds on a logarithmic axis, between round numbers around
// least and most.
func magnitudes(least, most float64) (ticks plot.ConstantTicks, low, high float64) {
	if least <= 0 {
		least = 1e-6
	}
	low, high = below(least), above(math.Max(most, least))
	if low == high {
		low, high = below(low*0.5), above(high*2)
	}
	decades := math.Log10(high / low)
	for power := math.Floor(math.Log10(low)); power <= math.Ceil(math.Log10(high)); power++ {
		for _, step := range steps[:3] {
			at := step * math.Pow(10, power)
			if at < low*(1-1e-9) || at > high*(1+1e-9) {
				continue
			}
			tick := plot.Tick{Value: at}
			if step == 1 && (decades <= 5 || math.Mod(power, 2) == 0) || decades < 2 && step != 1 {
				tick.Label = seconds(at)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks, low, high
}

// seconds words a round time: 20 ms, 1.5 s.
func seconds(s float64) string {
	switch {
	case s < 1e-3:
		return number(s*1e6) + " µs"
	case s < 1:
		return number(s*1e3) + " ms"
	}
	return number(s) + " s"
}

// number has at most three significant figures, or all before the point.
func number(n float64) string {
	if math.Abs(n) >= 1000 {
		return strconv.FormatFloat(n, 'f', 0, 64)
	}
	rounded, _ := strconv.ParseFloat(fmt.Sprintf("%.3g", n), 64)
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// clock words a moment of a run, in seconds: to a hundredth, as long as it takes no
// minutes.
func clock(s float64) string {
	if s >= 100 {
		return strconv.FormatFloat(s, 'f', 0, 64)
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(s, 'f', 2, 64), 64)
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}
