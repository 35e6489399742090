package scenarios

import (
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// written is a text as it was written, with references, and what was put in their
// place.
type written struct {
	text  string
	spans []span
}

// span is a stretch of a text that was put in the place of a reference: in bytes
// of the text with it, and of the text as it was written.
type span struct{ begin, end, from, to int }

// substitution puts the values of parameters in the place of references.
type substitution struct {
	params map[string]*param
	reader *reader
	dry    bool // it only finds out which are referred to
}

// below goes through all that stands below a node. Without quotes and alone, a
// reference is the parameter itself, a number perhaps; else it is its text.
func (s *substitution) below(node ast.Node) error {
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, pair := range n.Values {
			if err := s.below(pair); err != nil {
				return err
			}
		}
		return s.distinct(n.Values)
	case *ast.MappingValueNode:
		if key, ok := n.Key.(*ast.StringNode); ok {
			if err := s.fill(key, key); err != nil {
				return err
			}
		}
		value, err := s.of(n.Value, n.Key)
		n.Value = value
		return err
	case *ast.SequenceNode:
		for i := range n.Values {
			value, err := s.of(n.Values[i], nil)
			if err != nil {
				return err
			}
			n.Values[i] = value
		}
	}
	return nil
}

// of returns the node that is to stand in the place of one; key is that of its pair.
func (s *substitution) of(node ast.Node, key ast.Node) (ast.Node, error) {
	switch n := node.(type) {
	case *ast.LiteralNode:
		return node, s.fill(n.Value, node, key)
	case *ast.StringNode:
		m := reference.FindStringSubmatch(n.Value)
		alone := m != nil && m[0] == n.Value && !strings.HasPrefix(m[0], "$$") && n.Token.Type == token.StringType
		if err := s.fill(n, node, key); err != nil || !alone || s.dry {
			return node, err
		}
		return s.params[m[1]].planted(n), nil
	}
	return node, s.below(node)
}

// fill puts the texts of parameters into a text that stands at some nodes.
func (s *substitution) fill(n *ast.StringNode, at ...ast.Node) error {
	var names []string
	for _, m := range reference.FindAllStringSubmatch(n.Value, -1) {
		p := s.params[m[1]]
		switch {
		case strings.HasPrefix(m[0], "$$"):
			continue
		case p == nil:
			return yamlnode.At(at[0], nearest.Hint(m[1], slices.Sorted(maps.Keys(s.params)))+"; a text that is meant to have $("+m[1]+") in it has $$("+m[1]+")", "the scenario has no parameter %q", m[1])
		}
		p.used = true
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	if s.dry || !reference.MatchString(n.Value) {
		return nil
	}
	for _, node := range at {
		if node != nil {
			s.reader.note(node, wordParams(s.params, names))
		}
	}
	s.rewrite(n)
	return nil
}

// rewrite puts texts in the place of references, and remembers where.
func (s *substitution) rewrite(n *ast.StringNode) {
	var out strings.Builder
	var spans []span
	last := 0
	for _, m := range reference.FindAllStringSubmatchIndex(n.Value, -1) {
		out.WriteString(n.Value[last:m[0]])
		begin, name := out.Len(), n.Value[m[2]:m[3]]
		if strings.HasPrefix(n.Value[m[0]:], "$$") {
			out.WriteString(n.Value[m[0]+1 : m[1]])
		} else {
			out.WriteString(s.params[name].text())
		}
		spans = append(spans, span{begin, out.Len(), m[0], m[1]})
		last = m[1]
	}
	out.WriteString(n.Value[last:])
	t := *n.Token
	t.Value = out.String()
	s.reader.written[&t] = written{n.Value, spans}
	n.Token, n.Value = &t, t.Value
}

// distinct refuses two keys of a mapping that references have made one.
func (s *substitution) distinct(pairs []*ast.MappingValueNode) error {
	seen := map[string]bool{}
	for _, pair := range pairs {
		if key := yamlnode.Key(pair); !s.dry && seen[key] {
			return yamlnode.At(pair.Key, "", "the key %q stands twice here", key)
		}
		seen[yamlnode.Key(pair)] = true
	}
	return nil
}

// offset is where a byte of the text stood before references were replaced.
func (w written) offset(offset int) int {
	shift := 0
	for _, s := range w.spans {
		switch {
		case offset < s.begin:
			return offset + shift
		case offset < s.end:
			return s.from
		}
		shift = s.to - s.end
	}
	return offset + shift
}
