// Command meshchaos proves how a service mesh behaves under faults.
//
// The package holds the commands: flags and streams, and nothing else. It may
// import everything below it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
)

// The exit statuses. They are documented in docs/exit-status.md.
const (
	exitPass         = 0
	exitFail         = 1 // an expectation failed
	exitUsage        = 2 // a bad scenario, or bad usage
	exitInconclusive = 3 // inconclusive, or the run itself failed
	exitNotRestored  = 4 // not everything could be restored
)

func main() {
	quietLibraries(os.Stderr)
	signals := make(chan os.Signal, 3)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	giveUp := func(u *unfinished) { os.Exit(u.say(os.Stderr)) }
	os.Exit(execute(interruptible(signals, giveUp), os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs the command line and returns its exit status.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out, said := &output{to: stdout}, &output{to: stderr}
	root := newRoot(out, said)
	root.SetArgs(fortioStyle(root, args))
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil {
		if unknown := unknownCommand(root, args); unknown != nil {
			err = unknown
		}
	}
	if wrong := (*usageError)(nil); errors.As(err, &wrong) && cmd.Name() == runCommand {
		err = errors.Join(err, reportMisuse(cmd, args, err))
	}
	err = out.blame(err)
	var verdict *verdictError
	if err != nil && !errors.As(err, &verdict) {
		complain(said, err)
	}
	return statusOf(err)
}

func complain(stderr io.Writer, err error) { remark(stderr, fmt.Sprintf("meshchaos: %v", err)) }

// verdictError says that a run ended with a verdict other than a clean pass.
// What is wrong has been printed.
type verdictError struct{ status int }

// Error implements error.
func (e *verdictError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// runError says that a run failed for a reason outside the scenario.
type runError struct{ err error }

// Error implements error.
func (e *runError) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e *runError) Unwrap() error { return e.err }

func statusOf(err error) int {
	var verdict *verdictError
	var refused *runner.RefusedError
	var failed *runError
	switch {
	case err == nil:
		return exitPass
	case errors.As(err, &verdict):
		return verdict.status
	case errors.As(err, &refused):
		return exitUsage
	case errors.As(err, &failed):
		return exitInconclusive
	}
	return exitUsage
}

// statusOfRecord is the exit status of one run.
func statusOfRecord(r *report.Record) int {
	switch {
	case !r.Restored:
		return exitNotRestored
	case r.Verdict == report.Pass:
		return exitPass
	case r.Verdict == report.Fail:
		return exitFail
	}
	return exitInconclusive
}

// worse returns the graver of two statuses: what was left behind, then what
// failed, then what is not known.
func worse(a, b int) int {
	gravity := map[int]int{exitPass: 0, exitUsage: 1, exitInconclusive: 2, exitFail: 3, exitNotRestored: 4}
	if gravity[b] > gravity[a] {
		return b
	}
	return a
}
