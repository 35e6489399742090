// Package single drives one load that is no scenario's, and judges it by lines of the
// grammar of expectations. It may import internal/check, internal/plural, loadgen and
// report.
package single

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/check"
	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// Cohort is what the load is called.
const Cohort = "load"

// Load is what is to be driven.
type Load struct {
	Plan    loadgen.Plan
	Expect  []*check.Expectation
	QPS     float64       // the requests a second at which it is ended; 0: none
	Longest time.Duration // for which it may begin requests; 0: any time
}

// Compile reads lines of what is expected. A quantity that names no load is of this one:
// p99 < 300ms. The error says which line is wrong, and where.
func Compile(plan loadgen.Plan, lines []string) ([]*check.Expectation, error) {
	longest := check.Longest{Service: check.LongestRequest(plan)}
	if plan.QPS == 0 { // of a schedule, a request may be begun any time after it was due
		longest.Response = longest.Service
	}
	scope := check.Scope{
		Cohorts: []string{Cohort}, Alone: Cohort, Longest: map[string]check.Longest{Cohort: longest},
		Bounds: map[check.Load]check.Bounds{ofLoad(): check.BoundsOf(plan)},
	}
	var all []*check.Expectation
	var wrong []error
	for _, line := range lines {
		one, err := check.Compile(scope, line)
		if err == nil {
			err = ofThisLoad(one)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("reading %q%s: %w", line, place(line, err), hinted(err)))
		}
		all = append(all, one)
	}
	return all, errors.Join(wrong...)
}

// ofLoad is what lines call the load.
func ofLoad() check.Load { return check.Load{Window: report.During, Cohort: Cohort} }

// ofThisLoad refuses a line that speaks of a load before or after this one.
func ofThisLoad(line *check.Expectation) error {
	for _, of := range line.Loads() {
		if of.Window != report.During {
			return fmt.Errorf("there is no %s: a load by itself is driven once, and under no rule", of.Window)
		}
	}
	return nil
}

// place says from where on a line is wrong, if that is known and not from its begin.
func place(line string, err error) string {
	var wrong *check.Error
	if !errors.As(err, &wrong) || wrong.Offset <= 0 {
		return ""
	}
	return fmt.Sprintf(" at %q", line[min(wrong.Offset, len(line)):])
}

// hinted gives the hint to what is wrong with a line in words of a load that needs no name,
// and that looks into no answers: checks and versions only a file can list.
func hinted(err error) error {
	var wrong *check.Error
	if !errors.As(err, &wrong) {
		return err
	}
	hint := strings.ReplaceAll(wrong.Hint, "jason.", "")
	if strings.HasPrefix(hint, "list ") {
		hint = "a load by itself looks into no answers; write a scenario"
	}
	return &check.Error{Offset: wrong.Offset, Message: wrong.Message, Hint: hint}
}

// Check refuses what asks for more than the load may do, before anything is sent.
func (l *Load) Check() error {
	p := &l.Plan
	if err := p.Validate(); err != nil {
		return err
	}
	lasts := p.Duration.Duration
	if p.Requests > 0 && p.QPS > 0 {
		lasts = time.Duration(float64(p.Requests) / p.QPS * float64(time.Second))
	}
	switch {
	case l.QPS > 0 && p.QPS > l.QPS:
		return fmt.Errorf("it asks for %g requests a second, and the cap is %g", p.QPS, l.QPS)
	case l.Longest > 0 && lasts > l.Longest:
		return fmt.Errorf("it lasts %v, and the cap is %v", lasts, l.Longest)
	}
	return nil
}

// Run drives the load. When ctx ends nothing more is begun, and what is in flight ends by
// itself, or at once when hurry is closed. An error is that of the load generator: a cap
// that was exceeded, as *loadgen.StopError, or what keeps it from being carried out at all.
func (l *Load) Run(ctx context.Context, hurry <-chan struct{}, observe func(loadgen.Progress)) (*loadgen.Result, error) {
	driving, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	over, ended := make(chan string, 1), make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-ctx.Done():
			over <- Cohort
		case <-ended:
			return
		}
		select {
		case <-hurry:
			cut()
		case <-ended:
		}
	}()
	begin := func(context.Context) error { return ctx.Err() } // who was interrupted before wants none of it
	bounds := loadgen.Bounds{QPS: l.QPS, Duration: l.Longest, Over: over}
	seen, err := loadgen.RunGroup(driving, map[string]loadgen.Plan{Cohort: l.Plan}, bounds, begin, observe)
	result := seen[Cohort]
	switch stopped := (*loadgen.StopError)(nil); {
	case errors.As(err, &stopped):
		return result, err
	case result != nil && result.Failure != "":
		return nil, &FailedError{Reason: result.Failure, Refusal: result.Refusal, Aborted: result.Aborted}
	case result == nil || result.Sent == 0 && err != nil:
		return nil, err
	}
	return result, nil // what was cut off is in it
}

// FailedError says why a load was not driven.
type FailedError struct {
	Reason  string
	Refusal *loadgen.Refusal // why nothing could be encrypted; nil: that is not the reason
	Aborted bool             // a request ended as Plan.AbortOn has it, before any that counts
}

// Error implements error.
func (e *FailedError) Error() string { return e.Reason }

// Aborted says whether the load came to what it was to end with.
func (l *Load) Aborted(seen *loadgen.Result) bool {
	on := l.Plan.AbortOn
	return on != 0 && seen.Count(func(o loadgen.Outcome) bool {
		return o.Status == on || on == loadgen.AbortOnError && o.Error != "" && o.Error != loadgen.ErrorCanceled
	}) > 0
}

// Judge holds what was seen against what is expected, a row for each comparison. Failures
// of which no line speaks make a row of their own, and so does a load that was not driven as
// it was asked for: nothing is claimed of one with those.
func (l *Load) Judge(seen *loadgen.Result) []report.Expectation {
	windows := windowsOf(seen)
	var rows []report.Expectation
	for _, line := range l.Expect {
		rows = append(rows, judged(line, seen)...)
	}
	for i := range rows {
		rows[i].Reason = ofTheOnlyLoad.Replace(rows[i].Reason)
	}
	if len(l.Expect) == 0 {
		return nil
	}
	if left := l.unspoken(windows, seen); left != "" {
		rows = append(rows, report.Expectation{Verdict: report.Inconclusive, Expression: "failures", Reason: "no expectation speaks of " + left})
	}
	if short := check.Shortfall(l.Plan, windows.During.Loads, Cohort); short != "" && !l.Aborted(seen) {
		rows = append(rows, report.Expectation{Verdict: report.Inconclusive, Expression: "load", Reason: short})
	}
	return rows
}

func windowsOf(seen *loadgen.Result) check.Windows {
	return check.Windows{During: &report.Window{Name: report.During, Loads: map[string]*loadgen.Result{Cohort: seen}}}
}

// judged judges a line. What came out so since requests were given up as the load was ended
// says nothing of the service: how those would have ended, nobody knows.
func judged(line *check.Expectation, seen *loadgen.Result) []report.Expectation {
	rows := line.Judge(windowsOf(seen))
	isCut := func(o loadgen.Outcome) bool { return o.Error == loadgen.ErrorCanceled }
	cut := seen.Count(isCut)
	if cut == 0 {
		return rows
	}
	ended := *seen
	ended.Sent -= cut
	ended.Outcomes = slices.DeleteFunc(slices.Clone(seen.Outcomes), isCut)
	without := line.Judge(windowsOf(&ended))
	for i := range rows {
		if len(without) == len(rows) && without[i].Verdict != rows[i].Verdict && rows[i].Verdict != report.Inconclusive {
			rows[i].Verdict = report.Inconclusive
			rows[i].Reason = plural.Were(cut, "request") + " given up as the load was ended, and nobody knows how they would have ended"
		}
	}
	return rows
}

// ofTheOnlyLoad leaves out of a reason which of several loads it is of, and under which rule.
var ofTheOnlyLoad = strings.NewReplacer(Cohort+" in the load under the rule: ", "", " in the load under the rule", "", "in the load under the rule ", "", "requests of "+Cohort+" ", "requests ", "; write .max", "; write max", "; judge .", "; judge ")

// unspoken words the failures of which no line says anything, and a line that would.
func (l *Load) unspoken(w check.Windows, seen *loadgen.Result) string {
	var left []string
	about := "errors"
	for _, o := range seen.Outcomes {
		spoken := !o.Failed() || o.Error == loadgen.ErrorCanceled
		for _, line := range l.Expect {
			spoken = spoken || line.Speaks(w, ofLoad(), o)
		}
		if !spoken {
			left = append(left, plural.Of(o.Count, "request")+" that ended with "+o.Words())
			if o.Error == "" && len(left) == 1 {
				about = fmt.Sprintf("status[%d]", o.Status)
			}
		}
	}
	if len(left) == 0 {
		return ""
	}
	return fmt.Sprintf("%s; write another --expect, as in '%s == 0'", strings.Join(left, " and "), about)
}

// Loopback says whether a load stays on this machine: all addresses of where it connects to
// are of its loopback interface.
func Loopback(ctx context.Context, plan loadgen.Plan) (bool, error) {
	host, _, err := plan.Address()
	if plan.HTTP != nil && plan.HTTP.Connect != "" {
		host, _, err = net.SplitHostPort(plan.HTTP.Connect)
	}
	if err != nil {
		return false, err
	}
	addresses, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return false, fmt.Errorf("finding out whether the load leaves this machine: %w; name a host that is known, or an IP", err)
	}
	for _, address := range addresses {
		if !address.IP.IsLoopback() {
			return false, nil
		}
	}
	return true, nil
}
