package chance_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/combin"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"github.com/meshchaos/meshchaos/internal/chance"
)

func TestTheRanksAreThoseOfTheBooks(t *testing.T) {
	for _, one := range []struct {
		n         int64
		q         float64
		low, high int64 // 0: there is none
	}{
		{0, 0.5, 0, 0}, {1, 0.5, 0, 0}, {5, 0.5, 0, 0},
		{6, 0.5, 1, 6}, {10, 0.5, 2, 9}, {20, 0.5, 6, 15}, {100, 0.5, 40, 61},
		{35, 0.9, 28, 0}, {36, 0.9, 29, 36},
		{367, 0.99, 359, 0}, {368, 0.99, 360, 368},
	} {
		if low, high := chance.Ranks(one.n, one.q, 0.95); low != one.low || high != one.high {
			t.Errorf("of %d, at %g: %d to %d, not %d to %d", one.n, one.q, low, high, one.low, one.high)
		}
	}
}

// Neither end could be one further in, nor has to be one further out.
func TestTheRanksHoldWhatTheyPromiseAndNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, q := rapid.IntRange(1, 300).Draw(t, "n"), rapid.Float64Range(0.01, 0.99).Draw(t, "q")
		confidence := rapid.Float64Range(0.5, 0.999).Draw(t, "confidence")
		tail := (1 - confidence) / 2
		low, high := chance.Ranks(int64(n), q, confidence)
		fewer := func(rank int64) (p float64) { // the chance that fewer than rank values are below the quantile
			for k := range int(rank) {
				p += math.Exp(combin.LogGeneralizedBinomial(float64(n), float64(k)) + float64(k)*math.Log(q) + float64(n-k)*math.Log(1-q))
			}
			return p
		}
		const rounding = 1e-9
		if low > 0 && fewer(low) > tail+rounding || low < int64(n) && fewer(low+1) < tail-rounding {
			t.Fatalf("low is %d", low)
		}
		if high > 0 && fewer(high) < 1-tail-rounding || high == 0 && fewer(int64(n)) > 1-tail+rounding || high > 1 && fewer(high-1) > 1-tail+rounding {
			t.Fatalf("high is %d", high)
		}
	})
}

// The quantile is between them as often as the binomial distribution of how many values
// are below it says, which is no seldomer than was asked for, whatever the values are like.
func TestAQuantileIsBetweenItsRanks(t *testing.T) {
	const draws, n, confidence = 400, 800, 0.95
	for _, of := range []struct {
		name     string
		draw     func(*rand.Rand) float64
		quantile func(q float64) float64
	}{
		{"even", (*rand.Rand).Float64, func(q float64) float64 { return q }},
		{"exponential", (*rand.Rand).ExpFloat64, func(q float64) float64 { return -math.Log(1 - q) }},
		{"two humps", func(random *rand.Rand) float64 { return float64(random.IntN(2))*10 + random.Float64() }, func(q float64) float64 {
			if q <= 0.5 {
				return 2 * q
			}
			return 10 + 2*q - 1
		}},
	} {
		for _, q := range []float64{0.5, 0.9, 0.99} {
			random := rand.New(rand.NewPCG(1, uint64(1000*q)))
			low, high := chance.Ranks(n, q, confidence)
			below := distuv.Binomial{N: n, P: q}
			due := below.CDF(float64(high-1)) - below.CDF(float64(low-1))
			if due < confidence {
				t.Errorf("%s, at %g: ranks %d and %d are due to hold it %.4f of the time", of.name, q, low, high, due)
			}
			within := 0
			for range draws {
				values := make([]float64, n)
				for i := range values {
					values[i] = of.draw(random)
				}
				slices.Sort(values)
				if is := of.quantile(q); values[low-1] <= is && is < values[high-1] {
					within++
				}
			}
			deviation := math.Sqrt(due * (1 - due) / draws)
			if share := float64(within) / draws; math.Abs(share-due) > 3*deviation {
				t.Errorf("%s, at %g: %d of %d, where %.1f were due", of.name, q, within, draws, due*draws)
			}
		}
	}
}

func TestTheRanksOfMillionsAreThoseOfTheNormalDistribution(t *testing.T) {
	const n, deviations = 10_000_000, 1.959964
	for _, q := range []float64{0.5, 0.9, 0.99, 0.999} {
		low, high := chance.Ranks(n, q, 0.95)
		middle, half := n*q, deviations*math.Sqrt(n*q*(1-q))
		if math.Abs(float64(low)-(middle-half)) > 3 || math.Abs(float64(high)-(middle+half)) > 3 {
			t.Errorf("at %g: %d to %d, not about %.0f to %.0f", q, low, high, middle-half, middle+half)
		}
	}
}

func BenchmarkRanks(b *testing.B) {
	for b.Loop() {
		chance.Ranks(10_000_000, 0.99, 0.95)
	}
}
