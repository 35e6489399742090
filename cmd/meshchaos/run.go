package main

import (
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/scenarios"
)

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
		Use:   "run FILE|FOLDER|NAME|-...",
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
	flags.StringVar(&f.reportDir, "report-dir", "", "write report.json and what is made of it into this folder: report.html, report.md, junit.xml and results/ (of several scenarios, each into a folder of its name, and what is of all into this one)")
	flags.StringVar(&f.baseline, "baseline", "", "compare with an earlier run: its report.json, or a folder with that of each scenario")
	flags.IntVar(&f.parallel, "parallel", 1, "how many scenarios to run at a time, each on an embedded mesh of its own")
	flags.DurationVar(&f.wait, "wait", 0, "wait for a run that is under way in the namespace, or on a host that this one changes, at most this long")
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
	all, err := f.read(cmd, args)
	if err != nil {
		return errors.Join(err, kept.failed(err))
	}
	if err := kept.of(all); err != nil {
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

// together prints and writes what is of several scenarios together. What fails does not
// keep the rest back.
func (f *runFlags) together(cmd *cobra.Command, outcomes []outcome) error {
	if len(outcomes) < 2 {
		return nil
	}
	var failures []error
	to := streamsOf(cmd)
	if err := printAll(to.out, recordsOfAll(outcomes), len(outcomes), f.output); err != nil {
		failures = append(failures, fmt.Errorf("printing the reports: %w", err))
	}
	if err := f.summarize(cmd, outcomes); err != nil {
		failures = append(failures, fmt.Errorf("printing the summary: %w", err))
	}
	if f.reportDir != "" {
		written, err := writeOverviews(f.reportDir, endedOf(outcomes, masking(cmd.ErrOrStderr())), overviews)
		remark(f.beside(to), wrote(f.reportDir, append([]string{resultsFile}, written...)))
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// read checks the options, and reads every scenario before the first is run.
func (f *runFlags) read(cmd *cobra.Command, args []string) ([]*scenarios.Scenario, error) {
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
	all, err := f.find.all(cmd, args)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if err := s.Override(f.override); err != nil {
			return nil, ofFile(s, err)
		}
		if err := f.pod.fit(s); err != nil {
			return nil, ofFile(s, err)
		}
	}
	return all, f.readBaseline(cmd, all)
}
