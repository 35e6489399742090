package scenarios

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// fileRule is an intent, an Istio object, or the name of a file of such
// objects. It keeps its node: what it means may depend on other files.
type fileRule struct{ node ast.Node }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (r *fileRule) UnmarshalYAML(node ast.Node) error {
	r.node = node
	return nil
}

// JSONSchema describes a rule to editors.
func (fileRule) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "string", Description: "A file of Istio objects, from the folder of this file."},
		{Ref: "#/$defs/fileIntent"},
		{Type: "object", Required: []string{"apiVersion", "kind", "metadata", "spec"}, Description: "An Istio object as it stands."},
	}}
}

// compileRule reads one entry of given or apply.
func (r *reader) compileRule(rule fileRule) (Rule, error) {
	compiled := Rule{place: *r.place(yamlnode.At(rule.node, "", ""))}
	var err error
	if name, ok := yamlnode.Scalar(rule.node); ok {
		compiled.Objects, err = r.objectFile(rule.node, name)
		return compiled, err
	}
	pairs, err := yamlnode.Entries(rule.node)
	if err != nil {
		return compiled, yamlnode.At(rule.node, "write route, fault, breaker, an Istio object or a file's name", "a rule is not %s", yamlnode.Kind(rule.node))
	}
	for _, pair := range pairs {
		if key := yamlnode.Key(pair); key == "apiVersion" || key == "kind" {
			object, err := decodeObject(rule.node)
			compiled.Objects = []*rules.Object{object}
			return compiled, err
		}
	}
	compiled.Intents, err = compileIntent(rule.node)
	return compiled, err
}

// objectFile reads a file of Istio objects that a scenario names.
func (r *reader) objectFile(node ast.Node, name string) ([]*rules.Object, error) {
	text, err := r.open(name)
	if err != nil {
		return nil, yamlnode.At(node, "", "reading the rule file %q: %v", name, err)
	}
	inner := reader{file: name, lines: strings.Split(text, "\n"), open: r.open}
	if err := inner.guard(text); err != nil {
		return nil, err
	}
	nodes, err := documents(text)
	if err != nil {
		return nil, inner.place(err)
	}
	var objects []*rules.Object
	for _, node := range nodes {
		object, err := decodeObject(node)
		if err != nil {
			return nil, inner.place(err)
		}
		objects = append(objects, object)
	}
	if len(objects) == 0 {
		return nil, yamlnode.At(node, "", "the rule file %q holds no object", name)
	}
	return objects, nil
}

// decodeObject reads an Istio object strictly and places what is wrong in it.
func decodeObject(node ast.Node) (*rules.Object, error) {
	var tree any
	if err := yaml.NodeToValue(node, &tree); err != nil {
		return nil, err
	}
	manifest, err := json.Marshal(tree)
	if err != nil {
		return nil, yamlnode.At(node, "", "reading the Istio object: %v", err)
	}
	object, err := rules.DecodeFile(manifest)
	if err == nil {
		err = firstError(rules.Check([]*rules.Object{object}))
	}
	var field *rules.FieldError
	if errors.As(err, &field) {
		hint := ""
		if field.Suggestion != "" {
			hint = "did you mean " + field.Suggestion + "?"
		}
		return nil, yamlnode.At(yamlnode.Follow(node, field.Path), hint, "%s: %s", field.Path, field.Message)
	}
	return object, err
}

func firstError(problems []rules.Problem) error {
	for _, p := range problems {
		if !p.Warning {
			return &rules.FieldError{Path: p.Path, Message: p.Message}
		}
	}
	return nil
}

// compileIntent reads the mapping form; a rule for several services becomes an
// intent for each.
func compileIntent(node ast.Node) ([]rules.Intent, error) {
	var in fileIntent
	if err := yamlnode.Decode(node, &in, "the rule"); err != nil {
		return nil, err
	}
	if pairs, _ := yamlnode.Entries(node); len(pairs) != 1 {
		return nil, yamlnode.At(node, "write a list entry for each", "a rule has one of route, fault and breaker, not %d", len(pairs))
	}
	var intents []rules.Intent
	switch {
	case in.Route != nil:
		for _, service := range in.Route.Service {
			intents = append(intents, rules.Intent{Route: &rules.Route{Service: service, When: in.Route.When, To: in.Route.To}})
		}
		if len(in.Route.To) == 0 {
			return nil, yamlnode.At(node, "write to: v1", "the route says no version")
		}
	case in.Fault != nil:
		fault, err := compileFault(node, in.Fault)
		if err != nil {
			return nil, err
		}
		for _, service := range in.Fault.Service {
			fault.Service = service
			intents = append(intents, rules.Intent{Fault: new(fault)})
		}
	case in.Breaker != nil:
		for _, service := range in.Breaker.Service {
			intents = append(intents, rules.Intent{Breaker: compileBreaker(in.Breaker, service)})
		}
	}
	if len(intents) == 0 {
		return nil, yamlnode.At(node, "write service: with its name", "the rule names no service")
	}
	for _, intent := range intents {
		if err := intent.Validate(); err != nil {
			return nil, yamlnode.At(node, "", "%s: %v", intent, err)
		}
	}
	return intents, nil
}

func compileFault(node ast.Node, in *fileFault) (rules.Fault, error) {
	fault := rules.Fault{When: in.When, Delay: in.Delay.Duration, Percent: 100}
	if in.Abort != nil {
		fault.Abort = *in.Abort
	}
	if in.Percent.Value != nil {
		fault.Percent = *in.Percent.Value
	}
	if fault.Delay == 0 && in.Abort == nil {
		return fault, yamlnode.At(node, "write delay: 7s or abort: 503", "the fault neither delays nor aborts")
	}
	if in.Abort != nil && (fault.Abort < 200 || fault.Abort > 599) {
		return fault, yamlnode.At(node, "", "abort takes an HTTP status from 200 to 599, not %d", fault.Abort)
	}
	return fault, nil
}

func compileBreaker(in *fileBreaker, service string) *rules.Breaker {
	return &rules.Breaker{
		Service:                  service,
		MaxConnections:           in.MaxConnections,
		HTTP1MaxPendingRequests:  in.HTTP1MaxPendingRequests,
		HTTP2MaxRequests:         in.HTTP2MaxRequests,
		MaxRequestsPerConnection: in.MaxRequestsPerConnection,
		ConsecutiveGatewayErrors: in.ConsecutiveGatewayErrors,
		Consecutive5xxErrors:     in.Consecutive5xxErrors,
		Interval:                 in.Interval.Duration,
		BaseEjectionTime:         in.BaseEjectionTime.Duration,
		MaxEjectionPercent:       in.MaxEjectionPercent,
	}
}
