package rules

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"
)

// Problem is something in an object that Istio refuses. What it takes and then
// does not do is a trap, which internal/lint knows.
type Problem struct {
	Ref     Ref
	Path    string // as in FieldError
	Message string // what is wrong and what to do, to be read without the path
}

// String returns the object, the path and the message.
func (p Problem) String() string { return fmt.Sprintf("%s: %s: %s", p.Ref, p.Path, p.Message) }

// Check returns what Istio itself would refuse in the objects, in their order.
// The rules are those of Istio's validation webhook (pkg/config/validation) and of its
// CustomResourceDefinitions, as far as the embedded mesh implements the field: what it
// does not, it refuses by name, and the API server of a cluster knows. test/validation
// holds them against Istio's own, field by field.
func Check(objects []*Object) []Problem {
	var problems []Problem
	for _, o := range objects {
		c := checker{ref: o.Ref}
		switch spec := o.Spec.(type) {
		case nil:
			problems = append(problems, Problem{Ref: o.Ref, Path: "spec", Message: "the spec is missing; write the rule"})
			continue
		case *networking.VirtualService:
			c.virtualService(spec)
		case *networking.DestinationRule:
			c.destinationRule(spec)
		case *networking.Gateway:
			c.gateway(spec)
		}
		c.durations(o.Spec)
		problems = append(problems, c.problems...)
	}
	return problems
}

// checker gathers the problems of one object.
type checker struct {
	ref      Ref
	problems []Problem
}

func (c *checker) refuse(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{Ref: c.ref, Path: path, Message: fmt.Sprintf(format, args...)})
}

// minPercent is the least percentage above 0 that Envoy's fractions of a
// million can express.
const minPercent = 0.0001

// validDuration says whether Istio takes a duration: whole milliseconds, at
// least one.
func validDuration(d time.Duration) bool {
	return d >= time.Millisecond && d%time.Millisecond == 0
}

// durations checks every duration of a spec, wherever it stands.
func (c *checker) durations(spec proto.Message) {
	// The walk cannot fail: the function that it calls never does.
	_ = protorange.Options{Stable: true}.Range(spec.ProtoReflect(), func(p protopath.Values) error {
		message, ok := p.Index(-1).Value.Interface().(protoreflect.Message)
		if !ok {
			return nil
		}
		d, ok := message.Interface().(*durationpb.Duration)
		path := wordPath(p.Path)
		switch {
		case !ok, strings.HasSuffix(path, ".httpCookie.ttl"): // any will do
			return nil
		case strings.HasSuffix(path, ".tcp.idleTimeout") && d.AsDuration().Milliseconds() == 0: // 0s ends the timeout
			return nil
		}
		if !validDuration(d.AsDuration()) {
			c.refuse(path, "the duration is %s; it must be whole milliseconds, at least 1ms", d.AsDuration())
		}
		return nil
	}, nil)
}

func wordPath(steps protopath.Path) string {
	path := "spec"
	for _, step := range steps {
		switch step.Kind() {
		case protopath.FieldAccessStep:
			path = at(path, step.FieldDescriptor().JSONName())
		case protopath.ListIndexStep:
			path += fmt.Sprintf("[%d]", step.ListIndex())
		case protopath.MapIndexStep:
			path = at(path, step.MapIndex().String())
		}
	}
	return path
}

// port checks a port that is not 0, or that must not be.
func (c *checker) port(path string, port uint32) {
	if port < 1 || port > 65535 {
		c.refuse(path, "%d is not a port; it must be from 1 to 65535", port)
	}
}

// validPercent says whether Istio takes a percentage other than 0.
func validPercent(v float64) bool { return v >= minPercent && v <= 100 }

func (c *checker) percent(path string, percent *networking.Percent) {
	if v := percent.GetValue(); v != 0 && !validPercent(v) {
		c.refuse(path, "the percentage is %v; it must be 0 or from %v to 100", v, minPercent)
	}
}

// destination checks what a route or a mirror sends to.
func (c *checker) destination(path string, d *networking.Destination) {
	switch {
	case d == nil:
		c.refuse(path, "the destination is missing; name the host to send to")
		return
	case d.Host == "" || d.Host == "*":
		c.refuse(path+".host", "%q is no host to send to; name a service", d.Host)
	default:
		c.host(path+".host", d.Host)
	}
	if d.Subset != "" && !dnsLabel.MatchString(d.Subset) {
		c.refuse(path+".subset", "%q is not the name of a subset: it takes letters, digits and -", d.Subset)
	}
	if d.Port != nil {
		c.port(path+".port.number", d.Port.Number)
	}
}

// weights checks the shares of one entry's destinations.
func (c *checker) weights(path string, weights []int32) {
	var sum int64
	for i, weight := range weights {
		if weight < 0 {
			c.refuse(fmt.Sprintf("%s[%d].weight", path, i), "the weight is %d; it must not be below 0", weight)
		}
		sum += int64(weight)
	}
	if len(weights) > 1 && sum == 0 {
		c.refuse(path, "the weights sum to 0; give at least one destination a weight")
	}
}

// stringMatch checks what a text is matched against.
func (c *checker) stringMatch(path string, match *networking.StringMatch) {
	switch kind := match.GetMatchType().(type) {
	case *networking.StringMatch_Prefix:
		if kind.Prefix == "" {
			c.refuse(path+".prefix", "the prefix is empty, and every text begins with it; say how the text begins, or leave the match out")
		}
	case *networking.StringMatch_Regex:
		c.regex(path+".regex", kind.Regex)
	}
}

// maxRegex is the length above which Istio refuses an expression.
const maxRegex = 1024

func (c *checker) regex(path, text string) {
	switch _, err := regexp.Compile(text); {
	case text == "":
		c.refuse(path, "the expression is empty; write one, or leave the match out")
	case len(text) > maxRegex:
		c.refuse(path, "the expression has %d characters; Istio takes at most %d", len(text), maxRegex)
	case err != nil:
		c.refuse(path, "%s; Istio takes RE2 expressions", err)
	}
}
