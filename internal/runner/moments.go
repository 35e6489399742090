package runner

import (
	"time"

	"github.com/meshchaos/meshchaos/internal/live"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// applying enters that a stage is about to be written.
func (r *run) applying(stage string) {
	r.record.Stages = append(r.record.Stages, report.Stage{Step: stage, Applied: time.Now()})
}

// seenLive enters when the proxies were seen to run the last of a stage.
func (r *run) seenLive(stage string, seen []live.Seen) {
	var last time.Time
	for _, one := range seen {
		last = later(last, one.At)
	}
	r.record.Stage(stage).Live = &last
}

// undoing enters that stages are about to be taken back: those that have written an
// object of those that are, and what is given only where that is all that was written.
func (r *run) undoing(back []rules.Change) {
	now := time.Now()
	for _, change := range back {
		delete(r.goneAt, change.Ref().String())
		all := rules.Equal(change.After, r.book.was(change.Ref()))
		for _, entry := range r.record.Changes {
			if entry.Object != change.Ref().String() || entry.Step == report.Given && !all {
				continue
			}
			if stage := r.record.Stage(entry.Step); stage != nil && stage.Undone == nil {
				stage.Undone = &now
			}
		}
	}
}

// seenGone enters when the proxies were seen to run nothing of a stage any more, of
// those that were taken back.
func (r *run) seenGone() {
	for i := range r.record.Stages {
		stage := &r.record.Stages[i]
		if stage.Undone == nil || stage.Gone != nil {
			continue
		}
		if last, gone := r.gone(stage.Step); gone {
			stage.Gone = &last
		}
	}
}

// gone says when the last object of a stage was seen to have nothing of it any more.
func (r *run) gone(stage string) (last time.Time, gone bool) {
	for _, entry := range r.record.Changes {
		if entry.Step != stage {
			continue
		}
		at, seen := r.goneAt[entry.Object]
		if !seen {
			return last, false
		}
		last = later(last, at)
	}
	return last, true
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
