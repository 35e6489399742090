package secret

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// Record masks every secret in a record: what the load was asked to send, what stands in
// objects, and whatever quotes either. The text of the scenario is masked already.
func (v *Values) Record(r *report.Record) {
	all := v.Clone()
	for range 2 { // an annotation may hold what another place has shown to be a secret
		for i := range r.Changes {
			for _, manifest := range []*json.RawMessage{&r.Changes[i].Before, &r.Changes[i].After, &r.Changes[i].Left} {
				*manifest = all.manifest(*manifest)
			}
		}
	}
	asked := make([]report.Asked, len(r.Asked))
	for i, a := range r.Asked {
		a.Plan = all.Plan(a.Plan)
		asked[i] = a
	}
	r.Asked = asked
	all.walk(reflect.ValueOf(r).Elem())
}

// Earlier masks every secret in what a record keeps of an earlier run, and what that run
// had in the places that are secret now: its scenario may not have said so. params are the
// parameters that are.
func (v *Values) Earlier(e *report.Earlier, params map[string]bool) {
	all := v.Clone()
	for name := range params {
		if value := e.Scenario.Params[name]; value != "" {
			all.Add(value)
		}
	}
	asked := slices.Clone(e.Asked)
	for _, a := range asked {
		all.sent(a.Plan)
	}
	e.Scenario.Params, e.Scenario.Set = maps.Clone(e.Scenario.Params), slices.Clone(e.Scenario.Set)
	for name, value := range e.Scenario.Params {
		if params[name] && value != "" {
			e.Scenario.Params[name] = report.Mask
		}
	}
	for i, one := range e.Scenario.Set {
		if path, value, _ := strings.Cut(one, "="); value != "" && all.setBy(path, params) {
			e.Scenario.Set[i] = path + "=" + report.Mask
		}
	}
	for i := range asked {
		asked[i].Plan = all.Plan(asked[i].Plan)
	}
	e.Asked = asked
	all.walk(reflect.ValueOf(e).Elem())
}

// sent adds the secrets that a plan shows to be some by their places.
func (v *Values) sent(p loadgen.Plan) {
	headers := []map[string]string{}
	if p.GRPC != nil {
		headers = append(headers, p.GRPC.Header)
	}
	for _, r := range p.OfHTTP() {
		v.InURL(r.HTTP.URL)
		headers = append(headers, r.HTTP.Header)
	}
	for _, header := range headers {
		for name, value := range header {
			if v.Header(name) && value != "" {
				v.Add(value)
			}
		}
	}
}

// setBy says whether a setting is one of a secret: params.token, load.pages.headers.cookie.
func (v *Values) setBy(path string, params map[string]bool) bool {
	name := strings.TrimPrefix(path, "params.")
	return name != path && params[name] || v.Header(path[strings.LastIndexByte(path, '.')+1:])
}

// Mutation masks every secret in what became of a scenario's mutants.
func (v *Values) Mutation(m *report.Mutation) { v.walk(reflect.ValueOf(m).Elem()) }

// Plan returns a plan without its secrets; the one that is carried out stays as it is.
func (v *Values) Plan(p loadgen.Plan) loadgen.Plan {
	p.Checks, p.Versions = slices.Clone(p.Checks), slices.Clone(p.Versions)
	for _, list := range [][]loadgen.Check{p.Checks, p.Versions} {
		for i := range list {
			list[i].Body, list[i].Match = v.field("", list[i].Body), v.Hide(list[i].Match)
		}
	}
	if p.TLS != nil {
		own := *p.TLS
		if own.PrivateKey != "" { // whether or not anything says so
			own.PrivateKey = report.Mask
		}
		p.TLS = &own
	}
	if p.TCP != nil {
		tcp := *p.TCP
		tcp.Lines = slices.Clone(tcp.Lines)
		for i, line := range tcp.Lines {
			tcp.Lines[i] = v.field("", line)
		}
		p.TCP = &tcp
	}
	if p.GRPC != nil {
		grpc := *p.GRPC
		grpc.Address, grpc.Body, grpc.Header = v.field("", grpc.Address), v.field("", grpc.Body), v.fields(grpc.Header)
		p.GRPC = &grpc
	}
	if p.HTTP != nil {
		p.HTTP = new(v.http(*p.HTTP))
	}
	p.Send = slices.Clone(p.Send)
	for i := range p.Send {
		p.Send[i].HTTP = v.http(p.Send[i].HTTP)
		if take := p.Send[i].Take; take != nil {
			masked := *take
			masked.Match = v.Hide(take.Match)
			p.Send[i].Take = &masked
		}
	}
	return p.AsRecorded()
}

// http returns a request without its secrets.
func (v *Values) http(http loadgen.HTTP) loadgen.HTTP {
	http.URL, http.Body = v.field("", http.URL), v.field("", http.Body)
	http.Header = v.fields(http.Header)
	http.Messages = slices.Clone(http.Messages)
	for i, message := range http.Messages {
		http.Messages[i] = v.field("", message)
	}
	if http.Login != nil {
		login := *http.Login
		login.URL, login.Form = v.field("", login.URL), v.fields(login.Form)
		http.Login = &login
	}
	return http
}

func (v *Values) fields(of map[string]string) map[string]string {
	if of == nil {
		return nil
	}
	out := map[string]string{}
	for name, value := range of {
		out[name] = v.field(name, value)
	}
	return out
}

func (v *Values) field(name, value string) string {
	if value != "" && (name != "" && v.Header(name) || v.Is(value)) {
		return v.mask(value)
	}
	return v.Hide(value)
}

// Object returns a manifest without its secrets, and remembers them: others may quote them.
func (v *Values) Object(manifest []byte) []byte { return v.manifest(manifest) }

// manifest masks the secrets of an object, and remembers them: others may quote them.
func (v *Values) manifest(text json.RawMessage) json.RawMessage {
	if len(text) == 0 {
		return text
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var tree any
	if decoder.Decode(&tree) != nil || decoder.More() {
		return json.RawMessage(v.Hide(string(text))) // it is no manifest, and may quote one
	}
	changed := false
	tree = v.below(tree, "", false, &changed)
	if !changed {
		return text
	}
	masked, err := json.Marshal(tree)
	if err != nil {
		return text
	}
	return masked
}

// below masks what stands below a node of an object. key is the one that led there,
// within whether that is below a header's.
func (v *Values) below(node any, key string, within bool, changed *bool) any {
	switch n := node.(type) {
	case map[string]any:
		for name, value := range n {
			n[name] = v.below(value, name, within || v.Header(name), changed)
		}
	case []any:
		for i := range n {
			n[i] = v.below(n[i], key, within, changed)
		}
	case string:
		if !within && slices.Contains(identity, key) {
			return n
		}
		shown := v.Hide(n)
		if within && n != "" {
			v.Add(n)
			if shown = v.mask(n); key == "regex" {
				shown = pattern
			}
		}
		*changed = *changed || shown != n
		return shown
	}
	return node
}

// identity are the fields by which an object of a cluster, or another that it refers to,
// is known.
var identity = []string{"apiVersion", "kind", "name", "namespace", "host", "hosts", "subset", "gateways"}

// kept are the fields of a record that say what something is, and quote nobody: by them a
// record is read and judged again, and one whose content happens to be a secret as well
// was there before that was one. What is of a type of its own, such as a verdict, is one of
// a few words, and is kept as well.
var kept = map[reflect.Type][]string{
	reflect.TypeFor[report.Record]():         {"APIVersion", "Kind", "Run", "Draws"},
	reflect.TypeFor[report.Tool]():           {"Version", "Commit", "Go", "Platform"},
	reflect.TypeFor[report.Scenario]():       {"Name", "File", "Digest", "Masked"},
	reflect.TypeFor[report.Revision]():       {"Commit"},
	reflect.TypeFor[report.Override]():       {"Cohort"},
	reflect.TypeFor[report.Mesh]():           {"Kind", "Namespace", "Further", "Version"},
	reflect.TypeFor[report.Asked]():          {"Step", "Cohort", "From"},
	reflect.TypeFor[loadgen.Plan]():          {"Engine", "Arrival", "While"},
	reflect.TypeFor[loadgen.HTTP]():          {"Method"},
	reflect.TypeFor[loadgen.GRPC]():          {"Method"},
	reflect.TypeFor[loadgen.Descriptors]():   {"File", "Digest"},
	reflect.TypeFor[loadgen.Request]():       {"Name"},
	reflect.TypeFor[loadgen.Take]():          {"Name", "Pointer"},
	reflect.TypeFor[loadgen.Values]():        {"File", "Digest", "Columns"},
	reflect.TypeFor[loadgen.TimesOf]():       {"Request"},
	reflect.TypeFor[loadgen.Refusal]():       {"Kind"},
	reflect.TypeFor[loadgen.TLS]():           {"CACertificates", "ClientCertificate"},
	reflect.TypeFor[loadgen.Check]():         {"Name"},
	reflect.TypeFor[report.Change]():         {"Object", "Step", "Action", "LiveIn"},
	reflect.TypeFor[report.Window]():         {"Name", "Step"},
	reflect.TypeFor[loadgen.StopError]():     {"Condition"},
	reflect.TypeFor[loadgen.Result]():        {"Engine"},
	reflect.TypeFor[loadgen.Outcome]():       {"Request", "GRPC", "Error", "Checks", "Version"},
	reflect.TypeFor[loadgen.Example]():       {"RequestID", "From"},
	reflect.TypeFor[loadgen.SeriesOf]():      {"GRPC", "Error"},
	reflect.TypeFor[loadgen.Series]():        {"Responses"},
	reflect.TypeFor[report.Quantity]():       {"Function", "Args"},
	reflect.TypeFor[report.Reconciliation](): {"Target"},
	reflect.TypeFor[report.Bite]():           {"Rule", "Path", "Kind", "Service", "Stage"},
	reflect.TypeFor[report.Explained]():      {"Cohort", "Why", "Answer", "Request"},
	reflect.TypeFor[report.Call]():           {"From", "To", "Upstream", "Method", "Flags", "Route"},
	reflect.TypeFor[report.Expectation]():    {"Expression", "Step"},
	reflect.TypeFor[report.Measure]():        {"Of"},
	reflect.TypeFor[report.Bound]():          {"Of", "Operator", "Name"},
	reflect.TypeFor[report.Conclusion]():     {"Step"},
	reflect.TypeFor[report.Amount]():         {"Expression"},
	reflect.TypeFor[report.Earlier]():        {"File", "Run"},
	reflect.TypeFor[report.Comparison]():     {"APIVersion", "Kind", "New"},
	reflect.TypeFor[report.Compared]():       {"Scenario"},
	reflect.TypeFor[report.Side]():           {"Run", "File"},
	reflect.TypeFor[report.Stage]():          {"Step"},
	reflect.TypeFor[report.Difference]():     {"Of", "Window", "Step", "Cohort"},
	reflect.TypeFor[report.Mutation]():       {"APIVersion", "Kind"},
	reflect.TypeFor[report.Mutant]():         {"ID"},
	reflect.TypeFor[report.Want]():           {"Expression", "Step"},
}

var (
	rawMessage = reflect.TypeFor[json.RawMessage]()
	plainText  = reflect.TypeFor[string]()
)

// walk masks the texts of all that stands below a value.
func (v *Values) walk(at reflect.Value) {
	switch at.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !at.IsNil() {
			v.walk(at.Elem())
		}
	case reflect.Struct:
		for i := range at.NumField() {
			if field := at.Type().Field(i); field.IsExported() && !slices.Contains(kept[at.Type()], field.Name) {
				v.walk(at.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		if at.Type() == rawMessage {
			return // of the changes, whose texts are masked as those of manifests
		}
		for i := range at.Len() {
			v.walk(at.Index(i))
		}
	case reflect.Map:
		for _, key := range at.MapKeys() {
			value := at.MapIndex(key)
			if value.Kind() != reflect.String {
				v.walk(value)
			} else if shown := v.Hide(value.String()); shown != value.String() {
				at.SetMapIndex(key, reflect.ValueOf(shown).Convert(value.Type()))
			}
		}
	case reflect.String:
		if at.Type() != plainText {
			return // a verdict, a unit and the like
		}
		if shown := v.Hide(at.String()); at.CanSet() && shown != at.String() {
			at.SetString(shown)
		}
	}
}
