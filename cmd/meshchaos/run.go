package main

import (
	"errors"
	"fmt"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/scenarios"
)

// runCommand is the name of the command.
const runCommand = "run"

// waitDefault is how long --wait alone waits.
const waitDefault = "30m"

// runFlags are those of run.
type runFlags struct {
	find      findFlags
	mesh      meshFlags
	pod       loadPodFlags
	override  scenarios.Override
	seed      uint64
	reportDir string
	baseline  string                 // where the reports of earlier runs are; empty: nothing is compared
	earlier   map[string]compare.Run // those, by their scenario
	output    string
	explain   bool
	noLog     bool
	gitOps    bool
	caps      runner.Caps
	wait      time.Duration // for another run; 0: not at all
	parallel  int
	seeded    bool // every run has the seed
}

func newRun() *cobra.Command {
	var f runFlags
	var connections int
	var requests int64
	var qps float64
	cmd := &cobra.Command{
		Use:   runCommand + " FILE|FOLDER|NAME|-...",
		Short: "Run scenarios",
		Long: `Run scenarios, one after another; on the embedded mesh also beside each other.

` + namesHelp + `

` + outputHelp + `

Exit status: 0 pass; 1 an expectation failed; 2 a bad scenario or bad usage;
3 inconclusive, or the run itself failed; 4 not everything could be restored.`,
		Example:           "  meshchaos run delay-jason.yaml\n  meshchaos run breaker-httpbin -c 3 -n 30\n  meshchaos run nightly --selector tier=nightly --parallel 4\n  meshchaos run canary-reviews --mesh istio --namespace shop --report-dir out",
		Args:              arguments(1, -1),
		ValidArgsFunction: scenarioNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("connections") {
				f.override.Connections = &connections
			}
			if cmd.Flags().Changed("requests") {
				f.override.Requests = &requests
			}
			if cmd.Flags().Changed("qps") {
				f.override.QPS = &qps
			}
			f.seeded = cmd.Flags().Changed("seed")
			return f.run(cmd, args)
		},
	}
	f.find.add(cmd)
	addSet(cmd, &f.find.set)
	f.mesh.add(cmd, "")
	f.pod.add(cmd)
	flags := cmd.Flags()
	flags.IntVarP(&connections, "connections", "c", 0, "connections, instead of the file's")
	flags.Int64VarP(&requests, "requests", "n", 0, "requests, instead of the file's")
	flags.Float64Var(&qps, "qps", 0, "requests a second, instead of the file's; 0: as fast as the answers come")
	flags.StringVar(&f.override.Cohort, "cohort", "", "the cohort that -c, -n and --qps are for (default: each that ends by itself)")
	complete(cmd, "cohort", cohortNames)
	flags.Uint64Var(&f.seed, "seed", 0, "repeat every draw of the embedded mesh (default: a new seed, which is printed)")
	flags.StringVar(&f.reportDir, reportDirFlag, "", "write report.json and what is made of it into this folder: report.html, report.md, junit.xml and results/ (of several scenarios, each into a folder of its name, and what is of all into this one)")
	flags.StringVar(&f.baseline, "baseline", "", "compare with an earlier run: its report.json, or a folder with that of each scenario")
	flags.IntVar(&f.parallel, "parallel", 1, "how many scenarios to run at a time, each on an embedded mesh of its own")
	flags.DurationVar(&f.wait, "wait", 0, "wait for a run that is under way in the namespace, or on a host that this one changes, at most this long (default: not at all)")
	flags.Lookup("wait").NoOptDefVal = waitDefault
	flags.BoolVar(&f.explain, "explain", false, "print the calls of every cohort's slowest request and of each kind of answer, in every window")
	addNoAccessLog(cmd, &f.noLog)
	addAllowGitOps(cmd, &f.gitOps)
	addCaps(cmd, &f.caps)
	addOutput(cmd, &f.output, outputTable, outputWide, outputJSON, outputLines)
	addQuiet(cmd)
	return cmd
}

// checkWait refuses what is no time to wait, and an argument that is one: a flag whose
// value may be left out takes it behind a = alone.
func (f *runFlags) checkWait(cmd *cobra.Command, args []string) error {
	if !cmd.Flags().Changed("wait") {
		return nil
	}
	if f.wait <= 0 {
		return fmt.Errorf("reading --wait: %s is no time to wait; write --wait=%s, or leave it out", f.wait, waitDefault)
	}
	for _, arg := range args {
		if _, err := time.ParseDuration(arg); err == nil {
			return fmt.Errorf("reading --wait: %s would be a scenario; write --wait=%[1]s", arg)
		}
	}
	return nil
}

// run runs the scenarios, and keeps junit.xml in step.
func (f *runFlags) run(cmd *cobra.Command, args []string) error {
	kept := &results{dir: f.reportDir, started: time.Now(), hide: masking(cmd.ErrOrStderr())}
	if err := kept.begin(); err != nil {
		return err
	}
	each, err := f.read(cmd, args)
	if wrong := errorsOf(each, err); wrong != nil {
		return f.runNone(cmd, each, wrong, kept)
	}
	var all []*scenarios.Scenario
	for _, one := range each {
		all = append(all, one.scenario)
	}
	if err := kept.of(each); err != nil {
		return &runError{err}
	}
	noteRevisions(cmd.Context(), all, f.reportDir)
	outcomes := f.runAll(cmd, all, kept)
	status := exitPass
	for _, o := range outcomes {
		status = worse(status, o.status)
	}
	if err := f.together(cmd, outcomes); err != nil { // which hides nothing that is graver
		complain(cmd.ErrOrStderr(), err)
		status = worse(status, exitInconclusive)
	}
	if status != exitPass {
		return &verdictError{status}
	}
	return nil
}

// runNone runs no scenario, since one of them is wrong, or the command is, and leaves word
// of that of each, as far as they are known.
func (f *runFlags) runNone(cmd *cobra.Command, each []found, wrong error, kept *results) error {
	if len(each) == 0 {
		return errors.Join(wrong, kept.failed(wrong, cmd.ErrOrStderr()))
	}
	complain(cmd.ErrOrStderr(), wrong)
	err, status := kept.of(each), statusOf(wrong)
	var outcomes []outcome
	for i, one := range each {
		o := outcome{name: one.name(), file: one.file, word: wordNotBegun, why: "none was run, since one or more are wrong", began: kept.started}
		switch {
		case one.err != nil:
			o.word, o.why = wordRefused, one.err.Error()
		case len(each) == 1:
			o.word, o.why = wordRefused, wrong.Error()
		}
		kept.ended(i, &o, streamsOf(cmd))
		status = worse(status, o.status)
		outcomes = append(outcomes, o)
	}
	if err := errors.Join(err, f.together(cmd, outcomes)); err != nil {
		complain(cmd.ErrOrStderr(), err)
		status = worse(status, exitInconclusive)
	}
	return &verdictError{status}
}

// together prints and writes what is of all scenarios together: of one that has no record,
// what says why. What fails does not keep the rest back.
func (f *runFlags) together(cmd *cobra.Command, outcomes []outcome) error {
	var failures []error
	to := streamsOf(cmd)
	hide := masking(cmd.ErrOrStderr())
	if err := printAll(to.out, documentsOf(outcomes, hide), f.output); err != nil {
		failures = append(failures, fmt.Errorf("printing the reports: %w", err))
	}
	written := []string{resultsFile}
	if len(outcomes) > 1 {
		if err := f.summarize(cmd, outcomes); err != nil {
			failures = append(failures, fmt.Errorf("printing the summary: %w", err))
		}
		if f.reportDir != "" {
			more, err := writeOverviews(f.reportDir, endedOf(outcomes, hide), overviews)
			written, failures = append(written, more...), append(failures, err)
		}
	}
	switch {
	case f.reportDir == "":
	case !slices.ContainsFunc(outcomes, func(o outcome) bool { return o.record != nil }):
		remark(to.err, wrote(f.reportDir, written))
	case len(outcomes) > 1: // else it is told of with the record
		remark(f.beside(to), wrote(f.reportDir, written))
	}
	return errors.Join(failures...)
}

// read checks the options, and reads every scenario before the first is run. The error is
// what is wrong with all of them, or with the command.
func (f *runFlags) read(cmd *cobra.Command, args []string) ([]found, error) {
	if err := f.mesh.check(cmd); err != nil {
		return nil, err
	}
	if err := setCaps(cmd, &f.caps, f.mesh.kind); err != nil {
		return nil, err
	}
	if err := f.pod.read(cmd, f.mesh.kind); err != nil {
		return nil, err
	}
	if err := f.checkParallel(); err != nil {
		return nil, err
	}
	if err := f.checkWait(cmd, args); err != nil {
		return nil, err
	}
	if o := f.override; o.Cohort != "" && !o.Changes() {
		return nil, errors.New("reading --cohort: it says which cohort -c, -n and --qps are for; give one of them, or leave it out")
	}
	// A pipe that nobody reads any more must not end the program before the rules
	// are undone: a write to it is an error like any other.
	signal.Ignore(syscall.SIGPIPE)
	each, err := f.find.each(cmd, args)
	for i := range each {
		each[i].change(f.override, f.pod.fit)
	}
	if errorsOf(each, err) != nil {
		return each, err
	}
	return each, f.readBaseline(cmd, each)
}

// change fits a scenario to the options.
func (f *found) change(override scenarios.Override, fit func(*scenarios.Scenario) error) {
	if f.err != nil {
		return
	}
	err := f.scenario.Override(override)
	if err == nil {
		err = fit(f.scenario)
	}
	if err != nil {
		f.err = ofFile(f.scenario, err)
	}
}
