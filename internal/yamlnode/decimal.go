package yamlnode

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

var (
	// number is what begins as one, and is written without quotes.
	number  = regexp.MustCompile(`^[-+]?[0-9][0-9_]*$|^[-+]?0[xob][0-9A-Fa-f_]*$|^[-+]?[0-9_]*\.[0-9_]+([eE][-+]?[0-9]+)?$`)
	integer = regexp.MustCompile(`^[-+]?[0-9]+$`)
	decimal = regexp.MustCompile(`^[-+]?[0-9]+(\.[0-9]+)?$`)
)

// Decimal lets each number of a node be the decimal one that a reader takes it
// for: 010 is 10, which YAML 1.1 reads as 8, and 08, which it reads as a text, is
// 8. It returns the node, or what is to stand in its place. A number in another
// notation is an *Error.
func Decimal(node ast.Node) (ast.Node, error) {
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, pair := range n.Values {
			if _, err := Decimal(pair); err != nil {
				return node, err
			}
		}
		return node, nil
	case *ast.MappingValueNode:
		if text := Key(n); n.Key.GetToken().Type != token.StringType && number.MatchString(text) && (!decimal.MatchString(text) || text[0] == '0' && len(text) > 1) {
			return node, At(n.Key, "quote it", "the key %s is a number, which YAML may read as another", text)
		}
		value, err := Decimal(n.Value)
		n.Value = value
		return node, err
	case *ast.SequenceNode:
		for i := range n.Values {
			value, err := Decimal(n.Values[i])
			if err != nil {
				return node, err
			}
			n.Values[i] = value
		}
		return node, nil
	case *ast.IntegerNode, *ast.FloatNode:
		return decimalOf(node)
	case *ast.StringNode:
		if n.Token.Type == token.StringType { // without quotes
			return decimalOf(node)
		}
	}
	return node, nil
}

// decimalOf returns the node in whose place a scalar stands.
func decimalOf(node ast.Node) (ast.Node, error) {
	text := node.GetToken().Value
	switch {
	case integer.MatchString(text):
		return integerNode(node, text)
	case number.MatchString(text) && !decimal.MatchString(text):
		return node, At(node, "write it in decimal digits, or quote it if it is meant as a text", "%s is no decimal number", text)
	}
	return node, nil
}

func integerNode(node ast.Node, text string) (ast.Node, error) {
	n := ast.Integer(node.GetToken())
	if value, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, 64); err == nil {
		n.Value = value
		return n, nil
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return node, At(node, "quote it if it is meant as a text", "the number %s is too large", text)
	}
	n.Value = value
	return n, nil
}
