package check

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

func TestALineSpeaksOfTheOutcomesThatItCounts(t *testing.T) {
	var (
		unavailable = loadgen.Outcome{Status: 503, Count: 1}
		notFound    = loadgen.Outcome{Status: 404, Count: 1}
		lost        = loadgen.Outcome{Status: 500, Checks: []string{"reviews-lost"}, Count: 1}
		ofV1        = loadgen.Outcome{Status: 502, Version: "v1", Count: 1}
		timeout     = loadgen.Outcome{Error: loadgen.ErrorTimeout, Count: 1}
		reset       = loadgen.Outcome{Error: loadgen.ErrorReset, Version: "v1", Count: 1}
	)
	all := map[string]loadgen.Outcome{"503": unavailable, "404": notFound, "lost": lost, "v1": ofV1, "timeout": timeout, "reset": reset}
	everyone := []string{"404", "503", "lost", "reset", "timeout", "v1"}
	for line, want := range map[string][]string{
		"jason.max < 3s":                                 nil,
		"jason.sent == 20 && jason.qps > 5":              nil,
		"jason.status[200] > 5":                          nil,
		"jason.status[503] == 0":                         {"503"},
		"5% < jason.share(503) <= 60%":                   {"503"},
		"jason.share(503) + jason.share(404) <= 1%":      {"404", "503"},
		"jason.max < 3s && jason.status[404] == 3":       {"404"},
		"jason.max < 3s || !(jason.status[404] == 3)":    {"404"},
		"overflows(httpbin) == 2 * jason.status[503]":    {"503"},
		"jason.errors < 5":                               {"reset", "timeout"},
		"jason.errors / jason.sent < 5%":                 {"reset", "timeout"},
		`jason.share("reviews-lost") == 100%`:            {"lost"},
		`jason.count("reviews-lost") > 1`:                {"lost"},
		`jason.share("stars") == 100%`:                   nil,
		"jason.answered(v1) > 2":                         {"v1"},
		"jason.answered(v2) > 2":                         nil,
		"split(jason).is(v1 == 90%, v2 == 10%)":          everyone,
		"split(reviews).is(v1 == 90%, v2 == 10%)":        nil,
		"requests(reviews, v1) == 5":                     nil,
		"others.status[503] == 0 && others.errors == 0":  nil, // another cohort
		"recovery.jason.status[503] == 0":                nil, // another window
		"split(baseline.jason).is(v1 == 90%, v2 == 10%)": nil,
	} {
		e := mustCompile(t, line)
		var got []string
		for name, o := range all {
			if e.Speaks(Load{report.During, "jason"}, o) {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
	if !mustCompile(t, "recovery.jason.status[503] == 0").Speaks(Load{report.Recovery, "jason"}, unavailable) {
		t.Error("what is said of the recovery does not speak of the recovery")
	}
}
