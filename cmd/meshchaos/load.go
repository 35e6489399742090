package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/internal/single"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/fortio"
)

// loadCommand is the name of the command.
const loadCommand = "load"

func newLoad() *cobra.Command {
	var f loadFlags
	cmd := &cobra.Command{
		Use:   loadCommand + " [flags] URL",
		Short: "Drive load at a URL, as fortio load does",
		Long: `Drive load at a URL, with fortio's flags and in its words, and without a mesh.

A flag that fortio load has is taken with its meaning, behind one dash or two,
or refused with what to do instead. Times count from when a request was due, so
that a stall is seen in the percentiles; Ctrl-C ends the load and tells what
came of it. As with fortio the words go to stderr, and -json - to stdout.

Exit status: 0 the load was driven, and what was expected held; 1 it did not, or
-abort-on came true; 2 bad usage; 3 the load could not be driven, or what it has
shown is inconclusive.`,
		Example:           "  meshchaos load -c 16 -qps 1000 -t 30s http://localhost:8080/\n  meshchaos load -qps 0 -n 100000 -json - http://localhost:8080/ > result.json\n  meshchaos load -qps 100 -t 1m --expect 'p99 < 300ms' http://web.shop/",
		Args:              arguments(1, 1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.add(cmd)
	return cmd
}

// asked is a load that is to be driven, and how it is told of.
type asked struct {
	single.Load
	words fortio.Load
}

// run drives the load and tells of it.
func (f *loadFlags) run(cmd *cobra.Command, url string) error {
	a, err := f.read(cmd, url)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGPIPE)
	to := streamsOf(cmd)
	if err := f.canKeep(); err != nil {
		return err
	}
	if err := f.cap(cmd, a, to.err); err != nil {
		return err
	}
	a.words.Begin(to.err, runtime.GOMAXPROCS(f.procs))
	view := newProgress(to.progress())
	view.phase(wordPhase(a.words.Plan))
	defer view.end()
	uninterrupted := context.AfterFunc(cmd.Context(), func() {
		view.hold("interrupted: waiting for requests in flight to end; Ctrl-C gives them up")
	})
	seen, err := a.Run(cmd.Context(), hurry(cmd.Context()), view.load)
	uninterrupted()
	view.end()
	if seen == nil {
		return unbegun(to.err, a, err)
	}
	a.words.Summarize(to.err, seen)
	remarkRefusal(to.err, a, seen)
	remarkOther(to.err, seen)
	if err := f.keep(to, a, seen); err != nil {
		return &runError{err}
	}
	return f.conclude(cmd.Context(), to.err, a, seen, err)
}

// wordPhase words the load as a phase of its own, with how many requests it is where those end
// it.
func wordPhase(p loadgen.Plan) string {
	if p.Requests > 0 {
		return fmt.Sprintf("load of %s by %s", p.HTTP.URL, plural.Of(p.Requests, "request"))
	}
	return "load of " + p.HTTP.URL
}

// unbegun says of a load that was not driven why, and returns what the exit status is of.
func unbegun(stderr io.Writer, a *asked, err error) error {
	err = fmt.Errorf("driving load at %s: %w", a.words.Plan.HTTP.URL, advised(a.Plan, err))
	var failed *single.FailedError
	if !errors.As(err, &failed) || !failed.Aborted {
		return &runError{err}
	}
	remark(stderr, err.Error())
	remarkAborted(stderr, a.Plan.AbortOn)
	return &verdictError{exitFail}
}

// advised says what can be done about a load that was not driven.
func advised(plan loadgen.Plan, err error) error {
	var failed *single.FailedError
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted before its first request")
	case errors.As(err, &failed) && failed.Refusal != nil:
		return fmt.Errorf("%w; %s", err, adviseTLS(failed.Refusal, plan.HTTP.HTTP2))
	case plan.Prime && !plan.AllowInitialErrors:
		return fmt.Errorf("%w; see to the service, or write -allow-initial-errors", err)
	}
	return err
}

// cap bounds a load that does not stay on this machine, as one on a cluster is bounded, and
// says so.
func (f *loadFlags) cap(cmd *cobra.Command, a *asked, stderr io.Writer) error {
	qps, duration := cmd.Flags().Changed("max-qps"), cmd.Flags().Changed("max-duration")
	switch {
	case qps && !(f.caps.QPS > 0):
		return fmt.Errorf("reading --max-qps: it takes a number above 0, not %g", f.caps.QPS)
	case duration && f.caps.Duration <= 0:
		return fmt.Errorf("reading --max-duration: it takes a time above 0s, not %v", f.caps.Duration)
	}
	a.QPS, a.Longest = f.caps.QPS, f.caps.Duration
	here, err := single.Loopback(cmd.Context(), a.Plan)
	if err != nil {
		return &runError{err}
	}
	if !here && !qps {
		a.QPS = clusterQPS
	}
	if !here && !duration {
		a.Longest = clusterDuration
	}
	if err := a.Check(); err != nil {
		return fmt.Errorf("driving load at %s: %w; name another by --max-qps or --max-duration", a.words.Plan.HTTP.URL, err)
	}
	if !here && (!qps || !duration) {
		remark(stderr, fmt.Sprintf("capped at %g qps and %v, since %s is not this machine alone; --max-qps and --max-duration say otherwise", a.QPS, a.Longest, a.words.Plan.HTTP.URL))
	}
	return nil
}

// conclude says what came of what was expected, and returns what the exit status is of.
func (f *loadFlags) conclude(ctx context.Context, stderr io.Writer, a *asked, seen *loadgen.Result, stopped error) error {
	status := exitPass
	rows := a.Judge(seen)
	for _, row := range rows {
		remark(stderr, wordRow(row))
	}
	switch verdict := check.Overall(rows); {
	case len(rows) == 0:
	case verdict == report.Fail:
		status = exitFail
	case verdict != report.Pass:
		status = exitInconclusive
	}
	endless := a.Plan.Requests == 0 && a.Plan.Duration.Duration == 0
	if ctx.Err() != nil && len(rows) > 0 && !endless {
		remark(stderr, "inconclusive: the load was interrupted")
		status = worse(status, exitInconclusive)
	}
	if a.Aborted(seen) {
		remarkAborted(stderr, a.Plan.AbortOn)
		status = worse(status, exitFail)
	}
	if stopped != nil {
		return &runError{stopped}
	}
	if status != exitPass {
		return &verdictError{status}
	}
	return nil
}

// remarkAborted says what ended a load.
func remarkAborted(stderr io.Writer, status int) {
	by := fmt.Sprintf("a request ended with status %d", status)
	if status == loadgen.AbortOnError {
		by = "a request had no whole answer"
	}
	remark(stderr, "aborted: "+by+", which -abort-on is of")
}

// wordRow is what came of a comparison.
func wordRow(row report.Expectation) string {
	return fmt.Sprintf("%-4s  %s  %s", row.Verdict, row.Expression, cmp.Or(row.Reason, row.Observed))
}
