package agent

import (
	"bytes"
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
	var j job
	if err := d.Decode(&j.Request); err != nil {
		return nil, fmt.Errorf("reading the plans: %w; the load workload's image must be of the same version as the tool", err)
	}
	if len(j.Plans) == 0 {
		return nil, errors.New("reading the plans: there is none; the load workload's image must be of the same version as the tool")
	}
	j.bounds = loadgen.Bounds{QPS: j.QPS, Duration: j.Duration}
	if j.Duration == 0 {
		j.bounds.Duration = longest
	}
	if j.bounds.Breached, err = check.Watch(j.Plans, j.AbortWhen); err != nil {
		return nil, fmt.Errorf("%w; the load workload's image must be of the same version as the tool", err)
	}
	return &j, nil
}
