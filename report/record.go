// Package report is the record of a run: what was asked, observed and judged.
//
// The record is versioned plain data. Every face of a report is made from it
// alone, and it holds all that is needed to judge it again. The package may
// import loadgen, whose results it keeps.
package report

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

// APIVersion and Kind head every record.
const (
	APIVersion = "meshchaos/v1alpha1"
	Kind       = "Report"
)

// Mask stands in a record where a secret was.
const Mask = "***"

// Verdict is the answer to an expectation or to a whole run.
type Verdict string

// The verdicts. Missing evidence never passes: it is Inconclusive.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
)

// Record is a whole run.
type Record struct {
	APIVersion   string        `json:"apiVersion"`
	Kind         string        `json:"kind"`
	Tool         Tool          `json:"tool"`
	Who          *Who          `json:"who,omitempty"`
	Run          string        `json:"run"` // the run's identifier; its marks in the mesh contain it
	Verdict      Verdict       `json:"verdict"`
	Restored     bool          `json:"restored"` // every change was undone, and that was proved
	Scenario     Scenario      `json:"scenario"`
	Mesh         Mesh          `json:"mesh"`
	Seed         *uint64       `json:"seed,string,omitempty"` // of the embedded mesh's draws; nil: the proxies drew for themselves
	Started      time.Time     `json:"started"`
	Ended        time.Time     `json:"ended"`
	Asked        []Asked       `json:"asked"`
	Draws        []string      `json:"draws,omitempty"`  // what was in force in the baseline and answers alike requests by lot: VirtualService/default/reviews
	Stages       []Stage       `json:"stages,omitempty"` // when what was written was in force: given, then the steps
	Changes      []Change      `json:"changes"`
	Windows      []Window      `json:"windows"`
	Expectations []Expectation `json:"expectations"`
	Conclusions  []Conclusion  `json:"conclusions,omitempty"`  // what a pass has shown; none of any other verdict
	Problems     []string      `json:"problems,omitempty"`     // what befell the run, and keeps it from being conclusive
	Doubts       []Doubt       `json:"doubts,omitempty"`       // what speaks against it by its own record, likewise
	Warnings     []string      `json:"warnings,omitempty"`     // what is allowed and probably not meant
	Judged       []string      `json:"judged,omitempty"`       // those of the warnings that only the judgement has shown; the next one takes them out
	ComparedWith *Earlier      `json:"comparedWith,omitempty"` // an earlier run of the scenario
}

// Doubt is what a point of docs/verdicts.md has found in a record.
type Doubt struct {
	Point   int    `json:"point"` // its number there
	Problem string `json:"problem"`
}

// Against is all that keeps a run from being conclusive: what befell it, and what its
// record shows.
func (r *Record) Against() []string {
	all := slices.Clone(r.Problems)
	for _, doubt := range r.Doubts {
		all = append(all, doubt.Problem)
	}
	return all
}

// Tool is the program that made a record.
type Tool struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`   // of its sources; empty: it was not built in a checkout of them
	Modified bool   `json:"modified,omitempty"` // they had changes that the commit has not
	Go       string `json:"go,omitempty"`
	Platform string `json:"platform,omitempty"` // linux/amd64
}

// Who is who ran it, as the machine says that it ran on. No verdict takes it: whoever
// hands a record on may take it out.
type Who struct {
	User string `json:"user,omitempty"` // the name of the operating system's user; empty: it has none, as in many a container
	Host string `json:"host,omitempty"` // the name of the machine, or of the pod
}

// Scenario names what was run.
type Scenario struct {
	Name     string    `json:"name"`
	Summary  string    `json:"summary,omitempty"`
	File     string    `json:"file,omitempty"`     // as it was named; stdin: from there
	Library  bool      `json:"library,omitempty"`  // it was the library's, and no file
	Digest   string    `json:"digest,omitempty"`   // of the text as it was read: sha256:…
	Revision *Revision `json:"revision,omitempty"` // of the folder of the file, if that is a checkout of git
	Text     string    `json:"text,omitempty"`     // the file as it was read, but for what is masked
	Masked   []string  `json:"masked,omitempty"`   // where secrets stood in it, in files, params and set, of which *** took the place: spec.load.pages.headers.authorization

	Files map[string]string `json:"files,omitempty"` // the files of rules that it names, as they were read, by that name

	Values map[string]loadgen.Values `json:"values,omitempty"` // the files of values that it names, by that name: what they were, and not what stood in them

	Descriptors map[string]loadgen.Descriptors `json:"descriptors,omitempty"` // those of descriptors, likewise

	Params map[string]string `json:"params,omitempty"` // what stood for $(name), by name, defaults included
	Set    []string          `json:"set,omitempty"`    // what stood in the place of the file's own: load.jason.requests=50
	Load   []Override        `json:"load,omitempty"`   // what stood in the place of its load, by -n, -c and --qps, in this order
}

// Revision is what a folder was checked out from.
type Revision struct {
	Commit   string `json:"commit"`
	Modified bool   `json:"modified,omitempty"` // something in the folder is not as the commit has it
}

// Override replaces parts of the load; what is nil is as the file has it.
type Override struct {
	Connections *int     `json:"connections,omitempty"`
	Requests    *int64   `json:"requests,omitempty"`
	QPS         *float64 `json:"qps,omitempty"`    // 0: no limit
	Cohort      string   `json:"cohort,omitempty"` // empty: every cohort that ends by itself
}

// Mesh names where it ran.
type Mesh struct {
	Kind      string `json:"kind"` // embedded or istio
	Namespace string `json:"namespace"`
	// Further are the namespaces that the scenario names beside it, sorted.
	Further []string `json:"further,omitempty"`
	Version string   `json:"version,omitempty"`

	// Which cluster, and as whom, without anything by which it is entered. No verdict
	// takes them: whoever hands a record on may take them out.
	Context string `json:"context,omitempty"` // the name of the kubeconfig's context; empty: there was none, as in a pod
	Server  string `json:"server,omitempty"`  // host:port of the API server, or the host alone
	Account string `json:"account,omitempty"` // as whom the API server knows the user: system:serviceaccount:shop:meshchaos; empty: it does not say
}

// Asked is the load of one cohort as it was planned, after overrides.
type Asked struct {
	Step   string       `json:"step,omitempty"`
	Cohort string       `json:"cohort"`
	From   string       `json:"from"`
	Plan   loadgen.Plan `json:"plan"`
}

// Given is the name of the stage that writes what is in force before the
// baseline, where a step's name may stand.
const Given = "given"

// StageName names the list of the scenario file that a stage is of: given, a step, or the
// apply of a file without steps.
func StageName(stage string) string { return cmp.Or(stage, "apply") }

// StageWords names in a sentence what a stage writes: that of given, of a step, or
// of the only step of a file without steps, which has no name.
func StageWords(stage string) string {
	switch stage {
	case Given:
		return "what is given"
	case "":
		return "the rules"
	}
	return "step " + stage
}

// The names of a step's windows.
const (
	Baseline = "baseline" // given in force, the rule under test not yet
	During   = "during"   // the rule under test in force
	Recovery = "recovery" // the rule under test undone
)

// Window returns the window of a name and, of those under the rule, of a step; nil
// if it was not driven.
func (r *Record) Window(name, step string) *Window {
	for i := range r.Windows {
		if w := &r.Windows[i]; w.Name == name && w.Step == step {
			return w
		}
	}
	return nil
}

// Window is one stretch of load and what was observed in it.
type Window struct {
	Name       string                     `json:"name"`
	Step       string                     `json:"step,omitempty"` // which step a During window belongs to
	Started    time.Time                  `json:"started"`
	Ended      time.Time                  `json:"ended"`
	Cut        string                     `json:"cut,omitempty"`     // why the load ended before its time; such a window proves nothing
	Stopped    *Stopped                   `json:"stopped,omitempty"` // the bound that ended it; nil: it was cut for another reason, or not at all
	Loads      map[string]*loadgen.Result `json:"loads"`
	Quantities []Quantity                 `json:"quantities,omitempty"`
	Reconciled []Reconciliation           `json:"reconciled,omitempty"`
	Bites      []Bite                     `json:"bites,omitempty"`
	Calls      []Explained                `json:"calls,omitempty"` // none if the access logs were not followed
}

// Stopped is why a load was ended by what it did itself: a condition of abortWhen came
// true, or it exceeded a cap.
type Stopped struct {
	loadgen.StopError
	Line int `json:"line,omitempty"` // of the condition, in the scenario file
}

// Words names the window in a sentence.
func (w *Window) Words() string {
	switch {
	case w.Name == During && w.Step != "":
		return "load of step " + w.Step
	case w.Name == During:
		return "load under the rule"
	}
	return w.Name
}

// Bite is how often one part of a rule in force was seen to have an effect on
// the requests of a window that count.
type Bite struct {
	Rule    string `json:"rule"`              // VirtualService/default/ratings
	Path    string `json:"path"`              // spec.http[0].fault.delay
	Kind    string `json:"kind"`              // how it is seen: delay, abort, route, policy, overflow and the like (docs/verdicts.md)
	Service string `json:"service,omitempty"` // short name of the service it is about, fully qualified if it is of another namespace
	Stage   string `json:"stage"`             // that wrote it: given, or the step's name
	Count   *int64 `json:"count"`             // nil: no source shows it
	Source  string `json:"source,omitempty"`
	Absent  string `json:"absent,omitempty"` // why no source shows it, and what to do
	Idle    bool   `json:"idle,omitempty"`   // no request of the window was to the service
	Most    *int64 `json:"most,omitempty"`   // of limits and ejection rules: how often it could have, by the requests that it was for; nil: not known
}

// Why a request is explained. Any other reason names a kind of bad answer.
const (
	WhySlowest = "slowest" // it took longer than any other of its cohort
	WhyAnswer  = "answer"  // it took longer than any other of which the answer showed the same
)

// Explained is one request of a cohort with the calls that it led to.
type Explained struct {
	Cohort  string `json:"cohort"`
	Why     string `json:"why"`              // WhySlowest, WhyAnswer; or a kind of bad answer: status 503, error timeout
	Answer  string `json:"answer,omitempty"` // what its answer showed: version v2, check stars; empty: as all that are no bad ones, or it is one
	Request string `json:"request"`          // its x-request-id, as the mesh has it; empty: it has none of ours
	Call    *Call  `json:"call,omitempty"`   // nil: no access log has it
	Note    string `json:"note,omitempty"`   // why the tree may be no more than a part
}

// Call is one line of a proxy's access log, and the calls that it led to.
type Call struct {
	From     string           `json:"from"`               // the workload whose proxy wrote it: productpage-v1
	To       string           `json:"to"`                 // the service that was called: reviews
	Upstream string           `json:"upstream,omitempty"` // the workload that answered: reviews-v2; empty: none was reached
	Method   string           `json:"method,omitempty"`
	Path     string           `json:"path,omitempty"`
	Started  time.Time        `json:"started"`
	Duration loadgen.Duration `json:"duration"`
	Status   int              `json:"status"`          // 0: the caller went away first
	Flags    []string         `json:"flags,omitempty"` // Envoy's response flags: DI, DC, UO
	Route    string           `json:"route,omitempty"` // http[].name of the VirtualService
	Calls    []Call           `json:"calls,omitempty"`
}

// Reconciliation compares what the clients sent to one port with what the
// proxy of the load workload counted.
type Reconciliation struct {
	Target string `json:"target"` // host:port
	Client int64  `json:"client"`
	Proxy  *int64 `json:"proxy"` // nil: the proxy does not keep it
	Source string `json:"source,omitempty"`
}

// Change is one object that the run wrote.
type Change struct {
	Object   string           `json:"object"`           // VirtualService/default/ratings
	Step     string           `json:"step,omitempty"`   // given, or the step's name
	Action   string           `json:"action"`           // created or updated
	Before   json.RawMessage  `json:"before,omitempty"` // the manifest that was there; absent: none was
	After    json.RawMessage  `json:"after"`            // the manifest that was written
	Left     json.RawMessage  `json:"left,omitempty"`   // the manifest that stood there after the run, null if none did; absent: it is what was there before, or could not be read
	LiveIn   []string         `json:"liveIn,omitempty"` // the proxies that were seen to run it
	Live     loadgen.Duration `json:"live"`             // from the write until the last of them did
	Restored bool             `json:"restored"`         // nothing of the run is left in the object, and the proxies run what they ran
	Kept     bool             `json:"kept,omitempty"`   // somebody else changed it during the run, and that was left
	Proof    string           `json:"proof,omitempty"`  // how that is known; or what is left, and how to mend it
}

// Stage is when what was written as what is given, or by one step, was in force: for
// certain from Live to Undone, for certain not before Applied and after Gone, and in
// between in some proxies and not in others. The moments are in that order and of one
// clock, that of Record.Started and Window.Started; what was never seen is nil. So a
// picture marks a stage by Live.Sub(Record.Started) and the like, and its windows, which
// have the same Step, lie from Live to Undone.
//
// A stage that wrote nothing has none. Where a later step writes an object again, what
// the earlier one has in it ends with that, and its Undone is still when the run took
// the object back.
type Stage struct {
	Step    string     `json:"step,omitempty"`   // given, or the step's name, as Change has it
	Applied time.Time  `json:"applied"`          // the first of its objects was about to be written
	Live    *time.Time `json:"live,omitempty"`   // all proxies had been seen to run all of it
	Undone  *time.Time `json:"undone,omitempty"` // the first of its objects was about to be taken back
	Gone    *time.Time `json:"gone,omitempty"`   // all proxies had been seen to run nothing of it any more
}

// Stage returns when what a stage wrote was in force; nil: it wrote nothing.
func (r *Record) Stage(step string) *Stage {
	for i := range r.Stages {
		if s := &r.Stages[i]; s.Step == step {
			return s
		}
	}
	return nil
}

// Expectation is one judged comparison. A line of the scenario that joins
// several comparisons by && gives a row for each.
type Expectation struct {
	Expression string    `json:"expression"`
	Step       string    `json:"step,omitempty"`
	Line       int       `json:"line,omitempty"` // in the scenario file
	Verdict    Verdict   `json:"verdict"`
	Observed   string    `json:"observed"`         // the observed side, worded; empty: absent
	Limit      string    `json:"limit"`            // what was asked of it, worded
	Values     []Measure `json:"values,omitempty"` // the observed side; of a split one for each version that is listed, of comparisons that are joined by || those of each
	Bounds     []Bound   `json:"bounds,omitempty"` // what was asked of it, all of it; of a split one for each; none of comparisons that are joined by || or negated
	Samples    int64     `json:"samples"`          // how many requests the observed side stands on
	Source     string    `json:"source,omitempty"`
	Reason     string    `json:"reason,omitempty"` // why it is not a pass
	KnownBug   string    `json:"knownBug,omitempty"`
}
