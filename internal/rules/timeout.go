package rules

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Timeout ends requests of services that take too long, with 504, in the
// proxies of their clients. It is of a request with all its retries.
type Timeout struct {
	Service      yamlnode.Names    `yaml:"service"`
	When         map[string]string `yaml:"when,omitempty" jsonschema_description:"Only requests with these headers."`
	SourceLabels map[string]string `yaml:"sourceLabels,omitempty" jsonschema_description:"Only requests of pods with these labels."`
	Gateways     yamlnode.Names    `yaml:"gateways,omitempty" jsonschema_description:"Only requests that enter by these gateways."`
	After        yamlnode.Duration `yaml:"after" jsonschema_description:"Whole milliseconds, all attempts together."`
}

// String implements Intent.
func (t *Timeout) String() string { return "the timeout of " + strings.Join(t.Service, ", ") }

// Services implements Intent.
func (t *Timeout) Services() []string { return t.Service }

// Versions implements Intent: a timeout sends nowhere.
func (t *Timeout) Versions() []string { return nil }

// Check implements Intent.
func (t *Timeout) Check() error {
	switch after := t.After.Duration; {
	case after == 0:
		return errors.New("it does not say when; write after: 500ms")
	case !validDuration(after):
		return wrongKey("after", "after is %s; it must be whole milliseconds, at least 1ms", after)
	}
	return checkScope(t.Service, t.scope())
}

func (t *Timeout) scope() scope { return scope{t.When, t.SourceLabels, t.Gateways} }

func (t *Timeout) merge(d *draft, service Service) error {
	return d.edit(service, t.scope(), func(entry *networking.HTTPRoute) error {
		entry.Timeout = durationpb.New(t.After.Duration)
		return nil
	})
}

// PartTimeout is the kind of part of a timeout: requests that it ended.
const PartTimeout = "timeout"

func timeoutParts() []entryPart {
	return []entryPart{{
		PartKind: PartKind{Name: PartTimeout, None: "no request that it ended", Remedy: "let a request take longer, or take the timeout out", Rests: true},
		in: func(whole Part, entry *networking.HTTPRoute) []Part {
			after := entry.GetTimeout().AsDuration()
			attempt := entry.GetRetries().GetPerTryTimeout().AsDuration()
			whole.PerTry = 0 < attempt && attempt < after
			whole.setting = fmt.Sprintf("%s of %s", after, toWords(whole.Object.Namespace, entry))
			return whole.field(PartTimeout, "timeout", after > 0)
		},
	}}
}
