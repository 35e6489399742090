package yamlnode

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/meshchaos/meshchaos/internal/nearest"
)

var nodeUnmarshaler = reflect.TypeFor[yaml.NodeUnmarshaler]()

// fits checks a node against the type that it is to be decoded into: unknown
// keys and wrong kinds, which the decoder words in terms of Go. What reads its
// own node is left to itself.
func fits(node ast.Node, t reflect.Type, path string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if node.Type() == ast.NullType { // the decoder would leave it out
		return At(node, "write a value, or leave the key out", "%s has no value", path)
	}
	if reflect.PointerTo(t).Implements(nodeUnmarshaler) {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return mappingFits(node, t, path)
	case reflect.Slice:
		sequence, ok := node.(*ast.SequenceNode)
		if !ok {
			return At(node, "write it in brackets, as in [hello]", "%s takes a list, not %s", path, Kind(node))
		}
		for _, value := range sequence.Values {
			if err := fits(value, t.Elem(), path); err != nil {
				return err
			}
		}
		return nil
	default:
		return scalarFits(node, t.Kind(), path)
	}
}

func mappingFits(node ast.Node, t reflect.Type, path string) error {
	pairs, err := Entries(node)
	if err != nil {
		hint := ""
		switch {
		case t.Kind() == reflect.Struct:
			hint = "its keys are " + strings.Join(Keys(t), ", ")
		case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.String:
			hint = "write {NAME: VALUE}"
		}
		return At(node, hint, "%s takes a mapping, not %s", path, Kind(node))
	}
	for _, pair := range pairs {
		key := Key(pair)
		value, ok := ValueType(t, key)
		if !ok {
			keys := Keys(t)
			return At(pair.Key, nearest.Hint(key, keys), "unknown key %q in %s", key, path)
		}
		if err := fits(pair.Value, value, key); err != nil {
			return err
		}
	}
	return nil
}

func scalarFits(node ast.Node, kind reflect.Kind, path string) error {
	_, isInteger := node.(*ast.IntegerNode)
	_, isFloat := node.(*ast.FloatNode)
	switch kind {
	case reflect.String:
		switch node.(type) {
		case *ast.StringNode, *ast.LiteralNode:
		case ast.ScalarNode: // YAML would read 1.10 as 1.1 and 007 as 7
			return At(node, "quote it", "%s takes a text, and %s is none to YAML", path, Kind(node))
		default:
			return At(node, "write it as one text, in quotes", "%s takes a text, not %s", path, Kind(node))
		}
	case reflect.Bool:
		if _, ok := node.(*ast.BoolNode); !ok {
			return At(node, "", "%s takes true or false, not %s", path, Kind(node))
		}
	case reflect.Float64:
		if !isInteger && !isFloat {
			return At(node, unquote(node, decimal), "%s takes a number, not %s", path, Kind(node))
		}
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint32:
		if !isInteger {
			return At(node, unquote(node, integer), "%s takes a whole number, not %s", path, Kind(node))
		}
	}
	return nil
}

// unquote is what to do about a number that is a text for its quotes alone.
func unquote(node ast.Node, number *regexp.Regexp) string {
	if text, ok := node.(*ast.StringNode); ok && number.MatchString(text.Value) {
		return "take the quotes away"
	}
	return ""
}

// ValueType is the type of what stands behind a key of a struct or a map; false:
// the struct has no such key.
func ValueType(t reflect.Type, key string) (reflect.Type, bool) {
	if t.Kind() == reflect.Map {
		return t.Elem(), true
	}
	for i, name := range Keys(t) {
		if name == key {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}

// Keys are those that a struct has in YAML.
func Keys(t reflect.Type) []string { return KeysBy(t, "yaml") }

// KeysBy are those that a struct has by a tag of its fields, as yaml or json.
func KeysBy(t reflect.Type, tag string) []string {
	var keys []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get(tag), ",")
		keys = append(keys, name)
	}
	return keys
}
