package runner_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
)

// inOrder holds moments against the order in which they have to be.
func inOrder(t *testing.T, what string, moments ...*time.Time) {
	t.Helper()
	for i, moment := range moments {
		switch {
		case moment == nil:
			t.Errorf("%s: moment %d is not known", what, i)
			return
		case i > 0 && moment.Before(*moments[i-1]):
			t.Errorf("%s: moment %d is %v before the one before it", what, i, moments[i-1].Sub(*moment))
		}
	}
}

func TestTheMomentsOfAStageEncloseItsLoad(t *testing.T) {
	record := run(t.Context(), t, open(t), short, nil)
	var names []string
	for _, stage := range record.Stages {
		names = append(names, stage.Step)
	}
	if !slices.Equal(names, []string{report.Given, "slow", "split"}) || len(record.Windows) != 4 {
		t.Fatalf("the stages are %q, and there are %d windows", names, len(record.Windows))
	}
	given, baseline, recovery := record.Stage(report.Given), record.Window(report.Baseline, ""), record.Window(report.Recovery, "")
	for _, name := range names[1:] {
		step, load := record.Stage(name), record.Window(report.During, name)
		inOrder(t, name, &record.Started, &given.Applied, given.Live, &baseline.Started, &baseline.Ended,
			&step.Applied, step.Live, &load.Started, &load.Ended, step.Undone, step.Gone,
			&recovery.Started, &recovery.Ended, given.Undone, given.Gone, &record.Ended)
	}
	if record.Stage("none") != nil {
		t.Error("there is a stage that the scenario has not")
	}
}

// TestTheMomentsOfARunThatIsInterrupted: each stage that was written is undone, and seen
// to be, and none was before it was written.
func TestTheMomentsOfARunThatIsInterrupted(t *testing.T) {
	for _, phase := range []string{"applying what is given", "baseline", "applying step slow", "load of step slow", "applying step split", "undoing"} {
		t.Run(phase, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			record := run(ctx, t, open(t), short, func(e runner.Event) {
				if e.Phase == phase {
					cancel()
				}
			})
			if len(record.Stages) == 0 {
				t.Error("it has no stages")
			}
			written := map[string]bool{}
			for _, change := range record.Changes {
				written[change.Step] = true
			}
			for _, stage := range record.Stages {
				if !written[stage.Step] {
					continue
				}
				live := stage.Live
				if live == nil {
					live = &stage.Applied
				}
				inOrder(t, stage.Step, &stage.Applied, live, stage.Undone, stage.Gone, &record.Ended)
			}
		})
	}
}

func TestWhatNobodyHasSeenHasNoMoment(t *testing.T) {
	m := open(t)
	blind, theirs := false, rules.Ref{Kind: "VirtualService", Namespace: "default", Name: "theirs"} // to which slow adds its fault
	record := run(t.Context(), t, bent{Mesh: m, blind: func() bool { return blind }, write: func(ctx context.Context, c rules.Change) (*rules.Object, error) {
		blind = blind || c.After != nil && c.After.Ref == theirs
		return m.Write(ctx, c)
	}}, short, nil)
	given, slow := record.Stage(report.Given), record.Stage("slow")
	if given == nil || slow == nil || record.Stage("split") != nil {
		t.Fatalf("the stages are %+v", record.Stages)
	}
	inOrder(t, report.Given, &given.Applied, given.Live, &slow.Applied, given.Undone)
	inOrder(t, "slow", &slow.Applied, slow.Undone)
	if slow.Live != nil || slow.Gone != nil || given.Gone != nil {
		t.Errorf("no proxy answered, and slow was seen live at %v and gone at %v, what is given gone at %v", slow.Live, slow.Gone, given.Gone)
	}
}
