package yamlnode

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Decode reads a node into a value of its own, strictly: an unknown key, a
// wrong kind and an empty value are errors, an *Error each, at their place.
// name is what the node is called in them, such as "the rule".
func Decode(node ast.Node, into any, name string) error {
	if err := fits(node, reflect.TypeOf(into), name); err != nil {
		return err
	}
	return yaml.NodeToValue(node, into, yaml.Strict())
}

// Scalar returns the text of a scalar as it was written; false for any other
// node, and for one without a value.
func Scalar(node ast.Node) (string, bool) {
	if literal, ok := node.(*ast.LiteralNode); ok { // its own token is the | or >
		return strings.TrimSpace(literal.Value.Value), true
	}
	if _, ok := node.(ast.ScalarNode); !ok || node.Type() == ast.NullType {
		return "", false
	}
	return node.GetToken().Value, true
}

// Entries returns the pairs of a mapping; goccy has a type of its own for a
// mapping of a single pair.
func Entries(node ast.Node) ([]*ast.MappingValueNode, error) {
	switch m := node.(type) {
	case *ast.MappingNode:
		return m.Values, nil
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, nil
	}
	return nil, At(node, "", "this takes a mapping, not %s", Kind(node))
}

// Key returns the key of a pair as it was written.
func Key(pair *ast.MappingValueNode) string { return pair.Key.GetToken().Value }

// Pair returns the pair of a mapping that has a key, nil if there is none.
func Pair(node ast.Node, key string) *ast.MappingValueNode {
	pairs, err := Entries(node)
	if err != nil {
		return nil
	}
	for _, pair := range pairs {
		if Key(pair) == key {
			return pair
		}
	}
	return nil
}

// Follow follows a path such as spec.http[0].fault as far as it goes, and
// returns the key that the last part names, or else the value.
func Follow(node ast.Node, path string) ast.Node {
	found := node
	for _, part := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if i, err := strconv.Atoi(part); err == nil {
			sequence, ok := node.(*ast.SequenceNode)
			if !ok || i >= len(sequence.Values) {
				return found
			}
			node = sequence.Values[i]
			found = node
			continue
		}
		pair := Pair(node, part)
		if pair == nil {
			return found
		}
		found, node = pair.Key, pair.Value
	}
	return found
}

// Kind words what stands there: a mapping, a list, nothing, or the scalar
// itself in quotes.
func Kind(node ast.Node) string {
	switch n := node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	case ast.ScalarNode:
		text, _ := Scalar(n)
		return `"` + beginning(text) + `"`
	}
	return "this"
}

// quotable is how much of a text is quoted: what is no YAML may be one text from its
// first line to its last.
const quotable = 60

// beginning is a text, or as much of it as is quoted.
func beginning(text string) string {
	line, rest, _ := strings.Cut(text, "\n")
	if letters := []rune(line); len(letters) > quotable {
		return string(letters[:quotable]) + "…"
	}
	if rest != "" {
		return line + "…"
	}
	return line
}
