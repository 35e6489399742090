//go:build e2e

package e2e_test

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// lasting drives load under a rule for as long as a test takes to do something.
const lasting = `
apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: lasting}
spec:
  app: bookinfo
  apply:
    - fault: {service: ratings, delay: 20ms}
  load:
    raters: {get: "http://ratings:9080/ratings/0", connections: 2, qps: 20, duration: DURATION}
  expect:
    - raters.status[200] == raters.sent
`

// commandLine is a run of the command in a process of its own.
type commandLine struct {
	*exec.Cmd
	out      bytes.Buffer
	progress *bufio.Scanner
	said     []string
}

// runLasting begins a run of lasting on the cluster of a kubeconfig.
func runLasting(t *testing.T, program, kubeconfig, duration string, flags ...string) *commandLine {
	t.Helper()
	return runText(t, program, kubeconfig, strings.Replace(lasting, "DURATION", duration, 1), flags...)
}

// runText begins a run of a scenario that stands in a test.
func runText(t *testing.T, program, kubeconfig, scenario string, flags ...string) *commandLine {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	o := optionsOf("")
	c := &commandLine{Cmd: exec.Command(program, append([]string{"run", file, "--mesh", "istio", "--kubeconfig", kubeconfig, "--namespace", o.Namespace, "--image", o.Image}, flags...)...)}
	c.Stdout = &c.out
	progress, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.progress = bufio.NewScanner(progress)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	return c
}

// until reads what the command says until it says that, or nothing more.
func (c *commandLine) until(words string) bool {
	for c.progress.Scan() {
		c.said = append(c.said, c.progress.Text())
		if strings.Contains(c.progress.Text(), words) {
			return true
		}
	}
	return false
}

// end reads the rest, and returns the exit status.
func (c *commandLine) end() int {
	for c.progress.Scan() {
		c.said = append(c.said, c.progress.Text())
	}
	var exit *exec.ExitError
	if err := c.Wait(); errors.As(err, &exit) {
		return exit.ExitCode()
	} else if err != nil {
		return -1
	}
	return 0
}

func (c *commandLine) words() string { return strings.Join(c.said, "\n") }

func TestAnInterruptedRunIsUndoneWithinFiveSeconds(t *testing.T) {
	program, o := build(t), optionsOf("")
	before := standing(t, o.Namespace)
	for _, window := range []string{"baseline", "load under the rule", "recovery"} {
		c := runLasting(t, program, o.Kubeconfig, "4s")
		c.until(window)
		began := time.Now()
		if err := c.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		status := c.end()
		if took := time.Since(began); took > 5*time.Second || status != 3 {
			t.Errorf("in the %s: status %d after %s: %s", window, status, took, c.words())
		} else {
			t.Logf("in the %s: after %s", window, took.Round(time.Millisecond))
		}
	}
	if diff := cmp.Diff(before, standing(t, o.Namespace)); diff != "" {
		t.Errorf("what is left (-before +after):\n%s", diff)
	}
}

// TestAThirdSignalSaysWhatIsLeft gives a run up whose writes hang, and restores it after
// somebody has deleted what it wrote.
func TestAThirdSignalSaysWhatIsLeft(t *testing.T) {
	program, o := build(t), optionsOf("")
	theirs := ownerOf(t, o.Namespace, applied)
	theirs.apply(applied)
	b := standBetween(t)
	c := runLasting(t, program, b.kubeconfig, "1m")
	if !c.until("load under the rule") {
		t.Fatalf("it says %s", c.words())
	}
	b.hold()
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if err := c.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	c.until("undoing") // and hangs
	began := time.Now()
	if err := c.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	status := c.end()
	if took := time.Since(began); status != 4 || took > time.Second {
		t.Errorf("status %d after %s", status, took)
	}
	said := regexp.MustCompile(`the run ([0-9a-f]{8}) is given up; its rules may be in force in`).FindStringSubmatch(c.words())
	if said == nil {
		t.Fatalf("it says %s", c.words())
	}
	id := said[1]
	for _, words := range []string{
		"  VirtualService/" + o.Namespace + "/applied", "ConfigMap/" + o.Namespace + "/meshchaos-ledger-" + id, "meshchaos restore --namespace " + o.Namespace + " --run " + id,
	} {
		if !strings.Contains(c.words(), words) || strings.Contains(c.words(), "goroutine") {
			t.Errorf("it does not say %q: %s", words, c.words())
		}
	}
	b.flow()

	if err := theirs.Delete(t.Context(), "applied", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	expire(t, o.Namespace, id)
	out, err := exec.Command(program, "restore", "--run", id, "--kubeconfig", o.Kubeconfig, "--namespace", o.Namespace).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "/applied, as it was:\n{") || !strings.Contains(string(out), `"timeout":"1m30s"`) {
		t.Errorf("restore: %v: %s", err, out)
	}
}

func TestARunWaitsForAnotherOne(t *testing.T) {
	program, o := build(t), optionsOf("")
	first := runLasting(t, program, o.Kubeconfig, "8s")
	if !first.until("load under the rule") {
		t.Fatalf("it says %s", first.words())
	}
	second := runLasting(t, program, o.Kubeconfig, "1s")
	third := runLasting(t, program, o.Kubeconfig, "1s", "--wait")
	if status := second.end(); status != 3 || !strings.Contains(second.words(), "is under way in the namespace "+o.Namespace) {
		t.Errorf("status %d: %s", status, second.words())
	}
	if !third.until("waiting for the run") {
		t.Errorf("it does not wait: %s", third.words())
	}
	if status := first.end(); status != 0 {
		t.Errorf("the first ended with status %d: %s %s", status, first.words(), &first.out)
	}
	if status := third.end(); status != 0 {
		t.Errorf("the third ended with status %d: %s %s", status, third.words(), &third.out)
	}
}
