package agent

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

const (
	// stopGrace is how long an interrupted load's results are waited for.
	stopGrace = 2 * time.Second

	// silenceLimit is how long nothing may be heard of an agent, which tells that it is there
	// every second: an API server may be away in between, and one that hangs is never seen to
	// be gone.
	silenceLimit = 30 * time.Second
	// firstLimit is how long that may take before the first answer to a load, whose plans may
	// be long.
	firstLimit = time.Minute
)

// Client asks an agent for load.
type Client struct {
	HTTP *http.Client
	Base string // http://127.0.0.1:15990, without a slash at its end

	silence, first time.Duration // after which an agent is given up; 0: silenceLimit and firstLimit
}

// silentError is the cause of a request that ends because nothing was heard.
type silentError struct{ limit time.Duration }

func (e silentError) Error() string {
	return fmt.Sprintf("nothing was heard of it for %s or more, though its connection is there: it hangs, or what lies between; look at its node, and run again", e.limit)
}

// Ready says whether the agent answers.
func (c *Client) Ready(ctx context.Context) error {
	resp, err := c.ask(ctx, http.MethodGet, "/healthz")
	if err != nil {
		return fmt.Errorf("asking the load workload whether it is ready: %w", err)
	}
	return resp.Body.Close()
}

// Idle says whether the agent answers and no load runs.
func (c *Client) Idle(ctx context.Context) error {
	resp, err := c.ask(ctx, http.MethodGet, "/idle")
	if err != nil {
		return fmt.Errorf("asking the load workload whether it is idle: %w", err)
	}
	return resp.Body.Close()
}

// Over tells the agent that a cohort of the load that runs has been there for as long
// as it was to: its requests in flight finish, and none begin.
func (c *Client) Over(ctx context.Context, cohort string) error {
	resp, err := c.ask(ctx, http.MethodPost, "/over?cohort="+url.QueryEscape(cohort))
	if err != nil {
		return fmt.Errorf("ending the load %s: %w", cohort, err)
	}
	return resp.Body.Close()
}

// Handlers hear of a load while it runs, from the goroutine that waits for it. All but
// Begin may be nil.
type Handlers struct {
	// Begin is called when all are logged in and warmed up, and the requests that count
	// wait for it, until the time that it returns; the zero time: they begin at once. Its
	// error ends the load and is returned.
	Begin func(context.Context) (time.Time, error)

	Timed bool // Begin returns a time, for which the clocks are compared before it is called

	Observe func(loadgen.Progress)           // about five times a second for each cohort
	SoFar   func(map[string]*loadgen.Result) // where Request.Tell asks for it
	Stopped func(*loadgen.StopError)         // a bound was exceeded; the error is this one then
}

// Load runs plans beside each other where the agent is, and returns what each cohort saw.
//
// When ctx ends the load is stopped; what was seen so far is returned with
// ctx's error if it arrives within two seconds, else nil is. An error says
// whether the load was refused, failed, or was lost sight of with the
// connection; results that come with an error are partial.
func (c *Client) Load(ctx context.Context, asked Request, h Handlers) (map[string]*loadgen.Result, error) {
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
	request, abandon := context.WithCancelCause(context.WithoutCancel(ctx))
	cancel := func() { abandon(nil) }
	defer cancel()
	defer context.AfterFunc(running, func() { c.stop(request, cancel) })()
	limit := cmp.Or(c.silence, silenceLimit)
	silence := time.AfterFunc(cmp.Or(c.first, firstLimit), func() { abandon(silentError{limit}) })
	defer silence.Stop()
	resp, err := c.do(request, http.MethodPost, "/load", body)
	if err != nil {
		return nil, interrupted(ctx, fmt.Errorf("starting the load: %w", silent(request, err)))
	}
	defer resp.Body.Close()
	var refused error
	results, err := follow(request, resp.Body, func() { silence.Reset(limit) }, func() {
		silence.Stop() // what the agent says meanwhile is read afterwards
		defer silence.Reset(limit)
		if refused = c.begin(running, h); refused != nil {
			giveUp()
		}
	}, h)
	if refused != nil {
		err = refused
	}
	return results, interrupted(ctx, err)
}

// begin lets the load that is ready go on, once begin has returned.
func (c *Client) begin(ctx context.Context, h Handlers) error {
	var ahead time.Duration
	var err error
	if h.Timed {
		if ahead, err = c.ahead(ctx); err != nil {
			return fmt.Errorf("beginning the load: %w", err)
		}
	}
	at, err := h.Begin(ctx)
	if err != nil {
		return err
	}
	path := "/begin"
	if !at.IsZero() {
		path += fmt.Sprintf("?at=%d", at.Add(ahead).UnixNano())
	}
	resp, err := c.ask(ctx, http.MethodPost, path)
	if err != nil {
		return fmt.Errorf("beginning the load: %w", err)
	}
	return resp.Body.Close()
}

// clockLooks is how often the agent's clock is looked at: the quickest answer tells best.
const clockLooks = 5

// ahead is by how much the agent's clock is ahead of this one, to half of what the quickest
// answer takes (F. Cristian, "Probabilistic clock synchronization", 1989).
func (c *Client) ahead(ctx context.Context) (ahead time.Duration, err error) {
	quickest := time.Duration(math.MaxInt64)
	for range clockLooks {
		asked := time.Now()
		resp, err := c.ask(ctx, http.MethodGet, "/clock")
		if err != nil {
			return 0, fmt.Errorf("asking the load workload for the time: %w", err)
		}
		took := time.Since(asked)
		var there int64
		_, err = fmt.Fscan(resp.Body, &there)
		_ = resp.Body.Close()
		if err != nil {
			return 0, fmt.Errorf("asking the load workload for the time: %w", err)
		}
		if took < quickest {
			quickest, ahead = took, time.Unix(0, there).Sub(asked.Add(took/2))
		}
	}
	return ahead, nil
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

// silent returns why a request was given up, where nothing was heard of its agent: whatever
// else went wrong then followed from that.
func silent(request context.Context, err error) error {
	var why silentError
	if errors.As(context.Cause(request), &why) {
		return why
	}
	return err
}

// follow reads events of a request up to the last one, and tells heard of each.
func follow(request context.Context, r io.Reader, heard, ready func(), h Handlers) (map[string]*loadgen.Result, error) {
	d := json.NewDecoder(r)
	var stop *loadgen.StopError
	for begun := false; ; {
		var e event
		if err := d.Decode(&e); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			if why := silent(request, nil); why != nil {
				return nil, fmt.Errorf("following the load: %w", why)
			}
			return nil, fmt.Errorf("following the load: the connection to the load workload was lost before its results came: %w", err)
		}
		heard()
		switch {
		case e.Ready && !begun:
			begun = true
			ready()
		case e.Progress != nil && !begun:
			return nil, errors.New("following the load: it began before it was told to; the load workload's image must be of the same version as the tool")
		}
		if e.Progress != nil && h.Observe != nil {
			h.Observe(*e.Progress)
		}
		if e.SoFar != nil && h.SoFar != nil {
			h.SoFar(e.SoFar)
		}
		if e.Stopped != nil {
			stop = e.Stopped
			if h.Stopped != nil {
				h.Stopped(stop)
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

// ask does so with a request that is answered at once, by an agent that does not hang.
func (c *Client) ask(ctx context.Context, method, path string) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	limit := cmp.Or(c.silence, silenceLimit)
	defer time.AfterFunc(limit, func() { cancel(silentError{limit}) }).Stop()
	resp, err := c.do(ctx, method, path, nil)
	if err != nil {
		err = silent(ctx, err)
		cancel(nil)
		return nil, err
	}
	resp.Body = &ending{resp.Body, cancel}
	return resp, nil
}

// ending is the body of an answer whose context ends with it.
type ending struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (e *ending) Close() error {
	defer e.cancel(nil)
	return e.ReadCloser.Close()
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
