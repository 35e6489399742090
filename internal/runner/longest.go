package runner

import (
	"cmp"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

const (
	// longestLoad is how long a load may last for which there is no cap: an agent ends
	// it then.
	longestLoad = time.Hour
	// settling is how long a window may take beside its load and the waits for rules:
	// for delayed requests, proxies and logs that are read late.
	settling = 2 * time.Minute
)

// Longest is how long a run of a scenario may take if whatever it waits for comes at
// the last moment. Of the options LiveLimit and Caps.Duration count.
func Longest(s *scenarios.Scenario, o Options) time.Duration {
	live, load := cmp.Or(o.LiveLimit, defaultLive), cmp.Or(o.Caps.Duration, longestLoad)
	// What is given, each step, and the undoing, which may be tried twice.
	total := time.Duration(len(s.Steps)+3) * live
	window := func(name string, step scenarios.Step) {
		var longest time.Duration
		for _, c := range s.Cohorts(name, step) {
			longest = max(longest, c.Plan.Longest())
		}
		if longest == 0 || longest > load { // 0: the last of them has no end of its own
			longest = load
		}
		total += longest + settling
	}
	window(report.Baseline, s.Steps[0])
	for _, step := range s.Steps {
		window(report.During, step)
	}
	window(report.Recovery, s.Steps[0])
	return total
}
