package html

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// tree is a request with the calls that it led to.
type tree struct {
	summary.Tree
	Rows []call
}

// call is a call of a tree, with where it stands between the beginning of the first and
// the end of the last of them, in percent.
type call struct {
	summary.Call
	Method, Path string
	Took, Status mark
	From, Wide   float64
	Bad          bool
}

// trees sorts them into those that explain the verdict and the others.
func (p *page) trees() {
	foremost := summary.Foremost(p.Record)
	for i := range p.Record.Windows {
		w := &p.Record.Windows[i]
		for j, e := range w.Calls {
			one := newTree(w, e, at("windows", i, "calls", j, "call"))
			first := slices.ContainsFunc(foremost, func(t summary.Tree) bool {
				return t.Window == w && t.Cohort == e.Cohort && t.Why == e.Why && t.Request == e.Request
			})
			if first {
				p.Explaining = append(p.Explaining, one)
			} else {
				p.Further = append(p.Further, one)
			}
		}
	}
	p.flags()
}

func newTree(w *report.Window, e report.Explained, pointer string) tree {
	t := tree{Tree: summary.Tree{Window: w, Explained: e}}
	if e.Call == nil {
		return t
	}
	words := t.Calls()
	end := endOf(e.Call)
	whole := max(end.Sub(e.Call.Started), time.Millisecond)
	var enter func(c *report.Call, pointer string)
	enter = func(c *report.Call, pointer string) {
		since := max(c.Started.Sub(e.Call.Started), 0)
		row := call{
			Call: words[len(t.Rows)], Method: c.Method, Path: c.Path,
			From: percent(since, whole), Wide: percent(c.Duration.Duration, whole),
			Bad: c.Status == 0 || c.Status >= 400,
		}
		row.Took = mark{At: pointer + "/duration", Value: fmt.Sprint(c.Duration.Seconds()), Words: row.Call.Took}
		row.Status = mark{At: pointer + "/status", Value: fmt.Sprint(c.Status), Words: row.Call.Status}
		t.Rows = append(t.Rows, row)
		for i := range c.Calls {
			enter(&c.Calls[i], fmt.Sprintf("%s/calls/%d", pointer, i))
		}
	}
	enter(e.Call, pointer)
	return t
}

func percent(part, whole time.Duration) float64 {
	return math.Round(min(100*part.Seconds()/whole.Seconds(), 100)*100) / 100
}

// endOf is when the last of a call and those below it did.
func endOf(c *report.Call) time.Time {
	end := c.Started.Add(c.Duration.Duration)
	for i := range c.Calls {
		if below := endOf(&c.Calls[i]); below.After(end) {
			end = below
		}
	}
	return end
}

// responseFlag is one of Envoy's response flags in words.
type responseFlag struct{ Name, Words string }

// flagWords are what Envoy's documentation of %RESPONSE_FLAGS% says of the flags that
// occur where faults, limits and timeouts are tried.
var flagWords = []responseFlag{
	{"DC", "the caller closed the connection before the answer had ended"},
	{"DI", "a delay was injected"},
	{"FI", "an abort was injected"},
	{"LR", "the connection was reset by this proxy"},
	{"NC", "the cluster was not found"},
	{"NR", "no route was configured"},
	{"RL", "the request was rate limited"},
	{"UC", "the connection to the service was ended"},
	{"UF", "no connection to the service could be made"},
	{"UH", "no endpoint of the service was healthy"},
	{"UO", "a circuit breaker refused the request"},
	{"UR", "the service reset the stream"},
	{"URX", "the limit of retries or of connection attempts was reached"},
	{"UT", "the service did not answer within the timeout"},
}

// flags are those that occur in the trees.
func (p *page) flags() {
	seen := map[string]bool{}
	var enter func(c *report.Call)
	enter = func(c *report.Call) {
		for _, name := range c.Flags {
			seen[name] = true
		}
		for i := range c.Calls {
			enter(&c.Calls[i])
		}
	}
	for _, t := range append(slices.Clone(p.Explaining), p.Further...) {
		if t.Call != nil {
			enter(t.Call)
		}
	}
	for _, one := range flagWords {
		if seen[one.Name] {
			p.Flags = append(p.Flags, one)
		}
	}
}
