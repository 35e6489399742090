package scenarios

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// reference is $(name), and what stands for it where it is meant as it is: $$(name),
// as in the arguments of a Kubernetes container.
var reference = regexp.MustCompile(`\$?\$\(([A-Za-z][-A-Za-z0-9_]*)\)`)

// kept is what only refers to something, and stays where a secret is masked: a parameter, or
// a value that a request is filled with.
var kept = regexp.MustCompile(reference.String() + `|\{\{-? *\.[A-Za-z_][A-Za-z0-9_]* *-?\}\}`)

// paramName is what a reference can name.
var paramName = regexp.MustCompile(`^[A-Za-z][-A-Za-z0-9_]*$`)

// fileParam is the default of a parameter. It keeps its node, of which the kind
// is the parameter's.
type fileParam struct{}

// UnmarshalYAML implements yaml.NodeUnmarshaler. The params have been read before.
func (fileParam) UnmarshalYAML(ast.Node) error { return nil }

// JSONSchema describes a parameter to editors.
func (fileParam) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Description: "The default; its type is the parameter's.", OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
}

// param is a parameter of a scenario.
type param struct {
	key     ast.Node // where it is defined
	value   ast.Node
	initial string // the text of its default
	by      string // the option that gave the value; empty: it is the default
	used    bool

	secret bool
}

// text is the value as it stands within a longer text.
func (p *param) text() string {
	if n, ok := p.value.(*ast.IntegerNode); ok {
		return fmt.Sprint(n.Value)
	}
	text, _ := yamlnode.Scalar(p.value)
	return text
}

// paramsOf reads what a scenario defines.
func (r *reader) paramsOf(body ast.Node) (map[string]*param, error) {
	spec := yamlnode.Pair(body, "spec")
	if spec == nil {
		return nil, nil
	}
	defined := yamlnode.Pair(spec.Value, "params")
	if defined == nil {
		return nil, nil
	}
	pairs, err := yamlnode.Entries(defined.Value)
	if err != nil {
		return nil, yamlnode.At(defined.Value, "", "params takes a mapping, not %s", yamlnode.Kind(defined.Value))
	}
	all := map[string]*param{}
	for _, pair := range pairs {
		name := yamlnode.Key(pair)
		if !paramName.MatchString(name) {
			return nil, yamlnode.At(pair.Key, "use letters, digits, _ and -, a letter first", "no reference could name the parameter %q", name)
		}
		text, ok := yamlnode.Scalar(pair.Value)
		if !ok {
			return nil, yamlnode.At(pair.Value, "write its default: a text, a number, true or false", "the parameter %s is %s", name, yamlnode.Kind(pair.Value))
		}
		if m := reference.FindString(text); m != "" {
			return nil, yamlnode.At(pair.Value, "write the value out", "the parameter %s refers to %s", name, m)
		}
		all[name] = &param{key: pair.Key, value: pair.Value}
		all[name].initial = all[name].text()
	}
	return all, nil
}

// give lets a setting of a parameter take its default's place.
func (s setting) give(all map[string]*param) error {
	if len(s.path) != 2 || s.path[1].List {
		return s.wrong("write params.NAME=VALUE", "a parameter is set by its name")
	}
	name := s.path[1].Name
	p := all[name]
	if len(all) == 0 {
		return s.wrong("name one under spec.params, and write $("+name+") where it is meant", "the scenario has no parameters")
	}
	if p == nil {
		return s.wrong(nearest.Hint(name, slices.Sorted(maps.Keys(all))), "the scenario has no parameter %q", name)
	}
	text, ok := yamlnode.Scalar(s.value)
	if is := kindOf(s.value); !ok || is != kindOf(p.value) && (kindOf(p.value) != aNumber || is != aWholeNumber) {
		hint := ""
		if ok && kindOf(p.value) == aText {
			hint = fmt.Sprintf("quote it: --set 'params.%s=%q'", name, text)
		}
		return s.wrong(hint, "the parameter %s is %s, as its default %s is, and not %s", name, kindOf(p.value), yamlnode.Kind(p.value), yamlnode.Kind(s.value))
	}
	if m := reference.FindString(text); m != "" {
		return s.wrong("write the value out", "the parameter %s refers to %s", name, m)
	}
	p.value, p.by = s.value, "--set "+s.text
	return nil
}

// The kinds of a parameter.
const (
	aText        = "a text"
	aWholeNumber = "a whole number"
	aNumber      = "a number"
	aBool        = "true or false"
)

func kindOf(node ast.Node) string {
	switch node.(type) {
	case *ast.IntegerNode:
		return aWholeNumber
	case *ast.FloatNode:
		return aNumber
	case *ast.BoolNode:
		return aBool
	}
	return aText
}

// planted is what stands where a reference alone does, without quotes: a number
// or a truth, or else the text.
func (p *param) planted(text *ast.StringNode) ast.Node {
	t := *p.value.GetToken()
	t.Position = text.Token.Position
	switch n := p.value.(type) {
	case *ast.IntegerNode:
		number := ast.Integer(&t)
		number.Value = n.Value
		return number
	case *ast.FloatNode:
		number := ast.Float(&t)
		number.Value = n.Value
		return number
	case *ast.BoolNode:
		return ast.Bool(&t)
	}
	return text
}

// unused refuses a parameter that nothing refers to.
func unused(all map[string]*param) error {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if p := all[name]; !p.used {
			return yamlnode.At(p.key, "write $("+name+") where it is meant, or take it out", "nothing refers to the parameter %s", name)
		}
	}
	return nil
}

// words says of each parameter that a text refers to what it is, and by what.
func wordParams(all map[string]*param, names []string) string {
	var words []string
	for _, name := range names {
		p := all[name]
		word, by := fmt.Sprintf("$(%s) is %s", name, p.text()), p.by
		if p.secret {
			word, by = fmt.Sprintf("$(%s) is secret", name), pathOf(by)
		}
		if by != "" {
			word += ", by " + by
		}
		words = append(words, word)
	}
	return strings.Join(words, "; ")
}
