package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// stopGrace is how long an interrupted load's results are waited for.
const stopGrace = 2 * time.Second

// Client asks an agent for load.
type Client struct {
	HTTP *http.Client
	Base string // http://127.0.0.1:15990, without a slash at its end
}

// Ready says whether the agent answers.
func (c *Client) Ready(ctx context.Context) error {
	resp, err := c.do(ctx, http.MethodGet, "/healthz", nil)
	if err != nil {
		return fmt.Errorf("asking the load workload whether it is ready: %w", err)
	}
	return resp.Body.Close()
}

// Idle says whether the agent answers and no load runs.
func (c *Client) Idle(ctx context.Context) error {
	resp, err := c.do(ctx, http.MethodGet, "/idle", nil)
	if err != nil {
		return fmt.Errorf("asking the load workload whether it is idle: %w", err)
	}
	return resp.Body.Close()
}

// Over tells the agent that a cohort of the load that runs has been there for as long
// as it was to: its requests in flight finish, and none begin.
func (c *Client) Over(ctx context.Context, cohort string) error {
	resp, err := c.do(ctx, http.MethodPost, "/over?cohort="+url.QueryEscape(cohort), nil)
	if err != nil {
		return fmt.Errorf("ending the load %s: %w", cohort, err)
	}
	return resp.Body.Close()
}

// Load runs plans beside each other in the agent's pod and returns what
// each cohort saw. begin is called from this goroutine when all are logged in
// and warmed up, and the requests that count wait for it; its error ends the load
// and is returned. observe, which may be nil, hears of each cohort about five
// times a second, from this goroutine, and stopped, which may be nil, of a bound that
// was exceeded; the error is a *loadgen.StopError then.
//
// When ctx ends the load is stopped; what was seen so far is returned with
// ctx's error if it arrives within two seconds, else nil is. An error says
// whether the load was refused, failed, or was lost sight of with the
// connection; results that come with an error are partial.
func (c *Client) Load(ctx context.Context, asked Request, begin func(context.Context) error, observe func(loadgen.Progress), stopped func(*loadgen.StopError)) (map[string]*loadgen.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	body, err := json.Marshal(asked)
	if err != nil {
		return nil, fmt.Errorf("sending the load's plans: %w", err)
	}
	running, giveUp := context.WithCancel(ctx)
	defer giveUp()
	// The request outlives ctx by a moment, for the results of a stopped load.
	request, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(running, func() { c.stop(request, cancel) })()
	resp, err := c.do(request, http.MethodPost, "/load", body)
	if err != nil {
		return nil, interrupted(ctx, fmt.Errorf("starting the load: %w", err))
	}
	defer resp.Body.Close()
	var refused error
	results, err := follow(resp.Body, func() {
		if refused = c.begin(running, begin); refused != nil {
			giveUp()
		}
	}, observe, stopped)
	if refused != nil {
		err = refused
	}
	return results, interrupted(ctx, err)
}

// begin lets the load that is ready go on, once begin has returned.
func (c *Client) begin(ctx context.Context, begin func(context.Context) error) error {
	if err := begin(ctx); err != nil {
		return err
	}
	resp, err := c.do(ctx, http.MethodPost, "/begin", nil)
	if err != nil {
		return fmt.Errorf("beginning the load: %w", err)
	}
	return resp.Body.Close()
}

// interrupted returns ctx's error once ctx has ended: whatever else went wrong
// then followed from that.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// stop asks the agent to end its load, and ends the request itself if that does
// not bring the results in time.
func (c *Client) stop(request context.Context, cancel context.CancelFunc) {
	defer cancel()
	grace, done := context.WithTimeout(request, stopGrace)
	defer done()
	if resp, err := c.do(grace, http.MethodPost, "/stop", nil); err == nil {
		_ = resp.Body.Close()
	}
	<-grace.Done()
}

// follow reads events up to the last one.
func follow(r io.Reader, ready func(), observe func(loadgen.Progress), stopped func(*loadgen.StopError)) (map[string]*loadgen.Result, error) {
	d := json.NewDecoder(r)
	var stop *loadgen.StopError
	for begun := false; ; {
		var e event
		if err := d.Decode(&e); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("following the load: the connection to the load workload was lost before its results came: %w", err)
		}
		switch {
		case e.Ready && !begun:
			begun = true
			ready()
		case e.Progress != nil && !begun:
			return nil, errors.New("following the load: it began before it was told to; the load workload's image must be of the same version as the tool")
		}
		if e.Progress != nil && observe != nil {
			observe(*e.Progress)
		}
		if e.Stopped != nil {
			stop = e.Stopped
			if stopped != nil {
				stopped(stop)
			}
		}
		if e.Error != "" && stop != nil {
			return e.Results, stop
		}
		if e.Error != "" {
			return e.Results, fmt.Errorf("running the load: %s", e.Error)
		}
		if e.Results != nil {
			return e.Results, nil
		}
	}
}

// do sends one request; any status of 400 and above is an error with the
// agent's own words.
func (c *Client) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 400 {
		return resp, nil
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 4096)) // the status alone already says that it failed
	return nil, fmt.Errorf("the load workload answered %s: %s", resp.Status, strings.TrimSpace(string(said)))
}
