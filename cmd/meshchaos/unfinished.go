package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// unfinished is what the runs of a command would leave on a cluster if it ended now.
// It is asked while a write of theirs hangs, and waits for none of them.
type unfinished struct {
	mu   sync.Mutex
	runs map[string]leftover // by their ids
}

// leftover is what one run would leave.
type leftover struct {
	namespace string
	objects   []rules.Ref // not known to be as they were
}

// of returns what takes note of the objects of a run.
func (u *unfinished) of(run, namespace string) func([]rules.Ref) {
	return func(objects []rules.Ref) {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.runs == nil {
			u.runs = map[string]leftover{}
		}
		u.runs[run] = leftover{namespace, objects}
	}
}

// done says that a run is over, and has said itself what it leaves.
func (u *unfinished) done(run string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.runs, run)
}

// say says what is left of all runs, and returns the exit status.
func (u *unfinished) say(w io.Writer) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.runs) == 0 {
		remark(w, "meshchaos: given up; no run has anything in force on a cluster")
		return exitInconclusive
	}
	for _, run := range slices.Sorted(maps.Keys(u.runs)) {
		left := u.runs[run]
		switch {
		case len(left.objects) == 0:
			remark(w, fmt.Sprintf("meshchaos: the run %s is given up; its rules are not in force, and its load pod may still be there", run))
		default:
			remark(w, fmt.Sprintf("meshchaos: the run %s is given up; its rules may be in force in", run))
		}
		for _, ref := range left.objects {
			remark(w, "  "+ref.String())
		}
		remark(w, fmt.Sprintf("what was there is kept in ConfigMap/%s/meshchaos-ledger-%s; undo what is left, in a minute, when it is known that nobody is at it: meshchaos restore --namespace %s --run %s", left.namespace, run, left.namespace, run))
	}
	return exitNotRestored
}
