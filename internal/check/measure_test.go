package check

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"github.com/meshchaos/meshchaos/report"
)

// A share of requests has how many of how many, and an interval: other quotients are none.
// As such a comparison would test nanoseconds as if each were a request.
func TestOnlyACountByWhatItIsAPartOfIsAShareOfRequests(t *testing.T) {
	for line, want := range map[string]*report.Part{
		"client.status[503] / client.sent < 50%":                               {Count: 12, Total: 100},
		"client.status[503] / (client.status[503] + client.status[200]) < 50%": {Count: 12, Total: 100},
		"client.status[503] / client.status[200] < 50%":                        nil,
		"client.status[503] / jason.sent < 500%":                               nil,
		"others.p50 / jason.p50 < 90%":                                         nil,
		"others.max / jason.max < 90%":                                         nil,
		"jason.share(\"reviews-lost\") / others.share(200) <= 99%":             nil,
	} {
		got := mustCompile(t, line).Judge(observed())[0]
		if len(got.Values) != 1 {
			t.Fatalf("%s: %+v", line, got)
		}
		if diff := cmp.Diff(want, got.Values[0].Part, cmpopts.IgnoreFields(report.Part{}, "Low", "High")); diff != "" {
			t.Errorf("%s: observed %s (-want +got):\n%s", line, got.Observed, diff)
		}
	}
}

// What a line compares is there as numbers, in the units of a record.
func TestBothSidesOfALineAreMeasured(t *testing.T) {
	at := func(value float64) *float64 { return &value }
	for line, want := range map[string]report.Expectation{
		"jason.p50 < 7s": {
			Values: []report.Measure{{Value: 6.02, Unit: report.Seconds}},
			Bounds: []report.Bound{{Operator: "<", Value: at(7)}}},
		"5s <= jason.p50 <= 6.6s": {
			Values: []report.Measure{{Value: 6.02, Unit: report.Seconds}},
			Bounds: []report.Bound{{Operator: ">=", Value: at(5)}, {Operator: "<=", Value: at(6.6)}}},
		"client.share(503) > 75%": {
			Values: []report.Measure{{Value: 0.12, Unit: report.Share, Part: &report.Part{Count: 12, Total: 100}}},
			Bounds: []report.Bound{{Operator: ">", Value: at(0.75)}}},
		"faults(ratings) == 2 * jason.sent": {
			Values: []report.Measure{{Value: 10, Unit: report.Number}},
			Bounds: []report.Bound{{Operator: "==", Value: at(10), Name: "2 * jason.sent"}}},
		"faults(reviews) == 0": {Bounds: []report.Bound{{Operator: "==", Value: at(0)}}},
		"split(reviews).is(v1 == 90%, v2 == 10%)": {
			Values: []report.Measure{
				{Of: "v1", Value: 0.91, Unit: report.Share, Part: &report.Part{Count: 910, Total: 1000}},
				{Of: "v2", Value: 0.09, Unit: report.Share, Part: &report.Part{Count: 90, Total: 1000}}},
			Bounds: []report.Bound{{Of: "v1", Operator: "==", Value: at(0.9)}, {Of: "v2", Operator: "==", Value: at(0.1)}}},
		"!(jason.p50 > 9s)": {Values: []report.Measure{{Value: 6.02, Unit: report.Seconds}}},
		"!(jason.p50 > 9s || client.share(503) > 50%)": {
			Values: []report.Measure{
				{Of: "jason.p50", Value: 6.02, Unit: report.Seconds},
				{Of: "client.share(503)", Value: 0.12, Unit: report.Share, Part: &report.Part{Count: 12, Total: 100}}}},
		"jason.p50 < 1s || (others.p50 < 1s && jason.status[503] < 9)": {
			Values: []report.Measure{
				{Of: "jason.p50", Value: 6.02, Unit: report.Seconds},
				{Of: "others.p50", Value: 0.02, Unit: report.Seconds},
				{Of: "jason.status[503]", Value: 2, Unit: report.Number}}},
		"split(reviews).is(v1 == 90%, v2 == 10%) || faults(reviews) == 0": {
			Values: []report.Measure{
				{Of: "split(reviews) v1", Value: 0.91, Unit: report.Share, Part: &report.Part{Count: 910, Total: 1000}},
				{Of: "split(reviews) v2", Value: 0.09, Unit: report.Share, Part: &report.Part{Count: 90, Total: 1000}}}},
	} {
		got := mustCompile(t, line).Judge(observed())[0]
		got = report.Expectation{Values: got.Values, Bounds: got.Bounds}
		near := cmpopts.EquateApprox(0.01, 0)
		if diff := cmp.Diff(want, got, near, cmpopts.IgnoreFields(report.Part{}, "Low", "High")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

// At either end of the interval what was seen is as far out as the confidence lets it be.
func TestAShareIsWithinItsInterval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 5000).Draw(t, "total")
		count := rapid.Int64Range(0, total).Draw(t, "count")
		p := partOf(count, total)
		if share := float64(count) / float64(total); p.Low > share || p.High < share || p.Low < 0 || p.High > 1 {
			t.Fatalf("%d of %d is %g, and not between %g and %g", count, total, share, p.Low, p.High)
		}
		const tail = (1 - confidence) / 2
		if count > 0 {
			if atLeast := (distuv.Binomial{N: float64(total), P: 1 - p.Low}).CDF(float64(total - count)); math.Abs(atLeast-tail) > 1e-6 {
				t.Errorf("%d of %d: were the share %g, as many would be there with %g", count, total, p.Low, atLeast)
			}
		}
		if count < total {
			if atMost := (distuv.Binomial{N: float64(total), P: p.High}).CDF(float64(count)); math.Abs(atMost-tail) > 1e-6 {
				t.Errorf("%d of %d: were the share %g, as few would be there with %g", count, total, p.High, atMost)
			}
		}
	})
	for _, none := range [][2]int64{{1, 0}, {-1, 5}, {6, 5}} {
		if p := partOf(none[0], none[1]); p != nil {
			t.Errorf("%v has the interval %+v", none, p)
		}
	}
}
