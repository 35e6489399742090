package scenarios

import (
	"cmp"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// samplesNeeded is the most that expectations ask of a cohort, in any window.
// What they ask of a service, each cohort may have to send alone.
func samplesNeeded(expect []Line, cohort string) int64 {
	var most int64
	for _, line := range expect {
		for _, size := range line.SamplesNeeded() {
			if size.Service != "" || size.Load.Cohort == cohort {
				most = max(most, size.Requests)
			}
		}
	}
	return most
}

// lint notes what is allowed and probably not meant. The baseline and the
// recovery are planned to be long enough; the load of a step is as its file says.
func (s *Scenario) lint() {
	found := slices.Clone(s.alike)
	for _, step := range s.Steps {
		for _, line := range step.Expect {
			for _, size := range line.SamplesNeeded() {
				if planned := step.planned(size); planned > 0 && planned < size.Requests {
					found = append(found, line.warn(tooFewRequests, "%d requests cannot establish %s: it takes %d; write requests: auto", planned, line.Text(), size.Requests))
				}
			}
		}
	}
	s.Warnings = append(s.Warnings, s.without...)
	s.caught = nil
	for _, w := range found {
		s.caught = append(s.caught, w.Trap)
		if !s.Silenced(w.Trap) {
			s.Warnings = append(s.Warnings, w)
		}
	}
}

// planned is how many requests a step plans for what is to be established of
// one cohort, or of a service, which may be met by all of them.
func (step Step) planned(size check.Size) int64 {
	var sum int64
	for _, cohort := range step.Cohorts {
		if size.Service != "" || size.Load == (check.Load{Window: report.During, Cohort: cohort.Name}) {
			sum += cohort.Plan.Requests
		}
	}
	return sum
}

// longestOf is how long the answers of each cohort can take, whichever step
// drives it. In an open loop a response time has no limit, since it counts from
// when the request was due.
func longestOf(f *fileScenario) map[string]check.Longest {
	longest := map[string]check.Longest{}
	unlimited := map[string]bool{}
	for _, loads := range append([]map[string]fileLoad{f.Spec.Load}, loadsOf(f.Spec.Steps)...) {
		for name, load := range loads {
			limit := max(longest[name].Service, longestRequest(loadgen.Plan{Timeout: loadgen.Duration{Duration: load.Timeout.Duration}}))
			longest[name] = check.Longest{Response: limit, Service: limit}
			unlimited[name] = unlimited[name] || load.QPS > 0
		}
	}
	for name := range unlimited {
		if unlimited[name] {
			longest[name] = check.Longest{Service: longest[name].Service}
		}
	}
	return longest
}

// longestRequest is how long a request of a plan can take until it is ended: its
// timeout, and a minute more than any scheduler adds.
func longestRequest(plan loadgen.Plan) time.Duration {
	const slack, byDefault = time.Minute, time.Minute
	return cmp.Or(plan.Timeout.Duration, byDefault) + slack
}

func loadsOf(steps []fileStep) []map[string]fileLoad {
	var all []map[string]fileLoad
	for _, step := range steps {
		all = append(all, step.Load)
	}
	return all
}
