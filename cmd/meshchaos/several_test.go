package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

func TestASignalUndoesAllThatRunBesideEachOtherAndBeginsNoFurther(t *testing.T) {
	cmd, progress, out := start(t, "run", "breaker-httpbin", "delay-jason", "delay-fixed", "abort-jason", "--parallel", "2", "-o", "json")
	for progress.Scan() && !strings.HasPrefix(progress.Text(), "delay-fixed begins") {
		continue // until the first has ended, and delay-jason has long been at it
	}
	began := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for progress.Scan() {
		said.WriteString(progress.Text() + "\n")
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInconclusive {
		t.Errorf("it ended with %v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	if !strings.Contains(said.String(), "abort-jason      -\n") {
		t.Errorf("it said\n%s", &said)
	}
	records := map[string]*report.Record{}
	all, without, err := report.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range all {
		records[record.Scenario.Name] = record
	}
	if first := records["breaker-httpbin"]; first.Verdict != report.Pass || !first.Restored {
		t.Errorf("what had ended before is %s, restored %v", first.Verdict, first.Restored)
	}
	if cut := records["delay-jason"]; cut.Verdict == report.Pass || !cut.Restored || len(cut.Changes) == 0 {
		t.Errorf("what was under way is %s, restored %v, %d changes", cut.Verdict, cut.Restored, len(cut.Changes))
	}
	for _, one := range without {
		if one.Became != wordNotBegun {
			t.Errorf("%s is %q", one.Scenario.Name, one.Became)
		}
	}
	if records["abort-jason"] != nil || len(records)+len(without) != 4 {
		t.Errorf("after the signal there began others than %v", without)
	}
	if last := records["delay-fixed"]; last != nil && (last.Verdict == report.Pass || !last.Restored) { // nil: the signal came before it had done anything
		t.Errorf("what had just begun is %s, restored %v", last.Verdict, last.Restored)
	}
}

func TestWhatRunsBesideEachOtherPrintsInOrder(t *testing.T) {
	all := []*scenarios.Scenario{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}}
	release := map[string]chan struct{}{"a": make(chan struct{}), "b": make(chan struct{}), "c": make(chan struct{}), "d": make(chan struct{})}
	close(release["d"])
	next := map[string]string{"d": "c", "c": "b", "b": "a"} // d ends first
	var out, progress strings.Builder
	outcomes := beside(all, 4, streams{out: &out, err: &progress}, func(s *scenarios.Scenario, to streams) outcome {
		<-release[s.Name]
		fmt.Fprintf(to.out, "%s 1\n%[1]s 2\n", s.Name)
		if other := next[s.Name]; other != "" {
			close(release[other])
		}
		return outcome{name: s.Name, word: "pass"}
	})
	if got := out.String(); got != "a 1\na 2\nb 1\nb 2\nc 1\nc 2\nd 1\nd 2\n" {
		t.Errorf("printed\n%s", got)
	}
	for i, o := range outcomes {
		if o.name != all[i].Name {
			t.Errorf("outcome %d is of %s", i, o.name)
		}
	}
}

func TestARunTookOneTimeInEachSummary(t *testing.T) {
	began := time.Now()
	record := &report.Record{Started: began.Add(200 * time.Millisecond), Ended: began.Add(1200 * time.Millisecond)}
	all := endedOf([]outcome{{name: "run", took: 1300 * time.Millisecond, record: record}, {name: "refused", took: time.Second}}, func(s string) string { return s })
	if all[0].Lasted() != "1s" || all[1].Lasted() != "1s" {
		t.Errorf("they took %s and %s", all[0].Lasted(), all[1].Lasted())
	}
}

// A folder that holds nothing would be taken for a report that was lost.
func TestAScenarioThatIsRefusedLeavesNoFolder(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	const text = `apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: NAME}
spec:
  app: httpbin
  apply: [{fault: {service: SERVICE, abort: 503, percent: 50%}}]
  load: {client: {get: "http://httpbin:8000/get", requests: 40}}
  expect: [client.share(503) > 1%]
`
	for name, service := range map[string]string{"good": "httpbin", "bad": "nobody"} {
		one := strings.NewReplacer("NAME", name, "SERVICE", service).Replace(text)
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(one), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"bad", "worse"} { // of which the one is there, and the other somewhere else
		one := strings.NewReplacer("NAME", name+"-and-kept", "SERVICE", "nobody").Replace(text)
		if err := os.WriteFile(filepath.Join(dir, name+"-and-kept.yaml"), []byte(one), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.MkdirAll(filepath.Join(out, "bad-and-kept"), 0o750), os.Symlink(t.TempDir(), filepath.Join(out, "worse-and-kept"))); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	execute(t.Context(), []string{"run", dir, "-q", "--report-dir", out}, io.Discard, &said)
	entries, err := os.ReadDir(out)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if want := "bad-and-kept good index.html index.md junit.xml worse-and-kept"; err != nil || strings.Join(names, " ") != want {
		t.Errorf("the folder has %v, want %s; %v\n%s", names, want, err, said.String())
	}
}

// TestJUnitSaysWhereACommandRan: also of what was refused, and has no record that says it.
func TestJUnitSaysWhereACommandRan(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for hidden, want := range map[string]string{"": host, host: "***"} {
		hide := func(text string) string { return text }
		if hidden != "" {
			hide = func(text string) string { return strings.ReplaceAll(text, hidden, "***") }
		}
		kept := &results{dir: t.TempDir(), started: time.Now(), hide: hide}
		if err := errors.Join(kept.begin(), kept.failed(errors.New("no such file"), io.Discard)); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(kept.dir, resultsFile))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), `hostname="`+want+`"`) {
			t.Errorf("it does not name %s:\n%s", want, text)
		}
	}
}
