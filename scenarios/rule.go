package scenarios

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"github.com/meshchaos/meshchaos/internal/lint"
	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// fileRule is an intent, an Istio object, or the name of a file of such
// objects. It keeps its node: what it means may depend on other files.
type fileRule struct{ node ast.Node }

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (r *fileRule) UnmarshalYAML(node ast.Node) error {
	r.node = node
	return nil
}

// JSONSchema describes a rule to editors.
func (fileRule) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "string", Description: "A file of Istio objects, from the folder of this file."},
		{Ref: intentRef},
		{Type: "object", Required: []string{"apiVersion", "kind", "metadata", "spec"}, Description: "An Istio object as it stands."},
	}}
}

// compileRule reads one entry of given or apply.
func (r *reader) compileRule(rule fileRule) (Rule, error) {
	compiled := Rule{place: *r.place(yamlnode.At(rule.node, "", ""))}
	var err error
	if name, ok := yamlnode.Scalar(rule.node); ok {
		compiled.Objects, compiled.sources, err = r.objectFile(rule.node, name)
		return compiled, err
	}
	pairs, err := yamlnode.Entries(rule.node)
	if err != nil {
		return compiled, yamlnode.At(rule.node, "write "+strings.Join(rules.IntentNames(), ", ")+", an Istio object or a file's name", "a rule is not %s", yamlnode.Kind(rule.node))
	}
	for _, pair := range pairs {
		if key := yamlnode.Key(pair); key == "apiVersion" || key == "kind" {
			object, err := r.object(rule.node)
			compiled.Objects, compiled.sources = []*rules.Object{object}, []source{{node: rule.node, in: r}}
			return compiled, err
		}
	}
	compiled.Intent, err = compileIntent(rule.node, pairs)
	return compiled, err
}

// objectFile reads a file of Istio objects that a scenario names.
func (r *reader) objectFile(node ast.Node, name string) ([]*rules.Object, []source, error) {
	text, err := r.open(name, maxSize)
	if err != nil {
		return nil, nil, yamlnode.At(node, "", "this names a file of rules: %v", err)
	}
	r.files[name] = text
	inner := newReader(name, text, nil, r.open)
	if err := inner.guard(text); err != nil {
		return nil, nil, err
	}
	nodes, err := documents(text)
	if err != nil {
		return nil, nil, inner.place(err)
	}
	var objects []*rules.Object
	var places []source
	for _, node := range nodes {
		object, err := inner.object(node)
		if err != nil {
			return nil, nil, inner.place(err)
		}
		objects, places = append(objects, object), append(places, source{node: node, in: inner})
	}
	if len(objects) == 0 {
		return nil, nil, yamlnode.At(node, "", "the rule file %q holds no object", name)
	}
	return objects, places, nil
}

// object reads an Istio object of a scenario, which may have nothing in it that can
// never bite.
func (r *reader) object(node ast.Node) (*rules.Object, error) {
	object, err := decodeObject(node, rules.DecodeFile)
	if err != nil {
		return nil, err
	}
	for _, w := range lint.Find([]*rules.Object{object}, lint.Around{}) {
		if w.Dead {
			return nil, r.dead(node, w)
		}
	}
	return object, nil
}

// decodeObject reads an Istio object as strictly as Istio does, its metadata as the
// decoder does, and places what is wrong in it.
func decodeObject(node ast.Node, decode func(manifest []byte) (*rules.Object, error)) (*rules.Object, error) {
	var tree any
	if err := yaml.NodeToValue(node, &tree); err != nil {
		return nil, err
	}
	manifest, err := json.Marshal(tree)
	if err != nil {
		return nil, yamlnode.At(node, "", "reading the Istio object: %v", err)
	}
	object, err := decode(manifest)
	if err != nil {
		return nil, ofField(node, err)
	}
	if err := refused(node, object); err != nil {
		return nil, err
	}
	return object, nil
}

// ofField places the error of a field of an object.
func ofField(node ast.Node, err error) error {
	var field *rules.FieldError
	if !errors.As(err, &field) {
		return err
	}
	hint := ""
	if field.Suggestion != "" {
		hint = "did you mean " + field.Suggestion + "?"
	}
	return yamlnode.At(yamlnode.Follow(node, field.Path), hint, "%s: %s", field.Path, field.Message)
}

// refused places what Istio would refuse in an object, and an annotation that is to
// silence what there is not.
func refused(node ast.Node, object *rules.Object) error {
	problems := append(rules.Check([]*rules.Object{object}), lint.CheckSilences(object)...)
	if len(problems) == 0 {
		return nil
	}
	first := problems[0]
	return yamlnode.At(yamlnode.Follow(node, first.Path), "", "%s: %s", first.Path, first.Message)
}

// dead places what can never bite.
func (r *reader) dead(node ast.Node, w lint.Warning) error {
	wrong := yamlnode.At(yamlnode.Follow(node, w.Path), "", "%s: %s", w.Path, w.Message)
	if w.By != "" {
		wrong.Hint = fmt.Sprintf("%s stands in %s", w.By, r.place(yamlnode.At(yamlnode.Follow(node, w.By), "", "")).Where())
	}
	return wrong
}

// compileIntent reads the mapping form: the name of an intent, and what it says.
func compileIntent(node ast.Node, pairs []*ast.MappingValueNode) (rules.Intent, error) {
	names := rules.IntentNames()
	for _, pair := range pairs {
		if name := yamlnode.Key(pair); !slices.Contains(names, name) {
			return nil, yamlnode.At(pair.Key, nearest.Hint(name, names), "unknown key %q in the rule", name)
		}
	}
	if len(pairs) != 1 {
		return nil, yamlnode.At(node, "write a list entry for each", "a rule has one of %s, not %d", strings.Join(names, ", "), len(pairs))
	}
	name := yamlnode.Key(pairs[0])
	intent := rules.NewIntent(name)
	if err := yamlnode.Decode(pairs[0].Value, intent, name); err != nil {
		return nil, err
	}
	if len(intent.Services()) == 0 {
		return nil, yamlnode.At(node, "write service: with its name", "the %s names no service", name)
	}
	if err := intent.Check(); err != nil {
		at := node
		var wrong *rules.KeyError
		if errors.As(err, &wrong) {
			at = keyOf(pairs[0].Value, wrong.Key)
		}
		return nil, yamlnode.At(at, "", "%s: %v", intent, err)
	}
	return intent, nil
}

// keyOf is the node of a key of an intent, or of one below it, such as when.x-user.
func keyOf(node ast.Node, key string) ast.Node {
	key, below, _ := strings.Cut(key, ".")
	pair := yamlnode.Pair(node, key)
	if pair == nil {
		return node
	}
	if inner := yamlnode.Pair(pair.Value, below); inner != nil {
		return inner
	}
	return pair
}
