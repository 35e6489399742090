package scenarios

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/loadgen"
)

// defaultConnections is fortio's default too.
const defaultConnections = 4

// compileLoad turns one cohort of a file into a plan.
func (r *reader) compileLoad(f *fileScenario, step fileStep, name string, expect []Line) (mesh.Cohort, error) {
	load := step.Load[name]
	node := loadNode(f, step, name)
	plan := planOf(f, load)
	cohort := mesh.Cohort{Name: name, From: cmp.Or(load.From, mesh.FromClient)}
	if err := setTarget(node, load, &plan); err != nil {
		return cohort, err
	}
	if err := r.setFiles(node, load, &plan); err != nil {
		return cohort, err
	}
	if err := checkSecrets(node, load, plan); err != nil {
		return cohort, err
	}
	if err := r.setTLS(node, load, &cohort, &plan); err != nil {
		return cohort, err
	}
	if err := checkFrom(node, cohort); err != nil {
		return cohort, err
	}
	cohort.Plan = plan
	if load.Requests.auto {
		plan.Requests = samplesNeeded(expect, cohort)
		if plan.Requests == 0 {
			return cohort, yamlnode.At(yamlnode.Follow(node, "requests"), "write a number", "requests: auto needs an expectation of the step with split(...) or a percentile")
		}
	}
	if err := setRate(node, load, &plan); err != nil {
		return cohort, err
	}
	if err := checkEnd(node, name, step, plan); err != nil {
		return cohort, err
	}
	if err := checkAmounts(node, load, plan); err != nil {
		return cohort, err
	}
	if err := plan.Validate(); err != nil {
		return cohort, f.placePlan(node, err)
	}
	cohort.Plan = plan
	return cohort, nil
}

// planOf is what a cohort of a file says that is in a plan as it stands there.
func planOf(f *fileScenario, load fileLoad) loadgen.Plan {
	plan := loadgen.Plan{
		Engine:      load.Engine,
		Connections: defaultConnections,
		Requests:    load.Requests.count,
		Duration:    loadgen.Duration{Duration: load.Duration.Duration},
		Warmup:      load.Warmup,
		Timeout:     loadgen.Duration{Duration: load.Timeout.Duration},
		Checks:      checksOf(f.Spec.Checks),
		Versions:    checksOf(f.Spec.Versions),
		While:       load.While,
		Senders:     load.Senders,
	}
	if load.Connections.said {
		plan.Connections, plan.MaxConnections = load.Connections.From, load.Connections.To
	}
	if load.Think.said {
		plan.Think = &loadgen.Think{From: loadgen.Duration{Duration: load.Think.From.Duration}, To: loadgen.Duration{Duration: load.Think.To.Duration}}
	}
	return plan
}

// setFiles reads the files that a load names, but for those of TLS.
func (r *reader) setFiles(node ast.Node, load fileLoad, plan *loadgen.Plan) (err error) {
	if plan.GRPC != nil {
		if plan.GRPC.Descriptors, err = r.descriptorsFor(node, load); err != nil {
			return err
		}
	}
	plan.Values, err = r.valuesFor(node, load)
	return err
}

func loadNode(f *fileScenario, step fileStep, name string) ast.Node {
	return yamlnode.Pair(loadsNode(f, step), name).Value
}

// loadsNode is the mapping of the cohorts of a step.
func loadsNode(f *fileScenario, step fileStep) ast.Node {
	return yamlnode.Pair(stepNode(f, step), "load").Value
}

// stepNode is that of a step; of the only one of a file without steps, the spec.
func stepNode(f *fileScenario, step fileStep) ast.Node {
	spec := yamlnode.Pair(f.body, "spec").Value
	for i := range f.Spec.Steps {
		if f.Spec.Steps[i].Name == step.Name {
			return yamlnode.Pair(spec, "steps").Value.(*ast.SequenceNode).Values[i]
		}
	}
	return spec
}

// targetOf is the key that says what a cohort calls, or else the cohort.
func targetOf(node ast.Node) ast.Node {
	for _, key := range targets() {
		if yamlnode.Pair(node, key) != nil {
			return yamlnode.Follow(node, key)
		}
	}
	return node
}

// setTarget says where the load goes and what it sends.
func setTarget(node ast.Node, load fileLoad, plan *loadgen.Plan) error {
	called, err := oneTarget(node, targets(), "a cohort")
	if err != nil {
		return err
	}
	if err := checkKeys(node, called); err != nil {
		return err
	}
	switch called {
	case "send":
		return setSend(node, load, plan)
	case "tcp":
		if _, _, err := net.SplitHostPort(load.TCP); err != nil {
			return yamlnode.At(yamlnode.Follow(node, "tcp"), "write host:port", "%q is no address", load.TCP)
		}
		plan.TCP = &loadgen.TCP{Address: load.TCP, Lines: load.Lines}
		return nil
	case "grpc":
		return setCall(node, load, plan)
	}
	return setHTTP(node, called, load, plan)
}

// besides are the keys that each kind of target does not go with.
var besides = map[string][]string{
	"get":  {"descriptors", "lines"},
	"post": {"descriptors", "lines"},
	"send": {"descriptors"},
	"grpc": {"as", "http2", "lines"},
	"tcp":  {"as", "body", "descriptors", "headers", "http2", "tls"},
	"ws":   {"as", "body", "descriptors", "http2"},
}

// checkKeys refuses a key that says nothing of what a cohort calls.
func checkKeys(node ast.Node, called string) error {
	for _, key := range besides[called] {
		if yamlnode.Pair(node, key) != nil {
			return yamlnode.At(yamlnode.Follow(node, key), "leave it out", "%s is not for %s", key, called)
		}
	}
	return nil
}

// setHTTP says what a load sends that is one request.
func setHTTP(node ast.Node, called string, load fileLoad, plan *loadgen.Plan) error {
	h, u, err := httpOf(node, called, load.Get+load.Post+load.WS)
	if err != nil {
		return err
	}
	if load.WS != "" && len(load.Lines) == 0 {
		return yamlnode.At(yamlnode.Follow(node, "ws"), "write lines: [hello]", "a WebSocket has nothing to send")
	}
	h.Header, h.Body, h.HTTP2, h.Messages = load.Headers, load.Body, load.HTTP2, load.Lines
	if load.As != "" {
		h.Login = loginOf(u, load.As)
	}
	plan.HTTP = h
	return nil
}

// setCall says which method of gRPC the load calls.
func setCall(node ast.Node, load fileLoad, plan *loadgen.Plan) error {
	address, method, _ := strings.Cut(load.GRPC, "/")
	if _, _, err := net.SplitHostPort(address); err != nil || method == "" || strings.Contains(load.GRPC, "://") {
		return yamlnode.At(yamlnode.Follow(node, "grpc"), "write service:port/package.Service/Method", "%q is no method of a service in the mesh", load.GRPC)
	}
	plan.GRPC = &loadgen.GRPC{Address: address, Method: method, Header: load.Headers, Body: load.Body}
	return nil
}

// checkFrom refuses what is the name of no workload.
func checkFrom(node ast.Node, cohort mesh.Cohort) error {
	at := yamlnode.Follow(node, "from")
	if wrong := validation.IsDNS1123Subdomain(cohort.From); len(wrong) > 0 {
		return yamlnode.At(at, "write client, gateway, or the name of a workload as that of a Deployment", "%q is not the name of a workload", cohort.From)
	}
	return nil
}

// checkEnd makes sure that the load ends, and by what.
func checkEnd(node ast.Node, name string, step fileStep, plan loadgen.Plan) error {
	bounded := plan.Requests > 0 || plan.Duration.Duration > 0
	if plan.While == "" {
		if !bounded {
			return yamlnode.At(node, "write requests: or duration:", "the load %q would never end", name)
		}
		return nil
	}
	other, ok := step.Load[plan.While]
	if !ok || plan.While == name || other.While != "" {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(step.Load)), func(n string) bool {
			return n == name || step.Load[n].While != ""
		})
		return yamlnode.At(yamlnode.Follow(node, "while"), nearest.Hint(plan.While, names), "while names %q, which is no other cohort that ends by itself", plan.While)
	}
	return nil
}

// checkAmounts refuses, at its own place, what a load cannot be carried out with.
func checkAmounts(node ast.Node, load fileLoad, plan loadgen.Plan) error {
	if yamlnode.Pair(node, "seed") != nil && load.Seed == 0 {
		return yamlnode.At(yamlnode.Follow(node, "seed"), "write 1 or more, or leave it out", "seed is 0, which repeats nothing: each load would draw its own")
	}
	if yamlnode.Pair(node, "senders") != nil && load.Senders == 0 {
		return yamlnode.At(yamlnode.Follow(node, "senders"), "write 1 to 100, or leave it out", "senders is 0, and nobody would send it")
	}
	if plan.Duration.Duration > 0 && plan.Duration.Duration < loadgen.MinDuration {
		return yamlnode.At(yamlnode.Follow(node, "duration"), "", "duration is %v; a load lasts %v at least", plan.Duration, loadgen.MinDuration)
	}
	if plan.Requests == 0 || plan.Requests >= int64(plan.Connections) {
		return nil
	}
	hint, connections := fmt.Sprintf("write connections: %d", plan.Requests), "connections"
	if !load.Connections.said {
		connections = "connections, which is the default,"
	}
	return yamlnode.At(yamlnode.Follow(node, "requests"), hint, "requests is %d, so that some of %d %s would have nothing to send", plan.Requests, plan.Connections, connections)
}

func checksOf(in map[string]fileCheck) []loadgen.Check {
	var out []loadgen.Check
	for _, name := range slices.Sorted(maps.Keys(in)) {
		out = append(out, loadgen.Check{Name: name, Body: in[name].Body, Match: in[name].Match})
	}
	return out
}

// hostsOf are the names of the service that a cohort's address names, in whichever
// namespace the run is.
func hostsOf(load fileLoad) []string {
	address, called := load.TCP, load.Get+load.Post+load.WS
	if len(load.Send) > 0 {
		called = load.Send[0].Get + load.Send[0].Post
	}
	if load.GRPC != "" {
		address, _, _ = strings.Cut(load.GRPC, "/")
	}
	if u, err := url.Parse(called); err == nil && u.Host != "" {
		address = u.Host
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	short, rest, _ := strings.Cut(host, ".")
	namespace, _, _ := strings.Cut(rest, ".")
	return []string{short, short + "." + namespace}
}
