package check

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// failures are those of jason under the rule, beside which he had forty answers.
func failures() map[string]loadgen.Outcome {
	return map[string]loadgen.Outcome{
		"503":  {Status: 503, Count: 6},
		"504":  {Status: 504, Count: 3},
		"lost": {Status: 500, Checks: []string{"reviews-lost"}, Count: 2},
		"v1":   {Status: 502, Version: "v1", Count: 1},
	}
}

// partly is a window in which some requests failed, and in the recovery as well.
func partly(failed map[string]loadgen.Outcome) Windows {
	jason := []loadgen.Outcome{{Status: 200, Version: "v2", Count: 40}}
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		jason = append(jason, failed[name])
	}
	window := func(name string) *report.Window {
		return &report.Window{
			Name:       name,
			Loads:      map[string]*loadgen.Result{"jason": load(jason, time.Millisecond), "others": load([]loadgen.Outcome{{Status: 200, Count: 9}}, time.Millisecond)},
			Quantities: []report.Quantity{quantity(6, "overflows", "httpbin"), quantity(60, "requests", "httpbin")},
		}
	}
	return Windows{Baseline: window(report.Baseline), During: window(report.During), Recovery: window(report.Recovery)}
}

// spokenOf are the failures of jason of which a line speaks.
func spokenOf(t *testing.T, line string, failed map[string]loadgen.Outcome) []string {
	t.Helper()
	e := mustCompile(t, line)
	var names []string
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		if e.Speaks(partly(failed), Load{Window: report.During, Cohort: "jason"}, failed[name]) {
			names = append(names, name)
		}
	}
	return names
}

func TestALineSpeaksOfTheFailuresThatItCounts(t *testing.T) {
	for line, want := range map[string][]string{
		"jason.max < 3s":                                                nil,
		"jason.sent == 20 && jason.qps > 5":                             nil,
		"jason.status[200] > 5":                                         nil,
		"jason.status[503] == 0":                                        {"503"},
		"jason.status[503] <= 6":                                        {"503"},
		"jason.status[503] > 0":                                         {"503"},
		"5% < jason.share(503) <= 60%":                                  {"503"},
		"jason.share(503) + jason.share(504) <= 20%":                    {"503", "504"},
		"jason.status[503] + jason.status[504] >= 1":                    {"503", "504"},
		"jason.status[503] + jason.status[504] > 4":                     {"503", "504"}, // the 504s alone are too few, and are needed by none
		"jason.status[503] + jason.status[504] + jason.status[200] > 0": nil,            // as there are answers
		"jason.status[503] + jason.status[504] + jason.status[200] > 4": nil,
		"jason.status[200] + jason.status[503] == 46":                   {"503"},
		"jason.status[503] < jason.status[200]":                         {"503"},
		"jason.sent - jason.status[503] >= 46":                          {"503"},
		"jason.max < 3s && jason.status[504] == 3":                      {"504"},
		"jason.status[503] > 5 && jason.status[504] < 1":                {"503", "504"},
		"overflows(httpbin) == jason.status[503]":                       {"503"},
		`jason.share("reviews-lost") <= 50%`:                            {"lost"},
		`jason.count("reviews-lost") > 1`:                               {"lost"},
		`jason.share("stars") == 100%`:                                  nil,
		"jason.answered(v1) < 2":                                        {"v1"},
		"jason.answered(v2) > 2":                                        nil,
		"split(reviews).is(v1 == 90%, v2 == 10%)":                       nil,
		"others.status[503] == 0 && others.errors == 0":                 nil, // another cohort
		"recovery.jason.status[503] == 6":                               nil, // another window
		"recovery.jason.status[503] == jason.status[503]":               {"503"},
	} {
		if diff := cmp.Diff(want, spokenOf(t, line, failures())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
	if !mustCompile(t, "recovery.jason.status[503] == 6").Speaks(partly(failures()), Load{Window: report.Recovery, Cohort: "jason"}, failures()["503"]) {
		t.Error("what is said of the recovery does not speak of the recovery")
	}
}

// A line that names failures beside what is enough for it is as true of any number
// of them.
func TestALineThatDoesNotHingeOnFailuresDoesNotSpeakOfThem(t *testing.T) {
	for line, want := range map[string][]string{
		"jason.qps > 1 || jason.status[503] == 0":                    nil,
		"jason.status[503] == 0 || jason.status[200] > 5":            nil,
		"jason.max < 3s || jason.status[503] == 0":                   nil, // it cannot be judged where all fail
		"jason.max < 3s || jason.status[503] > 0":                    nil,
		"!(jason.status[503] > 0 && jason.qps < 1)":                  nil,
		"jason.status[504] == 3 || jason.status[503] == 0":           {"504"},
		"jason.status[503] == 0 || jason.status[504] < 100":          nil,
		"jason.status[503] / 1000000 < overflows(httpbin)":           nil,
		"jason.status[503] <= overflows(httpbin) + others.sent * 10": nil,
		"others.max < 1s || jason.share(503) < 5%":                   nil,
		"jason.max < 1ms || jason.status[503] < 7":                   {"503"},
		"jason.status[200] < 5 || jason.status[503] == 6":            {"503"},
		"jason.qps < 1 || jason.status[503] + jason.status[504] > 0": {"503", "504"},
		"!(jason.status[503] > 10 || jason.qps < 1)":                 {"503"},
	} {
		if diff := cmp.Diff(want, spokenOf(t, line, failures())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

func TestALineSpeaksOfTransportErrors(t *testing.T) {
	lost := map[string]loadgen.Outcome{"timeout": {Error: loadgen.ErrorTimeout, Count: 3}, "reset": {Error: loadgen.ErrorReset, Version: "v1", Count: 2}}
	for line, want := range map[string][]string{
		"jason.errors <= 5":                        {"reset", "timeout"},
		"jason.errors >= 1":                        {"reset", "timeout"},
		"jason.errors / jason.sent < 20%":          {"reset", "timeout"},
		"jason.errors < 100 || jason.qps > 1":      nil,
		"jason.status[503] == 0":                   nil,
		"jason.answered(v1) == 0":                  nil,
		"split(jason).is(v1 == 10%, v2 == 90%)":    nil,
		"jason.sent - jason.status[200] < 10":      nil,
		"jason.status[200] + jason.errors == 45":   {"reset", "timeout"},
		"jason.qps > 1 && jason.errors == 5":       {"reset", "timeout"},
		"jason.qps > 100000 || jason.errors < 6":   {"reset", "timeout"},
		"recovery.jason.errors == jason.errors":    {"reset", "timeout"},
		"recovery.jason.errors == 5":               nil,
		"jason.errors + jason.share(503) * 10 < 6": {"reset", "timeout"},
	} {
		if diff := cmp.Diff(want, spokenOf(t, line, lost)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

// Each answer of a split must be of a version that is listed, failures too.
func TestASplitSpeaksOfEveryFailure(t *testing.T) {
	failed := map[string]loadgen.Outcome{"v2": {Status: 503, Version: "v2", Count: 4}}
	if got := spokenOf(t, "split(jason).is(v2 == 100%)", failed); len(got) != 1 {
		t.Errorf("it speaks of %q", got)
	}
}
