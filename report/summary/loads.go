package summary

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// How many answers a percentile takes: of fewer it is the maximum by another name
// (docs/expectations.md), and is not shown.
const (
	LeastP50 = 2
	LeastP90 = 10
	LeastP99 = 100
)

// Load is what came of the load of one cohort in one window.
type Load struct {
	Window  *report.Window
	Cohort  string
	Request string // of the cohort's list, of which alone it tells; empty: of all
	Result  *loadgen.Result
	Planned int64    // requests that were to be sent; 0: it was ended otherwise
	Rate    float64  // requests a second that were reached; 0: one request tells none, nor do those that were all canceled
	Asked   float64  // requests a second that were asked for; 0: as fast as the answers came
	P50     *Latency // nil: too few requests ended by themselves for it not to be the maximum
	P90     *Latency
	P99     *Latency
	Max     *Latency // nil: none ended by itself
	LagP99  *Latency // by how much the load generator itself was late; nil: likewise too few, or there was no rate to keep
	LagMax  *Latency // nil: there was no rate to keep
	Answers []Count  // by status or code of gRPC, those of TCP in one; the lowest first
	Errors  []Count  // requests without a whole answer, by kind
}

// Latency is a latency.
type Latency time.Duration

// String words it, or that there is none.
func (l *Latency) String() string {
	if l == nil {
		return "-"
	}
	return Duration(time.Duration(*l))
}

// Count is how many requests ended in one way.
type Count struct {
	Name  string // 200, UNAVAILABLE, timeout; answered: by TCP
	Count int64
	Bad   bool // it is a failure
}

// Loads are those of a run, window by window, the cohorts in the order in which the
// load was asked for.
func Loads(r *report.Record) []Load {
	var all []Load
	for i := range r.Windows {
		w := &r.Windows[i]
		for _, cohort := range cohorts(r, w) {
			if w.Loads[cohort] != nil {
				all = append(all, loadOf(w, cohort, w.Loads[cohort]))
			}
		}
	}
	return all
}

// Rows are the loads of a run, and behind each that is a list of requests what came of each
// of them.
func Rows(r *report.Record) []Load {
	var all []Load
	for _, l := range Loads(r) {
		all = append(all, l)
		for _, t := range l.Result.Times {
			of := loadOf(l.Window, l.Cohort, l.Result.Of(t.Request))
			of.Request = t.Request
			all = append(all, of)
		}
	}
	return all
}

// Name is what a line of expectations calls it, without its window: shop.basket.
func (l Load) Name() string {
	if l.Request == "" {
		return l.Cohort
	}
	return l.Cohort + "." + l.Request
}

// cohorts are those of a window.
func cohorts(r *report.Record, w *report.Window) []string {
	place := map[string]int{}
	for i, asked := range r.Asked {
		if _, known := place[asked.Cohort]; !known || asked.Step == w.Step {
			place[asked.Cohort] = i
		}
	}
	var all []string
	for cohort := range w.Loads {
		all = append(all, cohort)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(place[a], place[b]), cmp.Compare(a, b)) })
	return all
}

func loadOf(w *report.Window, cohort string, result *loadgen.Result) Load {
	l := Load{Window: w, Cohort: cohort, Result: result, Planned: result.Planned, Rate: rate(result), Asked: result.TargetQPS}
	response := result.Response
	for _, one := range []struct {
		to    **Latency
		q     float64
		least int64
	}{{&l.P50, 0.5, LeastP50}, {&l.P90, 0.9, LeastP90}, {&l.P99, 0.99, LeastP99}} {
		if latency, ok := response.Quantile(one.q); ok && response.Count() >= one.least {
			*one.to = new(Latency(latency))
		}
	}
	if latency, ok := response.Max(); ok {
		l.Max = new(Latency(latency))
	}
	if lag, ok := result.Lag.Max(); ok {
		l.LagMax = new(Latency(lag))
	}
	if lag, ok := result.Lag.Quantile(0.99); ok && result.Lag.Count() >= LeastP99 {
		l.LagP99 = new(Latency(lag))
	}
	for _, o := range result.Outcomes {
		switch {
		case o.Error != "":
			l.Errors = add(l.Errors, Count{o.Error, o.Count, true})
		case o.GRPC != "":
			l.Answers = add(l.Answers, Count{o.GRPC, o.Count, o.Failed()})
		case o.Status == 0:
			l.Answers = add(l.Answers, Count{"answered", o.Count, false})
		default:
			l.Answers = add(l.Answers, Count{strconv.Itoa(o.Status), o.Count, o.Status >= http.StatusBadRequest})
		}
	}
	return l
}

// add counts one into a sorted list.
func add(all []Count, one Count) []Count {
	i, known := slices.BinarySearchFunc(all, one, func(a, b Count) int { return cmp.Compare(a.Name, b.Name) })
	if !known {
		return slices.Insert(all, i, one)
	}
	all[i].Count += one.Count
	return all
}

// rate is how many requests a second there were, 0 of one alone. Where a rate was asked
// for, it is the one at which they began: the last answers may be slow, and the rate is
// kept all the same. Else it is fortio's: all of them, in the time until the last answer;
// 0 where the load was ended before there was any.
func rate(r *loadgen.Result) float64 {
	switch {
	case r.Sent < 2:
		return 0
	case r.TargetQPS > 0 && r.LastBegun.Duration > 0:
		return float64(r.Sent-1) / r.LastBegun.Seconds()
	case r.TargetQPS == 0 && r.Elapsed.Duration > 0 && r.Response.Count() > 0:
		return float64(r.Sent) / r.Elapsed.Seconds()
	}
	return 0
}

// Connections words how many connections there were: 4; 4 + 13 where 13 were added to them.
func (l Load) Connections() string {
	words := strconv.Itoa(l.Result.Connections)
	if l.Result.Grown > 0 {
		words += " + " + strconv.Itoa(l.Result.Grown)
	}
	return words
}

// When words the window: baseline, under the rule, step one-in-ten, recovery.
func When(w *report.Window) string {
	switch {
	case w.Name != report.During:
		return w.Name
	case w.Step != "":
		return "step " + w.Step
	}
	return "under the rule"
}

// Requests words how many were sent: 120; 40 of 100, where not all were.
func (l Load) Requests() string {
	if l.Planned > 0 && l.Planned != l.Result.Sent {
		return fmt.Sprintf("%d of %d", l.Result.Sent, l.Planned)
	}
	return strconv.FormatInt(l.Result.Sent, 10)
}

// QPS words the requests a second: 19.9 of 20; 880, where no rate was asked for.
func (l Load) QPS() string {
	reached := "-"
	if l.Rate > 0 {
		reached = Number(l.Rate)
	}
	if l.Asked > 0 {
		reached += " of " + Number(l.Asked)
	}
	return reached
}

// Untold says whether a rate or a percentile of the load stands as -, and TooFewToTell
// why.
func (l Load) Untold() bool {
	return l.Rate == 0 || l.P50 == nil || l.P90 == nil || l.P99 == nil
}

// TooFewToTell is what - stands for in the place of a rate or a percentile.
const TooFewToTell = "too few requests to tell"

// Statuses words how the requests were answered: 200: 40, 503: 3.
func (l Load) Statuses() string { return counts(l.Answers) }

// Failures words the requests without a whole answer: timeout: 2; a load that could not
// be carried out, why not.
func (l Load) Failures() string {
	if l.Result.Failure != "" {
		return strings.TrimPrefix(counts(l.Errors)+", "+l.Result.Failure, "-, ")
	}
	return counts(l.Errors)
}

// Said is a message that came with a code of gRPC, with some of a load's calls.
type Said struct {
	Code    string
	Message string
	Count   int64
	Outcome int // of the load's result, the index
}

// Said are the messages of a load.
func (l Load) Said() []Said {
	var all []Said
	for i, o := range l.Result.Outcomes {
		if o.Message != "" {
			all = append(all, Said{o.GRPC, o.Message, o.Count, i})
		}
	}
	return all
}

// Messages words them: direct, under the rule: UNAVAILABLE "fault filter abort": 193. Empty:
// there are none.
func (l Load) Messages() string {
	var all []Count
	for _, s := range l.Said() {
		all = add(all, Count{Name: fmt.Sprintf("%s %q", s.Code, s.Message), Count: s.Count})
	}
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, %s: %s", l.Name(), When(l.Window), counts(all))
}

// Other words what was wrong with the first of the requests that ended as other: direct, under
// the rule: other, of which the first was: a body above 8 MiB. Empty: there are none, or that
// is not known.
func (l Load) Other() string {
	if l.Result.Other == "" || l.Request != "" || !slices.ContainsFunc(l.Errors, func(c Count) bool { return c.Name == loadgen.ErrorOther }) {
		return ""
	}
	return fmt.Sprintf("%s, %s: %s, of which the first was: %s", l.Name(), When(l.Window), loadgen.ErrorOther, l.Result.Other)
}

func counts(all []Count) string {
	var words []string
	shown, others, rest := Commonest(all, func(c Count) int64 { return c.Count })
	for _, c := range shown {
		words = append(words, fmt.Sprintf("%s: %d", c.Name, c.Count))
	}
	if others > 0 {
		words = append(words, Others(others, rest))
	}
	return cmp.Or(strings.Join(words, ", "), "-")
}

// mostWays is how many ways to end stand in a line: of more it tells the commonest.
const mostWays = 10

// Commonest are those of the ways to end that fit a line, in their order, and how many
// others there are, with the requests that ended so.
func Commonest[W any](all []W, count func(W) int64) (shown []W, others int, rest int64) {
	if len(all) <= mostWays {
		return all, 0, 0
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(count(all[b]), count(all[a])) })
	for _, i := range order[mostWays:] {
		rest += count(all[i])
	}
	for _, i := range slices.Sorted(slices.Values(order[:mostWays])) {
		shown = append(shown, all[i])
	}
	return shown, len(all) - mostWays, rest
}

// Others words them: 290 others: 580.
func Others(others int, rest int64) string {
	return fmt.Sprintf("%s: %d", plural.Of(int64(others), "other"), rest)
}
