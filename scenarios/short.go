package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/meshchaos/meshchaos/internal/secret"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/report"
)

// checkShort refuses a secret parameter that cannot be found again in what a report quotes,
// too short or a word that reports have anyway, unless it stands only where all of a value
// is masked: it would be in paths, in objects and in what was asked, for all to read.
func (h *hiding) checkShort(node ast.Node, path []string, params map[string]*param) error {
	if list, ok := node.(*ast.SequenceNode); ok {
		for _, entry := range list.Values {
			if err := h.checkShort(entry, path, params); err != nil {
				return err
			}
		}
		return nil
	}
	if text, scalar := yamlnode.Scalar(node); scalar {
		return h.shortIn(text, node, path, params)
	}
	pairs, _ := yamlnode.Entries(node)
	for _, pair := range pairs {
		if err := h.shortIn(yamlnode.Key(pair), pair.Key, nil, params); err != nil {
			return err
		}
		if err := h.checkShort(pair.Value, append(slices.Clone(path), yamlnode.Key(pair)), params); err != nil {
			return err
		}
	}
	return nil
}

// shortIn refuses a text that a short secret would be read in.
func (h *hiding) shortIn(text string, at ast.Node, path []string, params map[string]*param) error {
	for _, name := range refersTo(text) {
		p := params[name]
		if p == nil || !p.secret || strings.HasPrefix(p.text(), report.Mask) {
			continue
		}
		why, mend := unmaskable(p.text())
		if why == "" || h.hidden(text, name, at, path) {
			continue
		}
		hint := mend + ", or be the whole of a header, body or line of a load, or of a header in a rule that is taken for a credential by its name"
		return yamlnode.At(at, hint, "the parameter %s is secret, and %s to be masked in all that a report would have of this text", name, why)
	}
	return nil
}

// unmaskable says why a secret cannot be looked for in a report, and how it is to be
// changed; empty: it can.
func unmaskable(value string) (why, mend string) {
	switch {
	case secret.Short(value):
		return "too short", fmt.Sprintf("let it have %d bytes or more", secret.Fewest)
	case secret.Common(value):
		return "too common a word of reports", "let it be another"
	}
	return "", ""
}

// hidden says whether a reference is masked in a text by where it stands.
func (h *hiding) hidden(text, name string, at ast.Node, path []string) bool {
	where := at.GetToken().Position
	if h.at[secret.Place{Line: where.Line, Column: where.Column}] != 0 { // all of it is
		return true
	}
	if len(path) > 1 && path[0] == "spec" {
		path = path[1:]
	}
	if len(path) > 1 && path[0] == "steps" {
		path = path[1:]
	}
	if len(path) < 3 || path[0] != "load" {
		return false
	}
	switch path[2] {
	case "headers", "body", "lines":
		return text == "$("+name+")"
	case "get", "post", "grpc": // as the value of a parameter that is a credential by its name
		const instead = "in-the-place-of-a-secret"
		return !strings.Contains(h.values.Hide(strings.ReplaceAll(text, "$("+name+")", instead)), instead)
	}
	return false
}
