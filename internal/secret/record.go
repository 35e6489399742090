package secret

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// Record masks every secret in a record: what the load was asked to send, what stands in
// objects, and whatever quotes either. The text of the scenario is masked already.
func (v *Values) Record(r *report.Record) {
	all := v.Clone()
	for range 2 { // an annotation may hold what another place has shown to be a secret
		for i := range r.Changes {
			for _, manifest := range []*json.RawMessage{&r.Changes[i].Before, &r.Changes[i].After} {
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
	if p.TCP != nil {
		tcp := *p.TCP
		tcp.Lines = slices.Clone(tcp.Lines)
		for i, line := range tcp.Lines {
			tcp.Lines[i] = v.field("", line)
		}
		p.TCP = &tcp
	}
	if p.HTTP == nil {
		return p
	}
	http := *p.HTTP
	http.URL, http.Body = v.field("", http.URL), v.field("", http.Body)
	http.Header = v.fields(http.Header)
	if http.Login != nil {
		login := *http.Login
		login.URL, login.Form = v.field("", login.URL), v.fields(login.Form)
		http.Login = &login
	}
	p.HTTP = &http
	return p
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

var rawMessage = reflect.TypeFor[json.RawMessage]()

// walk masks the texts of all that stands below a value.
func (v *Values) walk(at reflect.Value) {
	switch at.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !at.IsNil() {
			v.walk(at.Elem())
		}
	case reflect.Struct:
		for i := range at.NumField() {
			if at.Type().Field(i).IsExported() {
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
		if shown := v.Hide(at.String()); at.CanSet() && shown != at.String() {
			at.SetString(shown)
		}
	}
}
