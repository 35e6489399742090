package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/loadgen"
)

// longest is how long a load may go on for which nothing else is said.
const longest = time.Hour

// Request is what an agent is asked for.
type Request struct {
	Plans     map[string]loadgen.Plan `json:"plans"`                // by cohort
	QPS       float64                 `json:"qps,omitempty"`        // that of loadgen.Bounds
	Duration  time.Duration           `json:"durationNs,omitempty"` // that of loadgen.Bounds; 0: an hour
	AbortWhen []string                `json:"abortWhen,omitempty"`  // conditions as check.CompileCondition takes them: the load ends when one comes true
	Tell      bool                    `json:"tell,omitempty"`       // what the cohorts have seen so far is told twice a second
}

// job is a request that was understood.
type job struct {
	Request
	bounds loadgen.Bounds
}

// readRequest decodes strictly: what this build knows only in part would be another
// load than the one asked for, or one that goes on where it was to end.
func readRequest(r io.Reader) (*job, error) {
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading the plans: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	var asked Request
	if err := d.Decode(&asked); err != nil {
		return nil, fmt.Errorf("reading the plans: %w; the load workload's image must be of the same version as the tool", err)
	}
	if len(asked.Plans) == 0 {
		return nil, errors.New("reading the plans: there is none; the load workload's image must be of the same version as the tool")
	}
	j, err := asked.job()
	if err != nil {
		return nil, fmt.Errorf("%w; the load workload's image must be of the same version as the tool", err)
	}
	return j, nil
}

// job understands a request.
func (r Request) job() (j *job, err error) {
	j = &job{Request: r}
	j.bounds = loadgen.Bounds{QPS: j.QPS, Duration: j.Duration}
	if j.Duration == 0 {
		j.bounds.Duration = longest
	}
	if j.bounds.Breached, err = check.Watch(j.Plans, j.AbortWhen); err != nil {
		return nil, err
	}
	return j, nil
}

// tellEvery is how often what a load has seen so far is told.
const tellEvery = 500 * time.Millisecond

// telling has tell hear now and then what the cohorts have seen so far.
func (j *job) telling(tell func(map[string]*loadgen.Result)) {
	breached := j.bounds.Breached
	var last time.Time
	j.bounds.Breached = func(soFar map[string]*loadgen.Result) *loadgen.StopError {
		if now := time.Now(); now.Sub(last) >= tellEvery {
			last = now
			tell(soFar)
		}
		if breached == nil {
			return nil
		}
		return breached(soFar)
	}
}

// begun takes from begin when a load is to begin.
func (j *job) begun(begin func(context.Context) (time.Time, error)) func(context.Context) error {
	var at time.Time
	j.bounds.Start = func() time.Time { return at }
	return func(ctx context.Context) (err error) {
		at, err = begin(ctx)
		return err
	}
}
