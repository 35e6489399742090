package agent

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// processEnv makes the test binary an agent: "1", or one that takes too much "memory".
const processEnv = "AGENT_TEST_PROCESS"

func beProcess() {
	if os.Getenv(processEnv) == "memory" {
		if err := Confine(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		all := make([]byte, 2*MaxMemory)
		for i := range all {
			all[i] = 1
		}
		runtime.KeepAlive(all)
		return
	}
	if err := ServeInherited(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// processes are agents of their own, until the test ends.
func processes(t *testing.T, n int) (all []*Process) {
	t.Helper()
	t.Setenv(processEnv, "1")
	for range n {
		p, err := Start(os.Args[0])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		all = append(all, p)
	}
	return all
}

func sharesOf(all []*Process) (shares []*Share) {
	for _, p := range all {
		shares = append(shares, p.Share())
	}
	return shares
}

// TestASenderThatHangsIsGivenUp stops one before it is asked for the load, as its plans are
// to begin, and in the middle: its connection stays, and nothing comes by it.
func TestASenderThatHangsIsGivenUp(t *testing.T) {
	url, _ := target(t)
	plan := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 6, QPS: 300, Duration: loadgen.Duration{Duration: time.Minute}, Senders: 3}
	for _, when := range []string{"before", "ready", "under way"} {
		t.Run(when, func(t *testing.T) {
			all := processes(t, 3)
			const limit = 2 * time.Second // of which the agents say that they are there twice
			for _, p := range all {
				p.silence, p.first = limit, limit
			}
			stop := sync.OnceFunc(func() { _ = all[1].cmd.Process.Signal(syscall.SIGSTOP) })
			t.Cleanup(func() { _ = all[1].cmd.Process.Signal(syscall.SIGCONT) })
			if when == "before" {
				stop()
			}
			g, err := Together([]Cohort{{Name: "pages", Plan: plan, From: sharesOf(all)}}, Request{})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			results, err := g.Run(t.Context(), func(context.Context) error {
				if when == "ready" {
					stop()
				}
				return nil
			}, func(p loadgen.Progress) {
				if when == "under way" && p.Elapsed.Duration > 500*time.Millisecond {
					stop()
				}
			}, nil)
			if took := time.Since(began); err == nil || !strings.Contains(err.Error(), "nothing was heard of it for 2s") || took > 20*time.Second {
				t.Fatalf("after %s: error %v", took, err)
			}
			if r := results["pages"]; when == "under way" && (r == nil || r.Senders[1].Lost == "" || r.Senders[0].Sent == 0) {
				t.Errorf("of the load it is known %+v", r)
			}
		})
	}
}

func TestASenderThatIsKilledIsNamedAndItsPartIsMissed(t *testing.T) {
	url, _ := target(t)
	all := processes(t, 3)
	plan := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 6, QPS: 300, Duration: loadgen.Duration{Duration: time.Minute}, Senders: 3}
	g, err := Together([]Cohort{{Name: "pages", Plan: plan, From: sharesOf(all)}}, Request{})
	if err != nil {
		t.Fatal(err)
	}
	var kill sync.Once
	results, err := g.Run(t.Context(), atOnce, func(p loadgen.Progress) {
		if p.Elapsed.Duration > 500*time.Millisecond {
			kill.Do(func() { _ = all[1].cmd.Process.Signal(syscall.SIGKILL) })
		}
	}, nil)
	name := fmt.Sprintf("process %d", all[1].cmd.Process.Pid)
	if err == nil || !strings.Contains(err.Error(), "the load agent, "+name+", died: signal: killed") {
		t.Fatalf("error %v", err)
	}
	r := results["pages"]
	if r == nil || len(r.Senders) != 3 {
		t.Fatalf("result %+v", r)
	}
	due := plan.Owed(r.Elapsed.Duration, 0)
	lost := r.Senders[1]
	if lost.Name != name || !strings.Contains(lost.Lost, "signal: killed") || !strings.Contains(lost.Lost, "when last heard of") || lost.Sent != 0 || lost.Missed < due/3-1 || lost.Missed > due/3+1 {
		t.Errorf("of %d due requests: %+v", due, lost)
	}
	if r.Missed < lost.Missed || r.Elapsed.Duration > 30*time.Second || r.Senders[0].Lost != "" || r.Senders[2].Lost != "" || r.Senders[0].Sent+r.Senders[2].Sent != r.Sent || r.Sent+r.Missed-lost.Missed < 2*due/3-10 {
		t.Errorf("%d missed and %d sent in %v, by %+v", r.Missed, r.Sent, r.Elapsed, r.Senders)
	}
	for i, want := range []bool{true, false, true} {
		if all[i].Alive() != want {
			t.Errorf("process %d is alive: %v", i, !want)
		}
	}
}

// What one sender is held up by is seen in the result of all: the times of the requests that
// it had to send by then count from when they were due.
func TestTheStallOfOneSenderIsSeen(t *testing.T) {
	url, _ := target(t)
	all := processes(t, 3)
	plan := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: url}, Connections: 9, QPS: 300, Requests: 900, Senders: 3}
	g, err := Together([]Cohort{{Name: "pages", Plan: plan, From: sharesOf(all)}}, Request{})
	if err != nil {
		t.Fatal(err)
	}
	const stalled = time.Second
	var stall sync.Once
	results, err := g.Run(t.Context(), atOnce, func(p loadgen.Progress) {
		if p.Elapsed.Duration > 500*time.Millisecond {
			stall.Do(func() {
				_ = all[2].cmd.Process.Signal(syscall.SIGSTOP)
				time.AfterFunc(stalled, func() { _ = all[2].cmd.Process.Signal(syscall.SIGCONT) })
			})
		}
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := results["pages"]
	// A hundred of 900 requests were due in that second, by 0 to 1 s: one in a hundred by 0.9.
	p99, _ := r.Response.Quantile(0.99)
	if p99 < 850*time.Millisecond || r.Sent != 900 || r.Senders[2].Late < 90 {
		t.Errorf("%d sent, p99 %v, by %+v", r.Sent, p99, r.Senders)
	}
}

func TestAProcessEndsWithWhoeverStartedIt(t *testing.T) {
	p := processes(t, 1)[0]
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = p.life.Close()
	select {
	case <-p.gone:
	case <-time.After(time.Minute):
		t.Fatal("it goes on")
	}
	if _, err := os.Stat(p.folder); !os.IsNotExist(err) {
		t.Errorf("of its folder, which nobody else takes away where a run is killed: %v", err)
	}
}

func TestAProcessThatDoesNotStartSaysWhy(t *testing.T) {
	if _, err := Start("/nowhere/meshchaos"); err == nil || !strings.Contains(err.Error(), "/nowhere/meshchaos") {
		t.Errorf("error %v", err)
	}
}
