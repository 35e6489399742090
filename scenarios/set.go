package scenarios

import (
	"reflect"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// spot is a place on the way that a path leads.
type spot struct {
	node ast.Node
	form reflect.Type   // what it is to be decoded into; nil: what is there alone tells
	open bool           // of an Istio object: any key may be added, and is checked later
	path string         // that has led here
	put  func(ast.Node) // puts another in the place of node
}

var nodeUnmarshaler = reflect.TypeFor[yaml.NodeUnmarshaler]()

// apply lets what a setting says stand where its path leads. A name that an
// author gave must be there; a key of the grammar may be added.
func (r *reader) apply(body ast.Node, s *setting) error {
	root := yamlnode.Pair(body, "spec")
	if root == nil {
		return nil // which is refused later
	}
	at := spot{node: root.Value, form: reflect.TypeFor[fileSpec](), path: "spec", put: func(n ast.Node) { root.Value = n }}
	for i, part := range s.path {
		var err error
		if part.List {
			at, err = r.entry(at, part, *s)
		} else {
			at, err = r.key(at, part, *s, i == len(s.path)-1)
		}
		if err != nil {
			return err
		}
	}
	s.was = at.node
	at.put(s.value)
	return nil
}

// key goes to what stands behind a key of a mapping.
func (r *reader) key(at spot, part yamlnode.Part, s setting, last bool) (spot, error) {
	pairs, err := yamlnode.Entries(at.node)
	if err != nil {
		hint := ""
		if _, list := at.node.(*ast.SequenceNode); list {
			hint = "write [" + part.Name + "] for an entry"
		}
		return at, s.wrong(hint, "%s has no keys: it is %s", at.path, yamlnode.Kind(at.node))
	}
	form, known := at.below(part.Name)
	next := spot{form: form, open: at.open || at.holdsObject(), path: at.path + "." + part.Name}
	if pair := yamlnode.Pair(at.node, part.Name); pair != nil {
		next.node = pair.Value
		next.put = func(n ast.Node) {
			r.stands[s.at.Line] = pair.Key.GetToken().Position.Line
			pair.Key, pair.Value = s.word(part.Name), n
		}
		return next, nil
	}
	switch {
	case !known && at.path == "spec" && slices.Contains(yamlnode.Keys(reflect.TypeFor[file]()), part.Name):
		return at, s.wrong("leave out spec, and name nothing beside it", "a path leads into spec, and %q is outside of it", part.Name)
	case !known:
		return at, s.wrong(nearest.Hint(part.Name, at.choice(pairs)), "%s has no %q", at.path, part.Name)
	case !last && form != nil && form.Kind() == reflect.Slice:
		return at, s.wrong("set it as a whole: "+next.path[len("spec."):]+"=[...]", "%s has no %s", at.path, part.Name)
	case !last:
		return at, s.wrong("set it as a whole: "+next.path[len("spec."):]+"={...}", "%s has no %s", at.path, part.Name)
	}
	next.put = func(n ast.Node) {
		pair := ast.MappingValue(&token.Token{Type: token.MappingValueType, Value: ":", Position: s.at}, s.word(part.Name), n)
		if mapping, ok := at.node.(*ast.MappingNode); ok {
			mapping.Values = append(mapping.Values, pair)
			return
		}
		at.put(ast.Mapping(at.node.GetToken(), false, append(slices.Clone(pairs), pair)...))
	}
	return next, nil
}

// entry goes to an entry of a list, by its number or its name.
func (r *reader) entry(at spot, part yamlnode.Part, s setting) (spot, error) {
	list, ok := at.node.(*ast.SequenceNode)
	if !ok {
		hint := ""
		if pairs, err := yamlnode.Entries(at.node); err == nil && len(pairs) > 0 {
			hint = "go on with a key, as in ." + yamlnode.Key(pairs[0])
		}
		return at, s.wrong(hint, "%s is no list", at.path)
	}
	i := part.Index
	var names []string
	for j, value := range list.Values {
		name := ""
		if pair := yamlnode.Pair(value, "name"); pair != nil {
			name, _ = yamlnode.Scalar(pair.Value)
			names = append(names, name)
		}
		if i < 0 && name == part.Name {
			i = j
		}
	}
	if i < 0 && len(names) == 0 {
		return at, s.wrong("number them, from [0]", "the entries of %s have no names, and none is %q", at.path, part.Name)
	}
	if i < 0 {
		return at, s.wrong(nearest.Hint(part.Name, names), "%s has no entry of the name %q", at.path, part.Name)
	}
	if i >= len(list.Values) {
		return at, s.wrong("the first is [0]", "%s has no entry [%d], but %d in all", at.path, i, len(list.Values))
	}
	next := spot{node: list.Values[i], open: at.open, path: at.path + "[" + part.Name + "]"}
	if at.form != nil && at.form.Kind() == reflect.Slice {
		next.form = at.form.Elem()
	}
	next.put = func(n ast.Node) {
		r.stands[s.at.Line] = yamlnode.At(list.Values[i], "", "").Line
		list.Values[i] = n
	}
	return next, nil
}

// below is the form of what stands behind a key, and whether the key may be added.
func (at spot) below(key string) (form reflect.Type, known bool) {
	switch {
	case at.form == nil:
		return nil, at.open
	case at.form == reflect.TypeFor[fileLine]():
		form, _ = yamlnode.ValueType(reflect.TypeFor[fileExpectation](), key)
		return form, false
	case at.form == reflect.TypeFor[fileRate]():
		return yamlnode.ValueType(reflect.TypeFor[fileRamp](), key)
	case at.form == reflect.TypeFor[connections]():
		return yamlnode.ValueType(reflect.TypeFor[growing](), key)
	case at.form == reflect.TypeFor[fileThink]():
		return yamlnode.ValueType(reflect.TypeFor[fileThinking](), key)
	case at.form == reflect.TypeFor[fileRule]():
		if slices.Contains(rules.IntentNames(), key) {
			return reflect.TypeOf(rules.NewIntent(key)).Elem(), false
		}
		return nil, at.holdsObject()
	case reflect.PointerTo(at.form).Implements(nodeUnmarshaler):
		return nil, false
	case at.form.Kind() == reflect.Map:
		return at.form.Elem(), false
	case at.form.Kind() == reflect.Struct:
		return yamlnode.ValueType(at.form, key)
	}
	return nil, false
}

// holdsObject says whether it is an Istio object.
func (at spot) holdsObject() bool {
	return at.form == reflect.TypeFor[fileRule]() && yamlnode.Pair(at.node, "apiVersion") != nil
}

// choice are the keys that a path could go on with.
func (at spot) choice(pairs []*ast.MappingValueNode) []string {
	if at.form != nil && at.form.Kind() == reflect.Struct && !reflect.PointerTo(at.form).Implements(nodeUnmarshaler) {
		return yamlnode.Keys(at.form)
	}
	var keys []string
	for _, pair := range pairs {
		keys = append(keys, yamlnode.Key(pair))
	}
	return keys
}

// word is a key that stands in the setting.
func (s setting) word(name string) *ast.StringNode {
	return ast.String(&token.Token{Type: token.StringType, Value: name, Origin: name, Position: s.at})
}

func (s setting) wrong(hint, format string, args ...any) error {
	return yamlnode.AtToken(&token.Token{Position: s.at}, hint, format, args...)
}
