//go:build e2e

package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/report"
)

// awayFor is how long the API server is away.
const awayFor = 20 * time.Second

// steadyRatings has a load that lasts, for what happens in the middle of it.
const steadyRatings = `
apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: steady-ratings}
spec:
  app: bookinfo
  apply:
    - fault: {service: ratings, delay: 20ms}
  load:
    raters: {get: "http://ratings:9080/ratings/0", connections: 2, qps: 20, duration: 3s}
  expect:
    - faults(ratings) == raters.sent
    - raters.status[200] == raters.sent
`

// ofRatings is owned by somebody else. Its revision brings it to istiod's webhook.
const ofRatings = `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
 "metadata":{"name":"applied","labels":{"team":"books","istio.io/rev":"default"},"annotations":{"why":"theirs"}},
 "spec":{"hosts":["ratings"],"http":[{"name":"plain","timeout":"10.5s","route":[{"destination":{"host":"ratings"},"weight":0}]}]}}`

// TestARunOutlastsAnAPIServerThatIsAway takes it away for a while as each phase of a
// run begins: whoever connects is refused, or is not answered.
func TestARunOutlastsAnAPIServerThatIsAway(t *testing.T) {
	program := build(t)
	for i, phase := range []string{"baseline", "applying the rules", "load under the rule", "undoing", "recovery"} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			namespace := namespaceOf(t, program, fmt.Sprintf("away%d", i))
			ownerOf(t, namespace, ofRatings).apply(ofRatings)
			before := standing(t, namespace)
			for _, silent := range []bool{false, true} {
				b := standBetween(t)
				leave := sync.OnceFunc(func() { b.away(silent) })
				run := b.runCommand(t, program, namespace, func(begun string) {
					if begun == phase {
						leave()
					}
				})
				t.Logf("silent %v: exit status %d after %s", silent, run.status, run.took.Round(time.Second))
				if diff := cmp.Diff(before, standing(t, namespace)); diff != "" {
					t.Errorf("silent %v: what is left (-before +after):\n%s", silent, diff)
				}
				lost := !silent && (phase == "baseline" || phase == "load under the rule" || phase == "recovery")
				if !run.record.Restored || run.status != 3 && (lost || run.status != 0) {
					t.Errorf("silent %v: status %d, verdict %s, restored %v, %q: %s", silent, run.status, run.record.Verdict, run.record.Restored, run.record.Problems, run.said)
				}
				if run.longest > 15*time.Second {
					t.Errorf("silent %v: nothing was said for %s: %s", silent, run.longest, run.said)
				}
			}
		})
	}
}

// away takes the API server away, and brings it back.
func (b *between) away(silent bool) {
	away, back := b.shut, b.open
	if silent {
		away, back = b.hold, b.flow
	}
	away()
	time.AfterFunc(awayFor, back)
}

// commandRun is a run by the command.
type commandRun struct {
	record  report.Record
	status  int
	said    string        // on its standard error
	took    time.Duration // from its beginning to its end
	longest time.Duration // for which it said nothing
}

// runCommand runs steadyRatings by the command, which tells of each phase that begins.
func (b *between) runCommand(t *testing.T, program, namespace string, begins func(phase string)) commandRun {
	t.Helper()
	path := filepath.Join(t.TempDir(), "steady-ratings.yaml")
	if err := os.WriteFile(path, []byte(steadyRatings), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "run", path, "--mesh", "istio", "--kubeconfig", b.kubeconfig, "--namespace", namespace, "--image", image(), "-o", "json")
	var out, said bytes.Buffer
	cmd.Stdout = &out
	errors, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	run := commandRun{}
	last := began
	for lines := bufio.NewScanner(io.TeeReader(errors, &said)); lines.Scan(); last = time.Now() {
		run.longest = max(run.longest, time.Since(last))
		if _, phase, timed := strings.Cut(strings.TrimSpace(lines.Text()), "s "); timed {
			begins(phase)
		}
	}
	_ = cmd.Wait()
	run.longest = max(run.longest, time.Since(last))
	run.took, run.status, run.said = time.Since(began), cmd.ProcessState.ExitCode(), said.String()
	if err := json.Unmarshal(out.Bytes(), &run.record); err != nil {
		t.Fatalf("status %d: %v: %s", run.status, err, run.said)
	}
	return run
}
