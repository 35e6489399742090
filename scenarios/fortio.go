package scenarios

import (
	"errors"
	"slices"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/fortio"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/loadgen"
)

// DriveByFortio makes every load one that a fortio server carries out. It returns all
// that the server could not do, or would not tell of, each at its place in the file;
// the scenario is not to be run then.
func (s *Scenario) DriveByFortio() error {
	var wrong []error
	note := func(err error) {
		same := func(other error) bool { return other.Error() == err.Error() }
		if !slices.ContainsFunc(wrong, same) {
			wrong = append(wrong, err)
		}
	}
	for i := range s.Steps {
		step := &s.Steps[i]
		for j := range step.Cohorts {
			cohort := &step.Cohorts[j]
			step.unfit(*cohort, note)
			cohort.Plan.Engine = loadgen.EngineFortio
		}
		for _, line := range step.Expect {
			for _, time := range line.Times() {
				if err := s.untold(time, *step); err != nil {
					note(line.place(err))
				}
			}
		}
		for _, condition := range step.AbortWhen {
			note(condition.place(&check.Error{Message: "fortio tells nothing of a load before it has ended, so that nobody could judge this meanwhile", Hint: "take it out, or drive the load with this program's image"}))
		}
	}
	if len(wrong) == 0 {
		return s.bind()
	}
	return errors.Join(wrong...)
}

// unfit notes what fortio cannot do of a cohort.
func (s Step) unfit(cohort mesh.Cohort, note func(error)) {
	if cohort.From != mesh.FromClient {
		note(s.WrongEntrance(cohort.Name, errors.New("the load that fortio drives is from client; drive this one with this program's image")))
	}
	for _, cannot := range fortio.Check(cohort.Plan) {
		placed := s.fields(cohort.Name, cannot.Field)
		placed.Message = cannot.Error()
		note(&placed)
	}
}

// untold is that fortio does not tell a statistic of times well enough to judge it: of
// its histogram the smallest and the largest are exact, and the rest are within a
// bucket; and each time is from when a request began, not from when it was due.
func (s *Scenario) untold(t check.Time, step Step) error {
	const ours = "drive the load with this program's image"
	at := slices.IndexFunc(s.Cohorts(t.Load.Window, step), func(c mesh.Cohort) bool { return c.Name == t.Load.Cohort })
	switch {
	case t.Name != "min" && t.Name != "max":
		return &check.Error{Offset: t.Offset, Message: "fortio tells ." + t.Name + " only to a bucket of its histogram, which may be as wide as the time is long", Hint: "write .max or .min, or " + ours}
	case at >= 0 && !t.Service && s.Cohorts(t.Load.Window, step)[at].Plan.Open():
		return &check.Error{Offset: t.Offset, Message: "at a rate a request may wait until a connection is free, and fortio does not tell how long", Hint: "write .service." + t.Name + ", take qps out, or " + ours}
	}
	return nil
}
