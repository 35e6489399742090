package loadgen

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range and precision of a Histogram, in microseconds.
const (
	lowestMicros       = 1
	highestMicros      = int64(time.Hour / time.Microsecond)
	significantFigures = 3
)

// Histogram counts latencies from 1 µs to 1 h, to three significant figures;
// the smallest and the largest are exact. A longer one counts as one of 1 h.
//
// The zero value is empty and ready to use, and so is nil to be read from. An
// empty histogram has no quantile, minimum, maximum or mean: ok is false.
// A Histogram may not be used from several goroutines at once.
type Histogram struct {
	counts   *hdrhistogram.Histogram // nil: empty
	min, max time.Duration
}

// Record counts one latency. A negative one counts as 0.
func (h *Histogram) Record(latency time.Duration) {
	latency = max(latency, 0)
	if h.counts == nil {
		h.counts = hdrhistogram.New(lowestMicros, highestMicros, significantFigures)
		h.min = latency
	}
	h.min, h.max = min(h.min, latency), max(h.max, latency)
	if err := h.counts.RecordValue(min(latency.Microseconds(), highestMicros)); err != nil {
		panic("recording a latency in its histogram's range: " + err.Error())
	}
}

// clone returns a histogram of the same latencies.
func (h *Histogram) clone() *Histogram {
	same := *h
	if h.counts != nil {
		same.counts = h.counts.Clone()
	}
	return &same
}

// Count is how many latencies were recorded.
func (h *Histogram) Count() int64 {
	if h == nil || h.counts == nil {
		return 0
	}
	return h.counts.TotalCount()
}

// Quantile is the least of the latencies that the share q, 0 to 1, of all does not exceed,
// at its nearest rank, ⌈q·n⌉. So of 151 no more than one is above the 99th percentile: two
// would be 1.3 %.
func (h *Histogram) Quantile(q float64) (latency time.Duration, ok bool) {
	if q <= 0 {
		return h.Min()
	}
	n := float64(h.Count())
	return h.rounded(math.Ceil(q*n*(1-ulps)) / max(n, 1))
}

// ulps is by how much of itself q·n may be above what it would be without rounding.
const ulps = 1e-14

// rounded is the latency at the rank q·n, rounded to the nearest as HdrHistogram does.
func (h *Histogram) rounded(q float64) (latency time.Duration, ok bool) {
	if h.Count() == 0 {
		return 0, false
	}
	latency = time.Duration(h.counts.ValueAtQuantile(q*100)) * time.Microsecond
	return min(max(latency, h.min), h.max), true
}

// QuantileWithin is between which latencies Quantile's lies, both included: those of one
// bucket, which are not told apart. Quantile has the upper end, to the microsecond.
func (h *Histogram) QuantileWithin(q float64) (low, high time.Duration, ok bool) {
	latency, ok := h.Quantile(q)
	if !ok {
		return 0, 0, false
	}
	low, high = h.bucket(latency.Microseconds())
	return low, high, true
}

// MeanWithin is between which latencies the mean lies, both included, likewise.
func (h *Histogram) MeanWithin() (low, high time.Duration, ok bool) {
	mean, ok := h.Mean()
	if !ok {
		return 0, 0, false
	}
	var least, most float64
	n := float64(h.Count())
	for _, bar := range h.counts.Distribution() {
		if bar.Count > 0 {
			low, high := h.bucket(bar.From)
			least, most = least+float64(bar.Count)*float64(low)/n, most+float64(bar.Count)*float64(high)/n
		}
	}
	return min(time.Duration(least), mean), max(time.Duration(math.Ceil(most)), mean), true
}

// bucket is between which latencies those are that count as one of so many microseconds.
// What is below a microsecond is cut off before they are counted, and what is above the
// range counts as its end.
func (h *Histogram) bucket(micros int64) (low, high time.Duration) {
	micros = min(micros, highestMicros)
	width := int64(1) << max(0, bits.Len64(uint64(micros))-bucketBits)
	first := micros &^ (width - 1)
	low, high = time.Duration(first)*time.Microsecond, time.Duration(first+width)*time.Microsecond-1
	if first+width > highestMicros {
		high = h.max
	}
	return min(max(low, h.min), h.max), min(max(high, h.min), h.max)
}

// bucketBits is how many leading bits of a count of microseconds tell it from another:
// fewest that keep three figures.
const bucketBits = 11

// IsSum says whether the histogram counts what others count together.
func (h *Histogram) IsSum(of []*Histogram) bool {
	var sum Histogram
	for _, part := range of {
		sum.add(part)
	}
	if h.Count() == 0 || sum.counts == nil {
		return h.Count() == sum.Count()
	}
	return h.counts.Equals(sum.counts) && h.min == sum.min && h.max == sum.max
}

// add counts what another counts as well.
func (h *Histogram) add(other *Histogram) {
	if other.Count() == 0 {
		return
	}
	if h.counts == nil {
		*h = *other.clone()
		return
	}
	h.counts.Merge(other.counts)
	h.min, h.max = min(h.min, other.min), max(h.max, other.max)
}

// Min is the smallest latency, exactly.
func (h *Histogram) Min() (latency time.Duration, ok bool) {
	if h.Count() == 0 {
		return 0, false
	}
	return h.min, true
}

// Max is the largest latency, exactly.
func (h *Histogram) Max() (latency time.Duration, ok bool) {
	if h.Count() == 0 {
		return 0, false
	}
	return h.max, true
}

// Mean is the mean of the latencies, to three significant figures.
func (h *Histogram) Mean() (latency time.Duration, ok bool) {
	if h.Count() == 0 {
		return 0, false
	}
	latency = time.Duration(h.counts.Mean() * float64(time.Microsecond))
	return min(max(latency, h.min), h.max), true
}

// Each calls fn for each latency that is told apart, the shortest first, with how many
// there are of it. The latencies are those of Quantile: to three significant figures.
func (h *Histogram) Each(fn func(latency time.Duration, count int64)) {
	if h.Count() == 0 {
		return
	}
	for _, bar := range h.counts.Distribution() {
		if bar.Count > 0 {
			fn(min(max(time.Duration(bar.To)*time.Microsecond, h.min), h.max), bar.Count)
		}
	}
}

// histogramJSON is a Histogram on the wire. HDR, Min and Max are the data; the
// rest is derived from them, for people.
type histogramJSON struct {
	Count int64    `json:"count"`
	Min   *float64 `json:"min,omitempty"` // all in seconds
	Mean  *float64 `json:"mean,omitempty"`
	P50   *float64 `json:"p50,omitempty"`
	P90   *float64 `json:"p90,omitempty"`
	P99   *float64 `json:"p99,omitempty"`
	P999  *float64 `json:"p999,omitempty"`
	Max   *float64 `json:"max,omitempty"`
	HDR   string   `json:"hdr,omitempty"` // HdrHistogram's V2 encoding, compressed, base64; values in µs
}

// MarshalJSON implements json.Marshaler.
func (h *Histogram) MarshalJSON() ([]byte, error) {
	wire := histogramJSON{Count: h.Count()}
	if wire.Count > 0 {
		encoded, err := h.counts.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			return nil, fmt.Errorf("encoding a histogram of %d latencies: %w", wire.Count, err)
		}
		wire.HDR = string(encoded)
		wire.Min, wire.Max = seconds(h.Min()), seconds(h.Max())
		for _, d := range h.derived(&wire) {
			*d.stands = d.is[0]
		}
	}
	return json.Marshal(wire)
}

// derived is what a histogram comes to, and where that stands on the wire.
type derived struct {
	name   string
	stands **float64
	is     []*float64 // as it is written, and as records have it of versions that rounded ranks
}

func (h *Histogram) derived(wire *histogramJSON) []derived {
	quantile := func(q float64) []*float64 { return []*float64{seconds(h.Quantile(q)), seconds(h.rounded(q))} }
	return []derived{
		{"mean", &wire.Mean, []*float64{seconds(h.Mean())}},
		{"p50", &wire.P50, quantile(0.5)}, {"p90", &wire.P90, quantile(0.9)},
		{"p99", &wire.P99, quantile(0.99)}, {"p999", &wire.P999, quantile(0.999)},
	}
}

// UnmarshalJSON implements json.Unmarshaler. It reads what MarshalJSON writes;
// a histogram of another range or precision is an error.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	var wire histogramJSON
	if err := json.Unmarshal(data, &wire); err != nil {
		return fmt.Errorf("reading a histogram: %w", err)
	}
	if wire.HDR == "" && wire.Count == 0 {
		*h = Histogram{}
		return nil
	}
	counts, err := hdrhistogram.Decode([]byte(wire.HDR))
	switch {
	case err != nil:
		return fmt.Errorf("reading a histogram's hdr: %w", err)
	case counts.LowestTrackableValue() != lowestMicros, counts.HighestTrackableValue() != highestMicros,
		counts.SignificantFigures() != significantFigures:
		return fmt.Errorf("reading a histogram's hdr: it counts %d to %d with %d figures; this program reads %d to %d µs with %d",
			counts.LowestTrackableValue(), counts.HighestTrackableValue(), counts.SignificantFigures(),
			lowestMicros, highestMicros, significantFigures)
	case counts.TotalCount() != wire.Count:
		return fmt.Errorf("reading a histogram: it says count %d and holds %d", wire.Count, counts.TotalCount())
	case wire.Min == nil || wire.Max == nil:
		return fmt.Errorf("reading a histogram of %d latencies: min or max is missing", wire.Count)
	}
	read := Histogram{counts: counts, min: fromSeconds(*wire.Min), max: fromSeconds(*wire.Max)}
	if err := read.agrees(&wire); err != nil {
		return err
	}
	*h = read
	return nil
}

// agrees holds what is derived from a histogram against it: whoever changes a
// percentile, and nothing else, is not to be believed.
func (h *Histogram) agrees(wire *histogramJSON) error {
	same := func(extreme time.Duration, counted int64) bool {
		return h.counts.ValuesAreEquivalent(min(extreme.Microseconds(), highestMicros), counted)
	}
	if !same(h.min, h.counts.Min()) || !same(h.max, h.counts.Max()) {
		return fmt.Errorf("reading a histogram: its min and max are %s and %s, and it holds %d to %d µs", h.min, h.max, h.counts.Min(), h.counts.Max())
	}
	for _, d := range h.derived(wire) {
		says := *d.stands
		if says != nil && !slices.ContainsFunc(d.is, func(is *float64) bool { return math.Abs(*says-*is) <= time.Microsecond.Seconds() }) {
			return fmt.Errorf("reading a histogram: its %s is %gs, and what it holds comes to %gs", d.name, *says, *d.is[0])
		}
	}
	return nil
}

func seconds(latency time.Duration, ok bool) *float64 {
	if !ok {
		return nil
	}
	s := latency.Seconds()
	return &s
}

// fromSeconds undoes seconds to the nanosecond, which a plain conversion of
// the float would truncate.
func fromSeconds(s float64) time.Duration {
	return time.Duration(math.Round(s * float64(time.Second)))
}
