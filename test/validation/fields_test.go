//go:build e2e

package validation

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// change sets one field of a spec.
type change struct {
	path  string // of the field, without indices and keys: http.fault.delay.percentage
	steps []any  // that lead to it: keys and indices
	value any    // in JSON; gone: it is taken out
	made  int    // how many messages around the field are not in the spec
}

// gone is the value of a field that is taken out.
type gone struct{}

// String returns the path and the value.
func (c change) String() string { return fmt.Sprintf("%s = %.60v", c.path, c.value) }

// in returns a copy of a spec with the change. What leads to the field, and is not
// there, is made.
func (c change) in(spec any) any { return with(spec, c.steps, c.value) }

func with(tree any, steps []any, value any) any {
	if len(steps) == 0 {
		return value
	}
	switch step := steps[0].(type) {
	case string:
		copied := map[string]any{}
		object, _ := tree.(map[string]any)
		for key, v := range object {
			copied[key] = v
		}
		copied[step] = with(object[step], steps[1:], value)
		if _, out := copied[step].(gone); out {
			delete(copied, step)
		}
		return copied
	case int:
		old, _ := tree.([]any)
		copied := append([]any(nil), old...)
		if step == len(copied) {
			copied = append(copied, nil)
		}
		copied[step] = with(copied[step], steps[1:], value)
		return copied
	}
	return tree
}

// deepest is how many messages, one in another, a change adds around its field.
const deepest = 2

// changes lists what can be changed in a spec: each field of each message, be it set
// or not, to each of the values that its kind has to offer.
func changes(of protoreflect.MessageDescriptor, spec any) []change {
	var all []change
	walk(of, spec, nil, "", 0, func(c change) { all = append(all, c) })
	return all
}

// walk yields the changes of a message and of those in it. made is how many of the
// messages that lead to it are not in the spec.
func walk(of protoreflect.MessageDescriptor, message any, steps []any, path string, made int, yield func(change)) {
	object, _ := message.(map[string]any)
	fields := of.Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		here := strings.TrimPrefix(path+"."+field.JSONName(), ".")
		at := append(append([]any(nil), steps...), field.JSONName())
		old, set := object[field.JSONName()]
		if set {
			yield(change{here, at, gone{}, made})
		}
		for _, value := range fieldValues(field) {
			yield(change{here, at, value, made})
		}
		inner, ok := messageOf(field)
		if !ok {
			continue
		}
		for _, next := range below(field, old) {
			deeper := made
			if next.message == nil {
				deeper++
			}
			if deeper <= deepest {
				walk(inner, next.message, append(append([]any(nil), at...), next.steps...), here, deeper, yield)
			}
		}
		if list, ok := old.([]any); ok && len(list) > 0 { // what stands twice
			yield(change{here, append(append([]any(nil), at...), len(list)), list[0], made})
		}
	}
}

// inner is a message in a field, and the steps from the field to it.
type inner struct {
	steps   []any
	message any // nil: it is not there
}

// below are the messages of a field: those that are there, or one that is made.
func below(field protoreflect.FieldDescriptor, value any) []inner {
	var all []inner
	switch value := value.(type) {
	case []any:
		for i, one := range value {
			all = append(all, inner{[]any{i}, one})
		}
	case map[string]any:
		if !field.IsMap() {
			return []inner{{nil, value}}
		}
		for key, one := range value {
			all = append(all, inner{[]any{key}, one})
		}
	}
	switch {
	case len(all) > 0:
		return all
	case field.IsList():
		return []inner{{[]any{0}, nil}}
	case field.IsMap():
		return []inner{{[]any{"x"}, nil}}
	}
	return []inner{{nil, nil}}
}

// messageOf is the message of a field in which there are fields to change.
func messageOf(field protoreflect.FieldDescriptor) (protoreflect.MessageDescriptor, bool) {
	of := field.Message()
	if field.IsMap() {
		of = field.MapValue().Message()
	}
	return of, of != nil && !strings.HasPrefix(string(of.FullName()), "google.protobuf.")
}

// fieldValues are what a field is set to.
func fieldValues(field protoreflect.FieldDescriptor) []any {
	var all []any
	switch {
	case field.IsMap():
		for _, key := range []string{"", "x", "a b", "A_b", "host", ":authority", ":path", ":x", "@request.auth.claims.sub"} {
			all = append(all, map[string]any{key: scalars(field.MapValue())[0]})
		}
		for _, value := range scalars(field.MapValue()) {
			all = append(all, map[string]any{"x": value})
		}
		return append(all, map[string]any{})
	case field.IsList():
		for _, value := range scalars(field) {
			all = append(all, []any{value})
		}
		two := scalars(field)
		return append(all, []any{two[0], two[0]}, []any{two[0], two[len(two)-1]}, []any{})
	}
	return scalars(field)
}

var (
	texts = []any{
		"a", "", "*", "a b", "A", "(", "a.b", "*.a.b", "a.*", "-a", "a/b", "./a", "/a", "/", "10.0.0.1", "10.0.0.0/8", "::1", "unix:///a", "5xx", "503",
		"http", "https", "GET", "CONNECT", "HTTP", "TLS", "OK", "mesh", "%START_TIME%", "100%", "100%%", "a\nb", "ä", strings.Repeat("a", 64), strings.Repeat("a", 1100),
	}
	durations = []any{"1s", "0s", "0.001s", "0.0001s", "0.0015s", "-1s", "3600s", "1.5s", "1000000s"}
	numbers   = []any{1, 0, 2, 50, 99, 100, 101, 199, 200, 300, 399, 400, 599, 600, 601, 1000, 65535, 65536}
	doubles   = []any{1, 0, 0.00001, 0.0001, 0.5, 100, 100.001, 101, -0.1, -1}
)

// scalars are the values of a field's kind, the most harmless first.
func scalars(field protoreflect.FieldDescriptor) []any {
	switch field.Kind() {
	case protoreflect.StringKind, protoreflect.BytesKind:
		return texts
	case protoreflect.BoolKind:
		return []any{true, false}
	case protoreflect.EnumKind:
		var all []any
		for i := range field.Enum().Values().Len() {
			all = append(all, string(field.Enum().Values().Get(i).Name()))
		}
		return all
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return doubles
	case protoreflect.Int32Kind, protoreflect.Int64Kind:
		return append([]any{-1}, numbers...)
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind:
		return numbers
	}
	switch field.Message().FullName() {
	case "google.protobuf.Duration":
		return durations
	case "google.protobuf.UInt32Value":
		return numbers
	case "google.protobuf.BoolValue":
		return []any{true, false}
	case "google.protobuf.DoubleValue":
		return doubles
	}
	return []any{map[string]any{}}
}
