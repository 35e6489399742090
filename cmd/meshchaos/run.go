package main

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/terminal"
	"github.com/meshchaos/meshchaos/scenarios"
)

// How long the taking away of the load workload may last, and how long once nobody
// wants to wait.
const (
	closeLimit   = 20 * time.Second
	hurriedLimit = 3 * time.Second
)

// runFlags are those of run.
type runFlags struct {
	find      findFlags
	mesh      meshFlags
	override  scenarios.Override
	seed      uint64
	reportDir string
	output    string
	explain   bool
	noLog     bool
}

func newRun() *cobra.Command {
	var f runFlags
	var connections int
	var requests int64
	var qps float64
	cmd := &cobra.Command{
		Use:   "run FILE|FOLDER|NAME|-...",
		Short: "Run scenarios, one after another",
		Long: `Run scenarios, one after another.

` + namesHelp + `

Exit status: 0 pass; 1 an expectation failed; 2 a bad scenario or bad usage;
3 inconclusive, or the run itself failed; 4 not everything could be restored.`,
		Example:           "  meshchaos run delay-jason.yaml\n  meshchaos run breaker-httpbin -c 3 -n 30\n  meshchaos run canary-reviews --mesh istio --namespace shop --report-dir out",
		Args:              cobra.MinimumNArgs(1),
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
			return f.run(cmd, args)
		},
	}
	f.find.add(cmd)
	f.mesh.add(cmd)
	flags := cmd.Flags()
	flags.IntVarP(&connections, "connections", "c", 0, "connections, instead of the file's")
	flags.Int64VarP(&requests, "requests", "n", 0, "requests, instead of the file's")
	flags.Float64Var(&qps, "qps", 0, "requests a second, instead of the file's; 0: as fast as the answers come")
	flags.StringVar(&f.override.Cohort, "cohort", "", "the cohort that -c, -n and --qps are for (default: each that ends by itself)")
	flags.Uint64Var(&f.seed, "seed", 0, "repeat every draw of the embedded mesh (default: a new seed, which is printed)")
	flags.StringVar(&f.reportDir, "report-dir", "", "write report.json into this folder (of several scenarios, each into a folder of its name)")
	flags.BoolVar(&f.explain, "explain", false, "print the calls of every cohort's slowest request and of each kind of bad answer, in every window")
	addNoAccessLog(cmd, &f.noLog)
	addOutput(cmd, &f.output, "table", "json")
	return cmd
}

// run reads every scenario before it runs the first.
func (f *runFlags) run(cmd *cobra.Command, args []string) error {
	if err := f.mesh.check(cmd); err != nil {
		return err
	}
	// A pipe that nobody reads any more must not end the program before the rules
	// are undone: a write to it is an error like any other.
	signal.Ignore(syscall.SIGPIPE)
	all, err := f.find.all(cmd, args)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := s.Override(f.override); err != nil {
			return ofFile(s, err)
		}
	}
	status := exitPass
	for _, s := range all {
		one, err := f.runOne(cmd, s, f.dirOf(s, len(all)))
		if err != nil {
			complain(cmd.ErrOrStderr(), err)
			one = worse(one, statusOf(err))
		}
		status = worse(status, one)
		if cmd.Context().Err() != nil {
			break
		}
	}
	if status != exitPass {
		return &verdictError{status}
	}
	return nil
}

func (f *runFlags) dirOf(s *scenarios.Scenario, of int) string {
	if f.reportDir == "" || of == 1 {
		return f.reportDir
	}
	return filepath.Join(f.reportDir, s.Name)
}

func (f *runFlags) runOne(cmd *cobra.Command, s *scenarios.Scenario, dir string) (int, error) {
	ctx, stderr := cmd.Context(), cmd.ErrOrStderr()
	if dir != "" {
		if err := makeFolder(dir); err != nil {
			return exitPass, fmt.Errorf("making the folder of the report: %w", err)
		}
	}
	warn(stderr, s)
	seed := f.seed
	if !cmd.Flags().Changed("seed") {
		seed = newSeed()
	}
	id := fmt.Sprintf("%08x", uint32(newSeed()))
	view := newProgress(stderr)
	view.phase(fmt.Sprintf("%s of %s: opening the %s mesh", s.Name, s.Origin(), f.mesh.kind))
	m, err := f.mesh.open(ctx, s, seed, id, view.phase)
	if err != nil {
		return 0, err
	}
	closeMesh := func() error {
		view.end()
		closing, cancel := patient(ctx, closeLimit, hurriedLimit)
		defer cancel()
		if err := m.Close(closing); err != nil {
			return fmt.Errorf("closing the mesh: %w", err)
		}
		return nil
	}
	record, err := runner.Run(ctx, m, s, runner.Options{
		ID: id, Tool: version(), Seed: seed, Observe: view.observe, NoAccessLog: f.noLog, Close: closeMesh, Hurry: hurry(ctx),
	})
	if err != nil {
		return exitPass, errors.Join(notRun(s, err), closeMesh())
	}
	return statusOfRecord(record), f.show(cmd.OutOrStdout(), record, dir)
}

// notRun names the scenario in the reason why it was not run. Only what was
// refused is the scenario's fault.
func notRun(s *scenarios.Scenario, err error) error {
	err = ofFile(s, err)
	var refused *runner.RefusedError
	if errors.As(err, &refused) {
		return err
	}
	return &runError{err}
}

// ofFile names the scenario in an error that is not placed in its file.
func ofFile(s *scenarios.Scenario, err error) error {
	var placed *scenarios.Error
	if errors.As(err, &placed) && placed.File == s.File {
		return err
	}
	return fmt.Errorf("%s: %w", s.File, err)
}

// show prints the face of the record and writes the record itself. One that
// fails does not keep the other back.
func (f *runFlags) show(w io.Writer, record *report.Record, dir string) error {
	text, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return &runError{fmt.Errorf("encoding the report: %w", err)}
	}
	var failures []error
	if f.output == "json" {
		_, err = fmt.Fprintf(w, "%s\n", text)
	} else {
		err = terminal.Write(w, record, terminal.Options{Width: columns(w), Color: colorful(w), Explain: f.explain})
	}
	if err != nil {
		failures = append(failures, fmt.Errorf("printing the report: %w", err))
	}
	if dir != "" {
		if err := writeFile(filepath.Join(dir, "report.json"), append(text, '\n')); err != nil {
			failures = append(failures, fmt.Errorf("writing the report: %w", err))
		}
	}
	if err := errors.Join(failures...); err != nil {
		return &runError{err}
	}
	return nil
}

// colorful says whether colours are wanted (https://no-color.org).
func colorful(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && isTerminal(w)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// columns is how wide the terminal is, or 0 if w is none.
func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func newSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}
