package rules

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Retries has the proxies of the clients of services send requests again that
// failed. The words are Istio's; what is absent, Istio chooses.
type Retries struct {
	Service                  yamlnode.Names    `yaml:"service"`
	When                     map[string]string `yaml:"when,omitempty" jsonschema_description:"Only requests with these headers."`
	SourceLabels             map[string]string `yaml:"sourceLabels,omitempty" jsonschema_description:"Only requests of pods with these labels."`
	Gateways                 yamlnode.Names    `yaml:"gateways,omitempty" jsonschema_description:"Only requests that enter by these gateways."`
	Attempts                 *int32            `yaml:"attempts" jsonschema:"minimum=0" jsonschema_description:"After the first; 0: none."`
	RetryOn                  RetryConditions   `yaml:"retryOn,omitempty"`
	PerTryTimeout            yamlnode.Duration `yaml:"perTryTimeout,omitempty" jsonschema_description:"Of each attempt: whole milliseconds."`
	Backoff                  yamlnode.Duration `yaml:"backoff,omitempty" jsonschema_description:"What the first pause is drawn from: whole milliseconds."`
	RetryIgnorePreviousHosts *bool             `yaml:"retryIgnorePreviousHosts,omitempty" jsonschema_description:"Another endpoint is preferred. Default true."`
}

// RetryConditions are what a request is sent again for, as Istio's retryOn has
// them: Envoy's words, and statuses.
type RetryConditions []string

// String implements Intent.
func (r *Retries) String() string { return "the retries of " + strings.Join(r.Service, ", ") }

// Services implements Intent.
func (r *Retries) Services() []string { return r.Service }

// Versions implements Intent: retries go where the requests went.
func (r *Retries) Versions() []string { return nil }

// Check implements Intent.
func (r *Retries) Check() error {
	switch try, pause := r.PerTryTimeout.Duration, r.Backoff.Duration; {
	case r.Attempts == nil:
		return errors.New("it does not say how often; write attempts: 2, or 0 for never")
	case *r.Attempts < 0:
		return wrongKey("attempts", "attempts is %d; it must not be below 0", *r.Attempts)
	case *r.Attempts == 0 && (len(r.RetryOn) > 0 || try != 0 || pause != 0 || r.RetryIgnorePreviousHosts != nil):
		return wrongKey("attempts", "attempts is 0, which switches retries off; leave out what stands beside it, or write 1 or more")
	case try != 0 && !validDuration(try):
		return wrongKey("perTryTimeout", "perTryTimeout is %s; it must be whole milliseconds, at least 1ms", try)
	case pause != 0 && !validDuration(pause):
		return wrongKey("backoff", "backoff is %s; it must be whole milliseconds, at least 1ms", pause)
	}
	for _, word := range r.RetryOn {
		if !retriesOn(word) {
			return wrongKey("retryOn", "retryOn: %w", unknownWord("", word, retryWords))
		}
	}
	return checkScope(r.Service, r.scope())
}

func (r *Retries) scope() scope { return scope{r.When, r.SourceLabels, r.Gateways} }

func (r *Retries) merge(d *draft, service Service) error {
	return d.edit(service, r.scope(), func(entry *networking.HTTPRoute) error {
		entry.Retries = r.policy()
		return nil
	})
}

func (r *Retries) policy() *networking.HTTPRetry {
	policy := &networking.HTTPRetry{Attempts: *r.Attempts, RetryOn: strings.Join(r.RetryOn, ",")}
	if try := r.PerTryTimeout.Duration; try > 0 {
		policy.PerTryTimeout = durationpb.New(try)
	}
	if pause := r.Backoff.Duration; pause > 0 {
		policy.Backoff = durationpb.New(pause)
	}
	if another := r.RetryIgnorePreviousHosts; another != nil {
		policy.RetryIgnorePreviousHosts = wrapperspb.Bool(*another)
	}
	return policy
}

// The kinds of parts of retries.
const (
	PartRetry   = "retry"    // requests that were tried again
	PartNoRetry = "no-retry" // requests that failed, and were not tried again
)

func retriesParts() []entryPart {
	in := func(kind string, is func(*networking.HTTPRetry) bool) func(Part, *networking.HTTPRoute) []Part {
		return func(whole Part, entry *networking.HTTPRoute) []Part {
			if len(entry.Route) == 1 {
				whole.direct(entry.Route[0])
			}
			return whole.field(kind, "retries", entry.Retries != nil && is(entry.Retries))
		}
	}
	return []entryPart{
		{
			PartKind: PartKind{Name: PartRetry, None: "nothing that was tried again", Remedy: "let what it leads to fail as its retryOn has it, or take the retries out"},
			in:       in(PartRetry, func(r *networking.HTTPRetry) bool { return r.Attempts > 0 }),
		},
		{
			PartKind: PartKind{Name: PartNoRetry, None: "no request that failed as one must to be tried again without it", Remedy: "let what it leads to fail so (without other retries: refuse connections), or take the retries out"},
			in:       in(PartNoRetry, func(r *networking.HTTPRetry) bool { return r.Attempts <= 0 }),
		},
	}
}

// retriedFor returns the conditions of the first policy of retries that an object
// has, from one of its entries on, for all that the entry of a part is for.
func (p Part) retriedFor(o *Object, from int) []string {
	if o == nil {
		return nil
	}
	vs := o.Spec.(*networking.VirtualService)
	for i, entry := range vs.Http {
		if i < from || !included(blocksOf(entry.Match), p.at.match) {
			continue
		}
		if entry.Retries.GetAttempts() == 0 {
			return nil
		}
		var on []string
		for word := range strings.SplitSeq(entry.Retries.GetRetryOn(), ",") {
			on = append(on, strings.TrimSpace(word))
		}
		return on
	}
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (c *RetryConditions) UnmarshalYAML(node ast.Node) error {
	nodes := []ast.Node{node}
	if list, ok := node.(*ast.SequenceNode); ok {
		nodes = list.Values
	}
	for _, n := range nodes {
		text, ok := yamlnode.Scalar(n)
		if !ok {
			return yamlnode.At(n, "write 5xx, or [5xx, reset]", "retryOn takes a condition or a list of them, not %s", yamlnode.Kind(n))
		}
		for word := range strings.SplitSeq(text, ",") {
			*c = append(*c, strings.TrimSpace(word))
		}
	}
	return nil
}

// JSONSchema describes it to editors.
func (RetryConditions) JSONSchema() *jsonschema.Schema {
	one := &jsonschema.Schema{Type: "string", Description: "One of " + strings.Join(retryWords, ", ") + ", or an HTTP status."}
	status := &jsonschema.Schema{Type: "integer", Minimum: "100", Maximum: "599"}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{one, status, {Type: "array", Items: &jsonschema.Schema{OneOf: []*jsonschema.Schema{one, status}}}}}
}
