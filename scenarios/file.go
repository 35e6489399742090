package scenarios

import "github.com/meshchaos/meshchaos/internal/yamlnode"

// What heads every scenario file.
const (
	scenarioAPI  = "meshchaos/v1alpha1"
	scenarioKind = "Scenario"
)

// The types below are the grammar of a scenario file, and its JSON Schema is
// made from them.

type file struct {
	APIVersion string       `yaml:"apiVersion" jsonschema:"enum=meshchaos/v1alpha1"`
	Kind       string       `yaml:"kind" jsonschema:"enum=Scenario"`
	Metadata   fileMetadata `yaml:"metadata"`
	Spec       fileSpec     `yaml:"spec"`
}

type fileMetadata struct {
	Name string `yaml:"name" jsonschema:"pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" jsonschema_description:"Lower-case letters, digits and hyphens."`

	Labels map[string]string `yaml:"labels,omitempty" jsonschema_description:"As of a Kubernetes object; --selector chooses by them."`
}

type fileSpec struct {
	Summary   string               `yaml:"summary,omitempty" jsonschema_description:"One sentence: what the scenario establishes."`
	Params    map[string]fileParam `yaml:"params,omitempty" jsonschema_description:"What differs between clusters, by name, each with its default: $(name) stands for it below."`
	Secret    []string             `yaml:"secret,omitempty" jsonschema_description:"Parameters whose values no report shows, beside those named as a token, a password and the like."`
	App       string               `yaml:"app,omitempty" jsonschema_description:"The sample application that the embedded mesh starts."`
	Given     []fileRule           `yaml:"given,omitempty" jsonschema_description:"Rules in force before the baseline, undone last."`
	Apply     []fileRule           `yaml:"apply,omitempty" jsonschema_description:"The rules under test."`
	Checks    map[string]fileCheck `yaml:"checks,omitempty" jsonschema_description:"What may stand in an answer, by name."`
	Versions  map[string]fileCheck `yaml:"versions,omitempty" jsonschema_description:"How an answer shows which version made it."`
	Load      map[string]fileLoad  `yaml:"load,omitempty" jsonschema_description:"Named cohorts of clients, beside each other."`
	Expect    []fileLine           `yaml:"expect,omitempty" jsonschema_description:"What must be true, one line each."`
	Steps     []fileStep           `yaml:"steps,omitempty" jsonschema_description:"A longer scenario: each step on top of the one before."`
	OnFailure string               `yaml:"onFailure,omitempty" jsonschema:"enum=continue,enum=rollback" jsonschema_description:"rollback: the first step that is no pass ends the run and takes everything back. Default: continue."`

	Conclusion fileConclusion `yaml:"conclusion,omitempty"`

	AbortWhen fileConditions `yaml:"abortWhen,omitempty" jsonschema_description:"What must not become true of any load: it ends the load at once, and the rules are undone."`

	Lint []fileSilence `yaml:"lint,omitempty" jsonschema_description:"Traps that the file is caught in on purpose."`

	NoEndpoints []fileNoEndpoints `yaml:"noEndpoints,omitempty" jsonschema_description:"What the rules and the load name on purpose although nobody is there."`
	Mutants     []fileMutant      `yaml:"mutants,omitempty" jsonschema_description:"Mutants of the rules that no expectation can tell from them, each with the reason: see meshchaos mutate."`
}

// fileMutant excuses a mutant that survives.
type fileMutant struct {
	ID         string `yaml:"id" jsonschema_description:"As meshchaos mutate names it."`
	Equivalent string `yaml:"equivalent" jsonschema_description:"Why nothing can tell it from the rule."`
}

type fileStep struct {
	Name   string              `yaml:"name"`
	Apply  []fileRule          `yaml:"apply,omitempty"`
	Load   map[string]fileLoad `yaml:"load"`
	Expect []fileLine          `yaml:"expect"`

	Conclusion fileConclusion `yaml:"conclusion,omitempty"`

	AbortWhen fileConditions `yaml:"abortWhen,omitempty" jsonschema_description:"What must not become true of this step's load, beside that of the spec."`
}

// fileSilence is a trap that is not to be warned of.
type fileSilence struct {
	ID     string `yaml:"id" jsonschema_description:"As the warning has it in brackets."`
	Reason string `yaml:"reason" jsonschema_description:"Why what it warns of is meant."`
}

// fileNoEndpoints is a service that is not there or has no ready pod, or a
// subset of a service of which the same is true.
type fileNoEndpoints struct {
	Service string `yaml:"service"`
	Subset  string `yaml:"subset,omitempty" jsonschema_description:"Or a version that a route names. Absent: the whole service."`
}

type fileCheck struct {
	Body  string `yaml:"body,omitempty" jsonschema_description:"A text that stands in the body."`
	Match string `yaml:"match,omitempty" jsonschema_description:"An RE2 expression that matches in the body."`
}

type fileLoad struct {
	Get         string            `yaml:"get,omitempty" jsonschema_description:"The URL to GET, as a client in the mesh writes it."`
	Post        string            `yaml:"post,omitempty" jsonschema_description:"The URL to POST body to."`
	TCP         string            `yaml:"tcp,omitempty" jsonschema_description:"host:port to connect to."`
	Lines       []string          `yaml:"lines,omitempty" jsonschema_description:"TCP: the lines that each connection sends."`
	Headers     map[string]string `yaml:"headers,omitempty"`
	Body        string            `yaml:"body,omitempty"`
	As          string            `yaml:"as,omitempty" jsonschema_description:"Each connection first signs in by this name, at /login of the same host (form field username), and keeps its cookie."`
	From        string            `yaml:"from,omitempty" jsonschema_description:"Where it enters the mesh. Default: client, a load workload with a sidecar of its own. gateway: the ingress gateway. Else a workload, such as productpage-v1, whose labels and service account that sidecar takes."`
	Engine      string            `yaml:"engine,omitempty" jsonschema:"enum=net/http,enum=fortio"`
	Connections *int              `yaml:"connections,omitempty" jsonschema:"minimum=1" jsonschema_description:"fortio's -c. Default 4. No more than requests."`
	Requests    requests          `yaml:"requests,omitempty" jsonschema_description:"fortio's -n, exactly; auto: as many as the step's split needs."`
	QPS         float64           `yaml:"qps,omitempty" jsonschema:"minimum=0" jsonschema_description:"Requests a second of all connections together. Absent or 0: as fast as the answers come."`
	Duration    yamlnode.Duration `yaml:"duration,omitempty" jsonschema_description:"Ends the load, if requests has not ended it before. 1ms and more."`
	Secret      []string          `yaml:"secret,omitempty" jsonschema_description:"Headers whose values no report shows, beside authorization, cookie and the like; body and lines likewise."`
	Warmup      int64             `yaml:"warmup,omitempty" jsonschema:"minimum=0" jsonschema_description:"Requests before the ones that count, for clients and proxies alike."`
	Timeout     yamlnode.Duration `yaml:"timeout,omitempty" jsonschema_description:"Of one request. Default 1m."`
	While       string            `yaml:"while,omitempty" jsonschema_description:"Runs as long as this other cohort: the control group. With requests or duration of its own it ends at whichever comes first."`
}

// fileExpectation is the mapping form of an expectation.
type fileExpectation struct {
	That     string `yaml:"that"`
	KnownBug string `yaml:"knownBug,omitempty" jsonschema_description:"The ticket of a known bug: the expectation is expected to be false."`
}
