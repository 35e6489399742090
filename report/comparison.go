package report

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// KindComparison heads what has changed between two runs.
const KindComparison = "Comparison"

// Comparison is what has changed between runs and later ones of the same scenarios.
type Comparison struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Tool       Tool       `json:"tool"`
	Regressed  bool       `json:"regressed"`     // something did: the exit status of compare is 1
	Alpha      float64    `json:"alpha"`         // the chance, of all tests together, that any of them says so of nothing (Holm)
	Tests      int        `json:"tests"`         // how many share it: those that could have said so at all
	Scenarios  []Compared `json:"scenarios"`     // in the order of their names
	New        []string   `json:"new,omitempty"` // scenarios of which there is no earlier run, sorted
}

// Compared is what has changed between two runs of one scenario.
type Compared struct {
	Scenario string       `json:"scenario"`
	Before   Side         `json:"before"`
	Now      Side         `json:"now"`
	Unlike   []string     `json:"unlike,omitempty"` // what else was not the same, so that a difference may have another reason
	Values   []Difference `json:"values"`           // the verdicts first, then what was expected, then the loads
}

// Side is one of two runs that are compared.
type Side struct {
	Run      string    `json:"run"`
	File     string    `json:"file,omitempty"` // of its record
	Started  time.Time `json:"started"`
	Verdict  Verdict   `json:"verdict"`
	Restored bool      `json:"restored"`
}

// Became is what has become of a value from one run to another.
type Became string

// What may have.
const (
	Regressed Became = "regressed"
	Improved  Became = "improved"
	Changed   Became = "changed"  // for better or worse nobody can say
	Alike     Became = "alike"    // as far as can be told from chance
	Untested  Became = "untested" // it differs, and nothing tells that from chance
)

// Difference is one value of two runs.
type Difference struct {
	Of      string   `json:"of"`               // verdict, restored, an expectation, or a cohort's load (whether it was carried out), p50, status 503 or version v2
	Window  string   `json:"window,omitempty"` // of a load
	Step    string   `json:"step,omitempty"`
	Cohort  string   `json:"cohort,omitempty"` // of a load
	Became  Became   `json:"became"`
	Before  Observed `json:"before"`
	Now     Observed `json:"now"`
	P       *float64 `json:"p,omitempty"`       // the chance of such a difference, if there is none; nil: it was not tested
	Remarks string   `json:"remarks,omitempty"` // why it counts as it does, where that is not plain
}

// Observed is a value of one run: in words, and as a measure where it is one.
type Observed struct {
	Words   string   `json:"words"` // empty: it is not known
	Measure *Measure `json:"measure,omitempty"`
}

// Earlier is what a record keeps of an earlier run of its scenario, to be compared with: what was asked and observed, and nothing of the objects.
type Earlier struct {
	File         string        `json:"file,omitempty"` // that it was read from
	Tool         Tool          `json:"tool"`
	Run          string        `json:"run"`
	Verdict      Verdict       `json:"verdict"`
	Restored     bool          `json:"restored"`
	Scenario     Scenario      `json:"scenario"` // without its text, which the digest stands for, and of its files the digests
	Mesh         Mesh          `json:"mesh"`
	Started      time.Time     `json:"started"`
	Ended        time.Time     `json:"ended"`
	Asked        []Asked       `json:"asked"`
	Windows      []Window      `json:"windows"` // of each load the outcomes, the response times and what they were over time; at a rate the lag and the service times, too
	Expectations []Expectation `json:"expectations"`
	Comparison   *Comparison   `json:"comparison,omitempty"` // what has changed since
}

// EarlierOf is what a record keeps of another, which was read from a file.
func EarlierOf(r *Record, file string) *Earlier {
	e := &Earlier{
		File: file, Tool: r.Tool, Run: r.Run, Verdict: r.Verdict, Restored: r.Restored, Scenario: r.Scenario, Mesh: r.Mesh,
		Started: r.Started, Ended: r.Ended, Asked: r.Asked, Expectations: r.Expectations,
	}
	e.Scenario.Text, e.Scenario.Files = "", maps.Clone(r.Scenario.Files)
	for name, text := range e.Scenario.Files {
		e.Scenario.Files[name] = DigestOf(text)
	}
	for _, w := range r.Windows {
		loads := map[string]*loadgen.Result{}
		for cohort, l := range w.Loads {
			loads[cohort] = reduced(l)
		}
		e.Windows = append(e.Windows, Window{Name: w.Name, Step: w.Step, Started: w.Started, Ended: w.Ended, Cut: w.Cut, Loads: loads})
	}
	return e
}

// isDigest finds what is one.
var isDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// DigestOf is that of a text, as Scenario.Digest has it; what is one already stays.
func DigestOf(text string) string {
	if isDigest.MatchString(text) {
		return text
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text)))
}

// reduced is what a load came to, without its examples, and without its service times
// unless they bound what its response times were without lag.
func reduced(l *loadgen.Result) *loadgen.Result {
	if l == nil {
		return nil
	}
	small := *l
	if small.Lag == nil {
		small.Service = nil
	}
	small.Outcomes = slices.Clone(l.Outcomes)
	for i := range small.Outcomes {
		small.Outcomes[i].Slowest = nil
	}
	return &small
}

// Comparison is what has changed since the earlier run that a record keeps; nil: it keeps
// none, or nobody has compared them.
func (r *Record) Comparison() *Comparison {
	if r.ComparedWith == nil {
		return nil
	}
	return r.ComparedWith.Comparison
}

// Record is the run as the record that this is a part of.
func (e *Earlier) Record() *Record {
	return &Record{
		APIVersion: APIVersion, Kind: Kind, Tool: e.Tool, Run: e.Run, Verdict: e.Verdict, Restored: e.Restored, Scenario: e.Scenario, Mesh: e.Mesh,
		Started: e.Started, Ended: e.Ended, Asked: e.Asked, Windows: e.Windows, Expectations: e.Expectations,
	}
}

// Count is of how many values this has become.
func (c *Comparison) Count(became Became) int {
	n := 0
	for _, s := range c.Scenarios {
		for _, v := range s.Values {
			if v.Became == became {
				n++
			}
		}
	}
	return n
}
