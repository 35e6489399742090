package loadgen

import (
	"math"
	"sync"
)

// draws are the arrivals of a Poisson process, at a rate of one: those of any rate come of
// them by stretching time so that as many are due in it (D. R. Cox and P. A. W. Lewis, "The
// Statistical Analysis of Series of Events", 1966). What lies between two arrivals is drawn
// by their number and the seed alone, so that whoever knows the seed knows all of them.
type draws struct {
	seed uint64

	mu   sync.Mutex
	sums []float64 // those of the arrivals 0, everySum, 2·everySum and so on
	at   int64     // the last that was asked for,
	sum  float64   // and when it is
}

// everySum is after how many arrivals one is noted, from which others are reckoned.
const everySum = 1024

func newDraws(seed int64) *draws {
	d := &draws{seed: mixed(uint64(seed))}
	d.sum = d.gap(0)
	d.sums = []float64{d.sum}
	return d
}

// arrival is when arrival i is. Asked in order, each takes one draw.
func (d *draws) arrival(i int64) float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i < d.at {
		from := i / everySum
		d.at, d.sum = from*everySum, d.sums[from]
	}
	if known := min(i/everySum, int64(len(d.sums)-1)); known*everySum > d.at {
		d.at, d.sum = known*everySum, d.sums[known]
	}
	for d.at < i {
		d.at++
		d.sum += d.gap(d.at)
		if d.at == int64(len(d.sums))*everySum {
			d.sums = append(d.sums, d.sum)
		}
	}
	return d.sum
}

// gap is what lies between an arrival and the one before it: -log of an even draw from
// above 0 to 1.
func (d *draws) gap(i int64) float64 {
	const bits = 53 // of a float64
	even := float64(mixed(d.seed+uint64(i))>>(64-bits)+1) / (1 << bits)
	return -math.Log(even)
}

// mixed scatters numbers, as SplitMix64 does with those of its sequence (G. Steele, D. Lea
// and C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
func mixed(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
