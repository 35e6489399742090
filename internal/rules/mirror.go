package rules

import (
	"errors"
	"fmt"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Mirror sends copies of the requests of services to a version of them, beside
// the requests themselves. What answers the copies goes nowhere.
type Mirror struct {
	Service      yamlnode.Names    `yaml:"service"`
	When         map[string]string `yaml:"when,omitempty" jsonschema_description:"Only requests with these headers."`
	SourceLabels map[string]string `yaml:"sourceLabels,omitempty" jsonschema_description:"Only requests of pods with these labels."`
	Gateways     yamlnode.Names    `yaml:"gateways,omitempty" jsonschema_description:"Only requests that enter by these gateways."`
	To           string            `yaml:"to" jsonschema_description:"The version that gets the copies."`
	Percent      yamlnode.Percent  `yaml:"percent,omitempty" jsonschema_description:"Of the requests. Default 100%."`
}

// String implements Intent.
func (m *Mirror) String() string { return "the mirror of " + strings.Join(m.Service, ", ") }

// Services implements Intent.
func (m *Mirror) Services() []string { return m.Service }

// Versions implements Intent.
func (m *Mirror) Versions() []string { return []string{m.To} }

// Check implements Intent.
func (m *Mirror) Check() error {
	switch {
	case m.To == "":
		return errors.New("it names no version to mirror to; write to: v2")
	case !validPercent(m.percent()):
		return wrongKey("percent", "the percentage is %v; it must be from %v to 100", m.percent(), minPercent)
	}
	return checkScope(m.Service, m.scope())
}

// percent is of all requests where the file says nothing.
func (m *Mirror) percent() float64 {
	if m.Percent.Value == nil {
		return 100
	}
	return *m.Percent.Value
}

func (m *Mirror) scope() scope { return scope{m.When, m.SourceLabels, m.Gateways} }

func (m *Mirror) merge(d *draft, service Service) error {
	subset, err := d.subset(service.Name, m.To)
	if err != nil {
		return err
	}
	return d.edit(service, m.scope(), func(entry *networking.HTTPRoute) error {
		entry.Mirror, entry.Mirrors = &networking.Destination{Host: service.Name, Subset: subset}, nil
		entry.MirrorPercent = nil //nolint:staticcheck // Istio still reads it
		entry.MirrorPercentage = &networking.Percent{Value: m.percent()}
		return nil
	})
}

// PartMirror is the kind of part of a mirror: requests that were mirrored.
const PartMirror = "mirror"

func mirrorParts() []entryPart {
	return []entryPart{{
		PartKind: PartKind{Name: PartMirror, None: "nothing that it mirrored", Remedy: "let a cohort send requests that it matches, as many as it takes to meet its percentage, or take it out"},
		in: func(whole Part, entry *networking.HTTPRoute) []Part {
			var parts []Part
			add := func(field string, to *networking.Destination) {
				part := whole
				part.direct(&networking.HTTPRouteDestination{Destination: to})
				parts = append(parts, part.field(PartMirror, field, to != nil)...)
			}
			add("mirror", entry.Mirror)
			for i, mirror := range entry.Mirrors {
				add(fmt.Sprintf("mirrors[%d]", i), mirror.GetDestination())
			}
			return parts
		},
	}}
}
