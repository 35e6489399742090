package scenarios

import (
	"fmt"
	"maps"
	"net/url"
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

// shown is what a report has of a scenario's text, and of what changed it.
type shown struct {
	text   string
	set    []string
	files  map[string]string
	params map[string]string
	masked []string
}

// show works out what a report has of a scenario with secrets in it, and tries that it
// can be judged by that: what it needs to be judged, such as the name of a cohort, cannot
// be a secret.
func (r *reader) show(s *Scenario) error {
	h := r.hiding
	for name, text := range s.Files {
		r.showFile(name, text)
	}
	h.values.Open(h.keys)
	h.values.Prepare()
	s.secrets, s.secretParams = h.values, h.params
	if len(h.where) == 0 && !h.values.Any() && h.values.Hide(s.Text) == s.Text {
		return nil
	}
	var err error
	for _, relax := range []func(){func() {}, h.values.Number, func() { h.values.Spare(h.open) }} {
		relax()
		h.values.Prepare()
		if s.shown, err = r.masked(s); err == nil {
			err = sameToJudge(s)
		}
		if err == nil {
			return nil
		}
	}
	return &Error{File: r.file, Message: fmt.Sprintf("what is secret in it cannot be left out of a report: %v", err)}
}

// showFile notes the secrets of a file of rules.
func (r *reader) showFile(name, text string) {
	inner := newHiding()
	inner.values, inner.open, inner.keys = r.hiding.values, r.hiding.open, r.hiding.keys
	nodes, _ := documents(text)
	for _, node := range nodes {
		inner.rule(node, name+": ")
		inner.urls(node, name+": ")
		inner.said(node)
	}
	r.inner[name] = inner.at
	for path := range inner.where {
		r.hiding.where[strings.Replace(path, ": .", ": ", 1)] = true
	}
}

// masked is what a report has of a scenario.
func (r *reader) masked(s *Scenario) (*shown, error) {
	h := r.hiding
	out := &shown{masked: slices.Sorted(maps.Keys(h.where))}
	var ok bool
	if out.text, ok = h.values.Text(s.Text, h.at); !ok {
		return nil, fmt.Errorf("its text could not be read a second time")
	}
	for i, one := range s.Set {
		path, value, _ := strings.Cut(one, "=")
		at := map[secret.Place]secret.Form{}
		for place, form := range h.at {
			if place.Line == r.own+1+i {
				at[secret.Place{Line: 1, Column: place.Column}] = form
			}
		}
		if value, ok = h.values.Text(value, at); !ok {
			return nil, fmt.Errorf("--set %s could not be read a second time", path)
		}
		out.set = append(out.set, path+"="+value)
	}
	if out.text != s.Text && len(out.masked) == 0 {
		out.masked = []string{"a comment"} // which has no path
	}
	if s.Files != nil {
		out.files = map[string]string{}
	}
	for name, text := range s.Files {
		if out.files[name], ok = h.values.Text(text, r.inner[name]); !ok {
			return nil, fmt.Errorf("the file %s could not be read a second time", name)
		}
	}
	if s.Params != nil {
		out.params = map[string]string{}
	}
	for name, value := range s.Params {
		if out.params[name] = h.values.Hide(value); h.params[name] && value != "" {
			out.params[name] = report.Mask
		}
	}
	return out, nil
}

// sameToJudge tries that a scenario, as a report has it, asks for the same.
func sameToJudge(s *Scenario) error {
	again, err := OfRecord(s.Recorded())
	if err != nil {
		return err
	}
	was, is := s.judgedBy(), again.judgedBy()
	for i := range was {
		if i >= len(is) || was[i] != is[i] {
			return fmt.Errorf("%s has a secret in it, that is the value of something else; give that another value", was[i].what)
		}
	}
	return nil
}

// judgedBy is something that a run is judged by.
type judgedBy struct{ what, is string }

// judgedBy is all of that of a scenario, in an order that is always the same.
func (s *Scenario) judgedBy() []judgedBy {
	all := []judgedBy{{"the name of the scenario", s.Name}}
	add := func(what string, is ...any) { all = append(all, judgedBy{what, fmt.Sprint(is...)}) }
	for _, step := range s.Steps {
		add("the name of a step", step.Name)
		for _, cohort := range step.Cohorts {
			add("the name of a load", cohort.Name)
			add("the load "+cohort.Name, cohort.From, cohort.Plan.Requests, cohort.Plan.While, hostOf(cohort.Plan))
			for _, r := range cohort.Plan.Send {
				add("a request of the load "+cohort.Name, r.Name, r.Weight, r.Take != nil)
			}
		}
		for _, line := range step.Expect {
			add(fmt.Sprintf("the expectation of line %d", line.Line), line.Line, line.Text())
		}
		for _, condition := range step.AbortWhen {
			add(fmt.Sprintf("the condition of line %d", condition.Line), condition.Line, condition.Text())
		}
		if step.Conclusion != nil {
			add("the conclusion", step.Conclusion.Amounts())
		}
	}
	return all
}

// hostOf is whom a load is sent to.
func hostOf(p loadgen.Plan) string {
	switch {
	case p.TCP != nil:
		return p.TCP.Address
	case p.GRPC != nil:
		return p.GRPC.Address
	case len(p.OfHTTP()) > 0:
		if u, err := url.Parse(p.OfHTTP()[0].HTTP.URL); err == nil {
			return u.Host
		}
	}
	return ""
}

// Hide masks what is secret in a text that is about the scenario.
func (s *Scenario) Hide(text string) string { return s.values().Hide(text) }

// HideObject returns the manifest of an object of the scenario without what is secret in it.
// Two secrets that differ are masked so that they do.
func (s *Scenario) HideObject(manifest []byte) []byte {
	if s.objects == nil {
		s.objects = s.values().Clone()
		s.objects.Number()
	}
	return s.objects.Object(manifest)
}

// HidePlan returns a plan of the scenario without what is secret in it.
func (s *Scenario) HidePlan(p loadgen.Plan) loadgen.Plan { return s.values().Plan(p) }

// HideRecord masks what is secret in the record of a run.
func (s *Scenario) HideRecord(r *report.Record) { s.values().Record(r) }

// HideEarlier masks what is secret in what a record keeps of an earlier run: also what that
// run's own scenario did not mark.
func (s *Scenario) HideEarlier(e *report.Earlier) { s.values().Earlier(e, s.secretParams) }

// HideMutation masks what is secret in what became of the scenario's mutants.
func (s *Scenario) HideMutation(m *report.Mutation) { s.values().Mutation(m) }

func (s *Scenario) values() *secret.Values {
	if s.secrets == nil {
		return &secret.Values{}
	}
	return s.secrets
}
