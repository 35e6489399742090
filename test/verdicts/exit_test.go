package verdicts

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/report"
)

// call is one call of the program against a cluster that answers so. Its end is
// the exit status, and the words stand in what it says.
type call struct {
	Row
	otherwise answers // nil: there is no server at all
	args      []string
}

const (
	exitUsage        = "2"
	exitInconclusive = "3"
)

// calls are those in which the cluster is at fault, and those in which the user
// is.
func calls() []call {
	const folder = "2.11-exit-status"
	nothing := func(http.ResponseWriter, *http.Request) bool { return false }
	throttles := func(w http.ResponseWriter, _ *http.Request) bool {
		return status(w, http.StatusTooManyRequests, "TooManyRequests", "too many requests, please try again later")
	}
	away := func(w http.ResponseWriter, _ *http.Request) bool {
		return status(w, http.StatusServiceUnavailable, "ServiceUnavailable", "etcd is away")
	}
	return []call{
		{Row: row(folder, "must-not-pass-hand-server-away", exitInconclusive, "refused")},
		{Row: row(folder, "must-not-pass-hand-throttled", exitInconclusive, "too many requests"), otherwise: throttles},
		{Row: row(folder, "must-not-pass-hand-throttled-listing-objects", exitInconclusive, "too many requests"), otherwise: on("GET", "/virtualservices", throttles)},
		{Row: row(folder, "must-not-pass-hand-throttled-on-the-dry-run", exitInconclusive, "too many requests"), otherwise: on("POST", "/virtualservices", throttles)},
		{Row: row(folder, "must-not-pass-hand-away-listing-services", exitInconclusive, "etcd is away"), otherwise: on("GET", "/services", away)},
		{Row: row(folder, "must-not-pass-hand-webhook-times-out", exitInconclusive, "deadline exceeded"), otherwise: on("POST", "/virtualservices", func(w http.ResponseWriter, _ *http.Request) bool {
			return status(w, http.StatusInternalServerError, "InternalError", `Internal error occurred: failed calling webhook "rev.validation.istio.io": failed to call webhook: context deadline exceeded`)
		})},
		{Row: row(folder, "must-not-pass-hand-webhook-denies", exitUsage, "denied the request"), otherwise: on("POST", "/virtualservices", func(w http.ResponseWriter, _ *http.Request) bool {
			return status(w, http.StatusBadRequest, "BadRequest", `admission webhook "validation.istio.io" denied the request: configuration is invalid`)
		})},
		{Row: row(folder, "must-not-pass-hand-unknown-context", exitUsage, "nowhere"), otherwise: nothing, args: []string{"--context", "nowhere"}},
		{Row: row(folder, "must-not-pass-hand-unknown-kubeconfig", exitUsage, "no-such-file"), otherwise: nothing, args: []string{"--kubeconfig", "no-such-file"}},
		{Row: row(folder, "must-not-pass-hand-unknown-namespace", exitUsage, "nowhere"), otherwise: nothing, args: []string{"--namespace", "nowhere"}},
	}
}

// on answers requests of a method for paths that end so.
func on(method, suffix string, then answers) answers {
	return func(w http.ResponseWriter, r *http.Request) bool {
		return r.Method == method && strings.HasSuffix(r.URL.Path, suffix) && then(w, r)
	}
}

// program builds the program.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "meshchaos")
	if out, err := exec.Command("go", "build", "-o", path, "../../cmd/meshchaos").CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	return path
}

// slowRatings is a scenario file that lasts until it is interrupted.
const slowRatings = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: slow-ratings}
spec:
  app: bookinfo
  apply:
    - fault: {service: ratings, delay: 10s}
  load:
    raters: {get: "http://ratings:9080/ratings/0", connections: 2, requests: 6}
  expect:
    - raters.status[200] == raters.sent
`

func scenarioFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "slow-ratings.yaml")
	if err := os.WriteFile(path, []byte(slowRatings), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExitStatusTwoIsTheUsersFaultAlone(t *testing.T) {
	meshchaos, file := program(t), scenarioFile(t)
	for _, c := range calls() {
		t.Run(c.ID(), func(t *testing.T) {
			args := append([]string{"run", file, "--mesh", "istio", "--kubeconfig", serve(t, c.otherwise)}, c.args...)
			out, err := exec.Command(meshchaos, args...).CombinedOutput()
			var exited *exec.ExitError
			status := "0"
			if errors.As(err, &exited) {
				status = strconv.Itoa(exited.ExitCode())
			} else if err != nil {
				t.Fatal(err)
			}
			err = nil
			switch {
			case status != c.End:
				err = errors.New("it exits with " + status + ", not " + c.End + ": " + string(out))
			case !strings.Contains(string(out), c.Words[0]):
				err = errors.New("it does not say " + c.Words[0] + ": " + string(out))
			}
			holdTo(t, c.Row, err)
		})
	}
}

func TestASecondInterruptEndsTheWaitingAndNeverTheUndoing(t *testing.T) {
	folder := t.TempDir()
	cmd := exec.Command(program(t), "run", scenarioFile(t), "--report-dir", folder)
	progress, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var began time.Time
	again := false
	for lines := bufio.NewScanner(progress); lines.Scan(); {
		switch under, undoing := strings.Contains(lines.Text(), "load under the rule"), strings.Contains(lines.Text(), "undoing"); {
		case began.IsZero() && under:
			began = time.Now()
			interrupt(t, cmd.Process)
		case !began.IsZero() && undoing && !again: // signals that come at once would be one
			again = true
			interrupt(t, cmd.Process)
		}
	}
	status, exited := 0, (*exec.ExitError)(nil)
	if err := cmd.Wait(); errors.As(err, &exited) {
		status = exited.ExitCode()
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	text, err := os.ReadFile(filepath.Join(folder, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var record report.Record
	if err := json.Unmarshal(text, &record); err != nil {
		t.Fatal(err)
	}
	if record.Verdict != report.Inconclusive || len(record.Changes) == 0 {
		t.Fatalf("verdict %s, %d changes", record.Verdict, len(record.Changes))
	}
	// The second may come before the proof is there, or after.
	proof := record.Changes[0].Proof
	if proved := status == 3 && record.Restored; !proved && (status != 4 || record.Restored || !strings.Contains(proof, "it is deleted, but the wait")) {
		t.Errorf("exit status %d, restored %v: %s", status, record.Restored, proof)
	}
}

// interrupt does what Ctrl-C does.
func interrupt(t *testing.T, process *os.Process) {
	t.Helper()
	if err := process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
}
