package fortio

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"fortio.org/fortio/fhttp"
	"fortio.org/fortio/jrpc"
	"fortio.org/fortio/periodic"
	"fortio.org/fortio/stats"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// Load is a load that is no scenario's, asked for as of fortio load.
type Load struct {
	Plan        loadgen.Plan
	Labels      string // empty: the URL without its scheme, and this machine
	RunID       int64
	Percentiles []float64 // above 0, below 100
	Resolution  float64   // of the buckets, in seconds; 0: fortio's
	Offset      time.Duration
	Uniform     bool   // as it was asked; one schedule always is
	Brief       bool   // counters rather than buckets are printed, as by fortio -quiet
	User        bool   // there are credentials, which are shown to nobody
	Method      string // as it was asked for; empty: the one that goes with the content
	CACert      string // the files that the plan's TLS was read from, as they were named
	Cert, Key   string
	Version     string // of this program
}

// Begin prints what fortio load does before its load.
func (l *Load) Begin(w io.Writer, procs int) {
	p := &l.Plan
	fmt.Fprintf(w, "meshchaos %s running at %g queries per second, %d->%d procs, %s: %s\n", l.Version, p.QPS, procs, runtime.GOMAXPROCS(0), l.lasting(), p.HTTP.URL)
	if l.Brief {
		return
	}
	rate := "max qps"
	if p.QPS > 0 {
		rate = fmt.Sprintf("%g qps", p.QPS)
	}
	fmt.Fprintf(w, "Starting at %s with %d thread(s) [gomax %d] %s%s\n", rate, p.Connections, runtime.GOMAXPROCS(0), l.exactly(), l.shares())
}

// lasting is how long the load is to last, as fortio's first line has it.
func (l *Load) lasting() string {
	switch {
	case l.Plan.Requests > 0:
		return fmt.Sprintf("for %d calls", l.Plan.Requests)
	case l.Plan.Duration.Duration > 0:
		return "for " + l.Plan.Duration.String()
	}
	return "until interrupted"
}

// exactly is the same, as the next line has it.
func (l *Load) exactly() string {
	if l.Plan.Requests > 0 {
		return "for " + l.requested()
	}
	return l.lasting()
}

// requested is the same, as results have it.
func (l *Load) requested() string {
	switch {
	case l.Plan.Requests > 0:
		return fmt.Sprintf("exactly %d calls", l.Plan.Requests)
	case l.Plan.Duration.Duration > 0:
		return l.Plan.Duration.String()
	}
	return "until stop"
}

// shares is how the requests of a closed loop are shared by the connections. Those of a
// schedule are begun on whichever is free.
func (l *Load) shares() string {
	switch p := &l.Plan; {
	case p.Requests > 0 && p.QPS == 0:
		n := int64(p.Connections)
		return fmt.Sprintf(" (%d per thread + %d)", p.Requests/n, p.Requests%n)
	case p.Requests == 0 && p.QPS > 0 && p.Duration.Duration > 0:
		return fmt.Sprintf(" : %d calls", int64(math.Ceil(p.QPS*p.Duration.Seconds())))
	}
	return ""
}

// Result is what fortio would have of a load. What the load generator does not know is
// empty: sockets one by one, addresses, sizes, how long connecting took.
func (l *Load) Result(seen *loadgen.Result) *fhttp.HTTPRunnerResults {
	p := &l.Plan
	named := periodic.RunnerOptions{Labels: l.labels(), RunID: l.RunID}
	named.GenID()
	all := l.histogram(seen.Response)
	of := &fhttp.HTTPRunnerResults{RetCodes: map[int]int64{}, SocketCount: seen.Dialed, AbortOn: p.AbortOn}
	of.RunnerResults = periodic.RunnerResults{
		RunType: "HTTP", Labels: named.Labels, StartTime: seen.Started, RequestedQPS: "max", RequestedDuration: l.requested(),
		ActualDuration: seen.Elapsed.Duration, NumThreads: p.Connections, Version: "meshchaos " + l.Version,
		DurationHistogram: all, ErrorsDurationHistogram: l.histogram(seen.NotOK),
		Exactly: p.Requests, Jitter: p.Jitter, Uniform: l.Uniform, NoCatchUp: p.NoCatchUp, RunID: l.RunID, ID: named.ID,
	}
	for _, o := range seen.Outcomes {
		of.RetCodes[codeOf(o)] += o.Count
	}
	if p.QPS > 0 {
		of.RequestedQPS = fmt.Sprintf("%.9g", p.QPS)
	}
	if took := seen.Elapsed.Seconds(); took > 0 {
		of.ActualQPS = float64(all.Count) / took
	}
	if p.Requests > 0 && all.Count != p.Requests {
		of.RequestedDuration += fmt.Sprintf(", interrupted after %d", all.Count)
	}
	if seen.Failure != "" {
		of.ServerReply = jrpc.ServerReply{Error: true, Message: "the load could not be carried out", Exception: seen.Failure}
	}
	of.HTTPOptions = l.options()
	return of
}

// options are those of fortio's client that a plan has.
func (l *Load) options() (o fhttp.HTTPOptions) {
	p := &l.Plan
	o.URL, o.NumConnections, o.HTTPReqTimeOut = p.HTTP.URL, p.Connections, p.Timeout.Duration
	o.MethodOverride, o.Payload, o.DisableKeepAlive = l.Method, []byte(p.HTTP.Body), p.HTTP.Close
	for name, value := range p.HTTP.Header {
		if strings.EqualFold(name, "content-type") {
			o.ContentType = value
		}
	}
	o.H2 = p.HTTP.HTTP2
	o.DisableFastClient = p.Engine == loadgen.EngineNetHTTP || o.H2
	o.TLSOptions = fhttp.TLSOptions{Insecure: p.TLS != nil && p.TLS.InsecureSkipVerify, CACert: l.CACert, Cert: l.Cert, Key: l.Key}
	o.Offset, o.Resolution = l.Offset, cmp.Or(l.Resolution, resolution)
	if l.User {
		o.UserCredentials = report.Mask
	}
	if p.HTTP.Connect != "" {
		o.Resolve = strings.Trim(p.HTTP.Connect[:strings.LastIndex(p.HTTP.Connect, ":")], "[]")
	}
	return o
}

// labels are those that were given, or fortio's.
func (l *Load) labels() string {
	if l.Labels != "" {
		return l.Labels
	}
	machine, _ := os.Hostname()
	machine, _, _ = strings.Cut(machine, ".")
	return strings.TrimPrefix(strings.TrimPrefix(l.Plan.HTTP.URL, "http://"), "https://") + " , " + machine
}

// histogram is one of fortio's, as the load has it told.
func (l *Load) histogram(of *loadgen.Histogram) *stats.HistogramData {
	return histogramOf(of, l.Offset, cmp.Or(l.Resolution, resolution), l.Percentiles)
}

// codeOf is fortio's code of an outcome.
func codeOf(o loadgen.Outcome) int {
	if o.Error != "" {
		return failed
	}
	return o.Status
}

// Summarize prints what fortio load does after its load.
func (l *Load) Summarize(w io.Writer, seen *loadgen.Result) {
	of := l.Result(seen)
	all := of.DurationHistogram
	if !l.Brief {
		fmt.Fprintf(w, "Ended after %v : %d calls. qps=%.5g\n", of.ActualDuration, all.Count, of.ActualQPS)
	}
	warnLate(w, seen)
	l.print(w, "Aggregated Function Time", all)
	if l.Plan.QPS > 0 && all.Count > 0 {
		printService(w, l.histogram(seen.Service))
	}
	l.print(w, errorCases, of.ErrorsDurationHistogram)
	fmt.Fprintf(w, "Sockets used: %d (for perfect keepalive, would be %d)\n", of.SocketCount, l.Plan.Connections)
	fmt.Fprintf(w, "Uniform: %t, Jitter: %t, Catchup allowed: %t\n", of.Uniform, of.Jitter, !of.NoCatchUp)
	for _, code := range slices.Sorted(maps.Keys(of.RetCodes)) {
		fmt.Fprintf(w, "Code %3d : %d (%.1f %%)\n", code, of.RetCodes[code], 100*float64(of.RetCodes[code])/float64(seen.Sent))
	}
	printErrors(w, seen)
	fmt.Fprintf(w, "All done %d calls (plus %d warmup) %.3f ms avg, %.1f qps\n", all.Count, seen.Warmup, 1000*all.Avg, of.ActualQPS)
}

// warnLate says what of a schedule was not kept: fortio says how often it slept too long.
func warnLate(w io.Writer, seen *loadgen.Result) {
	if seen.Late > 0 {
		fmt.Fprintf(w, "WARNING %.2f%% of requests were begun more than 10 ms late; their times are from when they were due\n", 100*float64(seen.Late)/float64(seen.Sent))
	}
	if seen.Missed > 0 {
		fmt.Fprintf(w, "WARNING %s due and never begun\n", plural.Were(seen.Missed, "request"))
	}
}

// print prints a histogram as fortio does, or as fortio -quiet does.
func (l *Load) print(w io.Writer, name string, of *stats.HistogramData) {
	if !l.Brief {
		of.Print(w, name)
		return
	}
	printCounter(w, name, of)
	if name == errorCases { // of which fortio -quiet prints no more
		return
	}
	for _, p := range of.Percentiles {
		fmt.Fprintf(w, "# target %g%% %.6g\n", p.Percentile, p.Value)
	}
}

// errorCases is what fortio calls those requests that were not answered by 2xx, or by 418.
const errorCases = "Error cases"

func printCounter(w io.Writer, name string, of *stats.HistogramData) {
	fmt.Fprintf(w, "%s : count %d avg %.8g +/- %.4g min %g max %g sum %.9g\n", name, of.Count, of.Avg, of.StdDev, of.Min, of.Max, of.Sum)
}

// printService prints how long requests took from when each was sent, which is what fortio
// tells alone, in words that nobody takes for those of the whole.
func printService(w io.Writer, service *stats.HistogramData) {
	printCounter(w, "Service time, from when each was sent", service)
	for _, p := range service.Percentiles {
		fmt.Fprintf(w, "# service %g%% %.6g\n", p.Percentile, p.Value)
	}
}

// printErrors says what stands behind fortio's -1.
func printErrors(w io.Writer, seen *loadgen.Result) {
	kinds := map[string]int64{}
	for _, o := range seen.Outcomes {
		if o.Error != "" {
			kinds[o.Error] += o.Count
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(w, "# Code %d, %s : %d\n", failed, kind, kinds[kind])
	}
}

// JSON is a result as fortio writes it.
func (l *Load) JSON(seen *loadgen.Result) (text []byte, id string, err error) {
	of := l.Result(seen)
	text, err = json.MarshalIndent(of, "", "  ")
	if err != nil {
		return nil, "", fmt.Errorf("writing the load as a result of fortio: %w", err)
	}
	return append(text, '\n'), of.RunnerResults.ID, nil
}

// ParsePercentiles reads a list as fortio's -p has it.
func ParsePercentiles(text string) ([]float64, error) { return stats.ParsePercentiles(text) }
