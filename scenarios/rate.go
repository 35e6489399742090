package scenarios

import (
	"fmt"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/loadgen"
)

// fileRate is a number of requests a second, or a ramp from one to another.
type fileRate struct {
	steady float64
	ramp   *fileRamp // nil: it does not change
}

type fileRamp struct {
	From float64           `yaml:"from" jsonschema:"minimum=0" jsonschema_description:"Requests a second at the start."`
	To   float64           `yaml:"to" jsonschema:"minimum=0" jsonschema_description:"Requests a second at the end of the ramp, and after it."`
	Over yamlnode.Duration `yaml:"over" jsonschema_description:"How long the ramp takes."`
}

// fileStage is as k6's ramping-arrival-rate has it.
type fileStage struct {
	Target   float64    `yaml:"target" jsonschema:"minimum=0" jsonschema_description:"Requests a second at the end of the stage, to which the rate goes in a straight line."`
	Duration stageLasts `yaml:"duration" jsonschema_description:"How long the stage takes; 0s: the rate jumps."`
}

// stageLasts is how long a stage takes, which may be no time.
type stageLasts struct{ time.Duration }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (d *stageLasts) UnmarshalYAML(node ast.Node) error {
	if text, _ := yamlnode.Scalar(node); text == "0s" {
		return nil
	}
	var lasts yamlnode.Duration
	if err := lasts.UnmarshalYAML(node); err != nil {
		return err
	}
	d.Duration = lasts.Duration
	return nil
}

// JSONSchema describes it to editors.
func (stageLasts) JSONSchema() *jsonschema.Schema { return yamlnode.Duration{}.JSONSchema() }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (r *fileRate) UnmarshalYAML(node ast.Node) error {
	text, isScalar := yamlnode.Scalar(node)
	if !isScalar {
		r.ramp = &fileRamp{}
		if _, isMapping := node.(ast.MapNode); !isMapping {
			return notRate(node)
		}
		if err := yamlnode.Decode(node, r.ramp, "the ramp"); err != nil {
			return err
		}
		for _, key := range []string{"from", "to", "over"} {
			if yamlnode.Pair(node, key) == nil {
				return yamlnode.At(node, "write one such as {from: 10, to: 200, over: 30s}", "the ramp has no %s", key)
			}
		}
		return nil
	}
	steady, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return notRate(node)
	}
	r.steady = steady
	return nil
}

func notRate(node ast.Node) error {
	return yamlnode.At(node, "write one such as 20, or {from: 10, to: 200, over: 30s}", "qps takes a number, or a ramp with from, to and over, not %s", yamlnode.Kind(node))
}

// JSONSchema describes it to editors.
func (fileRate) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "number", Minimum: "0"}, {Ref: "#/$defs/fileRamp"}}}
}

// open says whether the load is to keep to a rate.
func (l *fileLoad) open() bool { return l.QPS.steady > 0 || l.QPS.ramp != nil || len(l.Stages) > 0 }

// setRate says at which rate a plan sends, and lets it end with the last change of that
// where nothing else ends it.
func setRate(node ast.Node, load fileLoad, plan *loadgen.Plan) error {
	plan.Arrival, plan.Seed = load.Arrival, load.Seed
	if err := checkStages(node, load); err != nil {
		return err
	}
	at := func(d time.Duration, qps float64) {
		plan.Rate = append(plan.Rate, loadgen.RatePoint{At: loadgen.Duration{Duration: d}, QPS: qps})
	}
	var length time.Duration
	switch ramp := load.QPS.ramp; {
	case ramp != nil && len(load.Stages) > 0:
		return yamlnode.At(yamlnode.Follow(node, "stages"), "write the ramp as the first stage", "a ramp and stages both say how the rate changes")
	case ramp != nil:
		length = ramp.Over.Duration
		at(0, ramp.From)
		at(length, ramp.To)
	case len(load.Stages) > 0:
		at(0, load.QPS.steady)
		for _, stage := range load.Stages {
			length += stage.Duration.Duration
			at(length, stage.Target)
		}
	default:
		plan.QPS = load.QPS.steady
		return nil
	}
	if plan.Requests == 0 && plan.Duration.Duration == 0 && plan.While == "" {
		plan.Duration.Duration = length
	}
	return nil
}

// checkStages refuses stages that say nothing: one that jumps says that it takes 0s.
func checkStages(node ast.Node, load fileLoad) error {
	const hint = "write one such as {target: 200, duration: 30s}, with 0s for a jump"
	if yamlnode.Pair(node, "stages") != nil && len(load.Stages) == 0 {
		return yamlnode.At(yamlnode.Follow(node, "stages"), hint, "the list of stages is empty")
	}
	for i := range load.Stages {
		stage := yamlnode.Follow(node, fmt.Sprintf("stages[%d]", i))
		for _, key := range []string{"target", "duration"} {
			if yamlnode.Pair(stage, key) == nil {
				return yamlnode.At(stage, hint, "the stage has no %s", key)
			}
		}
	}
	return nil
}
