package junit

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/test/records"
)

var update = flag.Bool("update", false, "write the golden files")

func TestTheFaceIsAsShown(t *testing.T) {
	for _, name := range records.Names(t) {
		var out bytes.Buffer
		if err := Write(&out, records.Read(t, name)); err != nil {
			t.Fatal(err)
		}
		golden := "testdata/" + name + ".xml"
		if *update {
			if err := os.WriteFile(golden, out.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), out.String()); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", name, diff)
		}
	}
}

// A run is green if, and only if, it is a pass that has left nothing.
func TestNoRunIsGreenThatIsNoPass(t *testing.T) {
	for _, name := range records.Names(t) {
		r := records.Read(t, name)
		if green := r.Verdict == report.Pass && r.Restored; Of(r).Passed() != green {
			t.Errorf("%s: the verdict is %s, restored %v, and the suite passed: %v", name, r.Verdict, r.Restored, Of(r).Passed())
		}
	}
	passed := func() *report.Record { return records.Read(t, "breaker-httpbin") }
	for what, change := range map[string]func(*report.Record){
		"a verdict that nothing in it explains": func(r *report.Record) { r.Verdict = report.Inconclusive },
		"no proof that it is restored":          func(r *report.Record) { r.Restored = false },
		"a problem":                             func(r *report.Record) { r.Problems = []string{"the mesh went away"} },
		"a doubt":                               func(r *report.Record) { r.Doubts = []report.Doubt{{Point: 3, Problem: "it never bit"}} },
		"an expectation that is inconclusive":   func(r *report.Record) { r.Expectations[0].Verdict = report.Inconclusive },
		"an expectation that failed":            func(r *report.Record) { r.Expectations[0].Verdict = report.Fail },
		"a verdict that is none":                func(r *report.Record) { r.Verdict = "" },
	} {
		r := passed()
		if change(r); Of(r).Passed() {
			t.Errorf("with %s the suite passed", what)
		}
	}
	for _, s := range []Suite{Unfinished("a", time.Now()), NotRun("a", "the file is wrong", time.Now(), 0)} {
		if s.Passed() {
			t.Errorf("without a record the suite passed: %+v", s)
		}
	}
}

func TestAFailureIsNoErrorAndAnInconclusiveOneIs(t *testing.T) {
	r := records.Read(t, "breaker-httpbin")
	r.Expectations[0].Verdict, r.Expectations[1].Verdict = report.Fail, report.Inconclusive
	if s := Of(r); s.Cases[0].Failure == nil || s.Cases[0].Error != nil || s.Cases[1].Error == nil || s.Cases[1].Failure != nil {
		t.Errorf("the cases are %+v", s.Cases[:2])
	}
}

// Text of services may be anything, and a file must be XML all the same.
func TestWhatXMLForbidsIsReplaced(t *testing.T) {
	evil := "]]><script>alert(1)</script>\x00\x01\x1b[31m\x7f\xff\xfe\u0085&\"' \ufffe\u009b31m\u202e" + strings.Repeat("x", 5<<20)
	r := records.Read(t, "failing")
	r.Scenario.Name, r.Run, r.Mesh.Namespace = evil, evil, evil
	r.Problems, r.Warnings, r.Doubts = []string{evil, evil}, []string{evil}, []report.Doubt{{Point: 1, Problem: evil}}
	r.ComparedWith = &report.Earlier{Run: evil, Comparison: &report.Comparison{Scenarios: []report.Compared{{Scenario: evil, Unlike: []string{evil}, Values: []report.Difference{{Of: evil, Became: report.Regressed}}}}}}
	for i := range r.Expectations {
		e := &r.Expectations[i]
		e.Expression, e.Observed, e.Limit, e.Reason, e.Source, e.Verdict = evil, evil, evil, evil, evil, report.Fail
	}
	var out bytes.Buffer
	if err := Write(&out, r); err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsAny(out.Bytes(), "\x00\x01\x1b\x7f\u0085\u009b\u202e") || bytes.Contains(out.Bytes(), []byte("<script")) {
		t.Error("what XML forbids, an order to a terminal, or a tag of a service is in the file")
	}
	if out.Len() > 4<<20 {
		t.Errorf("it has %d bytes", out.Len())
	}
	hold(t, out.Bytes())
}

func TestEveryFileKeepsToTheSchemas(t *testing.T) {
	for _, name := range records.Names(t) {
		var out bytes.Buffer
		if err := Write(&out, records.Read(t, name)); err != nil {
			t.Fatal(err)
		}
		hold(t, out.Bytes())
	}
	var out bytes.Buffer
	if err := WriteAll(&out, several(t)); err != nil {
		t.Fatal(err)
	}
	hold(t, out.Bytes())
}

func several(t *testing.T) []Suite {
	t.Helper()
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	return []Suite{Of(records.Read(t, "failing")), Of(compared(t)), Unfinished("later", now), NotRun("wrong", "bad.yaml:1:1: no such field\nno kind", now, time.Second)}
}

// compared is a run that has regressed since an earlier one.
func compared(t *testing.T) *report.Record {
	t.Helper()
	now, before := records.Read(t, "not-restored"), records.Read(t, "delay-jason-istio")
	now.ComparedWith = report.EarlierOf(before, "monday/report.json")
	compare.Enter(now, nil)
	return now
}

// What has regressed since an earlier run stands in the suite, whatever the verdict, and
// makes none of its cases red.
func TestWhatRegressedIsInTheSuite(t *testing.T) {
	r := compared(t)
	s := Of(r)
	for _, want := range []Property{{"comparedWith", r.ComparedWith.Run}, {"regressed", "true"}} {
		if !slices.Contains(s.Properties, want) {
			t.Errorf("the suite has the properties %v, and not %v", s.Properties, want)
		}
	}
	regressed := 0
	for _, v := range r.ComparedWith.Comparison.Scenarios[0].Values {
		if v.Became == report.Regressed {
			if regressed++; !strings.Contains(s.Out, compare.Name(v)+"\n") || !strings.Contains(s.Out, compare.Words(v)) {
				t.Errorf("it lacks %s, %s:\n%s", compare.Name(v), compare.Words(v), s.Out)
			}
		}
	}
	r.ComparedWith.Comparison.Regressed = false
	if again := Of(r); regressed == 0 || !slices.Contains(again.Properties, Property{"regressed", "false"}) {
		t.Errorf("%d values have regressed, and of none the suite has the properties %v", regressed, again.Properties)
	}
	r.ComparedWith = nil
	alone := Of(r)
	if alone.Out != "" || len(alone.Properties) != len(s.Properties)-2 || !slices.EqualFunc(alone.Cases, s.Cases, func(a, b Case) bool {
		return a.Name == b.Name && (a.Error == nil) == (b.Error == nil) && (a.Failure == nil) == (b.Failure == nil)
	}) {
		t.Errorf("without an earlier run the suite is %+v", alone)
	}
}

// element is any element of XML.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

// kind is what the schemas of Ant's task and of Jenkins both allow of an element: its
// attributes, all of which it must have, with what they look like, and its children.
type kind struct {
	attrs    map[string]string
	children string // an expression of their names, each followed by a blank
	text     bool
}

var kinds = map[string]kind{
	"testsuites": {children: `(testsuite )*`},
	"testsuite": {attrs: map[string]string{
		"name": `.+`, "package": `.*`, "id": `\d+`, "timestamp": `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`, "hostname": `.+`,
		"tests": `\d+`, "failures": `\d+`, "errors": `\d+`, "time": `\d+\.\d+`,
	}, children: `properties (testcase )*system-out system-err `},
	"properties": {children: `(property )+`},
	"property":   {attrs: map[string]string{"name": `.+`, "value": `.*`}},
	"testcase":   {attrs: map[string]string{"name": `.*`, "classname": `.*`, "time": `\d+\.\d+`}, children: `(error |failure )?`},
	"error":      {attrs: map[string]string{"message": `.*`, "type": `.+`}, text: true},
	"failure":    {attrs: map[string]string{"message": `.*`, "type": `.+`}, text: true},
	"system-out": {text: true},
	"system-err": {text: true},
}

// hold holds a file against the schemas, and its counts against its cases.
func hold(t *testing.T, file []byte) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(file))
	var root element
	if err := decoder.Decode(&root); err != nil {
		t.Fatalf("it is no XML: %v", err)
	}
	if _, err := decoder.Token(); err != nil && !errors.Is(err, io.EOF) {
		t.Errorf("behind it: %v", err)
	}
	if root.XMLName.Local != "testsuites" {
		t.Errorf("it is of %s", root.XMLName.Local)
	}
	root.hold(t)
	for i, suite := range root.Children {
		counts := map[string]int{}
		for _, c := range suite.Children {
			if c.XMLName.Local == "testcase" {
				counts["tests"]++
				for _, trouble := range c.Children {
					counts[trouble.XMLName.Local+"s"]++
				}
			}
		}
		for _, name := range []string{"tests", "failures", "errors"} {
			if says := suite.attr(name); says != strconv.Itoa(counts[name]) {
				t.Errorf("suite %d says %s %s, and has %d", i, says, name, counts[name])
			}
		}
		if suite.attr("id") != strconv.Itoa(i) {
			t.Errorf("suite %d says it is %s", i, suite.attr("id"))
		}
	}
}

func (e element) attr(name string) string {
	i := slices.IndexFunc(e.Attrs, func(a xml.Attr) bool { return a.Name.Local == name })
	if i < 0 {
		return ""
	}
	return e.Attrs[i].Value
}

func (e element) hold(t *testing.T) {
	t.Helper()
	name := e.XMLName.Local
	allowed, known := kinds[name]
	if !known {
		t.Errorf("there is no <%s>", name)
		return
	}
	if len(e.Attrs) != len(allowed.attrs) {
		t.Errorf("<%s> has the attributes %v", name, e.Attrs)
	}
	for _, a := range e.Attrs {
		if like, known := allowed.attrs[a.Name.Local]; !known || !regexp.MustCompile(`(?s)^(`+like+`)$`).MatchString(a.Value) {
			t.Errorf("<%s> has %s=%.60q", name, a.Name.Local, a.Value)
		}
	}
	if !allowed.text && strings.TrimSpace(e.Text) != "" {
		t.Errorf("<%s> has the text %.60q", name, e.Text)
	}
	var children strings.Builder
	for _, child := range e.Children {
		children.WriteString(child.XMLName.Local + " ")
		child.hold(t)
	}
	if !regexp.MustCompile(`^(` + allowed.children + `)$`).MatchString(children.String()) {
		t.Errorf("<%s> has %.200s", name, children.String())
	}
}

// TestAnObjectThatIsLeftStandsInTheSuiteOnce: however often it was written.
func TestAnObjectThatIsLeftStandsInTheSuiteOnce(t *testing.T) {
	r := records.Read(t, "not-restored")
	last := r.Changes[len(r.Changes)-1]
	last.Step = "again"
	r.Changes = append(r.Changes, last)
	for _, c := range Of(r).Cases {
		if c.Name == caseRestored && (c.Error == nil || strings.Count(c.Error.Text, "VirtualService/shop/ratings: undoing") != 1) {
			t.Errorf("it says %+v", c.Error)
		}
	}
}
