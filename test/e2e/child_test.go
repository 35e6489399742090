//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/scenarios"
)

// What a process of this test's own is told: the scenario, a file or one of the
// library, and the id of its run.
const (
	childScenario = "MESHCHAOS_E2E_CHILD"
	childRun      = "MESHCHAOS_E2E_CHILD_RUN"
)

// beside is how many tests may run beside each other.
const beside = 5

func TestMain(m *testing.M) {
	if os.Getenv(childScenario) == "" {
		// Tests that run beside each other, in namespaces of their own, mostly wait.
		if err := flag.Set("test.parallel", strconv.Itoa(beside)); err != nil {
			panic(err)
		}
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	err := child(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child runs a scenario to its end, or until it is told to end, and drives no load:
// all that it writes it writes within seconds.
func child(ctx context.Context) error {
	s, err := scenarios.Find(os.Getenv(childScenario))
	if err != nil {
		return err
	}
	s.Rollback = false // else a step without an answer would be the last
	o := optionsOf(os.Getenv(childRun))
	m, err := istio.Open(ctx, o)
	if err != nil {
		return err
	}
	record, err := runner.Run(ctx, idle{m}, s, runner.Options{
		ID: o.Run, LiveLimit: 20 * time.Second, NoAccessLog: true, Close: func() error { return m.Close(context.WithoutCancel(ctx)) },
		Observe: func(e runner.Event) { fmt.Fprintln(os.Stderr, e.Phase) },
	})
	if err == nil && !record.Restored {
		err = fmt.Errorf("the run has left something: %q", record.Problems)
	}
	return err
}

// idle is a mesh without a load workload: no request is sent.
type idle struct{ mesh.Mesh }

// Prepare implements mesh.Mesh.
func (idle) Prepare(context.Context, []mesh.Cohort) error { return nil }

// Load implements mesh.Mesh.
func (idle) Load(ctx context.Context, cohorts []mesh.Cohort, _ mesh.Guard, begin func(context.Context) error, _ func(loadgen.Progress)) (map[string]*loadgen.Result, error) {
	if err := begin(ctx); err != nil {
		return nil, err
	}
	all := map[string]*loadgen.Result{}
	for _, c := range cohorts {
		all[c.Name] = &loadgen.Result{Started: time.Now()}
	}
	return all, nil
}

// process is a run in a process of its own.
type process struct {
	*exec.Cmd
	said  bytes.Buffer
	ended chan struct{} // closed when it has
	err   error
}

// begin begins a run of a scenario by way of whoever stands between.
func (b *between) begin(t *testing.T, scenario, id string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(self), ended: make(chan struct{})}
	p.Env = append(os.Environ(), "MESHCHAOS_E2E_KUBECONFIG="+b.kubeconfig, childScenario+"="+scenario, childRun+"="+id)
	p.Stdout, p.Stderr = &p.said, &p.said
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.Wait()
	}()
	return p
}

// wasKilled says whether it ended by SIGKILL.
func (p *process) wasKilled() bool {
	var exit *exec.ExitError
	status, ok := syscall.WaitStatus(0), false
	if errors.As(p.err, &exit) {
		status, ok = exit.Sys().(syscall.WaitStatus)
	}
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// readScenario reads one that stands in a test.
func readScenario(t *testing.T, text string) *scenarios.Scenario {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
