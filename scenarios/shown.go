package scenarios

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/secret"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

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
