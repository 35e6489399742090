package rules

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"
	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Route sends the requests of services to versions of them. It replaces the
// destinations of their http entries.
type Route struct {
	Service      yamlnode.Names    `yaml:"service"`
	When         map[string]string `yaml:"when,omitempty" jsonschema_description:"Only requests with these headers."`
	SourceLabels map[string]string `yaml:"sourceLabels,omitempty" jsonschema_description:"Only requests of pods with these labels."`
	Gateways     yamlnode.Names    `yaml:"gateways,omitempty" jsonschema_description:"Only requests that enter by these gateways."`
	To           Shares            `yaml:"to"`
}

// Shares is a version, or weights by version in the order of the file.
type Shares []Share

// Share is a version's part of the traffic.
type Share struct {
	Version string // the label version; the subset is named after it where it must be made
	Weight  int32  // of the sum of all weights; a sole share may have 0 and takes all
}

// String implements Intent.
func (r *Route) String() string { return "the route of " + strings.Join(r.Service, ", ") }

// Services implements Intent.
func (r *Route) Services() []string { return r.Service }

// Versions implements Intent.
func (r *Route) Versions() []string {
	versions := make([]string, len(r.To))
	for i, share := range r.To {
		versions[i] = share.Version
	}
	return versions
}

// Check implements Intent.
func (r *Route) Check() error {
	seen := map[string]bool{}
	var sum int64
	for _, share := range r.To {
		switch {
		case share.Version == "":
			return wrongKey("to", "a share has no version")
		case seen[share.Version]:
			return wrongKey("to."+share.Version, "the version %s stands twice", share.Version)
		case share.Weight < 0:
			return wrongKey("to."+share.Version, "the weight of %s is %d; it must not be below 0", share.Version, share.Weight)
		}
		seen[share.Version] = true
		sum += int64(share.Weight)
	}
	switch {
	case len(r.To) == 0:
		return errors.New("it names no version to send to; write to: v1")
	case len(r.To) > 1 && sum == 0:
		return wrongKey("to", "the weights sum to 0; give at least one version a weight")
	case sum > math.MaxInt32:
		return wrongKey("to", "the weights sum to %d, more than Istio counts; make them smaller", sum)
	}
	return checkScope(r.Service, r.scope())
}

func (r *Route) scope() scope { return scope{r.When, r.SourceLabels, r.Gateways} }

func (r *Route) merge(d *draft, service Service) error {
	shares := make([]share, len(r.To))
	for i, to := range r.To {
		subset, err := d.subset(service.Name, to.Version)
		if err != nil {
			return err
		}
		shares[i] = share{subset: subset, weight: to.Weight}
	}
	return d.edit(service, r.scope(), func(entry *networking.HTTPRoute) error {
		return sendTo(entry, FQDN(service.Name, d.namespace), d.namespace, shares)
	})
}

// share is a subset's part of an entry's requests.
type share struct {
	subset string
	weight int32
}

// sendTo replaces an entry's destinations by subsets of the service that they
// are of. The port stays, and so do the headers of a destination that stays.
func sendTo(entry *networking.HTTPRoute, service, namespace string, shares []share) error {
	if len(entry.Route) == 0 {
		return errors.New("has no destination")
	}
	first := entry.Route[0].GetDestination()
	for _, route := range entry.Route {
		destination := route.GetDestination()
		if FQDN(destination.GetHost(), namespace) != service {
			return fmt.Errorf("sends to another host, %s; apply a VirtualService of your own instead of a route", destination.GetHost())
		}
		if !proto.Equal(destination.Port, first.Port) {
			return errors.New("sends to several ports; apply a VirtualService of your own instead of a route")
		}
	}
	routes := make([]*networking.HTTPRouteDestination, len(shares))
	for i, s := range shares {
		routes[i] = &networking.HTTPRouteDestination{Weight: s.weight, Destination: proto.CloneOf(first)}
		routes[i].Destination.Subset = s.subset
		for _, route := range entry.Route {
			if route.Destination.Subset == s.subset {
				routes[i].Headers = route.Headers
				break
			}
		}
	}
	entry.Route = routes
	return nil
}

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (s *Shares) UnmarshalYAML(node ast.Node) error {
	if text, ok := yamlnode.Scalar(node); ok && text != "" {
		*s = Shares{{Version: text}}
		return nil
	}
	pairs, err := yamlnode.Entries(node)
	if err != nil {
		return yamlnode.At(node, "write v1, or {v1: 90, v2: 10}", "to takes a version or weights by version, not %s", yamlnode.Kind(node))
	}
	var sum int64
	for _, pair := range pairs {
		text, _ := yamlnode.Scalar(pair.Value)
		weight, err := strconv.ParseInt(strings.TrimSuffix(text, "%"), 10, 32)
		if err != nil || weight < 0 {
			return yamlnode.At(pair.Value, "", "a weight is a whole number of at least 0, not %s", yamlnode.Kind(pair.Value))
		}
		sum += weight
		*s = append(*s, Share{Version: yamlnode.Key(pair), Weight: int32(weight)})
	}
	if sum == 0 {
		return yamlnode.At(node, "one at least must be above 0", "the weights sum to 0")
	}
	return nil
}

// JSONSchema describes it to editors.
func (Shares) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "string", Description: "A version: all of the traffic."},
		{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "integer", Minimum: "0"}, Description: "Weights by version: {v1: 90, v2: 10}."},
	}}
}
