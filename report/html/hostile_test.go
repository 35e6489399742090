package html

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
	"github.com/meshchaos/meshchaos/test/records"
)

// evil is what a service could answer, and a file say.
const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>` + "\x1b[2J\x1b]0;title\a\xff\xfe\u202e&amp;{{.}}</style></pre></svg>-->`"

// poison puts a text in the place of every text of a value.
func poison(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		if !v.IsNil() && v.Type() != reflect.TypeFor[*loadgen.Histogram]() {
			poison(v.Elem(), text)
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			manifest, err := json.Marshal(map[string]any{"kind": text, text: text, "metadata": map[string]any{"name": text}})
			if err != nil {
				panic(err)
			}
			v.SetBytes(manifest)
			return
		}
		for i := range v.Len() {
			poison(v.Index(i), text)
		}
	case reflect.Map:
		for i, key := range v.MapKeys() {
			value := reflect.New(v.Type().Elem()).Elem()
			value.Set(v.MapIndex(key))
			poison(value, text)
			v.SetMapIndex(key, reflect.Value{})
			v.SetMapIndex(reflect.ValueOf(fmt.Sprint(text, i)), value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type() != reflect.TypeFor[time.Time]() {
				poison(v.Field(i), text)
			}
		}
	}
}

func poisoned(t *testing.T, name, text string) *report.Record {
	r := records.Read(t, name)
	windows := r.Windows
	poison(reflect.ValueOf(r).Elem(), text)
	for i, w := range []string{report.Baseline, report.During} { // so that it is drawn as others are
		windows[i].Name = w
	}
	return r
}

// elements are what a page may have, and what of it may lead elsewhere.
func elements(t *testing.T, page string) map[string]int {
	t.Helper()
	document, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for node := range document.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		count[node.Data]++
		for _, a := range node.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "srcset" || a.Key == "action" ||
				a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("<%s> has %s=%q", node.Data, a.Key, a.Val)
			}
		}
	}
	return count
}

func TestNoTextActs(t *testing.T) {
	for _, name := range records.Names(t) {
		page := written(t, poisoned(t, name, evil))
		for element, n := range elements(t, page) {
			switch element {
			case "script", "img", "iframe", "object", "embed", "link", "base", "form", "audio", "video", "image", "use", "foreignobject":
				t.Errorf("%s: there are %d <%s>", name, n, element)
			}
		}
		if count := elements(t, page); count["style"] != 1 || count["title"] == 0 || count["meta"] != 4 {
			t.Errorf("%s: %v", name, count)
		}
		if strings.ContainsAny(page, "\x1b\a\u202e") || !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;") || !strings.Contains(page, "\uFFFD") {
			t.Errorf("%s: a text is not as it is to be shown", name)
		}
	}
}

// TestAPageOfAForeignRecordIsWritten: what is odd in a record is no reason to fail.
func TestAPageOfAForeignRecordIsWritten(t *testing.T) {
	text := "a"
	for name, r := range map[string]*report.Record{
		"empty":      {},
		"no windows": {Verdict: report.Pass, Changes: []report.Change{{Object: "a", After: json.RawMessage(`1`)}, {Object: "a"}}},
		"odd series": {Windows: []report.Window{{Name: report.Baseline}, {Name: report.During, Started: time.Unix(1e9, 0), Ended: time.Unix(1, 0), Loads: map[string]*loadgen.Result{text: {
			TargetQPS: 1e300,
			Series:    &loadgen.Series{Begun: []int64{1, -1}, Ended: []loadgen.SeriesOf{{Status: 503, Count: []int64{1, 2, 3, 4}}, {Error: text}}, P50: []*float64{new(-1.0), new(1e300), nil}},
		}, "b": nil}}}},
	} {
		if page := written(t, r); !strings.HasSuffix(page, "</html>\n") {
			t.Errorf("%s: the page is cut off", name)
		}
	}
}

// TestNoPageIsHuge: what is too much is left out, the page says what, and that the
// verdict and the first expectation are there all the same.
func TestNoPageIsHuge(t *testing.T) {
	for name, steps := range map[string]int{"a dozen steps": 12, "thirty steps": 30} {
		r := records.Read(t, "delay-jason")
		during := *r.Window(report.During, "")
		for i := range steps {
			w := during
			w.Step = fmt.Sprint("step-", i)
			w.Loads = map[string]*loadgen.Result{}
			for j := range steps {
				long := *during.Loads["others"]
				long.Series = &loadgen.Series{Width: long.Series.Width}
				for k := range 300 {
					long.Series.Begun = append(long.Series.Begun, int64(k%17))
					long.Series.P50 = append(long.Series.P50, new(float64(1+k%13)/100))
					long.Series.P99 = append(long.Series.P99, new(float64(1+k%11)/10))
				}
				w.Loads[fmt.Sprint("cohort-", j)] = &long
			}
			r.Windows = append(r.Windows, w)
		}
		for range 30 * steps {
			r.Expectations = append(r.Expectations, r.Expectations[0])
		}
		page := written(t, r)
		if len(page) > most {
			t.Errorf("%s: the page has %d bytes", name, len(page))
		}
		for _, want := range []string{"What is left out, for this page would be too large", "the text of the scenario", "jason.min &gt;= 5.9s", fmt.Sprintf("%d held", len(r.Expectations))} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not have %q", name, want)
			}
		}
	}
	if page := written(t, poisoned(t, "failing", strings.Repeat("&", 5_000))); len(page) > most {
		t.Errorf("of texts that are long in a page it has %d bytes", len(page))
	}
	r := records.Read(t, "failing")
	body := strings.Repeat("5 MB of a body ", 5<<20/15)
	r.Expectations[0].Observed, r.Expectations[0].Reason, r.Problems, r.Windows[1].Calls[0].Call.Path = body, body, []string{body}, "/"+body
	if page := written(t, r); len(page) > 200_000 || !strings.Contains(page, "(the beginning of 52") {
		t.Errorf("of huge texts it has %d bytes", len(page))
	}
}

// ended are the scenarios of all records, and one that has none.
func ended(t *testing.T, folder func(name string) string) []summary.Ended {
	all := []summary.Ended{{Name: "shop", Word: "refused", Why: "there is no mesh"}}
	for _, name := range records.Names(t) {
		r := records.Read(t, name)
		all = append(all, summary.Ended{Name: name, Record: r, Took: r.Ended.Sub(r.Started), Folder: folder(name)})
	}
	return all
}

func TestTheIndexLeadsToEachRun(t *testing.T) {
	runs := ended(t, func(name string) string { return name })
	var out strings.Builder
	if err := Index(&out, runs); err != nil {
		t.Fatal(err)
	}
	for _, run := range runs[1:] {
		if !strings.Contains(out.String(), `<a href="`+run.Folder+`/report.html">`+run.Name+`</a>`) {
			t.Errorf("it does not lead to %s:\n%s", run.Folder, &out)
		}
	}
	golden(t, "index", normal(out.String()))

	out.Reset()
	if err := Index(&out, []summary.Ended{
		{Name: evil, Record: poisoned(t, "failing", evil), Folder: "javascript:alert(1)"}, {Name: evil, Why: evil, Word: evil},
	}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), `"javascript:`) || strings.Contains(out.String(), "<script") || strings.Contains(out.String(), "<img") || strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Errorf("a text acts:\n%s", &out)
	}
}

// What is no pass stays on a page that cannot have all.
func TestWhatFailedIsTheLastToBeLeftOut(t *testing.T) {
	r := records.Read(t, "failing")
	failed := r.Expectations[0]
	failed.Expression = "the.last.failed"
	good := r.Expectations[3]
	good.Verdict = report.Pass
	for range 2000 {
		r.Expectations = append(r.Expectations, good)
	}
	r.Expectations = append(r.Expectations, failed)
	page := written(t, r)
	if len(page) > most || !strings.Contains(page, "the.last.failed") || !strings.Contains(page, "rows of tables and lists") {
		t.Errorf("the page has %d bytes, and of what failed: %v", len(page), strings.Contains(page, "the.last.failed"))
	}
}
