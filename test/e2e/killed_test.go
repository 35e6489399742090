//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/istio"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/scenarios"
)

// What a process of this test's own is told: the scenario, the id of its run, and at
// which of its writes it is to be killed, before or after it.
const (
	childScenario = "MESHCHAOS_E2E_CHILD"
	childRun      = "MESHCHAOS_E2E_CHILD_RUN"
	childWrite    = "MESHCHAOS_E2E_CHILD_WRITE"
	childAfter    = "MESHCHAOS_E2E_CHILD_AFTER"
)

func TestMain(m *testing.M) {
	if os.Getenv(childScenario) == "" {
		os.Exit(m.Run())
	}
	if err := child(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child runs a scenario until it is killed, or to its end.
func child(ctx context.Context) error {
	s, err := scenarios.Read(os.Getenv(childScenario))
	if err != nil {
		return err
	}
	left, err := strconv.Atoi(os.Getenv(childWrite))
	if err != nil {
		return err
	}
	o := optionsOf(os.Getenv(childRun))
	m, err := istio.Open(ctx, o)
	if err != nil {
		return err
	}
	record, err := runner.Run(ctx, &killed{Mesh: m, left: left, after: os.Getenv(childAfter) == "true"}, s, runner.Options{
		ID: o.Run, LiveLimit: 20 * time.Second, Close: func() error { return m.Close(ctx) },
	})
	if err == nil && !record.Restored {
		err = fmt.Errorf("the run that nobody killed left something: %q", record.Problems)
	}
	return err
}

// killed kills this process before or after the nth write to a mesh, those to the
// ledger among them.
type killed struct {
	mesh.Mesh
	left  int
	after bool
}

func (k *killed) count(write func() error) error {
	k.left--
	if k.left == 0 && !k.after {
		die()
	}
	err := write()
	if k.left == 0 {
		die()
	}
	return err
}

// die returns never: the signal is not one that a process can take.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// Enter implements mesh.Mesh.
func (k *killed) Enter(ctx context.Context, l *journal.Ledger) error {
	return k.count(func() error { return k.Mesh.Enter(ctx, l) })
}

// Settle implements mesh.Mesh.
func (k *killed) Settle(ctx context.Context, run string) error {
	return k.count(func() error { return k.Mesh.Settle(ctx, run) })
}

// Write implements mesh.Mesh.
func (k *killed) Write(ctx context.Context, c rules.Change) (written *rules.Object, err error) {
	err = k.count(func() (err error) {
		written, err = k.Mesh.Write(ctx, c)
		return err
	})
	return written, err
}

// TestARunThatIsKilledIsUndoneByRestore kills a run before and after each of its
// writes, and restores what it has left by the command.
func TestARunThatIsKilledIsUndoneByRestore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slow-for-some.yaml")
	if err := os.WriteFile(path, []byte(slowForSome), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	namespace := optionsOf("").Namespace
	owner := ownerIn(t, namespace)
	owner.apply(applied)
	before := istioObjects(t, namespace)
	restore := build(t)
	points := 0
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			id := fmt.Sprintf("kill%x%02d", time.Now().Unix()&0xffff, n)
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), childScenario+"="+path, childRun+"="+id, childWrite+"="+strconv.Itoa(n), childAfter+"="+strconv.FormatBool(after))
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said
			err := cmd.Run()
			if err == nil {
				break
			}
			if !strings.Contains(err.Error(), "killed") {
				t.Fatalf("write %d, after it %v: %v: %s", n, after, err, &said)
			}
			points++
			restore(t, id)
			if diff := cmp.Diff(before, istioObjects(t, namespace)); diff != "" {
				t.Fatalf("killed at write %d, after it %v (-before +after restore):\n%s", n, after, diff)
			}
		}
	}
	t.Logf("killed at %d points", points)
	if points < 12 {
		t.Errorf("the run was killed at %d points", points)
	}
	owner.apply(strings.Replace(applied, "10.5s", "11s", 1))
}

// build returns what restores a run, by the command, once its ledger has expired.
func build(t *testing.T) func(t *testing.T, id string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "meshchaos")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/meshchaos").CombinedOutput(); err != nil {
		t.Fatalf("building: %v: %s", err, out)
	}
	return func(t *testing.T, id string) {
		t.Helper()
		o := optionsOf("look")
		m, err := istio.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close(context.WithoutCancel(t.Context()))
		ledgers, err := m.Ledgers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range ledgers {
			if l.Run != id {
				t.Fatalf("there is the ledger of another run, %s", l.Run)
			}
			l.Deadline = time.Now().Add(-time.Second) // else one would wait for a minute
			if err := m.Enter(t.Context(), l); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command(program, "restore", "--all", "--kubeconfig", o.Kubeconfig, "--namespace", o.Namespace).CombinedOutput()
		if err != nil {
			t.Fatalf("restoring: %v: %s", err, out)
		}
	}
}

// istioObjects are all of Istio's objects in a namespace, without what any write moves.
func istioObjects(t *testing.T, namespace string) []string {
	t.Helper()
	var all []string
	for _, resource := range []string{"virtualservices", "destinationrules", "gateways"} {
		list, err := dynamicClient(t).Resource(schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: resource}).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			for _, field := range []string{"resourceVersion", "generation"} {
				unstructured.RemoveNestedField(o.Object, "metadata", field)
			}
			unstructured.RemoveNestedField(o.Object, "status")
			text, err := json.MarshalIndent(o.Object, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(text))
		}
	}
	slices.Sort(all)
	return all
}
