package html

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
	"github.com/meshchaos/meshchaos/test/records"
)

// shown is a number as a page shows it.
type shown struct{ At, Is, Value, Words string }

// numbers holds the numbers of a page against a record.
type numbers struct {
	record *report.Record
	json   any
	text   string // all that may stand in a text
}

func newNumbers(t *testing.T, r *report.Record) *numbers {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	n := &numbers{record: r}
	if err := json.Unmarshal(text, &n.json); err != nil {
		t.Fatal(err)
	}
	n.text = strings.Join([]string{string(text), summary.Verdict(r), summary.Restored(r), summary.Command(r), summary.Who(r), summary.Lasted(r), summary.Moment(r.Started), summary.Moment(r.Ended), "99 %", "99%", fmt.Sprint(len(summary.Trees(r)))}, "\n")
	for _, e := range r.Expectations {
		n.text += "\n" + summary.Confident(r, e)
	}
	for _, term := range summary.Terms() {
		n.text += "\n" + term.Word + "\n" + term.Means
	}
	for i := range r.Windows {
		n.text += fmt.Sprintf("\n%d", i+1)
	}
	return n
}

// check says what is wrong with a number.
func (n *numbers) check(s shown) error {
	target, err := lookup(n.json, s.At)
	if err != nil {
		return err
	}
	exact, err := n.reckon(s.Is, target)
	if err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal([]byte(s.Value), &value); err != nil {
		return err
	}
	if text, is := exact.(string); is {
		if value != text || s.Words != text && (text != "" || s.Words != "–") {
			return fmt.Errorf("it is %q", text)
		}
		return nil
	}
	want, got := exact.(float64), value.(float64)
	if !(math.Abs(want-got) <= 1e-6*math.Max(math.Abs(want), 1e-3)) {
		return fmt.Errorf("it is %g", want)
	}
	return reads(s, want)
}

// reckonOf is what a number of one request of a list comes to.
func (n *numbers) reckonOf(request, is string, load map[string]any) (any, error) {
	own, sent := map[string]any{"elapsed": load["elapsed"]}, 0.0
	var outcomes []any
	for _, o := range load["outcomes"].([]any) {
		if outcome := o.(map[string]any); outcome["request"] == request {
			outcomes = append(outcomes, o)
			sent += outcome["count"].(float64)
		}
	}
	if own["outcomes"], own["sent"] = outcomes, sent; is == "sent" {
		return sent, nil
	}
	return n.reckon(is, own)
}

// reckon is what a number of the record comes to.
func (n *numbers) reckon(is string, target any) (any, error) {
	of := func(key string) float64 { value, _ := target.(map[string]any)[key].(float64); return value }
	kind, name, _ := strings.Cut(is, " ")
	var sum float64
	switch kind {
	case "":
		return target, nil
	case "request":
		request, is, _ := strings.Cut(name, " ")
		return n.reckonOf(request, is, target.(map[string]any))
	case "rate":
		if of("targetQPS") > 0 {
			return (of("sent") - 1) / of("lastBegun"), nil
		}
		return of("sent") / of("elapsed"), nil
	case "ended":
		for _, o := range target.(map[string]any)["outcomes"].([]any) {
			outcome := o.(map[string]any)
			way := "answered"
			for _, key := range []string{"status", "grpc", "error"} {
				if value := outcome[key]; value != nil {
					way = fmt.Sprint(value)
				}
			}
			if way == name {
				sum += outcome["count"].(float64)
			}
		}
		return sum, nil
	case "expectations":
		for _, e := range target.([]any) {
			if e.(map[string]any)["verdict"] == name {
				sum++
			}
		}
		return sum, nil
	case "sent":
		for _, w := range target.([]any) {
			for _, l := range w.(map[string]any)["loads"].(map[string]any) {
				sum += l.(map[string]any)["sent"].(float64)
			}
		}
		return sum, nil
	case "proxies":
		return float64(len(target.([]any))), nil
	case "since":
		then, err := time.Parse(time.RFC3339Nano, target.(string))
		return then.Sub(n.record.Started).Seconds(), err
	}
	return nil, fmt.Errorf("nobody knows how %q is reckoned", is)
}

// lookup follows a JSON pointer.
func lookup(at any, pointer string) (any, error) {
	for key := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		key = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
		switch in := at.(type) {
		case map[string]any:
			if _, there := in[key]; !there && key != "of" {
				return nil, fmt.Errorf("the record has no %s: there is no %s", pointer, key)
			}
			at = in[key]
			if at == nil {
				at = ""
			}
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(in) {
				return nil, fmt.Errorf("the record has no %s: there is no %s", pointer, key)
			}
			at = in[i]
		default:
			return nil, fmt.Errorf("the record has no %s", pointer)
		}
	}
	return at, nil
}

// before is what stands before a number.
var before = regexp.MustCompile(`^(at least |[<>=!]+ |[^ ]+: )`)

// reads holds what is read against what it is: rounded to three figures, or to a
// hundredth of a second, or to the whole milliseconds of an access log.
func reads(s shown, exact float64) error {
	words := before.ReplaceAllString(s.Words, "")
	least := 1e-12
	switch {
	case s.Is == "since":
		least = 0.0051
	case strings.HasSuffix(s.At, "/duration"), strings.HasSuffix(s.At, "/live"):
		least = 0.001
	}
	var read float64
	if took, err := time.ParseDuration(words); err == nil && !strings.HasSuffix(words, "0") {
		read = took.Seconds()
	} else if percent, is := strings.CutSuffix(words, "%"); is {
		if read, err = strconv.ParseFloat(percent, 64); err != nil {
			return err
		}
		if read /= 100; (read == 1) != (exact == 1) || (read == 0) != (exact == 0) {
			return fmt.Errorf("%g is shown as %s", exact, s.Words)
		}
	} else if strings.HasSuffix(s.At, "/status") && words == "-" {
		read = 0
	} else {
		number, _, _ := strings.Cut(words, " ")
		if read, err = strconv.ParseFloat(number, 64); err != nil {
			if s.Words == "–" && exact == 0 {
				return nil
			}
			return err
		}
		if exact == math.Trunc(exact) && s.Is != "since" && read != exact {
			return fmt.Errorf("%g is shown as %s", exact, s.Words)
		}
	}
	if !(math.Abs(read-exact) <= math.Max(0.0051*math.Abs(exact), least)) {
		return fmt.Errorf("%g is shown as %s", exact, s.Words)
	}
	return nil
}

// loose are texts of a page that have a digit, say not where it stands in the record,
// and are not in it.
func (n *numbers) loose(texts []string) (all []string) {
	for _, text := range texts {
		for number := range strings.FieldsFuncSeq(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' }) {
			if number = strings.Trim(number, "."); number != "" && !strings.Contains(n.text, number) {
				all = append(all, text)
			}
		}
	}
	return all
}

// read is what a page shows.
type read struct {
	found  []shown  // numbers that say where they stand
	said   []string // texts of the record or the summary
	own    []string // texts of the page itself
	blocks []block
}

// block is a moment or several lines of the record, and where those stand there.
type block struct{ Kind, At, Exact, Text string }

// axisLabel is a text of a picture that stands at an axis, or is the number of a window.
var axisLabel = regexp.MustCompile(`^[0-9.]+( (µs|ms|s|%))?$`)

// collect reads what a page shows.
func (p *read) collect(node *html.Node) {
	if node.Type == html.ElementNode {
		at, points := attribute(node, "data-at")
		_, text := attribute(node, "data-text")
		_, words := attribute(node, "data-said")
		switch {
		case node.Data == "style":
			return
		case text || words:
			p.said = append(p.said, textOf(node))
			return
		case node.Data == "title", node.Data == "desc", node.Data == "text":
			if label := textOf(node); !axisLabel.MatchString(label) {
				p.said = append(p.said, label)
			}
			return
		case node.Data == "time" || node.Data == "pre":
			exact, _ := attribute(node, "datetime")
			kind, _ := attribute(node, "class")
			p.blocks = append(p.blocks, block{node.Data + kind, at, exact, textOf(node)})
			return
		case points:
			s := shown{At: at, Words: textOf(node)}
			s.Value, _ = attribute(node, "value")
			s.Is, _ = attribute(node, "data-is")
			p.found = append(p.found, s)
			return
		}
	}
	if node.Type == html.TextNode {
		p.own = append(p.own, node.Data)
	}
	for child := range node.ChildNodes() {
		p.collect(child)
	}
}

// checkBlock says what is wrong with a moment, or with several lines.
func (n *numbers) checkBlock(b block) error {
	target, err := lookup(n.json, b.At)
	if err != nil {
		return err
	}
	text, _ := target.(string)
	switch b.Kind {
	case "time":
		exact, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return err
		}
		is, err := time.Parse(time.RFC3339Nano, b.Exact)
		if err != nil || !is.Equal(exact) || b.Text != exact.UTC().Format("2006-01-02 15:04:05 UTC") {
			return fmt.Errorf("it is %s", text)
		}
		return nil
	case "prediff":
		var i int
		if _, err := fmt.Sscanf(b.At, "/changes/%d", &i); err != nil {
			return err
		}
		return n.checkDiff(i, strings.HasSuffix(b.At, "/left"), b.Text)
	}
	if manifest, is := target.(map[string]any); is {
		var shown map[string]any
		if err := json.Unmarshal([]byte(b.Text), &shown); err != nil {
			return err
		}
		for _, key := range []string{"creationTimestamp", "generation", "resourceVersion", "uid"} {
			delete(manifest["metadata"].(map[string]any), key)
		}
		if diff := cmp.Diff(manifest, shown); diff != "" {
			return errors.New(diff)
		}
		return nil
	}
	if b.Text != text {
		return fmt.Errorf("it is\n%s", text)
	}
	return nil
}

// checkDiff says what is wrong with a diff: what it says was there and is there stands in
// the manifests, on the lines that it says. It is of a change, or of what was left.
func (n *numbers) checkDiff(i int, left bool, diff string) error {
	change, before := n.record.Changes[i], n.record.Changes[i].Before
	after := change.After
	for _, c := range n.record.Changes[:i] {
		if c.Object == change.Object {
			before = c.After
		}
	}
	if left {
		after = change.Left
	}
	was, is := strings.Split(summary.YAML(before), "\n"), strings.Split(summary.YAML(after), "\n")
	var from, to int
	var read string
	for line := range strings.Lines(diff) {
		line = strings.TrimSuffix(line, "\n")
		if hunk, begins := strings.CutPrefix(line, "@@ "); begins {
			var old, fresh string
			fmt.Sscanf(hunk, "-%s +%s", &old, &fresh) //nolint:errcheck // what is missing is seen below
			fmt.Sscan(old, &from)                     //nolint:errcheck // likewise
			fmt.Sscan(fresh, &to)                     //nolint:errcheck // likewise
			from, to = max(from-1, 0), max(to-1, 0)
			continue
		}
		if line == "" {
			return errors.New("a line of it is empty")
		}
		if text := line[1:]; line[0] != '+' && (from >= len(was) || was[from] != text) || line[0] != '-' && (to >= len(is) || is[to] != text) {
			return fmt.Errorf("the manifests have no %q there", line)
		}
		if line[0] != '+' {
			from++
		}
		if line[0] != '-' {
			to++
		}
		read += line
	}
	if read == "" && !slices.Equal(was, is) {
		return errors.New("it is empty, and the manifests differ")
	}
	return nil
}

func attribute(node *html.Node, name string) (string, bool) {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func textOf(node *html.Node) string {
	if node.Type == html.TextNode {
		return node.Data
	}
	var text strings.Builder
	for child := range node.ChildNodes() {
		text.WriteString(textOf(child))
	}
	return text.String()
}

// TestEveryNumberIsTheRecords: each says where it stands in the record, and is that.
func TestEveryNumberIsTheRecords(t *testing.T) {
	for _, name := range records.Names(t) {
		r := records.Read(t, name)
		document, err := html.Parse(strings.NewReader(written(t, r)))
		if err != nil {
			t.Fatal(err)
		}
		var p read
		p.collect(document)
		newNumbers(t, r).hold(t, name, p)
		if len(p.found) < 100 {
			t.Errorf("%s: the page has %d numbers that say where they stand", name, len(p.found))
		}
		if len(p.blocks) < len(r.Changes)+4 {
			t.Errorf("%s: the page has %d moments and texts of several lines", name, len(p.blocks))
		}
	}
}

// TestTheLagIsShownWhereItIsKnown: a load at a rate, beside two that have none.
func TestTheLagIsShownWhereItIsKnown(t *testing.T) {
	r := records.Read(t, "delay-jason")
	r.Windows[1].Loads["others"].Lag = lag
	var p read
	page := written(t, r)
	document, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	p.collect(document)
	newNumbers(t, r).hold(t, "delay-jason with a lag", p)
	for _, want := range []string{"/windows/1/loads/others/lag/p99", "/windows/1/loads/others/lag/max", "Lag is how late the load generator itself began"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

// lag is of 121 requests, 1 ms each more than the one before.
var lag = func() *loadgen.Histogram {
	h := &loadgen.Histogram{}
	for i := range 121 {
		h.Record(time.Duration(i) * time.Millisecond)
	}
	return h
}()

// TestWhatWasLeftIsShown: of an object that is not what it was the page has a diff.
func TestWhatWasLeftIsShown(t *testing.T) {
	for left, want := range map[string]string{
		`{"kind":"VirtualService","metadata":{"name":"ratings"},"spec":{"hosts":["<b>"]}}`: "<span class=\"new\">&#43;  - &lt;b&gt;\n",
		"null": "<span class=\"old\">-kind: VirtualService\n",
	} {
		r := records.Read(t, "not-restored")
		last := len(r.Changes) - 1
		r.Changes[last].Left = json.RawMessage(left)
		page := written(t, r)
		document, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		var p read
		p.collect(document)
		newNumbers(t, r).hold(t, left, p)
		_, after, there := strings.Cut(page, fmt.Sprintf(`data-at="/changes/%d/left"`, last))
		diff, _, _ := strings.Cut(after, "</pre>")
		if !there || !strings.Contains(diff, want) {
			t.Errorf("the page shows of %s:%s", left, diff)
		}
	}
	r := records.Read(t, "not-restored")
	r.Changes[len(r.Changes)-1].Left = nil
	if strings.Contains(written(t, r), "before and after the run") {
		t.Error("the page shows what was left where nobody knows that")
	}
}

func TestAManifestWithoutItsSecretIsNotWrittenBackUnawares(t *testing.T) {
	for value, says := range map[string]bool{"***": true, "plain": false} {
		r := records.Read(t, "not-restored")
		for i := range r.Changes {
			r.Changes[i].Before = json.RawMessage(`{"metadata":{"name":"ratings"},"spec":{"set":"` + value + `"}}`)
		}
		if page := written(t, r); strings.Contains(page, "*** stands for a secret") != says {
			t.Errorf("of %s the page says it %t", value, !says)
		}
	}
}

func (n *numbers) hold(t *testing.T, name string, p read) {
	t.Helper()
	for _, b := range p.blocks {
		if err := n.checkBlock(b); err != nil {
			t.Errorf("%s: %s %s, %.200q: %v", name, b.Kind, b.At, b.Text, err)
		}
	}
	for _, s := range p.found {
		if err := n.check(s); err != nil {
			t.Errorf("%s: %+v: %v", name, s, err)
		}
	}
	for _, text := range p.own {
		if strings.ContainsAny(text, "0123456789") && !slices.Contains([]string{"p50", "p90", "p99", "lag p99"}, text) {
			t.Errorf("%s: nobody says where the number comes from in %q", name, text)
		}
	}
	for _, text := range n.loose(p.said) {
		t.Errorf("%s: the record does not have the number in %q", name, text)
	}
}

// TestAWrongNumberIsSeen: what holds the numbers would notice if one were another.
func TestAWrongNumberIsSeen(t *testing.T) {
	n := newNumbers(t, records.Read(t, "delay-jason"))
	for _, s := range []shown{
		{At: "/windows/1/loads/jason/sent", Value: "5", Words: "6"},
		{At: "/windows/1/loads/jason/sent", Value: "6", Words: "6"},
		{At: "/windows/1/loads/jason/response/p50", Value: "6.012927", Words: "6.1s"},
		{At: "/windows/1/loads/jason/response/p50", Value: "6.012927", Words: "6.01ms"},
		{At: "/windows/1/loads/jason", Is: "rate", Value: "0.831", Words: "0.9"},
		{At: "/windows/1/loads/others", Is: "ended 200", Value: "121", Words: "200: 120"},
		{At: "/expectations/0/observed", Value: `"6.01s"`, Words: "6s"},
		{At: "/windows/1/loads/nobody/sent", Value: "5", Words: "5"},
		{At: "/expectations/2/values/0/part/low", Value: "0.3465724215775733", Words: "35%"},
	} {
		if n.check(s) == nil {
			t.Errorf("nobody notices %+v", s)
		}
	}
	for _, b := range []block{
		{"time", "/started", "2026-11-23T02:02:38Z", "2026-11-23 02:02:38 UTC"},
		{"time", "/started", n.record.Started.Format(time.RFC3339Nano), summary.Moment(n.record.Started.Add(time.Second))},
		{"pre", "/scenario/text", "", n.record.Scenario.Text + "1"},
		{"prediff", "/changes/0", "", ""},
		{"prediff", "/changes/0", "", "@@ -0,0 +1,1 @@\n+apiVersion: networking.istio.io/v2\n"},
		{"prediff", "/changes/0", "", "@@ -0,0 +2,1 @@\n+apiVersion: networking.istio.io/v1\n"},
	} {
		if n.checkBlock(b) == nil {
			t.Errorf("nobody notices %+v", b)
		}
	}
	if len(n.loose([]string{"all 9876 expectations held"})) == 0 {
		t.Error("nobody notices a number that the record does not have")
	}
}
