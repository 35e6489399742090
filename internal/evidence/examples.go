package evidence

import (
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// example is a request that is to be explained, and why.
type example struct {
	loadgen.Example
	why    string
	answer string // what its answer showed, where that is not the same of all
}

// refused says whether one side refused the other by TLS before the request.
func (e example) refused(load *loadgen.Result) bool {
	return slices.ContainsFunc(load.Outcomes, func(o loadgen.Outcome) bool {
		return o.Error == loadgen.ErrorTLS && o.Slowest != nil && o.Slowest.RequestID == e.RequestID
	})
}

// examples are the slowest request of a load, the slowest of each kind of bad
// answer, and the slowest of what the others showed, if that is not the same of
// all: a page that lacks something may be answered with 200, and soon.
func examples(load *loadgen.Result) []example {
	var all []example
	var slow *loadgen.Outcome
	bad, shown := map[string]*loadgen.Example{}, map[string]*loadgen.Example{}
	for _, o := range load.Outcomes {
		switch {
		case o.Slowest == nil:
			continue
		case isBad(o):
			keep(bad, o.Words(), o.Slowest)
		case o.Error == "":
			keep(shown, wordAnswer(o), o.Slowest)
		}
		if slow == nil || o.Slowest.Response.Duration > slow.Slowest.Response.Duration {
			slow = &o
		}
	}
	if slow == nil {
		return nil
	}
	first := example{Example: *slow.Slowest, why: report.WhySlowest}
	if len(shown) > 1 && slow.Error == "" && !isBad(*slow) {
		first.answer = wordAnswer(*slow)
	}
	all = append(all, first)
	for _, kind := range sortedKeys(bad) {
		all = append(all, example{Example: *bad[kind], why: kind})
	}
	if len(shown) < 2 {
		return all
	}
	for _, answer := range sortedKeys(shown) {
		if answer != first.answer {
			all = append(all, example{*shown[answer], report.WhyAnswer, answer})
		}
	}
	return all
}

// keep keeps the slowest of each kind.
func keep(of map[string]*loadgen.Example, kind string, e *loadgen.Example) {
	if of[kind] == nil || e.Response.Duration > of[kind].Response.Duration {
		of[kind] = e
	}
}

// isBad says whether a kind of answer is to be explained: a failure, but none
// that was cut off by us.
func isBad(o loadgen.Outcome) bool { return o.Failed() && o.Error != loadgen.ErrorCanceled }

// wordAnswer says what an answer showed of the checks and versions.
func wordAnswer(o loadgen.Outcome) string {
	var words []string
	if o.Version != "" {
		words = append(words, "version "+o.Version)
	}
	for _, check := range o.Checks {
		words = append(words, "check "+check)
	}
	if len(words) == 0 {
		return "nothing that is checked"
	}
	return strings.Join(words, ", ")
}
