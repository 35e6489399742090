package scenarios

import (
	"fmt"
	"maps"
	"net"
	"net/http"
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
func compileLoad(f *fileScenario, step fileStep, name string, expect []Line) (mesh.Cohort, error) {
	load := step.Load[name]
	node := loadNode(f, step, name)
	plan := loadgen.Plan{
		Engine:      load.Engine,
		Connections: defaultConnections,
		Requests:    load.Requests.count,
		Duration:    loadgen.Duration{Duration: load.Duration.Duration},
		QPS:         load.QPS,
		Warmup:      load.Warmup,
		Timeout:     loadgen.Duration{Duration: load.Timeout.Duration},
		Checks:      checksOf(f.Spec.Checks),
		Versions:    checksOf(f.Spec.Versions),
		While:       load.While,
	}
	cohort := mesh.Cohort{Name: name, From: load.From}
	if load.Connections != nil {
		plan.Connections = *load.Connections
	}
	if cohort.From == "" {
		cohort.From = mesh.FromClient
	}
	if err := setTarget(node, load, &plan); err != nil {
		return cohort, err
	}
	if err := checkSecrets(node, load); err != nil {
		return cohort, err
	}
	if err := checkFrom(node, cohort); err != nil {
		return cohort, err
	}
	if load.Requests.auto {
		plan.Requests = samplesNeeded(expect, name)
		if plan.Requests == 0 {
			return cohort, yamlnode.At(yamlnode.Follow(node, "requests"), "write a number", "requests: auto needs an expectation of the step with split(...) or a percentile")
		}
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
	for _, key := range []string{"get", "post", "tcp"} {
		if yamlnode.Pair(node, key) != nil {
			return yamlnode.Follow(node, key)
		}
	}
	return node
}

// setTarget says where the load goes and what it sends.
func setTarget(node ast.Node, load fileLoad, plan *loadgen.Plan) error {
	at, targets := node, 0
	for _, key := range []string{"get", "post", "tcp"} {
		if yamlnode.Pair(node, key) != nil {
			at = yamlnode.Follow(node, key)
			targets++
		}
	}
	if targets != 1 {
		return yamlnode.At(at, "", "a cohort has one of get, post and tcp, not %d", targets)
	}
	if load.TCP != "" {
		if _, _, err := net.SplitHostPort(load.TCP); err != nil {
			return yamlnode.At(yamlnode.Follow(node, "tcp"), "write host:port", "%q is no address", load.TCP)
		}
		for _, key := range []string{"as", "body", "headers"} {
			if yamlnode.Pair(node, key) != nil {
				return yamlnode.At(yamlnode.Follow(node, key), "", "as, body and headers are for HTTP")
			}
		}
		plan.TCP = &loadgen.TCP{Address: load.TCP, Lines: load.Lines}
		return nil
	}
	if len(load.Lines) > 0 {
		return yamlnode.At(yamlnode.Follow(node, "lines"), "", "lines are for TCP")
	}
	h := &loadgen.HTTP{Method: http.MethodGet, URL: load.Get, Header: load.Headers, Body: load.Body}
	if load.Post != "" {
		h.Method, h.URL = http.MethodPost, load.Post
	}
	u, err := url.Parse(h.URL)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return yamlnode.At(yamlnode.Follow(node, strings.ToLower(h.Method)), "write http://service:port/path", "%q is no URL of a service in the mesh", h.URL)
	}
	if load.As != "" {
		h.Login = &loadgen.Login{URL: u.Scheme + "://" + u.Host + "/login", Form: map[string]string{"username": load.As}}
	}
	plan.HTTP = h
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
	if plan.Duration.Duration > 0 && plan.Duration.Duration < loadgen.MinDuration {
		return yamlnode.At(yamlnode.Follow(node, "duration"), "", "duration is %v; a load lasts %v at least", plan.Duration, loadgen.MinDuration)
	}
	if plan.Requests == 0 || plan.Requests >= int64(plan.Connections) {
		return nil
	}
	hint, connections := fmt.Sprintf("write connections: %d", plan.Requests), "connections"
	if load.Connections == nil {
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
	address := load.TCP
	if u, err := url.Parse(load.Get + load.Post); err == nil && u.Host != "" {
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
