package loadgen

import (
	"cmp"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Series is how a cohort fared over time, in slots of one width from Result.Started on.
// Each of its columns has as many entries as there are slots: until the last in which
// anything happened, and mostSlots at most; fewer where a column for each of many ways to
// end would have more than mostEnded counts.
type Series struct {
	Width Duration   `json:"width"` // of a slot: 100 ms, and twice that as often as it takes
	Begun []int64    `json:"begun"` // requests that began in it
	Ended []SeriesOf `json:"ended"` // those that ended in it, by how they did, in the order of Result.Outcomes
	// P50 and P99 are percentiles, in seconds and to two significant figures, of the
	// response times of those that ended in the slot and were not canceled; nil: none did.
	P50 []*float64 `json:"p50"`
	P99 []*float64 `json:"p99"`
	// Responses are, of one sender among several, the response times that the percentiles are
	// of, as histograms in HdrHistogram's own format; empty: of none. Nobody but Plan.Merge
	// needs them.
	Responses []string `json:"responses,omitempty" jsonschema:"-"`
}

// SeriesOf is how many requests ended in one way.
type SeriesOf struct {
	Status int     `json:"status,omitempty"` // as an Outcome has it
	GRPC   string  `json:"grpc,omitempty"`
	Error  string  `json:"error,omitempty"`
	Count  []int64 `json:"count"`
}

const (
	narrowest     = 100 * time.Millisecond
	mostSlots     = 300
	mostEnded     = 3000 // counts by way: ten ways have as many slots as one
	seriesFigures = 2
)

// way is how a request ended.
type way struct {
	status int
	grpc   string
	err    string
}

// slot is what happened in a stretch of time.
type slot struct {
	begun    int64
	ended    map[way]int64
	response *hdrhistogram.Histogram // of those that ended; nil: none did
}

// slots count requests over time. Nothing is lost when they become too many: two become
// one each.
type slots struct {
	start time.Time
	width time.Duration
	all   []slot
}

// record counts one request.
func (s *slots) record(e *ended) {
	if s.width == 0 {
		s.width = narrowest
	}
	s.at(e.begun).begun++
	in := s.at(e.at)
	if in.ended == nil {
		in.ended = map[way]int64{}
	}
	in.ended[way{e.status, e.grpc, e.err}]++
	if e.err == ErrorCanceled {
		return
	}
	if in.response == nil {
		in.response = hdrhistogram.New(lowestMicros, highestMicros, seriesFigures)
	}
	_ = in.response.RecordValue(min(max(e.response().Microseconds(), 0), highestMicros)) // which is in its range
}

// at is the slot of a moment; of one before the start it is the first.
func (s *slots) at(moment time.Time) *slot {
	since := max(moment.Sub(s.start), 0)
	for since/s.width >= mostSlots {
		s.widen()
	}
	for i := int(since / s.width); len(s.all) <= i; {
		s.all = append(s.all, slot{})
	}
	return &s.all[since/s.width]
}

// widen makes one slot of two.
func (s *slots) widen() {
	s.width *= 2
	for i := range s.all {
		if i == 0 {
			continue
		}
		from := s.all[i]
		s.all[i] = slot{}
		s.all[i/2].add(from)
	}
	s.all = s.all[:(len(s.all)+1)/2]
}

func (s *slot) add(other slot) {
	s.begun += other.begun
	if s.ended == nil {
		s.ended = other.ended
	} else {
		for how, n := range other.ended {
			s.ended[how] += n
		}
	}
	switch {
	case other.response == nil:
	case s.response == nil:
		s.response = other.response
	default:
		s.response.Merge(other.response)
	}
}

// series is what was counted; nil: nothing was. A service that answers each request with
// another status makes slots wider, and not the record large.
func (s *slots) series() *Series {
	if len(s.all) == 0 {
		return nil
	}
	ways := map[way]bool{}
	for _, slot := range s.all {
		for how := range slot.ended {
			ways[how] = true
		}
	}
	for len(s.all) > 1 && len(s.all)*len(ways) > mostEnded {
		s.widen()
	}
	made := &Series{Width: Duration{Duration: s.width}, Ended: []SeriesOf{}}
	columns := map[way][]int64{}
	for i, slot := range s.all {
		made.Begun = append(made.Begun, slot.begun)
		for how, n := range slot.ended {
			if columns[how] == nil {
				columns[how] = make([]int64, len(s.all))
			}
			columns[how][i] = n
		}
		made.P50, made.P99 = append(made.P50, slot.quantile(50)), append(made.P99, slot.quantile(99))
	}
	for how, counts := range columns {
		made.Ended = append(made.Ended, SeriesOf{Status: how.status, GRPC: how.grpc, Error: how.err, Count: counts})
	}
	slices.SortFunc(made.Ended, func(a, b SeriesOf) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.GRPC, b.GRPC), cmp.Compare(a.Error, b.Error))
	})
	return made
}

func (s slot) quantile(percent float64) *float64 {
	if s.response == nil {
		return nil
	}
	in := float64(s.response.ValueAtQuantile(percent)) / 1e6
	return &in
}
