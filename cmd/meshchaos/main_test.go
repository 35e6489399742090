package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshchaos/meshchaos/report"
)

// asMain makes the test binary behave as the program.
const asMain = "MESHCHAOS_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	testscript.Main(m, map[string]func(){"meshchaos": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: serveScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// status N COMMAND... runs a command that must exit with N within the
			// seconds that bad input may take at the most, unless N is a verdict.
			"status": func(ts *testscript.TestScript, _ bool, args []string) {
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				began := time.Now()
				got := 0
				var exit *exec.ExitError
				if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
					got = exit.ExitCode()
				} else {
					ts.Check(err)
				}
				if got != want {
					ts.Fatalf("exit status %d, want %d", got, want)
				}
				if took := time.Since(began); want == exitUsage && took > 5*time.Second {
					usual, err := helping()
					ts.Check(err)
					if took > 5*time.Second+20*usual {
						ts.Fatalf("it took %v to refuse, and %v to print its help", took, usual)
					}
				}
			},
		},
	})
}

// helping is how long the program takes at the longest to say how it is called: more than a
// moment on a machine that has much else to do.
func helping() (longest time.Duration, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	for range 3 {
		cmd := exec.Command(self, "--help")
		cmd.Env = append(os.Environ(), asMain+"=1")
		began := time.Now()
		if err := cmd.Run(); err != nil {
			return 0, fmt.Errorf("asking the program for its help: %w", err)
		}
		longest = max(longest, time.Since(began))
	}
	return longest, nil
}

// inTime fails a test that has gone wrong three times running: a machine with much else to do
// may be too slow for the moments that a run which is interrupted waits for what is left.
func inTime(t *testing.T, check func() (wrong string)) {
	t.Helper()
	wrong := ""
	for range 3 {
		if wrong = check(); wrong == "" {
			return
		}
		t.Logf("it may be tried again: %s", wrong)
	}
	t.Error(wrong)
}

// start starts the program and returns it with its progress.
func start(t *testing.T, args ...string) (*exec.Cmd, *bufio.Scanner, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asMain+"=1")
	var out bytes.Buffer
	cmd.Stdout = &out
	progress, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(progress), &out
}

func TestASignalEndsTheLoadUndoesTheRuleAndReportsWithinFiveSeconds(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			inTime(t, func() string {
				cmd, progress, out := start(t, "run", "delay-jason", "-o", "json")
				for progress.Scan() && !strings.Contains(progress.Text(), "jason: 0 of 5") {
					continue // until the load is under way, under the rule
				}
				began := time.Now()
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				for progress.Scan() {
					continue // to its end, or the program would wait
				}
				err := cmd.Wait()
				took := time.Since(began)
				var record report.Record
				if err := json.Unmarshal(out.Bytes(), &record); err != nil {
					t.Fatalf("%v in %s", err, out)
				}
				if record.Verdict == report.Pass || len(record.Changes) == 0 {
					t.Errorf("verdict %s, %d changes", record.Verdict, len(record.Changes))
				}
				var exit *exec.ExitError
				switch during := record.Windows[len(record.Windows)-1]; {
				case took > 5*time.Second:
					return fmt.Sprintf("it took %v", took)
				case !errors.As(err, &exit) || exit.ExitCode() != exitInconclusive || !record.Restored:
					return fmt.Sprintf("it ended with %v, restored %v", err, record.Restored)
				case during.Name != report.During || during.Loads["others"] == nil || during.Loads["others"].Sent == 0:
					return fmt.Sprintf("what was seen of the load is not in the record: %+v", during)
				}
				return ""
			})
		})
	}
}

func TestAnImpatientUserEndsTheWaitingAndNotTheUndoing(t *testing.T) {
	cmd, progress, out := start(t, "run", "delay-jason", "-o", "json")
	for progress.Scan() && !strings.Contains(progress.Text(), "jason: 0 of 5") {
		continue // until the load is under way, under the rule
	}
	for range 2 {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if !progress.Scan() { // so that the signals are not taken for one
			break
		}
	}
	for progress.Scan() {
		continue // to its end, or the program would wait
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInconclusive && exit.ExitCode() != exitNotRestored {
		t.Errorf("it ended with %v; want it to end by itself", err)
	}
	var record report.Record
	if err := json.Unmarshal(out.Bytes(), &record); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(record.Changes) == 0 {
		t.Error("nothing was written, so nothing was undone")
	}
	for _, c := range record.Changes {
		if !c.Restored && !strings.Contains(c.Proof, "proving that "+c.Object+" is undone") {
			t.Errorf("%s was not put back: %s", c.Object, c.Proof)
		}
	}
}

func TestAReaderThatGoesAwayDoesNotKeepTheRulesFromBeingUndone(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), self, "run", "canary-reviews", "--report-dir", dir)
	cmd.Env = append(os.Environ(), asMain+"=1")
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	bufio.NewScanner(read).Scan() // as head -1 does
	read.Close()
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInconclusive {
		t.Errorf("it ended with %v; the report could not be printed", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var record report.Record
	if err := json.Unmarshal(text, &record); err != nil {
		t.Fatal(err)
	}
	if record.Verdict != report.Pass || !record.Restored {
		t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
	}
}

func TestAStatusOfSeveralRunsIsTheGravest(t *testing.T) {
	for _, c := range []struct{ a, b, want int }{
		{exitPass, exitInconclusive, exitInconclusive},
		{exitInconclusive, exitFail, exitFail},
		{exitFail, exitInconclusive, exitFail},
		{exitNotRestored, exitFail, exitNotRestored},
		{exitPass, exitPass, exitPass},
	} {
		if got := worse(c.a, c.b); got != c.want {
			t.Errorf("worse(%d, %d) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestARightThatIsMissedIsNoFailureOfTheCluster(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", errors.New("no"))
	for _, row := range []struct {
		err    error
		status int
		words  string
	}{
		{fmt.Errorf("listing: %w", forbidden), exitUsage, "meshchaos manifests rbac --namespace shop"},
		{errors.New("connection refused"), exitInconclusive, "connection refused"},
	} {
		if err := notRead(row.err, "shop"); statusOf(err) != row.status || !strings.Contains(err.Error(), row.words) {
			t.Errorf("%v: status %d, %v", row.err, statusOf(err), err)
		}
	}
}

func TestARunThatIsInterruptedBeforeItBeginsSaysSo(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	lost := fmt.Errorf("preparing the mesh: %w", context.Canceled)
	if got := early(ctx, lost); got.Error() != lost.Error() {
		t.Errorf("without an interrupt: %v", got)
	}
	stop()
	if got := early(ctx, lost).Error(); got != "interrupted before the first rule was written: preparing the mesh: context canceled" {
		t.Error(got)
	}
	if got := early(ctx, io.EOF); got.Error() != io.EOF.Error() {
		t.Errorf("another reason: %v", got)
	}
	var said bytes.Buffer
	if status := execute(ctx, []string{"run", "breaker-httpbin"}, io.Discard, &said); status != exitInconclusive || !strings.Contains(said.String(), "breaker-httpbin: interrupted before it began; nothing was written") {
		t.Errorf("status %d, %s", status, &said)
	}
}

func TestWhatIsNotRestoredExitsFour(t *testing.T) {
	if got := statusOfRecord(&report.Record{Verdict: report.Pass}); got != exitNotRestored {
		t.Errorf("a pass that is not restored exits %d", got)
	}
}

func TestCompletionKnowsTheLibraryAndWhatIsInAScenario(t *testing.T) {
	for line, want := range map[string]string{
		"run ":                          "delay-jason",
		"validate ":                     "delay-jason",
		"plan ":                         "delay-jason",
		"mutate ":                       "delay-jason",
		"show de":                       "delay-jason",
		"init de":                       "delay-jason",
		"lab ":                          "bookinfo",
		"lab de":                        "delay-jason",
		"lab timeout-reviews --step ":   "half-a-second",
		"run delay-jason --cohort ":     "raters",
		"run delay-jason --set load.":   "load.jason.requests=",
		"run timeout-reviews --set ste": "steps[half-a-second].load.pages.requests=",
		"run --mesh ":                   "istio",
		"run -o ":                       "json",
		"list -o ":                      "name",
	} {
		var out, progress bytes.Buffer
		args := append([]string{"__complete"}, strings.Split(line, " ")...)
		if status := execute(context.Background(), args, &out, &progress); status != exitPass || !slices.Contains(strings.Split(out.String(), "\n"), want) {
			t.Errorf("%s: status %d, %s", line, status, &out)
		}
	}
}

func TestCompletionOffersNoFilesWhereNoneIsMeant(t *testing.T) {
	for _, line := range []string{"show delay-jason ", "plan delay-jason ", "mutate delay-jason ", "lab bookinfo ", "run --seed ", "run -c ", "run --parallel ", "run --namespace ", "run -l ", "lab delay-jason --step "} {
		var out, progress bytes.Buffer
		args := append([]string{"__complete"}, strings.Split(line, " ")...)
		if status := execute(context.Background(), args, &out, &progress); status != exitPass || !strings.Contains(out.String(), ":4\n") {
			t.Errorf("%s: status %d, %s", line, status, &out)
		}
	}
}
