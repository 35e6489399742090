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
	GRPC        string            `yaml:"grpc,omitempty" jsonschema_description:"service:port/package.Service/Method to call, with body as its message in JSON."`
	Descriptors string            `yaml:"descriptors,omitempty" jsonschema_description:"gRPC: a file beside this one that says what the method takes, as protoc --include_imports --descriptor_set_out writes it. Absent: the server is asked, by its reflection."`
	TCP         string            `yaml:"tcp,omitempty" jsonschema_description:"host:port to connect to."`
	Send        []fileRequest     `yaml:"send,omitempty" jsonschema_description:"Requests to one host, each with a name: each connection sends them in turn; or each is drawn, by weight."`
	Values      string            `yaml:"values,omitempty" jsonschema_description:"A file beside this one, .csv or .json, with a row of values each time: {{.name}} stands for that of a column in a URL, a header or a body."`
	Think       fileThink         `yaml:"think,omitempty" jsonschema_description:"How long each connection does nothing between an answer and its next request: 1s, or {from: 500ms, to: 2s}. Not at a rate."`
	WS          string            `yaml:"ws,omitempty" jsonschema_description:"The URL of a WebSocket to open, ws:// or wss://."`
	Lines       []string          `yaml:"lines,omitempty" jsonschema_description:"TCP: the lines that each connection sends. WebSocket: the messages."`
	HTTP2       bool              `yaml:"http2,omitempty" jsonschema_description:"Each connection speaks HTTP/2, one request at a time: over TLS by ALPN, else from its first byte on. Absent: HTTP/1.1."`
	TLS         *fileTLS          `yaml:"tls,omitempty" jsonschema_description:"Of https: whom the client trusts, and who it is. Absent: the certificates that the machine trusts from which the load comes."`
	Headers     map[string]string `yaml:"headers,omitempty"`
	Body        string            `yaml:"body,omitempty"`
	As          string            `yaml:"as,omitempty" jsonschema_description:"Each connection first signs in by this name, at /login of the same host (form field username), and keeps its cookie."`
	From        string            `yaml:"from,omitempty" jsonschema_description:"Where it enters the mesh. Default: client, a load workload with a sidecar of its own. gateway: the ingress gateway. Else a workload, such as productpage-v1, whose labels and service account that sidecar takes."`
	Engine      string            `yaml:"engine,omitempty" jsonschema:"enum=epoll,enum=net/http,enum=fortio"`
	Connections connections       `yaml:"connections,omitempty" jsonschema_description:"fortio's -c. Default 4. No more than requests. At a rate {from: 4, to: 64}: one more whenever a request is due and all wait for answers."`
	Senders     int               `yaml:"senders,omitempty" jsonschema:"minimum=1,maximum=100" jsonschema_description:"Processes that send it together, on a cluster as many pods; each has some of the connections, and so no fewer than one. Default 1."`
	Requests    requests          `yaml:"requests,omitempty" jsonschema_description:"fortio's -n, exactly; auto: as many as the step's split needs."`
	QPS         fileRate          `yaml:"qps,omitempty" jsonschema_description:"Requests a second of all connections together, or a ramp: {from: 10, to: 200, over: 30s}. Absent or 0: as fast as the answers come."`
	Stages      []fileStage       `yaml:"stages,omitempty" jsonschema_description:"How the rate changes, one stage after the other, as k6 has it: from qps on, or from 0."`
	Arrival     string            `yaml:"arrival,omitempty" jsonschema:"enum=poisson" jsonschema_description:"At a rate: poisson, as of many callers who know nothing of each other. Absent: evenly."`
	Seed        int64             `yaml:"seed,omitempty" jsonschema:"minimum=1,maximum=9007199254740991" jsonschema_description:"Of what is drawn (arrival: poisson, weights, a range to think), so that each run draws the same. Absent: each load draws its own, on the embedded mesh by the seed of the run."`
	Duration    yamlnode.Duration `yaml:"duration,omitempty" jsonschema_description:"Ends the load, if requests has not ended it before. 1ms and more."`
	Secret      []string          `yaml:"secret,omitempty" jsonschema_description:"Headers whose values no report shows, beside authorization, cookie and the like; body, lines and columns of values likewise."`
	Warmup      int64             `yaml:"warmup,omitempty" jsonschema:"minimum=0" jsonschema_description:"Requests before the ones that count, for clients and proxies alike."`
	Timeout     yamlnode.Duration `yaml:"timeout,omitempty" jsonschema_description:"Of one request. Default 1m."`
	While       string            `yaml:"while,omitempty" jsonschema_description:"Runs as long as this other cohort: the control group. With requests or duration of its own it ends at whichever comes first."`
}

// fileExpectation is the mapping form of an expectation.
type fileExpectation struct {
	That     string `yaml:"that"`
	KnownBug string `yaml:"knownBug,omitempty" jsonschema_description:"The ticket of a known bug: the expectation is expected to be false."`
}
