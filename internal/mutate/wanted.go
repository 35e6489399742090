package mutate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// mostWanted is how many expectations are named that would have killed a mutant.
const mostWanted = 2

// wanted are expectations that would have killed a mutant: each holds in the run of
// the scenario as it stands, and fails in the mutant's. What differs by chance or by
// little is not among them.
func wanted(mutant Mutant, first, survivor *report.Record) []report.Want {
	var all []report.Want
	for i, step := range mutant.Scenario.Steps {
		if i < mutant.stage-1 {
			continue // it is over before the spoilt rule is in force
		}
		was, is := check.WindowsOf(first, step.Name), check.WindowsOf(survivor, step.Name)
		if was.During == nil || is.During == nil {
			continue
		}
		if mutant.stage > 0 {
			// The baseline is over too, and in the recovery it is in force no more.
			was.Baseline, is.Baseline, was.Recovery, is.Recovery = nil, nil, nil, nil
		}
		for _, line := range candidates(was, is) {
			want := report.Want{Expression: line, Step: step.Name}
			if kills(step, line, was, is) && !slices.Contains(all, want) {
				all = append(all, want)
			}
		}
	}
	return all[:min(len(all), mostWanted)]
}

// kills says whether a line, written among the expectations of a step, holds in one
// run and fails in the other.
func kills(step scenarios.Step, line string, was, is check.Windows) bool {
	expectation, err := step.Compile(line)
	if err != nil {
		return false // it could not be written
	}
	return check.Overall(expectation.Judge(was)) == report.Pass && check.Overall(expectation.Judge(is)) == report.Fail
}

// candidates are lines that might hold in one run and not in the other: the surest
// come first.
func candidates(was, is check.Windows) []string {
	var sure, timed []string
	for _, window := range []struct {
		prefix  string
		was, is *report.Window
	}{{"", was.During, is.During}, {report.Baseline + ".", was.Baseline, is.Baseline}, {report.Recovery + ".", was.Recovery, is.Recovery}} {
		if window.was == nil || window.is == nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(window.was.Loads)) {
			before, after := window.was.Loads[name], window.is.Loads[name]
			if before == nil || after == nil {
				continue
			}
			sure = append(sure, ofOutcomes(window.prefix+name, before, after)...)
			timed = append(timed, ofTimes(window.prefix+name, before, after)...)
		}
	}
	return append(append(sure, ofQuantities(was.During)...), timed...)
}

// some is how often something has to be seen before nobody would think that it was
// seen by chance, and that another run may lack it: what comes so often in the mean
// is missing in one run of twenty thousand.
const some = 10

// ofOutcomes says of a cohort what is true of all of its answers, of none, or, where
// it was so of many, of any.
func ofOutcomes(cohort string, was, is *loadgen.Result) []string {
	checks, statuses, codes, versions := map[string]int64{}, map[int]int64{}, map[string]int64{}, map[string]int64{}
	for i, run := range []*loadgen.Result{was, is} {
		for _, o := range run.Outcomes {
			count := o.Count
			if i > 0 {
				count = 0 // what is named is what the scenario as it stands had
			}
			if o.GRPC != "" {
				codes[o.GRPC] += count
			} else {
				statuses[o.Status] += count
			}
			versions[o.Version] += count
			for _, check := range o.Checks {
				checks[check] += count
			}
		}
	}
	var lines []string
	often := func(seen int64, line string) {
		if seen >= some {
			lines = append(lines, line)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		lines = append(lines, fmt.Sprintf("%s.share(%q) == 100%%", cohort, name), fmt.Sprintf("%s.share(%q) == 0%%", cohort, name))
		often(checks[name], fmt.Sprintf("%s.share(%q) > 0%%", cohort, name))
	}
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		lines = append(lines, fmt.Sprintf("%s.status[%d] == %s.sent", cohort, status, cohort), fmt.Sprintf("%s.status[%d] == 0", cohort, status))
		often(statuses[status], fmt.Sprintf("%s.status[%d] > 0", cohort, status))
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		lines = append(lines, fmt.Sprintf("%s.grpc[%s] == %s.sent", cohort, code, cohort), fmt.Sprintf("%s.grpc[%s] == 0", cohort, code))
		often(codes[code], fmt.Sprintf("%s.grpc[%s] > 0", cohort, code))
	}
	for _, version := range slices.Sorted(maps.Keys(versions)) {
		lines = append(lines, fmt.Sprintf("%s.answered(%q) == %s.sent", cohort, version, cohort), fmt.Sprintf("%s.answered(%q) == 0", cohort, version))
		often(versions[version], fmt.Sprintf("%s.answered(%q) > 0", cohort, version))
	}
	return append(lines, cohort+".errors == 0")
}

// ofQuantities says of what proxies counted that it was nothing, or as much as
// cohorts sent.
func ofQuantities(was *report.Window) []string {
	var lines []string
	for _, q := range was.Quantities {
		if q.Value == nil {
			continue
		}
		name := fmt.Sprintf("%s(%s)", q.Function, strings.Join(q.Args, ", "))
		lines = append(lines, name+" == 0")
		for _, cohort := range slices.Sorted(maps.Keys(was.Loads)) {
			lines = append(lines, fmt.Sprintf("%s == %s.sent", name, cohort), fmt.Sprintf("%s == 2 * %s.sent", name, cohort))
		}
	}
	return lines
}

// What two runs differ by in time for nothing: less than this, or less than a third.
// It takes more to say that a run should have been as fast as it was.
const (
	jitter       = 100 * time.Millisecond
	slowness     = 300 * time.Millisecond
	jitterFactor = 4.0 / 3
)

// ofTimes says of a cohort that it is on its own side of the middle between it and
// the other run. A busy machine makes requests slower and none faster, so that of a
// run that was faster nothing is said unless all of it was.
func ofTimes(cohort string, was, is *loadgen.Result) []string {
	least, most, known := times(was)
	theirLeast, theirMost, theirsKnown := times(is)
	switch {
	case !known || !theirsKnown:
		return nil
	case apart(theirLeast, least, jitter):
		return []string{fmt.Sprintf("%s.min >= %s", cohort, middle(least, theirLeast))}
	case apart(most, theirLeast, slowness):
		return []string{fmt.Sprintf("%s.max < %s", cohort, middle(most, theirMost))}
	}
	return nil
}

func times(r *loadgen.Result) (least, most time.Duration, known bool) {
	if r.Response == nil {
		return 0, 0, false
	}
	least, known = r.Response.Min()
	most, _ = r.Response.Max()
	return least, most, known
}

// apart says whether a time is below another by so much, and by a third.
func apart(a, b, least time.Duration) bool {
	return b-a >= least && float64(b) >= jitterFactor*float64(a)
}

func middle(a, b time.Duration) time.Duration { return ((a + b) / 2).Round(jitter / 2) }
