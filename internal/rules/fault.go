package rules

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"
	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Fault delays or aborts requests of services, in the proxies of their clients.
type Fault struct {
	Service      yamlnode.Names    `yaml:"service"`
	When         map[string]string `yaml:"when,omitempty" jsonschema_description:"Only requests with these headers."`
	SourceLabels map[string]string `yaml:"sourceLabels,omitempty" jsonschema_description:"Only requests of pods with these labels."`
	Gateways     yamlnode.Names    `yaml:"gateways,omitempty" jsonschema_description:"Only requests that enter by these gateways."`
	Delay        yamlnode.Duration `yaml:"delay,omitempty"`
	Abort        *int32            `yaml:"abort,omitempty" jsonschema:"minimum=200,maximum=599" jsonschema_description:"The HTTP status to answer with."`
	GRPCStatus   GRPCCode          `yaml:"grpcStatus,omitempty" jsonschema_description:"The code of gRPC to answer with, such as UNAVAILABLE, in the place of a status."`
	Percent      yamlnode.Percent  `yaml:"percent,omitempty" jsonschema_description:"Of the requests. Default 100%."`
}

// GRPCCode is the name of a code of gRPC.
type GRPCCode string

// UnmarshalYAML implements yaml.NodeUnmarshaler: to quote the number of a code, which is what
// helps where a text is wanted, makes no name of it.
func (c *GRPCCode) UnmarshalYAML(node ast.Node) error {
	text, _ := yamlnode.Scalar(node)
	if name := numbered(text); name != "" {
		return yamlnode.At(node, "write "+name, "grpcStatus takes the name of a code of gRPC, not its number %s", text)
	}
	return yamlnode.Decode(node, (*string)(c), "grpcStatus")
}

// JSONSchema describes it to editors.
func (GRPCCode) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "string"} }

// String implements Intent.
func (f *Fault) String() string { return "the fault on " + strings.Join(f.Service, ", ") }

// Services implements Intent.
func (f *Fault) Services() []string { return f.Service }

// Versions implements Intent: a fault sends nowhere.
func (f *Fault) Versions() []string { return nil }

// Check implements Intent.
func (f *Fault) Check() error {
	switch delay := f.Delay.Duration; {
	case delay == 0 && f.Abort == nil && f.GRPCStatus == "":
		return errors.New("it neither delays nor aborts; write delay: 7s or abort: 503")
	case delay != 0 && !validDuration(delay):
		return wrongKey("delay", "the delay is %s; it must be whole milliseconds, at least 1ms", delay)
	case f.Abort != nil && (*f.Abort < 200 || *f.Abort > 599):
		if name := numbered(strconv.Itoa(int(*f.Abort))); name != "" && *f.Abort != 0 {
			return wrongKey("abort", "abort takes an HTTP status from 200 to 599, not %d; of gRPC write grpcStatus: %s", *f.Abort, name)
		}
		return wrongKey("abort", "abort takes an HTTP status from 200 to 599, not %d", *f.Abort)
	case f.Abort != nil && f.GRPCStatus != "":
		return wrongKey("grpcStatus", "it aborts both with a status and with a code of gRPC; leave one out")
	case f.GRPCStatus != "" && !slices.Contains(grpcStatuses, string(f.GRPCStatus)):
		return wrongKey("grpcStatus", "grpcStatus: %w", unknownGRPC(string(f.GRPCStatus)))
	case !validPercent(f.percent()):
		return wrongKey("percent", "the percentage is %v; it must be from %v to 100", f.percent(), minPercent)
	}
	return checkScope(f.Service, f.scope())
}

// percent is of all requests where the file says nothing.
func (f *Fault) percent() float64 {
	if f.Percent.Value == nil {
		return 100
	}
	return *f.Percent.Value
}

func (f *Fault) scope() scope { return scope{f.When, f.SourceLabels, f.Gateways} }

func (f *Fault) merge(d *draft, service Service) error {
	return d.edit(service, f.scope(), f.inject)
}

// inject sets the delay and the abort that the intent has; one that the entry
// had and the intent has not stays.
func (f *Fault) inject(entry *networking.HTTPRoute) error {
	if entry.Fault == nil {
		entry.Fault = &networking.HTTPFaultInjection{}
	}
	if f.Delay.Duration > 0 {
		entry.Fault.Delay = &networking.HTTPFaultInjection_Delay{
			HttpDelayType: &networking.HTTPFaultInjection_Delay_FixedDelay{FixedDelay: durationpb.New(f.Delay.Duration)},
			Percentage:    &networking.Percent{Value: f.percent()},
		}
	}
	if f.Abort != nil {
		entry.Fault.Abort = &networking.HTTPFaultInjection_Abort{
			ErrorType:  &networking.HTTPFaultInjection_Abort_HttpStatus{HttpStatus: *f.Abort},
			Percentage: &networking.Percent{Value: f.percent()},
		}
	}
	if f.GRPCStatus != "" {
		entry.Fault.Abort = &networking.HTTPFaultInjection_Abort{
			ErrorType:  &networking.HTTPFaultInjection_Abort_GrpcStatus{GrpcStatus: string(f.GRPCStatus)},
			Percentage: &networking.Percent{Value: f.percent()},
		}
	}
	return nil
}

// The kinds of parts of a fault.
const (
	PartDelay = "delay" // requests that it delayed
	PartAbort = "abort" // requests that it aborted
)

func faultParts() []entryPart {
	const remedy = "let a cohort send requests that it is for (its match, its when), give it a percentage that such a load meets, and no entry above it that takes them; or take it out"
	return []entryPart{
		{
			PartKind: PartKind{Name: PartDelay, None: "no request that it delayed", Remedy: remedy},
			in: func(whole Part, entry *networking.HTTPRoute) []Part {
				return whole.field(PartDelay, "fault.delay", entry.GetFault().GetDelay() != nil)
			},
		},
		{
			PartKind: PartKind{Name: PartAbort, None: "no request that it aborted", Remedy: remedy},
			in: func(whole Part, entry *networking.HTTPRoute) []Part {
				return whole.field(PartAbort, "fault.abort", entry.GetFault().GetAbort() != nil)
			},
		},
	}
}
