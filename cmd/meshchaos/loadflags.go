package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/internal/single"
	"github.com/meshchaos/meshchaos/report/fortio"
)

// fortioTimeout is that of a request where -timeout is 0, as fortio has it.
const fortioTimeout = 3 * time.Second

// mostPayload is the largest that -payload-size makes, as fortio has it by default.
const mostPayload = 256 << 10

// loadFlags are those of load, by fortio's names but for those of one letter.
type loadFlags struct {
	connections int
	requests    int64
	qps         float64
	lasts       time.Duration
	calcQPS     bool
	noCatchUp   bool
	uniform     bool
	jitter      bool
	initial     bool // errors are allowed
	abortOn     int
	procs       int

	method, contentType, user, resolve string
	header                             []string
	payload, payloadFile               string
	payloadSize                        int
	keepAlive, std, http2              bool
	insecure                           bool
	caCert, cert, key                  string // files
	timeout                            time.Duration

	percentiles string
	resolution  float64
	offset      time.Duration
	json        string
	save        bool
	dataDir     string
	labels      string
	runID       int64
	level       string
	quiet       bool

	expect []string
	caps   runner.Caps
}

// add adds the flags.
func (f *loadFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	f.addLoad(flags)
	f.addRequest(flags)
	f.addResult(flags)
	flags.StringArrayVar(&f.expect, "expect", nil, "what must hold, as in 'p99 < 300ms'; may be given again")
	flags.Float64Var(&f.caps.QPS, "max-qps", 0, fmt.Sprintf("requests a second at which the load is ended (default: %d where it leaves this machine, else none)", clusterQPS))
	flags.DurationVar(&f.caps.Duration, "max-duration", 0, fmt.Sprintf("how long the load may begin requests, before it is ended (default: %s where it leaves this machine, else any time)", strings.TrimSuffix(clusterDuration.String(), "0s")))
	addRefused(flags)
	for _, name := range []string{"expect", "header", "method", "content-type", "user", "resolve", "payload", "percentiles", "labels", "duration"} {
		complete(cmd, name, cobra.NoFileCompletions)
	}
	complete(cmd, "loglevel", cobra.FixedCompletions(fortioLevels(), cobra.ShellCompDirectiveNoFileComp))
}

// addLoad adds what is asked of the load as a whole.
func (f *loadFlags) addLoad(flags *pflag.FlagSet) {
	flags.IntVarP(&f.connections, "connections", "c", 4, "connections")
	flags.Float64Var(&f.qps, "qps", 8, "requests a second, of all connections together; 0: as fast as the answers come")
	flags.Int64VarP(&f.requests, "requests", "n", 0, "run for exactly so many requests instead of -t")
	f.lasts = 5 * time.Second
	flags.VarP((*longTime)(&f.lasts), "duration", "t", "how long to run; 0: until Ctrl-C")
	flags.BoolVar(&f.calcQPS, "calc-qps", false, "the rate at which -n requests take -t")
	flags.BoolVar(&f.noCatchUp, "nocatchup", false, "what was due while no connection was free is never begun")
	flags.BoolVar(&f.uniform, "uniform", false, "spread the requests of connections evenly: one schedule for all always does")
	flags.BoolVar(&f.jitter, "jitter", false, "begin each request up to a tenth of the wait for it sooner or later")
	flags.BoolVar(&f.initial, "allow-initial-errors", false, "go on if the first request of a connection, which is not counted, fails")
	flags.IntVar(&f.abortOn, "abort-on", 0, "the HTTP status that ends the load, -1 for what has no answer (default: none)")
	flags.IntVar(&f.procs, "gomaxprocs", 0, "how many processors to use (default: all)")
}

// addRequest adds what is asked of each request.
func (f *loadFlags) addRequest(flags *pflag.FlagSet) {
	flags.StringVarP(&f.method, "method", "X", "", "method (default: GET, or POST with a payload or -content-type)")
	flags.StringArrayVarP(&f.header, "header", "H", nil, "header field, as 'name: value'; may be given again")
	flags.StringVar(&f.contentType, "content-type", "", "the content's type; switches to POST")
	flags.StringVar(&f.payload, "payload", "", "what to send; switches to POST")
	flags.StringVar(&f.payloadFile, "payload-file", "", "file with what to send, instead of -payload")
	flags.IntVar(&f.payloadSize, "payload-size", 0, "how many random bytes to send, instead of -payload")
	flags.StringVar(&f.user, "user", "", "user:password, for basic authentication")
	flags.StringVar(&f.resolve, "resolve", "", "IP to connect to, instead of the host's")
	flags.DurationVar(&f.timeout, "timeout", fortioTimeout, "of a request, connecting included")
	flags.BoolVar(&f.keepAlive, "keepalive", true, "keep connections open from one request to the next")
	flags.BoolVar(&f.http2, "h2", false, "speak HTTP/2 and nothing else: of https:// by ALPN, of http:// from the first byte on")
	flags.BoolVarP(&f.insecure, "https-insecure", "k", false, "take any certificate of the server's")
	flags.StringVar(&f.caCert, "cacert", "", "file in PEM with who may have signed the server's certificate (default: whom this machine trusts)")
	flags.StringVar(&f.cert, "cert", "", "file in PEM with the certificate to show to the server")
	flags.StringVar(&f.key, "key", "", "file in PEM with the key of -cert")
	flags.BoolVar(&f.std, "stdclient", false, "read and write with Go's net/http, which is slower")
}

// addResult adds what becomes of the result.
func (f *loadFlags) addResult(flags *pflag.FlagSet) {
	flags.StringVarP(&f.percentiles, "percentiles", "p", "50,75,90,99,99.9", "percentiles to tell")
	flags.Float64VarP(&f.resolution, "resolution", "r", 0.001, "width of the first buckets that are told, in seconds")
	flags.DurationVar(&f.offset, "offset", 0, "where the buckets begin")
	flags.StringVar(&f.json, "json", "", "write the result into this file, as fortio does; -: to stdout")
	flags.BoolVarP(&f.save, "save", "a", false, "write the result into a file named after labels and time, in -data-dir")
	flags.StringVar(&f.dataDir, "data-dir", ".", "the folder for -a")
	flags.StringVar(&f.labels, "labels", "", "labels of the result (default: the URL and this machine)")
	flags.Int64Var(&f.runID, "runid", 0, "number of the run, in the result and its file's name")
	flags.StringVar(&f.level, "loglevel", "info", "how much to tell: of error and above counters instead of buckets")
	flags.BoolVarP(&f.quiet, quietFlag, "q", false, "no progress, and counters instead of buckets")
}

// fortioLevels are fortio's log levels.
func fortioLevels() []string {
	return []string{"debug", "verbose", "info", "warning", "error", "critical", "fatal"}
}

// read makes of the flags what is to be driven.
func (f *loadFlags) read(cmd *cobra.Command, url string) (*asked, error) {
	percentiles, err := fortio.ParsePercentiles(f.percentiles)
	if err != nil {
		return nil, fmt.Errorf("reading -p: %q is no list of percentiles; write numbers above 0 and below 100, with commas between them, as in 50,99,99.9", f.percentiles)
	}
	if f.resolution <= 0 {
		return nil, fmt.Errorf("reading -r: buckets are %gs wide; write a width above 0", f.resolution)
	}
	level := slices.Index(fortioLevels(), strings.ToLower(f.level))
	if level < 0 {
		return nil, fmt.Errorf("reading -loglevel: %q is none; %s", f.level, nearest.Hint(f.level, fortioLevels()))
	}
	if f.user != "" && !strings.Contains(f.user, ":") {
		return nil, errors.New("reading -user: it takes user:password")
	}
	plan, err := f.plan(url)
	if err != nil {
		return nil, err
	}
	a := &asked{Load: single.Load{Plan: plan.Literally()}} // as fortio sends it: no values are filled in
	if a.Expect, err = single.Compile(*plan, f.expect); err != nil {
		return nil, fmt.Errorf("reading --expect: %w", err)
	}
	a.words = fortio.Load{
		Plan: *plan, Labels: f.labels, RunID: f.runID, Percentiles: percentiles, Resolution: f.resolution, Offset: f.offset,
		CACert: f.caCert, Cert: f.cert, Key: f.key,
		Uniform: f.uniform, Brief: f.quiet || level >= slices.Index(fortioLevels(), "error"), User: f.user != "", Method: f.method, Version: version(),
	}
	return a, nil
}

// longTime is a time that may have days and weeks, as fortio's -t.
type longTime time.Duration

var daysAndWeeks = regexp.MustCompile(`^(?:(\d+)w)?(?:(\d+)d)?(.*)$`)

// Set implements pflag.Value.
func (t *longTime) Set(text string) error {
	const day = 24 * time.Hour
	parts := daysAndWeeks.FindStringSubmatch(text)
	weeks, _ := strconv.Atoi(parts[1]) // they are digits, or nothing
	days, _ := strconv.Atoi(parts[2])
	var rest time.Duration
	if parts[3] != "" || text == "" {
		var err error
		if rest, err = time.ParseDuration(parts[3]); err != nil {
			return err
		}
	}
	*t = longTime(time.Duration(7*weeks+days)*day + rest)
	return nil
}

// String implements pflag.Value.
func (t *longTime) String() string { return time.Duration(*t).String() }

// Type implements pflag.Value.
func (t *longTime) Type() string { return "duration" }
