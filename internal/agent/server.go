// Package agent lets a run drive load from inside a cluster, or by processes of this
// machine: a small server in the load workload's pod or the process, the client that
// reaches it, and a Group of several that drive one load.
//
// The server listens on the pod's loopback only, so nobody but those who may
// open a tunnel to the pod can ask it for load, and in a process on a socket of its
// user's. A load lives no longer than the request that asked for it, and than an hour
// unless that says otherwise. The package may import loadgen and internal/check.
package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// Port is the loopback port that the agent listens on in its pod. Istio's own
// ports end at 15090, and its sidecar leaves loopback traffic alone.
const Port = 15990

const (
	maxPlans      = 16 << 20 // bytes of plans that one request may carry
	writeTimeout  = 10 * time.Second
	shutdownGrace = 2 * time.Second
	// beginTimeout bounds how long a load that is ready waits to be begun: a
	// client behind a tunnel that was cut is not always seen to be gone.
	beginTimeout = 10 * time.Minute
	beatEvery    = time.Second // an answer to POST /load says that the agent is there
)

// event is one line of the answer to POST /load. The last line, and no other,
// has Results or Error; a line with Ready comes before all with Progress. One that
// has nothing says that the agent is there.
type event struct {
	Ready    bool                       `json:"ready,omitempty"` // POST /begin is waited for
	Progress *loadgen.Progress          `json:"progress,omitempty"`
	SoFar    map[string]*loadgen.Result `json:"soFar,omitempty"`   // what each cohort has seen, without what only an end shows
	Stopped  *loadgen.StopError         `json:"stopped,omitempty"` // a bound was exceeded: the load is being ended
	Results  map[string]*loadgen.Result `json:"results,omitempty"`
	Error    string                     `json:"error,omitempty"`
}

// Serve answers on l until ctx ends, and returns nil then; a load that is
// running ends too, and what it saw is still sent.
//
//   - POST /load takes a Request as JSON and runs its plans; the answer is a stream
//     of JSON lines. It is refused with 409 while another load runs, and ends when
//     the client goes away, or when one of its bounds is exceeded, whether anybody
//     hears of that or not. When all connections are logged in and warmed up, it
//     says so and waits.
//   - POST /begin lets the load that waits go on, with ?at=NANOSECONDS since 1970 when
//     the clock is there; 409 if none does. One that waits for ten minutes ends with an
//     error.
//   - GET /clock answers with the time, in nanoseconds since 1970.
//   - POST /over?cohort=NAME ends a cohort of the load that runs as one ends that
//     runs while another does: requests in flight finish; 409 if no load has begun.
//   - POST /stop ends the load that runs, whose results are sent at once.
//   - POST /take?by=NAME takes the agent for a minute, unless it is another's, and
//     answers whose it is; POST /leave?by=NAME leaves it.
//   - GET /idle answers 204, and 409 while a load runs.
//   - GET /healthz answers 200.
func Serve(ctx context.Context, l net.Listener) error {
	s, whose := &server{}, &taking{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /load", s.load)
	mux.HandleFunc("POST /begin", s.begin)
	mux.HandleFunc("POST /over", s.over)
	mux.HandleFunc("POST /stop", s.stop)
	mux.HandleFunc("POST /take", whose.take)
	mux.HandleFunc("POST /leave", whose.leave)
	mux.HandleFunc("GET /idle", s.idle)
	mux.HandleFunc("GET /clock", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, time.Now().UnixNano()) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	srv := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving the load agent on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if srv.Shutdown(grace) != nil {
		_ = srv.Close() // the grace is over: whoever still reads is cut off
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the load agent on %s: %w", l.Addr(), err)
	}
	return nil
}

const busy = "another load is running"

// server holds the one load that may run.
type server struct {
	mu     sync.Mutex
	cancel context.CancelFunc // ends the load that runs; nil when none does
	ready  chan time.Time     // takes when the load that is ready begins; nil when none is
	ending chan string        // takes the cohorts of the load that runs which are over; nil when none does
}

func (s *server) start(cancel context.CancelFunc) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		return false
	}
	s.cancel, s.ending = cancel, make(chan string)
	return true
}

func (s *server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel, s.ready, s.ending = nil, nil, nil
}

// wait waits until a load that is ready may begin, and returns when it is to; the zero
// time: at once.
func (s *server) wait(ctx context.Context, out *lines) (time.Time, error) {
	begun := make(chan time.Time, 1)
	s.mu.Lock()
	s.ready = begun
	s.mu.Unlock()
	out.write(event{Ready: true})
	ctx, cancel := context.WithTimeoutCause(ctx, beginTimeout,
		fmt.Errorf("it was ready and not begun within %s; run again", beginTimeout))
	defer cancel()
	select {
	case at := <-begun:
		return at, nil
	case <-ctx.Done():
		return time.Time{}, context.Cause(ctx)
	}
}

func (s *server) begin(w http.ResponseWriter, r *http.Request) {
	var at time.Time
	if text := r.FormValue("at"); text != "" {
		nanoseconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			http.Error(w, "at is no number of nanoseconds", http.StatusBadRequest)
			return
		}
		at = time.Unix(0, nanoseconds)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready == nil {
		http.Error(w, "no load is ready to begin", http.StatusConflict)
		return
	}
	s.ready <- at
	s.ready = nil
	w.WriteHeader(http.StatusNoContent)
}

func (s *server) over(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	ending := s.ending
	s.mu.Unlock()
	if ending == nil {
		http.Error(w, "no load runs", http.StatusConflict)
		return
	}
	timeout, cancel := context.WithTimeout(r.Context(), writeTimeout)
	defer cancel()
	select {
	case ending <- r.URL.Query().Get("cohort"): // once it has begun
		w.WriteHeader(http.StatusNoContent)
	case <-timeout.Done():
		http.Error(w, "the load has not begun, or has ended", http.StatusConflict)
	}
}

func (s *server) stop(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		s.cancel()
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *server) idle(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		http.Error(w, busy, http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *server) load(w http.ResponseWriter, r *http.Request) {
	asked, err := readRequest(http.MaxBytesReader(w, r.Body, maxPlans))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if !s.start(cancel) {
		http.Error(w, busy, http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := lines{w: w, cancel: cancel}
	asked.bounds.Over = s.ending // only start and end, of this very load, change it
	asked.bounds.Stopped = func(stop *loadgen.StopError) { out.write(event{Stopped: stop}) }
	if asked.Tell {
		asked.telling(func(soFar map[string]*loadgen.Result) { out.write(event{SoFar: soFar}) })
	}
	leave := out.beat(ctx)
	begin := asked.begun(func(ctx context.Context) (time.Time, error) { return s.wait(ctx, &out) })
	results, err := loadgen.RunGroup(ctx, asked.Plans, asked.bounds, begin, func(p loadgen.Progress) { out.write(event{Progress: &p}) })
	leave()
	s.end() // before the last line: whoever has read that may ask for the next load at once
	last := event{Results: results}
	if err != nil {
		last.Error = err.Error()
	}
	out.write(last)
}

// lines writes events to a client, and ends the load once that fails.
type lines struct {
	w      http.ResponseWriter
	cancel context.CancelFunc
	mu     sync.Mutex
}

// beat writes that the agent is there every second, until what it returns is called.
func (l *lines) beat(ctx context.Context) (leave func()) {
	ctx, cancel := context.WithCancel(ctx)
	var beating sync.WaitGroup
	beating.Go(func() {
		beats := time.NewTicker(beatEvery)
		defer beats.Stop()
		for {
			select {
			case <-beats.C:
				l.write(event{})
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { cancel(); beating.Wait() }
}

func (l *lines) write(e event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	control := http.NewResponseController(l.w)
	err := control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err == nil {
		err = json.NewEncoder(l.w).Encode(e)
	}
	if err == nil {
		err = control.Flush()
	}
	if err != nil {
		l.cancel()
	}
}
