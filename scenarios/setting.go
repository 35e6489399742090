package scenarios

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// setting is one --set: a path into spec, and what is to stand there.
type setting struct {
	text  string // PATH=VALUE
	path  []yamlnode.Part
	value ast.Node
	at    *token.Position
	was   ast.Node // what it takes the place of; nil: nothing was there
}

// settings reads each --set. What is read of one stands, for all that places
// errors, in a line of its own behind those of the file.
func (r *reader) settings(set []string) ([]setting, error) {
	var all []setting
	for i, text := range set {
		one, err := r.setting(text, r.own+1+i)
		if err != nil {
			return nil, err
		}
		for _, other := range all {
			if pathOf(other.text) == pathOf(text) {
				return nil, yamlnode.At(one.value, "leave one out", "%s is set twice", pathOf(text))
			}
		}
		all = append(all, one)
	}
	return all, nil
}

func pathOf(text string) string {
	path, _, _ := strings.Cut(text, "=")
	return path
}

// setting reads one --set as what stands in a line.
func (r *reader) setting(text string, line int) (setting, error) {
	at := &token.Position{Line: line, Column: 1}
	refuse := func(hint, format string, args ...any) error {
		return yamlnode.AtToken(&token.Token{Position: at}, hint, format, args...)
	}
	path, value, found := strings.Cut(text, "=")
	if !found {
		return setting{}, refuse("write PATH=VALUE, such as load.pages.requests=50", "there is no = in it")
	}
	parts, err := yamlnode.ParsePath(path)
	if err != nil {
		return setting{}, refuse("write one into spec, such as load.pages.requests or steps[0].load.pages.requests", "%v", err)
	}
	switch {
	case strings.TrimSpace(value) == "":
		return setting{}, refuse("write what is to stand there", "%s has no value", path)
	case strings.ContainsAny(value, "\r\n"):
		return setting{}, refuse("write it in one, with \\n within double quotes", "the value has several lines")
	case comments(value):
		return setting{}, refuse("quote the value, in quotes of YAML", "YAML takes what follows # for a comment")
	}
	if wrong := unreadable(value); wrong != "" {
		return setting{}, refuse("", "the value %s", wrong)
	}
	nodes, err := documents(strings.Repeat("\n", line-1) + value)
	if err != nil {
		return setting{}, err
	}
	if len(nodes) != 1 {
		return setting{}, refuse("write what is to stand there", "%s has no value", path)
	}
	return setting{text: text, path: parts, value: nodes[0], at: at}, nil
}

// comments says whether YAML sees a comment in a text.
func comments(text string) bool {
	for _, t := range lexer.Tokenize(text) {
		if t.Type == token.CommentType {
			return true
		}
	}
	return false
}

// isParam says whether a setting is of a parameter.
func (s setting) isParam() bool { return s.path[0].Name == "params" }
