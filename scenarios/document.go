package scenarios

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// document returns the single document of a file.
func (r *reader) document(text string) (ast.Node, error) {
	documents, err := documents(text)
	switch {
	case err != nil:
		return nil, err
	case len(documents) == 0:
		return nil, &Error{Message: "the file holds only comments; see meshchaos list for scenarios to begin with"}
	case len(documents) > 1:
		return nil, yamlnode.At(documents[1], "write a file for each", "the file holds %d documents", len(documents))
	}
	return documents[0], nil
}

// documents parses each document of a text. They are parted here, because the
// parser loses what follows an empty one.
func documents(text string) ([]ast.Node, error) {
	var nodes []ast.Node
	lines := strings.Split(text, "\n")
	for begin := 0; begin < len(lines); {
		end := begin + 1
		for end < len(lines) && !separates(lines[end]) {
			end++
		}
		// The lines before it stay, empty, so that positions are those of the file.
		part := strings.Repeat("\n", begin) + strings.Join(lines[begin:end], "\n")
		begin = end
		parsed, err := parser.ParseBytes([]byte(part), 0)
		if err != nil {
			return nil, err
		}
		for _, document := range parsed.Docs {
			if document.Body == nil || document.Body.Type() == ast.NullType || document.Body.Type() == ast.CommentType || document.Body.Type() == ast.CommentGroupType {
				continue
			}
			if err := plain(document.Body); err != nil {
				return nil, err
			}
			node, err := yamlnode.Decimal(document.Body)
			if err != nil {
				return nil, err
			}
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}

// separates says whether a line begins a document.
func separates(line string) bool {
	rest, found := strings.CutPrefix(strings.TrimRight(line, "\r"), "---")
	return found && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}

// depth is how deep a text nests, at the most: brackets, or the column that a
// line begins at behind its indentation and dashes. The parser recurses on both.
func depth(text string) int {
	open, deepest := 0, 0
	for line := range strings.Lines(text) {
		deepest = max(deepest, len(line)-len(strings.TrimLeft(line, " -?:\t\r\n")))
		for _, c := range []byte(line) {
			switch c {
			case '[', '{':
				open++
				deepest = max(deepest, open)
			case ']', '}':
				open = max(0, open-1)
			}
		}
	}
	return deepest
}

// plain refuses anchors, aliases, merge keys and tags: a scenario is read by
// people, and an alias can stand for a million nodes.
func plain(node ast.Node) error {
	var wrong error
	ast.Walk(visitor(func(n ast.Node) bool {
		switch n.Type() {
		case ast.AnchorType, ast.AliasType, ast.MergeKeyType, ast.TagType:
			if wrong == nil {
				wrong = yamlnode.At(n, "write it out, or quote it if it is meant as a text", "anchors, aliases and tags have no place in a scenario")
			}
		}
		return wrong == nil
	}), node)
	return wrong
}

type visitor func(ast.Node) bool

// Visit implements ast.Visitor.
func (v visitor) Visit(node ast.Node) ast.Visitor {
	if v(node) {
		return v
	}
	return nil
}
