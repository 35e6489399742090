package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/meshchaos/meshchaos/report"
)

// bySenders runs a scenario whose others come from three processes, has something happen to
// these under the rule, and returns the record, and how it has not ended as it was to.
func bySenders(t *testing.T, happens func(cmd *exec.Cmd, senders []int)) (record *report.Record, wrong string) {
	t.Helper()
	cmd, progress, out := start(t, "run", "delay-jason", "--set", "load.others.senders=3", "-o", "json")
	for progress.Scan() && !strings.Contains(progress.Text(), "jason: 0 of 5") {
		continue // until the load is under way, under the rule
	}
	senders := childrenOf(t, cmd.Process.Pid)
	happens(cmd, senders)
	for progress.Scan() {
		continue // to its end, or the program would wait
	}
	var exit *exec.ExitError
	err := cmd.Wait()
	for _, pid := range senders {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d is left", pid)
		}
	}
	record = &report.Record{}
	if err := json.NewDecoder(bytes.NewReader(out.Bytes())).Decode(record); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if !errors.As(err, &exit) || exit.ExitCode() != exitInconclusive || !record.Restored {
		return record, fmt.Sprintf("it ended with %v, restored %v: %v", err, record.Restored, record.Against())
	}
	return record, ""
}

// childrenOf are the processes that one has started.
func childrenOf(t *testing.T, pid int) (all []int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(lists) == 0 {
		t.Skip("this system does not tell the children of a process")
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, child)
		}
	}
	if len(all) != 3 {
		t.Errorf("it has started %d processes, want 3", len(all))
	}
	return all
}

func TestASenderThatIsKilledIsNamedAndTheRunIsInconclusiveAndUndone(t *testing.T) {
	var killed int
	record, wrong := bySenders(t, func(_ *exec.Cmd, senders []int) {
		killed = senders[1]
		if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	})
	if wrong != "" || record.Windows[len(record.Windows)-1].Loads["others"] == nil {
		t.Fatalf("%s; the last window is %+v", wrong, record.Windows[len(record.Windows)-1])
	}
	name := fmt.Sprintf("process %d", killed)
	if said := strings.Join(record.Against(), "\n"); record.Verdict != report.Inconclusive || !strings.Contains(said, name+", died: signal: killed") {
		t.Errorf("verdict %s: %s", record.Verdict, said)
	}
	during := record.Windows[len(record.Windows)-1]
	lost := 0
	for _, s := range during.Loads["others"].Senders {
		if s.Lost != "" && s.Name == name && s.Missed > 0 && s.Sent == 0 {
			lost++
		}
	}
	if during.Name != report.During || during.Cut == "" || lost != 1 || during.Loads["others"].Sent == 0 {
		t.Errorf("the last window is %s, cut off by %q, with %+v", during.Name, during.Cut, during.Loads["others"].Senders)
	}
}

func TestASignalEndsTheLoadOfSeveralProcesses(t *testing.T) {
	inTime(t, func() string {
		record, wrong := bySenders(t, func(cmd *exec.Cmd, _ []int) {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		})
		others := record.Windows[len(record.Windows)-1].Loads["others"]
		if wrong == "" && (others == nil || others.Sent == 0 || len(others.Senders) != 3 || others.Senders[1].Lost != "") {
			wrong = fmt.Sprintf("what was seen of the load is not in the record: %+v", others)
		}
		return wrong
	})
}
