package runner_test

import (
	"slices"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
)

// Who gives a run up learns of what stands while a write hangs, so it is told before.
func TestWhatStandsIsToldBeforeItIsWrittenAndUntilItIsUndone(t *testing.T) {
	t.Parallel()
	m := open(t)
	var told [][]rules.Ref
	record, err := runner.Run(t.Context(), m, read(t, short), runner.Options{
		ID: "test", LiveLimit: 4 * time.Second,
		Standing: func(objects []rules.Ref) { told = append(told, objects) },
		Observe: func(e runner.Event) {
			switch last := told; {
			case e.Phase == "baseline" && len(last[len(last)-1]) == 0, e.Phase == "applying step slow" && len(last[len(last)-1]) == 0:
				t.Errorf("at %s nothing is said to stand", e.Phase)
			}
		},
	})
	if err != nil || !record.Restored {
		t.Fatalf("%v, %+v", err, record)
	}
	theirs := rules.Ref{Kind: rules.VirtualService, Namespace: "default", Name: "theirs"}
	first, last := told[0], told[len(told)-1]
	if len(first) != 0 || len(last) != 0 || !slices.ContainsFunc(told, func(objects []rules.Ref) bool { return slices.Contains(objects, theirs) }) {
		t.Errorf("it is told of %v", told)
	}
}
