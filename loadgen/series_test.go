package loadgen

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A series holds each request once, however long the load was, and is never long.
func TestASeriesHoldsEachRequestOnce(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	rapid.Check(t, func(t *rapid.T) {
		lasts := rapid.Int64Range(1, int64(48*time.Hour)).Draw(t, "lasts")
		counted := slots{start: start}
		ends := map[way]int64{}
		n := rapid.IntRange(1, 60).Draw(t, "requests")
		for range n {
			begun := start.Add(time.Duration(rapid.Int64Range(0, lasts).Draw(t, "begun")))
			e := ended{intended: begun, begun: begun, at: begun.Add(time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "took")))}
			e.status, e.err = 200, rapid.SampledFrom([]string{"", "", ErrorTimeout, ErrorCanceled}).Draw(t, "error")
			ends[way{e.status, e.grpc, e.err}]++
			counted.record(&e)
		}
		s := counted.series()
		if len(s.Begun) > mostSlots || len(s.P50) != len(s.Begun) || len(s.P99) != len(s.Begun) {
			t.Fatalf("%d slots, %d medians", len(s.Begun), len(s.P50))
		}
		if s.Width.Duration%narrowest != 0 || time.Duration(len(s.Begun))*s.Width.Duration > 2*max(time.Duration(lasts)+time.Minute, narrowest*mostSlots) {
			t.Errorf("%d slots of %s for %s", len(s.Begun), s.Width, time.Duration(lasts))
		}
		if got := sum(s.Begun); got != int64(n) {
			t.Errorf("%d of %d began", got, n)
		}
		for _, of := range s.Ended {
			if got := sum(of.Count); got != ends[way{of.Status, of.GRPC, of.Error}] || len(of.Count) != len(s.Begun) {
				t.Errorf("%d ended with %q, want %d", got, of.Error, ends[way{of.Status, of.GRPC, of.Error}])
			}
			delete(ends, way{of.Status, of.GRPC, of.Error})
		}
		if len(ends) > 0 {
			t.Errorf("nothing of %v", ends)
		}
	})
}

// A slot has the percentiles of what ended in it, also when it was made of several.
func TestASlotHasThePercentilesOfWhatEndedInIt(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	counted := slots{start: start}
	take := func(at, took time.Duration) {
		counted.record(&ended{reply: reply{status: 200}, intended: start.Add(at - took), begun: start.Add(at - took), at: start.Add(at)})
	}
	for i := range 100 {
		take(150*time.Millisecond, time.Duration(i+1)*time.Millisecond)
	}
	take(250*time.Millisecond, 40*time.Millisecond)
	s := counted.series()
	if len(s.P50) != 3 || s.P50[0] != nil || !near(s.P50[1], 0.050) || !near(s.P99[1], 0.099) || !near(s.P50[2], 0.040) {
		text, _ := json.Marshal(s)
		t.Errorf("of three slots: %s", text)
	}
	take(35*time.Second, time.Second)
	s = counted.series()
	if s.Width.Duration != 2*narrowest || len(s.P50) != 176 || !near(s.P50[0], 0.050) || !near(s.P50[1], 0.040) || !near(s.P99[175], 1) || s.P50[100] != nil {
		text, _ := json.Marshal(s)
		t.Errorf("of wider ones: %s", text)
	}
}

func near(got *float64, want float64) bool { return got != nil && *got > 0.98*want && *got < 1.02*want }

func sum(all []int64) (total int64) {
	for _, n := range all {
		total += n
	}
	return total
}

// A service that answers each request of a day with another status makes no record large,
// and each request is counted all the same.
// How long a request took that was cut off is how long it was let, and no time of an error.
func TestWhatIsCutOffHasNoTime(t *testing.T) {
	start := time.Now()
	r := recorder{open: true, apart: true, of: make([]times, 1), slots: slots{start: start}}
	for _, rep := range []reply{{err: ErrorCanceled}, {err: ErrorTimeout}, {status: 503}, {status: 418}, {status: 200}} {
		r.record(&ended{reply: rep, free: start, intended: start, begun: start, at: start.Add(time.Second)})
	}
	var result Result
	r.fill(&result, &Plan{Send: []Request{{Name: "a"}}}, &matcher{})
	of := result.Times[0]
	for what, counts := range map[string][2]int64{
		"sent": {result.Sent, 5}, "not OK": {result.NotOK.Count(), 2}, "lag": {result.Lag.Count(), 5}, "lag of the request": {of.Lag.Count(), 5},
		"response": {result.Response.Count(), 4}, "service": {result.Service.Count(), 4}, "response of the request": {of.Response.Count(), 4}, "service of the request": {of.Service.Count(), 4},
	} {
		if counts[0] != counts[1] {
			t.Errorf("%s: %d, want %d", what, counts[0], counts[1])
		}
	}
}

func TestManyWaysToEndMakeSlotsWider(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	r := recorder{slots: slots{start: start}}
	const requests, statuses = 40_000, 900
	for i := range requests {
		begun := start.Add(time.Duration(i) * 2 * time.Second)
		r.record(&ended{reply: reply{status: 100 + i%statuses}, id: new(requestID), from: "10.0.0.1:4711", intended: begun, begun: begun, at: begun.Add(time.Duration(1+i%977) * time.Millisecond)})
	}
	result := &Result{Series: r.series()}
	r.fill(result, &Plan{}, &matcher{})
	var counted int64
	for _, of := range result.Series.Ended {
		counted += sum(of.Count)
	}
	if n := len(result.Series.Ended) * len(result.Series.Begun); n > mostEnded || counted != requests || sum(result.Series.Begun) != requests {
		t.Errorf("%d counts of %d requests, of %d that began", n, counted, sum(result.Series.Begun))
	}
	var slowest time.Duration
	told := 0
	for _, o := range result.Outcomes {
		if o.Slowest != nil {
			told++
			slowest = max(slowest, o.Slowest.Response.Duration)
		}
	}
	if len(result.Outcomes) != statuses || told != mostExamples || slowest != 977*time.Millisecond {
		t.Errorf("%d outcomes, %d with their slowest request, which took %v at most", len(result.Outcomes), told, slowest)
	}
	text, err := json.Marshal(result)
	if err != nil || len(text) > mostOfAResult {
		t.Errorf("the result takes %d bytes of a record, %v", len(text), err)
	}
}
