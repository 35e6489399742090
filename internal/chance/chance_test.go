package chance_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/combin"
	"pgregory.net/rapid"

	"github.com/meshchaos/meshchaos/internal/chance"
)

func TestTheTestsAreThoseOfTheBooks(t *testing.T) {
	for _, one := range []struct {
		of   chance.Table
		want float64
	}{
		// The lady tasting tea: three of four, twice.
		{chance.Table{First: 3, OfFirst: 4, Second: 1, OfSecond: 4}, 34.0 / 70},
		{chance.Table{First: 4, OfFirst: 4, Second: 0, OfSecond: 4}, 2.0 / 70},
		// By R's fisher.test(matrix(c(1, 11, 9, 3), 2)).
		{chance.Table{First: 1, OfFirst: 10, Second: 11, OfSecond: 14}, 0.002759456},
		{chance.Table{First: 0, OfFirst: 20, Second: 20, OfSecond: 20}, 1.450889e-11},
		{chance.Table{First: 0, OfFirst: 9, Second: 9, OfSecond: 9}, 4.11353e-5},
		{chance.Table{First: 5, OfFirst: 10, Second: 5, OfSecond: 10}, 1},
		{chance.Table{First: 0, OfFirst: 10, Second: 0, OfSecond: 10}, 1},
		{chance.Table{First: 10, OfFirst: 10, Second: 20, OfSecond: 20}, 1},
		{chance.Table{}, 1},
	} {
		if got := one.of.P(); math.Abs(got-one.want) > 1e-5*one.want {
			t.Errorf("%+v: %g, want %g", one.of, got, one.want)
		}
	}
	if p := chance.Means(of(1, 2, 3, 4), of(3, 4, 5, 6, 7)); math.Abs(p-0.034939) > 1e-5 {
		t.Errorf("Welch: %g", p)
	}
}

// The exact test, summed over every table with the same sums.
func TestTheExactTestIsTheSumOfAllThatIsAsUnlikely(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := chance.Table{OfFirst: rapid.Int64Range(1, 60).Draw(t, "n1"), OfSecond: rapid.Int64Range(1, 60).Draw(t, "n2")}
		of.First, of.Second = rapid.Int64Range(0, of.OfFirst).Draw(t, "k1"), rapid.Int64Range(0, of.OfSecond).Draw(t, "k2")
		found, least, want := of.First+of.Second, 1.0, 0.0
		ways := func(first int64) float64 {
			return float64(combin.Binomial(int(of.OfFirst), int(first))) * float64(combin.Binomial(int(of.OfSecond), int(found-first)))
		}
		all := 0.0
		low, high := max(0, found-of.OfSecond), min(found, of.OfFirst)
		for k := low; k <= high; k++ {
			all += ways(k)
		}
		sum := func(as float64) (p float64) {
			for k := low; k <= high; k++ {
				if ways(k) <= as*(1+1e-9) {
					p += ways(k) / all
				}
			}
			return p
		}
		want = sum(ways(of.First))
		for k := low; k <= high; k++ {
			least = min(least, sum(ways(k)))
		}
		if got := of.P(); math.Abs(got-want) > 1e-6 {
			t.Fatalf("%+v: %g, want %g", of, got, want)
		}
		if got := of.Least(); math.Abs(got-least) > 1e-6 {
			t.Fatalf("%+v: the least is %g, want %g", of, got, least)
		}
	})
}

func TestMillionsAreTestedToo(t *testing.T) {
	same := chance.Table{First: 1_000_000, OfFirst: 10_000_000, Second: 1_000_100, OfSecond: 10_000_000}
	moved := chance.Table{First: 1_000_000, OfFirst: 10_000_000, Second: 1_010_000, OfSecond: 10_000_000}
	if same.P() < 0.5 || moved.P() > 1e-12 {
		t.Errorf("%g, %g", same.P(), moved.P())
	}
}

func TestHolmGivesTheLaterOnesMore(t *testing.T) {
	always := []float64{0, 0, 0, 0}
	for _, one := range []struct {
		ps, least []float64
		want      []bool
	}{
		{[]float64{0.03, 0.01, 0.02, 0.5}, always, []bool{false, true, false, false}},
		{[]float64{0.02, 0.01, 0.5, 0.013}, always, []bool{true, true, false, true}},
		{[]float64{0.05, 0.01, 0.5, 0.02}, []float64{0, 0, 0.5, 0.06}, []bool{true, true, false, false}},
		{[]float64{0.014, 0.2, 0.2, 0.2}, always, []bool{false, false, false, false}},
		{[]float64{0.022, 0.02, 0.03, 0.021}, always, []bool{false, false, false, false}}, // the third by itself would be: 0.022 <= 0.05/2
	} {
		got := chance.Holm(one.ps, one.least, 0.05)
		for i := range got {
			if got[i] != one.want[i] {
				t.Errorf("%v: %v, want %v", one.ps, got, one.want)
				break
			}
		}
	}
}

// of is a sample of these values, and nothing beside them.
func of(values ...float64) chance.Sample { return chance.Sample{Values: values} }

func TestAMeanMayBeOffByMoreThanItsSampleShows(t *testing.T) {
	first, second := of(1, 1.001, 1.002), of(1.1, 1.101, 1.102)
	drifting, lasting, explained, even := first, first, first, first
	drifting.Known = 0.0025
	lasting.Share = 1e4
	explained.Share, explained.Explained = 1e4, 1e-6
	even.Share, even.Explained = 1e4, 1 // which makes no mean surer than its values do
	for name, one := range map[string]struct {
		first chance.Sample
		sure  bool
	}{"as seen": {first, true}, "it drifts": {drifting, false}, "what differs lasts": {lasting, false}, "but for what is explained": {explained, true}, "less than is explained": {even, true}} {
		if p := chance.Means(one.first, second); p < 1e-3 != one.sure {
			t.Errorf("%s: %g", name, p)
		}
	}
	if p := chance.Means(of(1), second); p != 1 {
		t.Errorf("of one value: %g", p)
	}
	if p := chance.Means(of(1, 1), of(1, 1)); p != 1 {
		t.Errorf("of what does not differ: %g", p)
	}
}
