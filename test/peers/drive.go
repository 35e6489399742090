package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"time"

	"fortio.org/fortio/fhttp"
	"fortio.org/fortio/periodic"
	"fortio.org/log"

	"github.com/meshchaos/meshchaos/loadgen"
)

// told is what a driver tells of its load.
type told struct {
	P99    time.Duration  `json:"p99"`
	Lag    *time.Duration `json:"lag,omitempty"` // p99 of how late it was itself; nil: it does not know
	Allocs float64        `json:"allocs"`        // a request, with those before the first
}

// toldOf reads it.
func toldOf(said []byte) (t told, err error) {
	if err := json.Unmarshal(said, &t); err != nil {
		return told{}, fmt.Errorf("%q is nothing that a driver tells: %w", said, err)
	}
	return t, nil
}

// paced is a load of which a driver knows the end.
type paced struct {
	url         string
	connections int
	lasts       time.Duration
	rate        int // requests a second; 0: as fast as the answers come
}

// requests is how many it has; 0: nobody knows.
func (p paced) requests() int64 { return int64(float64(p.rate) * p.lasts.Seconds()) }

// drive carries out a load by one of the two generators that are packages of Go, in this
// process, and says what it tells. Its arguments are the driver, the URL, how many
// connections, for how long, and the rate.
func drive(out io.Writer, args []string) error {
	if len(args) != 5 {
		return fmt.Errorf("driving a load: there are %d arguments, and not 5", len(args))
	}
	connections, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	lasts, err := time.ParseDuration(args[3])
	if err != nil {
		return err
	}
	rate, err := strconv.Atoi(args[4])
	if err != nil {
		return err
	}
	by := driveLoadgen
	if args[0] == "fortio" {
		by = driveFortio
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	t, sent, err := by(paced{args[1], connections, lasts, rate})
	if err != nil {
		return err
	}
	runtime.ReadMemStats(&after)
	t.Allocs = float64(after.Mallocs-before.Mallocs) / float64(max(sent, 1))
	return json.NewEncoder(out).Encode(t)
}

// driveLoadgen records all that a run does.
func driveLoadgen(p paced) (t told, sent int64, err error) {
	plan := loadgen.Plan{
		HTTP: &loadgen.HTTP{Method: "GET", URL: p.url}, Connections: p.connections,
		QPS: float64(p.rate), Requests: p.requests(),
	}
	if p.rate == 0 {
		plan.Duration = loadgen.Duration{Duration: p.lasts}
	}
	all, err := loadgen.RunGroup(context.Background(), map[string]loadgen.Plan{"load": plan}, loadgen.Bounds{}, nil, nil)
	if err != nil {
		return told{}, 0, err
	}
	seen := all["load"]
	if seen.Failure != "" {
		return told{}, 0, errors.New(seen.Failure)
	}
	if failed := seen.Count(loadgen.Outcome.Failed); failed > 0 {
		return told{}, 0, fmt.Errorf("%d of %d requests failed: %v", failed, seen.Sent, seen.Outcomes)
	}
	t.P99, _ = seen.Response.Quantile(0.99)
	if lag, ok := seen.Lag.Quantile(0.99); ok && p.rate > 0 {
		t.Lag = &lag
	}
	return t, seen.Sent, nil
}

// driveFortio drives it as fortio's command line does.
func driveFortio(p paced) (t told, sent int64, err error) {
	log.SetLogLevelQuiet(log.Error)
	size, err := strconv.Atoi(p.url[strings.LastIndex(p.url, "/")+1:])
	if err != nil {
		return told{}, 0, err
	}
	fhttp.BufferSizeKb = max(fhttp.BufferSizeKb, 2*size/1000) // -httpbufferkb: it gives up what is longer
	o := &fhttp.HTTPRunnerOptions{RunnerOptions: periodic.RunnerOptions{
		QPS: -1, NumThreads: p.connections, Percentiles: []float64{99}, Out: io.Discard, Stop: periodic.NewAborter(),
	}}
	if o.URL = p.url; p.rate == 0 {
		o.Duration = p.lasts
	} else {
		o.QPS, o.Exactly = float64(p.rate), p.requests()
	}
	o.HTTPReqTimeOut = 10 * time.Second
	seen, err := fhttp.RunHTTPTest(o)
	if err != nil {
		return told{}, 0, err
	}
	if count := seen.DurationHistogram.Count; seen.RetCodes[200] != count {
		return told{}, 0, fmt.Errorf("not all of %d requests ended well: %v", count, seen.RetCodes)
	}
	t.P99 = time.Duration(seen.DurationHistogram.Percentiles[0].Value * float64(time.Second))
	return t, seen.DurationHistogram.Count, nil
}
