package agent

import (
	"context"
	"errors"

	"github.com/meshchaos/meshchaos/loadgen"
)

// Here drives load in this process, as an agent does elsewhere. It carries out one load at
// a time.
type Here struct{ over chan string }

// NewHere returns one.
func NewHere() *Here { return &Here{over: make(chan string)} }

// Load implements Generator.
func (h *Here) Load(ctx context.Context, asked Request, hear Handlers) (map[string]*loadgen.Result, error) {
	j, err := asked.job()
	if err != nil {
		return nil, err
	}
	j.bounds.Over, j.bounds.Stopped = h.over, hear.Stopped
	if asked.Tell && hear.SoFar != nil {
		j.telling(hear.SoFar)
	}
	return loadgen.RunGroup(ctx, j.Plans, j.bounds, j.begun(hear.Begin), hear.Observe)
}

// Over implements Generator.
func (h *Here) Over(ctx context.Context, cohort string) error {
	timeout, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	select {
	case h.over <- cohort:
		return nil
	case <-timeout.Done():
		return errors.New("ending the load " + cohort + ": it has not begun, or has ended")
	}
}
