package markdown

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	renderer "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
	"github.com/meshchaos/meshchaos/test/records"
)

var update = flag.Bool("update", false, "write the golden files")

func TestTheFaceIsAsShown(t *testing.T) {
	var all []summary.Ended
	for _, name := range records.Names(t) {
		r := records.Read(t, name)
		all = append(all, summary.Ended{Name: r.Scenario.Name, Record: r, Took: r.Ended.Sub(r.Started)})
		hold(t, name, written(t, r))
	}
	all = append(all, summary.Ended{Name: "wrong", Word: "refused", Why: `the namespace default has no service "httpbn"`, Took: time.Second})
	var out bytes.Buffer
	if err := Index(&out, all); err != nil {
		t.Fatal(err)
	}
	hold(t, "index", out.String())
}

func hold(t *testing.T, name, got string) {
	t.Helper()
	golden := "testdata/" + name + ".md"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

func written(t *testing.T, r *report.Record) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTheVerdictComesFirst(t *testing.T) {
	for _, name := range records.Names(t) {
		r := records.Read(t, name)
		first, _, _ := strings.Cut(written(t, r), "\n")
		if !strings.HasPrefix(first, "## "+summary.Word(r.Verdict)) || strings.Contains(first, "NOT RESTORED") == r.Restored {
			t.Errorf("%s begins with %s", name, first)
		}
	}
}

func TestNothingKeepsAFailFromBeingConclusive(t *testing.T) {
	r := records.Read(t, "failing")
	r.Problems = []string{"46 of 150 requests ended in status 503, and no expectation speaks of that"}
	if page := written(t, r); !strings.Contains(page, "### What else was found wrong\n\n- 46 of 150") {
		t.Errorf("of a fail it says\n%.1000s", page)
	}
	r.Verdict = report.Inconclusive
	if page := written(t, r); !strings.Contains(page, "### What stands in the way of a verdict\n\n- 46 of 150") {
		t.Errorf("of an inconclusive run it says\n%.1000s", page)
	}
}

// limit is what a comment may have.
const limit = 65536

func TestWhatWasLeftIsShown(t *testing.T) {
	r := records.Read(t, "not-restored")
	last := &r.Changes[len(r.Changes)-1]
	last.Left = nil
	if page := written(t, r); strings.Contains(page, "+++ after") {
		t.Error("it shows what was left where nobody knows that")
	}
	last.Left = []byte(`{"kind":"VirtualService","spec":{"hosts":["films"]}}`)
	page := written(t, r)
	_, after, there := strings.Cut(page, "VirtualService/shop/ratings`, before and after the run:\n")
	if !there || !strings.Contains(after, "--- before\n+++ after\n") || !strings.Contains(after, "\n+  - films\n") {
		t.Errorf("it is\n%s", page)
	}
}

// Whatever the run was, there is no more than a comment takes, and it says what was cut.
func TestItIsNeverLongerThanACommentMayBe(t *testing.T) {
	r := records.Read(t, "not-restored")
	for i := range 200 {
		e := r.Expectations[i%len(r.Expectations)]
		e.Verdict, e.Reason = report.Fail, strings.Repeat("`|<*", 2000)
		r.Expectations = append(r.Expectations, e)
		r.Problems = append(r.Problems, fmt.Sprintf("problem %d: %s", i, strings.Repeat("@", 5000)))
		r.Warnings = append(r.Warnings, fmt.Sprint(i, strings.Repeat("#", 5000)))
		r.Changes = append(r.Changes, report.Change{Object: fmt.Sprintf("VirtualService/shop/of-%d", i), After: []byte(`{"a": "` + strings.Repeat("`", 3000) + `"}`)})
		w := &r.Windows[i%len(r.Windows)]
		w.Loads[fmt.Sprint("cohort", i)] = &loadgen.Result{Sent: 5}
		w.Bites = append(w.Bites, report.Bite{Rule: strings.Repeat("|", 1000), Path: strings.Repeat("`", 1000), Absent: strings.Repeat("<", 1000)})
		w.Reconciled = append(w.Reconciled, report.Reconciliation{Target: strings.Repeat("*", 1000), Source: strings.Repeat("_", 1000)})
	}
	for i := range 10_000 {
		l := r.Windows[0].Loads["cohort0"]
		l.Outcomes = append(l.Outcomes, loadgen.Outcome{Error: fmt.Sprint(i, strings.Repeat("~", 500)), Count: 1})
	}
	r.Scenario.Name, r.Scenario.Summary = strings.Repeat("<", 1<<16), strings.Repeat("_", 1<<16)
	r.Run, r.Mesh.Namespace, r.Mesh.Version, r.Scenario.Digest, r.Tool.Commit, r.Tool.Version = r.Scenario.Name, r.Scenario.Name, r.Scenario.Name, r.Scenario.Name, r.Scenario.Name, r.Scenario.Name
	r.Scenario.Set = []string{r.Scenario.Name}
	page := written(t, r)
	if len(page) > limit || !strings.Contains(page, "**Cut, since") || !strings.Contains(page, "expectations") {
		t.Errorf("it has %d bytes:\n%s", len(page), page[:2000])
	}
	var all []summary.Ended
	for i := range 900 {
		all = append(all, summary.Ended{Name: fmt.Sprint(i, strings.Repeat("*", 1000)), Word: "refused", Why: strings.Repeat("<", 10000)})
		if i%300 == 0 {
			all[i].Record = r
		}
	}
	var out bytes.Buffer
	if err := Index(&out, all); err != nil || out.Len() > limit || !strings.Contains(out.String(), "**Cut, since") {
		t.Errorf("the index has %d bytes, %v", out.Len(), err)
	}
	var compared report.Comparison
	for i := range 2000 {
		value := report.Difference{Of: strings.Repeat("x", 100), Became: report.Changed}
		compared.Scenarios = append(compared.Scenarios, report.Compared{Scenario: fmt.Sprint(i), Values: []report.Difference{value}})
	}
	out.Reset()
	if err := Compared(&out, &compared); err != nil || out.Len() > limit || !strings.Contains(out.String(), "**Cut, since") {
		t.Errorf("the comparison has %d bytes, %v", out.Len(), err)
	}
	for _, page := range []string{page, out.String()} {
		if begun, ended := strings.Count(page, "<details>"), strings.Count(page, "</details>"); begun != ended {
			t.Errorf("it folds %d times, and ends that %d times", begun, ended)
		}
	}
}

// What proves a verdict stands beside it, and that something is not proved is said.
func TestTheProofsStandInIt(t *testing.T) {
	r := records.Read(t, "breaker-httpbin")
	page := written(t, r)
	for _, want := range []string{
		"| `DestinationRule/default/httpbin` `spec.subsets[0].trafficPolicy.connectionPool` | overflow of httpbin | step two-connections | 10 of at most 19 |",
		"| baseline | httpbin:8000 | 7 | 7 | yes |",
		"| `VirtualService/default/httpbin` | gone again | ",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("it lacks %s:\n%s", want, page)
		}
	}
	for i := range r.Windows {
		w := &r.Windows[i]
		for j := range w.Reconciled {
			w.Reconciled[j].Client++
		}
		w.Bites = nil
	}
	page = written(t, r)
	if !strings.Contains(page, "| baseline | httpbin:8000 | 8 | 7 | **no** |") || !strings.Contains(page, summary.NoBites) {
		t.Errorf("of counts that differ, and rules that never bit, it says:\n%s", page)
	}
}

// hostile is what a service or a file may hold, for whoever shows Markdown.
var hostile = []string{
	"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "![a](http://x/y.png)", "http://example.com/a", "www.example.com", "WWW.example.com",
	"a | b | c", "`code` ``` ~~~", "**bold** _it_ ~~struck~~", "# head", "- item", "1. item", "1) item", "> quote", "+ item", "=== \n---", "---", "&lt;b&gt; &amp;", "\\`", "$$x$$",
	"@somebody and #12", "</code></details><b>x", "\x1b[31mred\x07", "\xff\xfe", "a\u202eb", "<!-- comment", "a\n\n# head\n\n- b", "<a@example.com> a@example.com", "```\n</details>", "[x]: http://y", "*", "|", "`",
}

// A closing fence may be indented by three blanks, as a line of a diff is by one.
func TestNoLineEndsABlockOfCode(t *testing.T) {
	for _, lines := range []string{"```\n<b>x</b>", " ```\n<b>x</b>", "````\n<b>x</b>", "a\n```\n<b>x</b>\n`````\n<b>y</b>"} {
		var shown bytes.Buffer
		if err := goldmark.New(goldmark.WithRendererOptions(renderer.WithUnsafe())).Convert([]byte(block("", lines)), &shown); err != nil {
			t.Fatal(err)
		}
		if want := "<pre><code>" + strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(lines) + "\n</code></pre>\n"; shown.String() != want {
			t.Errorf("%q is shown as %s", lines, &shown)
		}
	}
}

// As it is shown nothing acts, and each text reads as it is.
func TestNothingThatAServiceSaysActs(t *testing.T) {
	for _, evil := range hostile {
		r := records.Read(t, "failing")
		r.Scenario.Name, r.Scenario.Summary, r.Run, r.Mesh.Version, r.Tool.Version = evil, evil, evil, evil, evil
		r.Problems, r.Warnings = []string{evil, evil + "; " + evil}, []string{evil}
		for i := range r.Expectations {
			e := &r.Expectations[i]
			e.Expression, e.Observed, e.Limit, e.Reason, e.Source, e.Step, e.KnownBug = evil, evil, evil, evil, evil, evil, evil
		}
		for i := range r.Changes {
			r.Changes[i].Object, r.Changes[i].Proof, r.Changes[i].Restored = evil, evil+"; x ("+evil+"; "+evil+")", false
		}
		for i := range r.Windows {
			for j := range r.Windows[i].Bites {
				b := &r.Windows[i].Bites[j]
				b.Rule, b.Path, b.Kind, b.Service, b.Source = evil, evil, evil, evil, evil
			}
			for j := range r.Windows[i].Reconciled {
				c := &r.Windows[i].Reconciled[j]
				c.Target, c.Source = evil, evil
			}
			r.Windows[i].Step = evil
			r.Windows[i].Loads = map[string]*loadgen.Result{evil: {Sent: 3, Outcomes: []loadgen.Outcome{{Error: evil, Count: 3}}}}
			for j := range r.Windows[i].Calls {
				call := &r.Windows[i].Calls[j]
				call.Cohort, call.Why, call.Note = evil, evil, evil
				if call.Call != nil {
					call.Call.To, call.Call.Upstream, call.Call.Flags = evil, evil, []string{evil}
				}
			}
		}
		show(t, evil, written(t, r))
		var out bytes.Buffer
		if err := Index(&out, []summary.Ended{{Name: evil, Record: r}, {Name: evil, Word: "refused", Why: evil}}); err != nil {
			t.Fatal(err)
		}
		show(t, evil, out.String())
	}
}

// own are the elements that a report has by itself.
var own = map[string]bool{
	"html": true, "head": true, "body": true, "h2": true, "h3": true, "p": true, "ul": true, "li": true, "strong": true, "code": true, "pre": true,
	"table": true, "thead": true, "tbody": true, "tr": true, "th": true, "td": true, "details": true, "summary": true,
}

// show renders a page as a forge does, HTML within it too, and looks at every element.
func show(t *testing.T, evil, page string) {
	t.Helper()
	if strings.ContainsAny(page, "\x1b\x07\u202e") {
		t.Errorf("%q: a control character is in the page", evil)
	}
	var shown bytes.Buffer
	forge := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(renderer.WithUnsafe()))
	if err := forge.Convert([]byte(page), &shown); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(&shown)
	if err != nil {
		t.Fatal(err)
	}
	columns := 0
	for node := range root.Descendants() {
		switch {
		case node.Type == html.TextNode && within(node, "code") == nil:
			if strings.Contains(node.Data, "@s") || strings.Contains(node.Data, "#1") {
				t.Errorf("%q: somebody is told of it: %q", evil, node.Data)
			}
		case node.Type != html.ElementNode:
		case !own[node.Data]:
			t.Errorf("%q: there is a <%s> %v", evil, node.Data, node.Attr)
		case node.Data == "tr":
			cells := 0
			for cell := range node.ChildNodes() {
				if cell.Type == html.ElementNode {
					cells++
				}
			}
			if node.Parent.Data == "thead" {
				columns = cells
			} else if cells != columns {
				t.Errorf("%q: a row has %d cells of %d", evil, cells, columns)
			}
		}
	}
}

func within(node *html.Node, name string) *html.Node {
	for ; node != nil; node = node.Parent {
		if node.Data == name {
			return node
		}
	}
	return nil
}

// A text reads as it is, once shown.
func TestATextReadsAsItIs(t *testing.T) {
	for _, evil := range hostile {
		clean := summary.Text(evil)
		for _, page := range []string{text(clean), "x " + text(clean), row(text(clean)), code(clean)} {
			if strings.HasPrefix(page, "|") {
				page = header("a") + page
			}
			var shown bytes.Buffer
			forge := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(renderer.WithUnsafe()))
			if err := forge.Convert([]byte(page), &shown); err != nil {
				t.Fatal(err)
			}
			root, err := html.Parse(&shown)
			if err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			for node := range root.Descendants() {
				if node.Type == html.TextNode {
					said.WriteString(node.Data)
				}
			}
			if !strings.Contains(strings.Join(strings.Fields(said.String()), " "), strings.Join(strings.Fields(clean), " ")) {
				t.Errorf("%q is written %q, and reads %q", clean, page, said.String())
			}
		}
	}
}

// TestItIsInTheOrderOfThePage holds the order in which a run is doubted, and that a pass
// shows what explains it as well.
func TestItIsInTheOrderOfThePage(t *testing.T) {
	order := []string{
		"## ", "### What was asked, and what was observed\n", "### The calls that explain it\n", "### The loads in numbers\n", "### The objects before, during and after\n",
		"### That each rule bit, and that it is gone\n", "### What clients and proxies counted\n", "### About this run\n",
	}
	for _, name := range records.Names(t) {
		rest := written(t, records.Read(t, name))
		for _, heading := range order {
			_, behind, there := strings.Cut(rest, heading)
			if !there {
				t.Fatalf("%s has no %q behind what comes before it:\n%s", name, heading, rest)
			}
			rest = behind
		}
	}
	const call = "\njason under the rule, the slowest request:\n\n```\nproductpage  "
	if page := written(t, records.Read(t, "delay-jason")); !strings.Contains(page, call) {
		t.Errorf("a pass lacks the calls that explain it:\n%s", page)
	}
}
