package loadgen

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQuantilesAreWithinAThousandthAndSurviveJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Int64Range(1000, int64(time.Hour)), 1, 50).Draw(t, "latencies")
		var h Histogram
		for _, ns := range raw {
			h.Record(time.Duration(ns))
		}
		data, err := json.Marshal(&h)
		if err != nil {
			t.Fatal(err)
		}
		var back Histogram
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		slices.Sort(raw)
		smallest, largest := time.Duration(raw[0]), time.Duration(raw[len(raw)-1])
		for _, h := range []*Histogram{&h, &back} {
			if h.Count() != int64(len(raw)) {
				t.Fatalf("count %d, want %d", h.Count(), len(raw))
			}
			if low, ok := h.Min(); !ok || low != smallest {
				t.Fatalf("min %v, want %v", low, smallest)
			}
			if high, ok := h.Max(); !ok || high != largest {
				t.Fatalf("max %v, want %v", high, largest)
			}
			middle := time.Duration(raw[(len(raw)-1)/2])
			if p50, ok := h.Quantile(0.5); !ok || (p50-middle).Abs() > middle/1000+time.Microsecond {
				t.Fatalf("p50 %v, want %v", p50, middle)
			}
		}
	})
}

// Between the ends of a quantile, and of the mean, is what was recorded: nobody may hold
// either against a bound that lies there.
func TestAQuantileAndTheMeanAreWithinTheirEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, int64(10*time.Millisecond)), rapid.Int64Range(0, int64(2*time.Hour))), 1, 50).Draw(t, "latencies")
		var h Histogram
		sum := 0.0
		for _, ns := range raw {
			h.Record(time.Duration(ns))
			sum += float64(ns)
		}
		slices.Sort(raw)
		for _, q := range []float64{0.5, 0.9, 0.99} {
			is, at := time.Duration(raw[int(math.Ceil(q*float64(len(raw)))-1)]), time.Duration(0)
			low, high, ok := h.QuantileWithin(q)
			if at, _ = h.Quantile(q); !ok || is < low || is > high || at < low || at > high {
				t.Fatalf("the quantile %g is %v, read as %v, and not from %v to %v", q, is, at, low, high)
			}
			if is < time.Hour && high-low > max(is/1000, time.Microsecond) {
				t.Fatalf("the quantile %g is from %v to %v", q, low, high)
			}
		}
		low, high, ok := h.MeanWithin()
		if is := time.Duration(sum / float64(len(raw))); !ok || is < low-1 || is > high+1 { // of the sum's own rounding
			t.Fatalf("the mean is %v, and not from %v to %v", is, low, high)
		}
	})
}

// The ends are those that HdrHistogram itself has.
func TestABucketIsThatOfTheHistogram(t *testing.T) {
	var h Histogram
	for micros := int64(1); micros < highestMicros; micros += 1 + micros/97 {
		h.Record(time.Duration(micros) * time.Microsecond)
	}
	h.min, h.max = 0, 2*time.Hour // which would cut the outermost
	for _, bar := range h.counts.Distribution() {
		low, high := h.bucket(bar.From)
		if bar.Count > 0 && bar.To < highestMicros && (low.Microseconds() != bar.From || high.Microseconds() != bar.To) {
			t.Fatalf("that of %d to %d µs is from %v to %v", bar.From, bar.To, low, high)
		}
	}
}

// No more may be above a percentile than it says: of 151 latencies one is above the 99th,
// for two are 1.3 %.
func TestNoMoreIsAboveAQuantileThanItsShare(t *testing.T) {
	for n := int64(1); n <= 1200; n++ {
		var h Histogram
		for i := range n {
			h.Record(time.Duration(i+1) * time.Microsecond)
		}
		for thousandths, q := range map[int64]float64{500: 0.5, 900: 0.9, 950: 0.95, 990: 0.99, 999: 0.999, 1000: 1} {
			rank := (n*thousandths + 999) / 1000
			if got, ok := h.Quantile(q); !ok || got != time.Duration(rank)*time.Microsecond {
				t.Errorf("the quantile %g of %d is the %dth, not the %dth", q, n, got.Microseconds(), rank)
			}
		}
	}
}

// A record of a version that rounded ranks to the nearest has other percentiles.
func TestAPercentileAtARoundedRankIsRead(t *testing.T) {
	var h Histogram
	for i := range 151 {
		h.Record(time.Duration(i+1) * time.Microsecond)
	}
	text, err := json.Marshal(&h)
	if err != nil {
		t.Fatal(err)
	}
	for p99, says := range map[string]string{"0.000150": "", "0.000149": "", "0.000147": "its p99 is"} {
		var back Histogram
		err := json.Unmarshal([]byte(strings.Replace(string(text), `"p99":0.00015,`, `"p99":`+p99+",", 1)), &back)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("p99 %s: error %v, want one that says %q", p99, err, says)
		}
	}
}

func TestNothingRecordedIsAbsentNotZero(t *testing.T) {
	var back Histogram
	if err := json.Unmarshal([]byte(`{"count":0}`), &back); err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]*Histogram{"nil": nil, "empty": {}, "read back": &back} {
		if _, ok := h.Quantile(0.5); ok || h.Count() != 0 {
			t.Errorf("%s: has a median", name)
		}
		if _, ok := h.Min(); ok {
			t.Errorf("%s: has a minimum", name)
		}
		if _, ok := h.Max(); ok {
			t.Errorf("%s: has a maximum", name)
		}
		if _, ok := h.Mean(); ok {
			t.Errorf("%s: has a mean", name)
		}
	}
	if data, err := json.Marshal(&Histogram{}); err != nil || string(data) != `{"count":0}` {
		t.Errorf("an empty histogram is %s, %v", data, err)
	}
	var h Histogram
	h.Record(2 * time.Hour)
	if high, _ := h.Max(); high != 2*time.Hour || h.Count() != 1 {
		t.Errorf("a latency above the range is %v", high)
	}
}

func TestHistogramThatIsNotOursIsRefused(t *testing.T) {
	var h Histogram
	h.Record(time.Millisecond)
	data, err := json.Marshal(&h)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no object":     `[]`,
		"no base64":     `{"count":1,"hdr":"~"}`,
		"another count": strings.Replace(string(data), `"count":1`, `"count":2`, 1),
		"no minimum":    strings.Replace(string(data), `"min"`, `"mim"`, 1),
		"no encoding":   `{"count":1,"min":1,"max":1}`,
	} {
		if err := json.Unmarshal([]byte(text), new(Histogram)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAHistogramWhoseNumbersDisagreeIsNotRead(t *testing.T) {
	var h Histogram
	for i := range 100 {
		h.Record(time.Duration(i+1) * time.Millisecond)
	}
	text, err := json.Marshal(&h)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"count", "min", "mean", "p50", "p90", "p99", "p999", "max"} {
		var wire map[string]any
		if err := json.Unmarshal(text, &wire); err != nil {
			t.Fatal(err)
		}
		wire[key] = wire[key].(float64) * 2
		changed, err := json.Marshal(wire)
		if err != nil {
			t.Fatal(err)
		}
		if err := new(Histogram).UnmarshalJSON(changed); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("with another %s: %v", key, err)
		}
	}
}

func TestAHistogramOfAnyLatencySurvivesJSON(t *testing.T) {
	for _, all := range [][]time.Duration{{0}, {0, 5 * time.Microsecond}, {500}, {time.Microsecond}, {2 * time.Hour}, {0, time.Millisecond, 3 * time.Hour}, {1500, 2500}} {
		var h, back Histogram
		for _, one := range all {
			h.Record(one)
		}
		text, err := json.Marshal(&h)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &back); err != nil {
			t.Errorf("%v: %v", all, err)
		}
	}
}

func TestEachLatencyOfAHistogramIsToldOf(t *testing.T) {
	var h Histogram
	h.Each(func(time.Duration, int64) { t.Error("an empty histogram has a latency") })
	for i := range 1000 {
		h.Record(time.Duration(i+1) * 10 * time.Millisecond)
	}
	h.Record(2 * time.Hour)
	var count int64
	var last time.Duration
	h.Each(func(latency time.Duration, n int64) {
		if latency <= last {
			t.Errorf("%v follows %v", latency, last)
		}
		if count += n; latency < 20*time.Second && math.Abs(latency.Seconds()/(float64(count)/100)-1) > 0.01 {
			t.Errorf("%d are at most %v", count, latency)
		}
		last = latency
	})
	if count != 1001 || last < time.Hour || last > time.Hour+time.Minute {
		t.Errorf("it tells of %d, at most %v", count, last)
	}
}
