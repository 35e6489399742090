// Package check compiles expectations, the lines of a scenario that say what
// must be observed, and judges them by what a run recorded.
//
// A line is cut into tokens (lex.go), read into a tree (parse.go), given its
// meaning by what the scenario knows (claims.go, terms.go), and then judged,
// again and again if need be. Every value carries its evidence: how many
// requests it stands on, what it was read from, what is missing.
//
// The quantities are
//
//	jason.p50, .p90, .p95, .p99, .p999, .min, .max, .mean   response time of a cohort
//	jason.service.p50 and so on                             service time
//	jason.sent, .errors, .qps                               requests, transport errors, requests a second
//	jason.status[503], jason.share(503)                     answers with a status; a code that did not occur counts 0
//	jason.grpc[UNAVAILABLE], jason.share(UNAVAILABLE)       calls of gRPC by their code
//	jason.count("check"), jason.share("check")              answers that held a check
//	jason.answered(v2)                                      whole answers that showed a version
//	shop.basket.p50, shop.basket.status[503] and so on      the same of one request of a load's list
//	baseline.jason.p50, recovery.jason.p50 and so on        the same in the other windows
//	faults(ratings), overflows(httpbin), retryOverflows(httpbin), ejections(ratings),
//	requests(reviews), requests(reviews, v2), connections(reviews, v2),
//	imbalance(reviews, v2)                                  what proxies counted
//
// joined by + - * / and compared by == != < <= > >=. A count by a count is a
// share, a share of x is an x. Statements are joined by && || !, and
//
//	split(X).is(v1 == 90%, v2 == 10%).detecting(5%)
//
// says how a cohort's answers, or a service's requests, fall to versions, and
// how far off a share must be noticed (10 points unless it is said). Names run
// over hyphens and fields do not: tcp-echo is a name, jason.p50-5ms a difference.
//
// A condition of abortWhen is a line, too, but for what is not known while a load
// runs (condition.go). A conclusion is a text with quantities in braces (sentence.go).
//
// The rules that outrank the others: missing evidence is never 0 and never
// passes; comparisons are exact, in rational numbers, of what was observed, and
// of a time that a histogram keeps by both ends of its bucket (ends.go); only
// split(...) is a statistical test.
//
// The package may import report, loadgen, internal/nearest and internal/plural.
package check

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/report"
)

// Scope is what a line may name.
type Scope struct {
	Functions []Function
	Cohorts   []string
	Alone     string              // the cohort that p99 by itself is of, as load.p99 is; empty: a quantity names its load
	Requests  map[string][]string // those of a cohort that sends a list of them, by their names
	Checks    []string
	Answers   []string // the versions that answers can show; empty: none
	Versions  []string // those of services; empty: not known, any version may be named
	Services  []string // empty: not known, any service may be named
	Longest   map[string]Longest
	Bounds    map[Load]Bounds
	Implied   Implied
	seen      *seen // nil: nothing has been observed yet
}

// Function is a thing that proxies count, as a line asks for it: of the service
// that is its first argument.
type Function struct {
	Name      string
	Versioned bool // a version of the service may be its second argument
}

// Longest is how long the answers of a cohort can take, since a request that
// takes longer is ended as an error. 0: there is no limit.
type Longest struct{ Response, Service time.Duration }

// Bounds are what is known of a cohort in a window before it is driven.
type Bounds struct {
	Least, Most      int64   // how many requests it sends; 0: not known
	Slowest, Fastest float64 // how many a second, as .qps has it; 0: not known
	Scheduled        float64 // how many a second are due; 0: each as the one before it has ended
	Connections      int64   // over how many connections its requests go at the least; 0: not known
	OwnConnections   bool    // each request is a connection of its own
	Calls            bool    // of gRPC, which end by a code and never by a status
	InTurn           bool    // each connection sends the requests of its list one after the other, from the first on
}

// word is what can be written in a line without quotes.
var word = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*$`)

// Validate says what keeps the names of a scope from being told apart in a
// line: a cohort whose name is a word of the grammar or cannot be written, or
// is a service's as well.
func (s Scope) Validate() error {
	var problems []error
	for _, cohort := range s.Cohorts {
		switch {
		case !word.MatchString(cohort):
			problems = append(problems, fmt.Errorf("naming the load %q: an expectation could not name it; use letters, digits, _ and -, a letter first", cohort))
		case slices.Contains(s.reservedWords(), cohort):
			problems = append(problems, fmt.Errorf("naming the load %q: the word has a meaning in expectations; choose another", cohort))
		case slices.Contains(s.Services, cohort):
			problems = append(problems, fmt.Errorf("naming the load %q: a service has this name, and split(%s) could mean either; choose another", cohort, cohort))
		}
	}
	return errors.Join(problems...)
}

// reservedWords returns the words that a cohort must not have for a name.
func (s Scope) reservedWords() []string {
	words := []string{report.Baseline, report.Recovery, "split", "in", "true", "false", "null"}
	for _, f := range s.Functions {
		words = append(words, f.Name)
	}
	return words
}

// Need is a quantity that an expectation asks of the proxies, over the window
// in which the rule under test is in force.
type Need struct {
	Function string   // the name of one of Scope.Functions
	Args     []string // the service, then the version if any
}

// Load names a cohort in one of the windows, or one request of its list.
type Load struct {
	Window  string // report.Baseline, report.During or report.Recovery
	Cohort  string
	Request string // empty: all of the cohort
}

// Size is how many samples a split or a percentile needs to be judged.
type Size struct {
	Load     Load   // zero if it is a split of a service
	Service  string // empty if it is of a cohort
	Requests int64  // the answers that the cohort needs, or the requests that the service needs
}

// Time is a statistic of a cohort's times that a line names.
type Time struct {
	Load    Load
	Name    string // p50, p90, p95, p99, p999, min, max or mean
	Service bool   // of service time, rather than of response time
	Offset  int    // where it stands in the line, in bytes
}

// mention is that a line says something of outcomes of a cohort.
type mention struct {
	load Load
	of   outcomes
}

// named is what a line names, each once.
type named struct {
	needs    []Need
	loads    []Load
	sizes    []Size
	times    []Time
	mentions []mention

	quantities []string // of which it says something, shares as counts
	versus     []versus
}

// Expectation is one compiled line. It may be judged again and again, and by
// several goroutines.
type Expectation struct {
	named
	scope  Scope
	source *source
	text   string
	parts  []claim
}

// Compile reads one line. The error is an *Error, which says where in the
// line and what to write instead.
func Compile(scope Scope, text string) (*Expectation, error) {
	source, err := parse(text)
	if err != nil {
		return nil, err
	}
	return newCompiler(scope, source).expectation(text)
}

// Read reads one line, and does not ask whether it could fail. Within does, which
// is to be called when all is known of its loads. The error is that of Compile.
func Read(scope Scope, text string) (*Expectation, error) {
	source, err := parse(text)
	if err != nil {
		return nil, err
	}
	c := newCompiler(scope, source)
	c.asked = true
	return c.expectation(text)
}

// expectation compiles the line.
func (c *compiler) expectation(text string) (*Expectation, error) {
	expectation := &Expectation{scope: c.scope, source: c.source, text: text}
	whole := formula{}
	for _, part := range parts(c.source.tree) {
		claim, err := c.claim(part)
		if err != nil {
			return nil, err
		}
		expectation.parts = append(expectation.parts, claim)
		whole.parts = append(whole.parts, claim.says)
	}
	if !c.asked && !c.seen.possible(whole, c.solver) {
		return nil, &Error{Offset: c.source.tree.at().start, Message: "the comparisons of this line can never be true together", Hint: "each has to hold, as && says"}
	}
	c.aboutSeen()
	expectation.named = c.named
	return expectation, nil
}

// Within returns the line as it is to be judged where this is known of the
// loads. The error is that of Compile: a line that could have failed in a load of
// any size may not be able to in one of this.
func (e *Expectation) Within(bounds map[Load]Bounds) (*Expectation, error) {
	scope := e.scope
	scope.Bounds = bounds
	return newCompiler(scope, e.source).expectation(e.text)
}

// Text returns the line as it was written.
func (e *Expectation) Text() string { return e.text }

// Needs returns the quantities of proxies that the line asks for, each once, and
// for each the requests to its service, without which nobody can say what it could
// have been.
func (e *Expectation) Needs() []Need { return e.needs }

// Loads returns the cohorts that the line names, each once a window.
func (e *Expectation) Loads() []Load { return e.loads }

// SamplesNeeded returns what the splits and the percentiles of the line need.
// With fewer samples they are inconclusive.
func (e *Expectation) SamplesNeeded() []Size { return e.sizes }

// Times returns the statistics of times that the line names, in their order.
func (e *Expectation) Times() []Time { return e.times }

// compiler gives a parsed line its meaning and notes what it names.
type compiler struct {
	named
	scope  Scope
	source *source
	asked  bool // whether the line could fail is asked elsewhere
	seen   observables
	solver *solver

	meanwhile bool // it is judged while the load runs
	shares    bool // a share stands in it
}

func newCompiler(scope Scope, source *source) *compiler {
	inTurn := func(window, cohort string) bool { return scope.Bounds[Load{Window: window, Cohort: cohort}].InTurn }
	seen := observables{map[string]observable{}, scope.Implied, scope.Requests, inTurn}
	return &compiler{scope: scope, source: source, seen: seen, solver: &solver{whole: seen.isWhole, effort: maxEffort}}
}

// need notes a quantity.
func (n *named) need(need Need) {
	same := func(other Need) bool {
		return other.Function == need.Function && slices.Equal(other.Args, need.Args)
	}
	if !slices.ContainsFunc(n.needs, same) {
		n.needs = append(n.needs, need)
	}
}

// useLoad notes a cohort.
func (n *named) useLoad(l Load) {
	if !slices.Contains(n.loads, l) {
		n.loads = append(n.loads, l)
	}
}

// speak notes that something is said of outcomes.
func (n *named) speak(l Load, of outcomes) {
	n.mentions = append(n.mentions, mention{l.whole(), ofRequest(l.Request, of)})
}

// needsSamples notes how many samples are needed. One is there wherever
// anything is.
func (n *named) needsSamples(s Size) {
	if s.Requests > 1 && !slices.Contains(n.sizes, s) {
		n.sizes = append(n.sizes, s)
	}
}

// quoted lists words for a message.
func quoted(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(list, ", ")
}
