package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// specReader reads the JSON of a spec against the descriptor of its type, as
// Istio's CustomResourceDefinitions do: only JSON names are fields, an enum is
// a word, a number is no string. It returns the JSON that protojson decodes.
type specReader struct {
	zeros []string // the paths of connection pool limits that were written as 0
}

func (r *specReader) message(md protoreflect.MessageDescriptor, value any, path string) (any, error) {
	switch md.FullName() {
	case "google.protobuf.Duration":
		return duration(value, path)
	case "google.protobuf.BoolValue", "google.protobuf.DoubleValue", "google.protobuf.UInt32Value":
		return r.scalar(md.Fields().ByName("value"), value, path)
	}
	tree, ok := value.(map[string]any)
	if !ok {
		return nil, &FieldError{Path: path, Message: fmt.Sprintf("is %s; it must be an object with any of %s", kindOf(value), strings.Join(fieldNames(md), ", "))}
	}
	out := make(map[string]any, len(tree))
	chosen := map[protoreflect.Name]string{}
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		fd := fieldOf(md, key)
		if fd == nil {
			return nil, unknownKey(path, key, fieldNames(md))
		}
		if tree[key] == nil { // as if it were not there, for protojson and Kubernetes alike
			continue
		}
		if oneof := fd.ContainingOneof(); oneof != nil {
			if other := chosen[oneof.Name()]; other != "" {
				return nil, &FieldError{Path: at(path, key), Message: "cannot stand beside " + other + ": take one of them"}
			}
			chosen[oneof.Name()] = key
		}
		read, err := r.field(fd, tree[key], at(path, key))
		if err != nil {
			return nil, err
		}
		out[key] = read
	}
	return out, nil
}

// fieldOf finds a field by its JSON name, and by its proto name where Istio's
// CustomResourceDefinition has that too.
func fieldOf(md protoreflect.MessageDescriptor, key string) protoreflect.FieldDescriptor {
	if key == "mirror_percent" {
		return md.Fields().ByName("mirror_percent")
	}
	return md.Fields().ByJSONName(key)
}

func fieldNames(md protoreflect.MessageDescriptor) []string {
	names := make([]string, md.Fields().Len())
	for i := range names {
		names[i] = md.Fields().Get(i).JSONName()
	}
	return names
}

func (r *specReader) field(fd protoreflect.FieldDescriptor, value any, path string) (any, error) {
	switch {
	case fd.IsMap():
		tree, ok := value.(map[string]any)
		if !ok {
			return nil, &FieldError{Path: path, Message: "is " + kindOf(value) + "; it must be an object"}
		}
		out := make(map[string]any, len(tree))
		for _, key := range slices.Sorted(maps.Keys(tree)) {
			read, err := r.single(fd.MapValue(), tree[key], at(path, key))
			if err != nil {
				return nil, err
			}
			out[key] = read
		}
		return out, nil
	case fd.IsList():
		list, ok := value.([]any)
		if !ok {
			return nil, &FieldError{Path: path, Message: "is " + kindOf(value) + "; it must be a list"}
		}
		out := make([]any, len(list))
		for i := range list {
			read, err := r.single(fd, list[i], fmt.Sprintf("%s[%d]", path, i))
			if err != nil {
				return nil, err
			}
			out[i] = read
		}
		return out, nil
	}
	return r.single(fd, value, path)
}

func (r *specReader) single(fd protoreflect.FieldDescriptor, value any, path string) (any, error) {
	if fd.Message() != nil {
		return r.message(fd.Message(), value, path)
	}
	return r.scalar(fd, value, path)
}

func (r *specReader) scalar(fd protoreflect.FieldDescriptor, value any, path string) (any, error) {
	switch fd.Kind() {
	case protoreflect.StringKind, protoreflect.BytesKind:
		if _, ok := value.(string); !ok {
			return nil, mustBeString(path, value)
		}
	case protoreflect.BoolKind:
		if _, ok := value.(bool); !ok {
			return nil, &FieldError{Path: path, Message: "is " + kindOf(value) + "; it must be true or false"}
		}
	case protoreflect.EnumKind:
		words := enumWords(fd.Enum())
		if word, ok := value.(string); !ok || !slices.Contains(words, word) {
			return nil, unknownWord(path, fmt.Sprint(value), words)
		}
	default:
		number, ok := value.(json.Number)
		if !ok {
			return nil, &FieldError{Path: path, Message: "is " + kindOf(value) + "; it must be a number"}
		}
		if err := inRange(fd.Kind(), number, path); err != nil {
			return nil, err
		}
		if isPoolLimit(fd) && isZero(number) {
			r.zeros = append(r.zeros, path)
		}
	}
	return value, nil
}

func enumWords(ed protoreflect.EnumDescriptor) []string {
	words := make([]string, ed.Values().Len())
	for i := range words {
		words[i] = string(ed.Values().Get(i).Name())
	}
	return words
}

func inRange(kind protoreflect.Kind, number json.Number, path string) error {
	var err error
	what := "a whole number"
	switch kind {
	case protoreflect.Int32Kind:
		_, err = strconv.ParseInt(number.String(), 10, 32)
	case protoreflect.Uint32Kind:
		_, err = strconv.ParseUint(number.String(), 10, 32)
		what += ", not below 0"
	case protoreflect.Uint64Kind:
		_, err = strconv.ParseUint(number.String(), 10, 64)
		what += ", not below 0"
	default:
		_, err = number.Float64()
	}
	switch {
	case errors.Is(err, strconv.ErrRange):
		return &FieldError{Path: path, Message: fmt.Sprintf("%.80s is beyond what the field holds", number)}
	case err != nil:
		return &FieldError{Path: path, Message: fmt.Sprintf("%.80s is not %s", number, what)}
	}
	return nil
}

// isPoolLimit says whether a field is a limit of a connection pool, where Istio
// takes 0 as unset.
func isPoolLimit(fd protoreflect.FieldDescriptor) bool {
	return fd.Kind() == protoreflect.Int32Kind && fd.ContainingMessage().Parent().Name() == "ConnectionPoolSettings"
}

func isZero(number json.Number) bool {
	f, err := number.Float64()
	return err == nil && f == 0
}

// duration reads a duration as Istio does, which is Go's notation (3m, 1h30m)
// and more than protojson takes.
func duration(value any, path string) (any, error) {
	text, ok := value.(string)
	if !ok {
		if number, ok := value.(json.Number); ok {
			return nil, &FieldError{Path: path, Message: "a duration needs a unit", Suggestion: fmt.Sprintf("%q", number.String()+"s")}
		}
		return nil, &FieldError{Path: path, Message: "is " + kindOf(value) + `; it must be a duration such as "7s"`}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		e := &FieldError{Path: path, Message: fmt.Sprintf("%.80q is not a duration; write a number and one of ms, s, m, h", text)}
		for _, meant := range []string{strings.ReplaceAll(text, " ", ""), strings.TrimSpace(text) + "s"} {
			if _, err := time.ParseDuration(meant); err == nil {
				e.Suggestion = fmt.Sprintf("%q", meant)
				break
			}
		}
		return nil, e
	}
	return protoDuration(d), nil
}

// protoDuration words a duration as protojson takes it: seconds with decimals.
func protoDuration(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign = "-"
	}
	seconds, nanos := d/time.Second, d%time.Second
	return fmt.Sprintf("%s%d.%09ds", sign, max(seconds, -seconds), max(nanos, -nanos))
}

func mustBeString(path string, value any) *FieldError {
	e := &FieldError{Path: path, Message: "is " + kindOf(value) + "; it must be a string"}
	switch value.(type) {
	case json.Number, bool:
		e.Suggestion = fmt.Sprintf("%q", fmt.Sprint(value))
	}
	return e
}
