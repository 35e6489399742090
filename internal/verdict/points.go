package verdict

import "github.com/meshchaos/meshchaos/report"

// point is one thing that a pass means. The number is that of docs/verdicts.md.
//
// What a point says is a problem, which makes the run inconclusive, or a
// warning, which does not. One without functions is held before the run or
// while it lasts, and is in the list so that the list is whole.
type point struct {
	number int
	name   string
	window func(run, *report.Window) []string // what is wrong with one window
	whole  func(run) []string                 // what is wrong with the run as a whole
	warn   func(run) []string
	held   string // where else the point is held
}

// points are what a pass means.
func points() []point {
	return []point{
		{number: 1, name: "Each rule bites", window: unbitten, whole: unbittenGiven, held: "scenarios: a step without rules"},
		{number: 2, name: "Each answer is spoken for", window: unspoken, held: "internal/check: a latency of answers that are all failures"},
		{number: 3, name: "Each expectation could have failed", warn: unfulfilled, held: "internal/check"},
		{number: 4, name: "Enough samples", window: unjudged, held: "internal/check"},
		{number: 5, name: "The load was as asked", window: unlikeAsked, held: "internal/check: percentiles of a load that missed requests"},
		{number: 6, name: "Answers are told apart", held: "loadgen, internal/check"},
		{number: 7, name: "All proxies of the whole window", window: unreconciled, held: "internal/evidence"},
		{number: 8, name: "A rule is live before it is measured", held: "internal/live"},
		{number: 9, name: "Refused before the first write", held: "internal/runner"},
		{number: 10, name: "Everything is as it was", whole: notBack, held: "internal/runner"},
		{number: 11, name: "The exit status says whose fault it is", held: "cmd/meshchaos"},
	}
}
