package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/secret"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// hiding is what of a file is secret, and where that stands.
type hiding struct {
	values *secret.Values
	params map[string]bool // the parameters that are
	at     map[secret.Place]secret.Form
	where  map[string]bool // spec.load.pages.headers.authorization
	keys   map[string]bool // what names something
	open   map[string]bool // what is said in places that are none, keys too

	written bool // it is noted what the file has as it is written, before a parameter is in its place
}

func newHiding() *hiding {
	return &hiding{
		values: &secret.Values{Keep: kept}, params: map[string]bool{},
		at: map[secret.Place]secret.Form{}, where: map[string]bool{}, keys: map[string]bool{}, open: map[string]bool{},
	}
}

// find notes the secrets of a file: with the references that it was written with, and
// again when parameters and settings are in their places.
func (h *hiding) find(body ast.Node) {
	pair := yamlnode.Pair(body, "spec")
	if pair == nil {
		return
	}
	spec := pair.Value
	loads := h.loads(spec)
	for _, name := range words(spec, "secret") {
		h.params[name] = true
	}
	for _, load := range loads {
		for _, name := range words(load.node, "secret") {
			h.values.Mark(name)
		}
	}
	for _, load := range loads {
		marked := words(load.node, "secret")
		h.load(load, marked)
		if send := yamlnode.Pair(load.node, "send"); send != nil {
			list, _ := send.Value.(*ast.SequenceNode)
			for i := 0; list != nil && i < len(list.Values); i++ {
				h.load(branch{node: list.Values[i], path: fmt.Sprintf("%s.send[%d]", load.path, i)}, marked)
			}
		}
	}
	for _, list := range listsOfRules(spec) {
		for i, rule := range list.entries {
			h.rule(rule, fmt.Sprintf("%s[%d]", list.path, i))
		}
	}
	h.urls(spec, "spec")
	h.defaults(spec)
	h.said(body)
	h.written = true
}

// branch is a node, or the entries of a list, and the path that leads there.
type branch struct {
	node    ast.Node
	entries []ast.Node
	path    string
}

// loads are the cohorts of a spec and of its steps.
func (h *hiding) loads(spec ast.Node) []branch {
	var all []branch
	for _, step := range append([]branch{{node: spec, path: "spec"}}, stepsOfNode(spec)...) {
		pair := yamlnode.Pair(step.node, "load")
		if pair == nil {
			continue
		}
		cohorts, _ := yamlnode.Entries(pair.Value)
		for _, cohort := range cohorts {
			all = append(all, branch{node: cohort.Value, path: step.path + ".load." + yamlnode.Key(cohort)})
		}
	}
	return all
}

func stepsOfNode(spec ast.Node) []branch {
	pair := yamlnode.Pair(spec, "steps")
	if pair == nil {
		return nil
	}
	list, _ := pair.Value.(*ast.SequenceNode)
	var all []branch
	for i := 0; list != nil && i < len(list.Values); i++ {
		all = append(all, branch{node: list.Values[i], path: fmt.Sprintf("spec.steps[%d]", i)})
	}
	return all
}

// listsOfRules are those of a spec and of its steps.
func listsOfRules(spec ast.Node) []branch {
	var all []branch
	for _, of := range append([]branch{{node: spec, path: "spec"}}, stepsOfNode(spec)...) {
		for _, key := range []string{"given", "apply"} {
			if pair := yamlnode.Pair(of.node, key); pair != nil {
				if list, ok := pair.Value.(*ast.SequenceNode); ok {
					all = append(all, branch{entries: list.Values, path: of.path + "." + key})
				}
			}
		}
	}
	return all
}

// words are the texts of a list, or the one text, behind a key.
func words(node ast.Node, key string) []string {
	pair := yamlnode.Pair(node, key)
	if pair == nil {
		return nil
	}
	nodes := []ast.Node{pair.Value}
	if list, ok := pair.Value.(*ast.SequenceNode); ok {
		nodes = list.Values
	}
	var all []string
	for _, node := range nodes {
		if text, ok := yamlnode.Scalar(node); ok {
			all = append(all, text)
		}
	}
	return all
}

// urls notes the credentials in URLs, wherever one stands: in a load, a redirect of a rule,
// a text that is looked for.
func (h *hiding) urls(node ast.Node, path string) {
	if list, ok := node.(*ast.SequenceNode); ok {
		for i, entry := range list.Values {
			h.urls(entry, fmt.Sprintf("%s[%d]", path, i))
		}
		return
	}
	if text, scalar := yamlnode.Scalar(node); scalar {
		for _, value := range h.values.InURL(text) {
			h.where[path] = true
			h.refer(value)
		}
		return
	}
	pairs, _ := yamlnode.Entries(node)
	for _, pair := range pairs {
		h.urls(pair.Value, path+"."+yamlnode.Key(pair))
	}
}

// load notes what of a cohort, or of a request of its list, is secret: headers by their
// names, and what the cohort marks.
func (h *hiding) load(load branch, marked []string) {
	pairs, _ := yamlnode.Entries(load.node)
	for _, pair := range pairs {
		key := yamlnode.Key(pair)
		path := load.path + "." + key
		switch {
		case key == "headers":
			headers, _ := yamlnode.Entries(pair.Value)
			for _, header := range headers {
				if name := yamlnode.Key(header); h.values.Header(name) {
					h.hide(header.Value, path+"."+name, secret.Plain)
				}
			}
		case (key == "body" || key == "lines") && slices.Contains(marked, key):
			h.hide(pair.Value, path, secret.Plain)
		}
	}
}

// rule notes the values of headers in a rule, whichever field they are of.
func (h *hiding) rule(node ast.Node, path string) {
	if list, ok := node.(*ast.SequenceNode); ok {
		for i, entry := range list.Values {
			h.rule(entry, fmt.Sprintf("%s[%d]", path, i))
		}
		return
	}
	pairs, _ := yamlnode.Entries(node)
	for _, pair := range pairs {
		key := yamlnode.Key(pair)
		if h.values.Header(key) {
			h.hide(pair.Value, path+"."+key, secret.Plain)
		} else {
			h.rule(pair.Value, path+"."+key)
		}
	}
}

// hide notes the scalars at a node, and below it.
func (h *hiding) hide(node ast.Node, path string, form secret.Form) {
	if list, ok := node.(*ast.SequenceNode); ok {
		for _, entry := range list.Values {
			h.hide(entry, path, form)
		}
		return
	}
	switch node.(type) {
	case *ast.BoolNode, *ast.NullNode: // allowCredentials: true
		return
	}
	text, scalar := yamlnode.Scalar(node)
	if !scalar {
		pairs, _ := yamlnode.Entries(node)
		for _, pair := range pairs {
			of := form
			if yamlnode.Key(pair) == "regex" {
				of = secret.Pattern
			}
			h.hide(pair.Value, path+"."+yamlnode.Key(pair), of)
		}
		return
	}
	if _, truth := node.(*ast.BoolNode); truth || text == "" || strings.HasPrefix(text, report.Mask) {
		return
	}
	at := node.GetToken().Position
	h.at[secret.Place{Line: at.Line, Column: at.Column}], h.where[path] = form, true
	if !h.refer(text) && !kept.MatchString(text) {
		h.values.Add(text)
	}
	if form == secret.Pattern {
		h.values.AddPattern(text)
	}
}

// refer has the parameters to which a secret refers be secrets.
func (h *hiding) refer(text string) (refers bool) {
	for _, m := range reference.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[0], "$$") {
			h.params[m[1]], refers = true, true
		}
	}
	return refers
}

// defaults notes the defaults of parameters that are secret.
func (h *hiding) defaults(spec ast.Node) {
	pair := yamlnode.Pair(spec, "params")
	if pair == nil {
		return
	}
	params, _ := yamlnode.Entries(pair.Value)
	for _, param := range params {
		name := yamlnode.Key(param)
		if h.params[name] = h.params[name] || secret.Name(name); h.params[name] {
			h.hide(param.Value, "spec.params."+name, secret.Plain)
		}
	}
}

// said notes the keys of a file, and its texts in places that are no secret's.
func (h *hiding) said(node ast.Node) {
	if list, ok := node.(*ast.SequenceNode); ok {
		for _, entry := range list.Values {
			h.said(entry)
		}
		return
	}
	if text, scalar := yamlnode.Scalar(node); scalar {
		at := node.GetToken().Position
		hidden := h.at[secret.Place{Line: at.Line, Column: at.Column}] != 0
		if put := h.written && h.values.Is(text); !hidden && !put { // a parameter put it there
			h.open[text] = true
		}
		return
	}
	pairs, _ := yamlnode.Entries(node)
	for _, pair := range pairs {
		h.keys[yamlnode.Key(pair)], h.open[yamlnode.Key(pair)] = true, true
		h.said(pair.Value)
	}
}

// settings notes the settings of parameters that are secret.
func (h *hiding) settings(all []setting) {
	for _, s := range all {
		if s.isParam() && len(s.path) == 2 && h.params[s.path[1].Name] {
			h.hide(s.value, "spec.params."+s.path[1].Name, secret.Plain)
		}
	}
}

// checkSecrets refuses a mark that nothing has.
func checkSecrets(node ast.Node, load fileLoad, plan loadgen.Plan) error {
	names, body := headersOf(load)
	if body {
		names = append(names, "body")
	}
	if plan.Values != nil {
		names = append(names, plan.Values.Columns...)
	}
	if len(load.Lines) > 0 {
		names = append(names, "lines")
	}
	for i, name := range load.Secret {
		if !slices.ContainsFunc(names, func(have string) bool { return strings.EqualFold(have, name) }) {
			hint := "write the name of a header, body, lines, or a column of values"
			if len(names) > 0 {
				hint = nearest.Hint(name, names)
			}
			return yamlnode.At(yamlnode.Follow(node, fmt.Sprintf("secret[%d]", i)), hint, "the load has no %q that could be secret", name)
		}
	}
	return nil
}

// checkParams refuses a mark of a parameter that is not there, or is no text: a mask
// could not take its place.
func (h *hiding) checkParams(body ast.Node, params map[string]*param) error {
	spec := yamlnode.Pair(body, "spec")
	if spec == nil {
		return nil // which is refused later
	}
	for i, name := range words(spec.Value, "secret") {
		if params[name] == nil {
			return yamlnode.At(yamlnode.Follow(body, fmt.Sprintf("spec.secret[%d]", i)), nearest.Hint(name, slices.Sorted(maps.Keys(params))), "the scenario has no parameter %q that could be secret", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		p := params[name]
		p.secret = h.params[name]
		if p.secret && kindOf(p.value) != aText {
			return yamlnode.At(p.key, "quote its default", "the parameter %s is secret, and %s; a report has a text in its place", name, kindOf(p.value))
		}
	}
	return nil
}
