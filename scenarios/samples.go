package scenarios

import (
	"math"
	"slices"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// samplesNeeded is the most that expectations ask of a cohort, in any window.
// What they ask of a service, each cohort may have to send alone.
func samplesNeeded(expect []Line, cohort mesh.Cohort) int64 {
	var most int64
	for _, line := range expect {
		for _, size := range line.SamplesNeeded() {
			switch {
			case size.Service != "":
				most = max(most, size.Requests)
			case size.Load.Cohort == cohort.Name:
				most = max(most, neededOf(cohort.Plan, size))
			}
		}
	}
	return most
}

// neededOf is how many requests of a load something takes that is said of it, or of one
// request of its list.
func neededOf(plan loadgen.Plan, size check.Size) int64 {
	i := slices.IndexFunc(plan.Send, func(r loadgen.Request) bool { return r.Name == size.Load.Request })
	if size.Load.Request == "" || i < 0 {
		return size.Requests
	}
	if !plan.Drawn() { // the last round of each connection may end before it
		return size.Requests*int64(len(plan.Send)) + int64(plan.Connections*i)
	}
	var sum int64
	for _, r := range plan.Send {
		sum += r.Weight
	}
	// So many that fewer of it are drawn by less than one chance in a million, of which the
	// normal distribution tells well enough: it is five standard deviations.
	p, needed := float64(plan.Send[i].Weight)/float64(sum), float64(size.Requests)
	const deviations = 5
	root := (deviations*math.Sqrt(1-p) + math.Sqrt(deviations*deviations*(1-p)+4*needed)) / 2
	return int64(math.Ceil(root * root / p))
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
		switch whole := (check.Load{Window: report.During, Cohort: cohort.Name, Request: size.Load.Request}); {
		case size.Service != "", size.Load == whole && whole.Request == "":
			sum += cohort.Plan.Requests
		case size.Load == whole && cohort.Plan.Requests >= neededOf(cohort.Plan, size):
			sum += size.Requests
		case size.Load == whole: // as many of it as there are on the average
			sum += cohort.Plan.Requests * size.Requests / neededOf(cohort.Plan, size)
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
			limit := max(longest[name].Service, check.LongestRequest(loadgen.Plan{Timeout: loadgen.Duration{Duration: load.Timeout.Duration}}))
			longest[name] = check.Longest{Response: limit, Service: limit}
			unlimited[name] = unlimited[name] || load.open()
		}
	}
	for name := range unlimited {
		if unlimited[name] {
			longest[name] = check.Longest{Service: longest[name].Service}
		}
	}
	return longest
}

func loadsOf(steps []fileStep) []map[string]fileLoad {
	var all []map[string]fileLoad
	for _, step := range steps {
		all = append(all, step.Load)
	}
	return all
}
