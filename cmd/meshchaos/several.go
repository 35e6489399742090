package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
	"github.com/meshchaos/meshchaos/report/terminal"
	"github.com/meshchaos/meshchaos/scenarios"
)

// outcome is how a scenario of several ended.
type outcome struct {
	name   string
	file   string
	status int
	word   string // a verdict, or what became of the scenario instead
	why    string // it is no pass
	took   time.Duration

	began    time.Time
	record   *report.Record // nil: there is none
	failures []error        // what went wrong beside the verdict
}

// documentsOf are their records, and of each without one what says why.
func documentsOf(outcomes []outcome, hide func(string) string) []any {
	var all []any
	for _, o := range outcomes {
		if o.record != nil {
			all = append(all, o.record)
		} else {
			all = append(all, o.notRun(hide))
		}
	}
	return all
}

func (o outcome) notRun(hide func(string) string) report.NotRun {
	return report.NotRunOf(o.name, o.file, o.word, hide(o.why))
}

// endedOf are outcomes as the faces tell of them. Each that has a record has a folder of
// its name for it.
func endedOf(outcomes []outcome, hide func(string) string) []summary.Ended {
	var all []summary.Ended
	for _, o := range outcomes {
		one := summary.Ended{Name: o.name, Record: o.record, Word: o.word, Why: yamlnode.Brief(hide(o.why)), Took: o.took}
		if o.record != nil {
			one.Folder = o.name
		}
		all = append(all, one)
	}
	return all
}

// The words for a scenario without a verdict.
const (
	wordRefused  = "refused"
	wordNotRun   = "not run"
	wordNotBegun = "not begun"
)

// checkParallel refuses runs beside each other where they would share a mesh.
func (f *runFlags) checkParallel() error {
	switch {
	case f.parallel < 1:
		return fmt.Errorf("reading --parallel: it takes 1 or more, not %d", f.parallel)
	case f.parallel > 1 && f.mesh.kind != mesh.Embedded:
		return errors.New("reading --parallel: runs beside each other in one namespace would meet each other's rules; leave it out, or run on the embedded mesh")
	}
	return nil
}

// runAll runs scenarios, as many at a time as is asked for, and returns how each
// ended. Once the command is interrupted no further one begins.
func (f *runFlags) runAll(cmd *cobra.Command, all []*scenarios.Scenario, kept *results) []outcome {
	ctx, to := cmd.Context(), streamsOf(cmd)
	shared := &meshes{flags: &f.mesh, pod: &f.pod, all: all, caps: f.caps}
	out := &lines{to: to.out}
	begin := func(s *scenarios.Scenario, to streams) outcome {
		if ctx.Err() != nil {
			if len(all) == 1 { // else the summary says it
				complain(to.err, fmt.Errorf("%s: interrupted before it began; nothing was written", s.Name))
			}
			return outcome{name: s.Name, file: s.File, status: exitInconclusive, word: wordNotBegun, why: "the command was interrupted before", began: time.Now()}
		}
		if f.output == outputLines {
			to.out = out // at once, also where others run beside it
		}
		return f.outcomeOf(ctx, job{s, f.dirOf(s, len(all)), len(all), s == all[len(all)-1]}, shared, to)
	}
	run := func(s *scenarios.Scenario, to streams) outcome {
		o := begin(s, to)
		kept.ended(slices.Index(all, s), &o, to)
		return o
	}
	if f.parallel > 1 && len(all) > 1 {
		return beside(all, f.parallel, to, run)
	}
	outcomes := make([]outcome, len(all))
	for i, s := range all {
		outcomes[i] = run(s, to)
	}
	if err := shared.close(ctx); err != nil { // no run is left that would have it in its record
		complain(to.err, err)
		last := &outcomes[len(all)-1]
		last.status = worse(last.status, exitNotRestored)
		last.failures = append(last.failures, err)
		kept.ended(len(all)-1, last, to)
	}
	for _, what := range shared.kept {
		remark(to.err, what)
	}
	return outcomes
}

// held is what a run beside others prints, until it is its turn at the terminal.
type held struct {
	bytes.Buffer
	columns int // of the terminal; 0: there is none
}

// lines is a stream to which several write, each line as a whole.
type lines struct {
	mu sync.Mutex
	to io.Writer
}

// Write implements io.Writer.
func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(line)
}

// outcomeOf runs one scenario and prints why there is no verdict, if so.
func (f *runFlags) outcomeOf(ctx context.Context, s job, shared *meshes, to streams) outcome {
	began := time.Now()
	record, err := f.runOne(ctx, s, shared, to)
	o := outcome{name: s.Name, file: s.File, word: wordNotRun, took: time.Since(began), began: began, record: record}
	if record != nil {
		o.status, o.word, o.why = statusOfRecord(record), summary.Outcome(record), summary.Why(record)
	}
	if err != nil {
		complain(to.err, err)
		o.status = worse(o.status, statusOf(err))
		o.failures = append(o.failures, err)
		if record == nil {
			o.why = err.Error()
		}
		var refused *runner.RefusedError
		if errors.As(err, &refused) {
			o.word = wordRefused
		}
	}
	return o
}

// beside runs scenarios beside each other, at most so many at a time. What each
// prints comes in one piece, in the order of the scenarios; that one begins or has
// ended is said at once.
func beside(all []*scenarios.Scenario, parallel int, to streams, run func(*scenarios.Scenario, streams) outcome) []outcome {
	outcomes := make([]outcome, len(all))
	pieces := make([]struct {
		out held
		err bytes.Buffer
	}, len(all))
	ended := make([]chan struct{}, len(all))
	for i := range ended {
		ended[i] = make(chan struct{})
	}
	going := newTogether(to.progress())
	defer going.end()
	var group errgroup.Group
	go func() {
		group.SetLimit(parallel)
		for i, s := range all {
			group.Go(func() error {
				defer close(ended[i])
				tell := going.begins(s.Name, i+1, len(all))
				pieces[i].out.columns = columns(to.out)
				outcomes[i] = run(s, streams{&pieces[i].out, &pieces[i].err, to.width, to.color, to.quiet, tell})
				going.ended(s.Name, outcomes[i].word)
				return nil
			})
		}
	}()
	for i := range all {
		<-ended[i]
		var err error
		going.say(func() {
			_ = terminal.Fold(to.err, pieces[i].err.String(), columns(to.err)) // as other lines for who waits
			_, err = pieces[i].out.WriteTo(to.out)
		})
		if err != nil {
			going.say(func() { fmt.Fprintf(to.err, "meshchaos: printing the report of %s: %v\n", all[i].Name, err) })
			outcomes[i].status = worse(outcomes[i].status, exitInconclusive)
		}
	}
	return outcomes
}
