// Package fortio drives the load of a run on a fortio server, such as fortio's own
// image is, over its REST API: for clusters that cannot have this program's image.
//
// Fortio counts statuses and nothing else of an answer, and says so when a load has
// ended. What it could only tell in part is refused (Check), so that nothing that is
// missing passes. The API is that of fortio.org/fortio v1.75 (rapi/restHandler.go),
// whose packages are not linked: they register flags of the process.
//
// The package may import loadgen.
package fortio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const (
	path        = "/fortio/rest/" // as fortio's server has it by default
	maxAnswer   = 16 << 20        // bytes that an answer may have
	maxRepeated = 512             // bytes of an answer that an error repeats
)

// Client asks a fortio server for load. The server must serve nobody else: when a
// load is ended, all that runs there is.
type Client struct {
	HTTP *http.Client
	Base string // http://127.0.0.1:8080, without a slash at its end
}

// Ready says whether the server answers.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.running(ctx)
	return err
}

// Idle says whether the server answers and no load runs.
func (c *Client) Idle(ctx context.Context) error {
	running, err := c.running(ctx)
	if err == nil && len(running) > 0 {
		err = fmt.Errorf("asking fortio whether it is idle: %d loads are running", len(running))
	}
	return err
}

// running returns the loads that run, by their labels.
func (c *Client) running(ctx context.Context) (map[string]int64, error) {
	var status struct {
		Statuses map[string]struct {
			RunID         int64
			RunnerOptions *struct{ Labels string } // nil: it does not run yet
		}
	}
	if err := c.ask(ctx, http.MethodGet, "status", nil, &status); err != nil {
		return nil, fmt.Errorf("asking fortio what runs: %w", err)
	}
	runs := map[string]int64{}
	for id, s := range status.Statuses {
		label := "run " + id // of one that is not ours, or is not known yet
		if s.RunnerOptions != nil && s.RunnerOptions.Labels != "" {
			label = s.RunnerOptions.Labels
		}
		runs[label] = s.RunID
	}
	return runs, nil
}

// stop asks for the end of one load, or of all with id 0. What is under way ends by
// itself.
func (c *Client) stop(ctx context.Context, id int64) error {
	var stopped struct{ Count int }
	if err := c.ask(ctx, http.MethodGet, fmt.Sprintf("stop?runid=%d", id), nil, &stopped); err != nil {
		return fmt.Errorf("ending fortio's load: %w", err)
	}
	return nil
}

// refusal is how fortio says that it could not do what it was asked.
type refusal struct {
	Error     bool   `json:"error"`
	Message   string `json:"message"`
	Exception string `json:"exception"`
}

func (r refusal) words() string { return strings.TrimSuffix(r.Message+": "+r.Exception, ": ") }

// refusedError is an answer of fortio's in which it says why there is none.
type refusedError struct{ reason string }

// Error implements error.
func (e *refusedError) Error() string { return "fortio answered: " + e.reason }

// ask sends one request, with a body if it is a POST, and reads the answer. What
// fortio refuses is a *refusedError.
func (c *Client) ask(ctx context.Context, method, what string, body []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path+what, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("reading its answer: %w", err)
	case len(said) > maxAnswer:
		return fmt.Errorf("reading its answer: it is longer than %d bytes", maxAnswer)
	}
	var refused refusal
	if err := json.Unmarshal(said, &refused); err != nil {
		return fmt.Errorf("reading its answer (%s): %w: %.*q; is it a fortio server?", resp.Status, err, maxRepeated, said)
	}
	if refused.Error {
		return &refusedError{refused.words()}
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New("it answered " + resp.Status)
	}
	return json.Unmarshal(said, answer)
}

// DisabledPorts are the flags of fortio's command server by which it serves nothing
// but its REST API.
func DisabledPorts() []string {
	return []string{"-grpc-port", "disabled", "-tcp-port", "disabled", "-udp-port", "disabled", "-redirect-port", "disabled"}
}
