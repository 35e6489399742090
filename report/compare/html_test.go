package compare_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
)

// A page of texts that would act, of whatever a service or a file says: it has the elements
// of one with plain texts and no other, and lets nothing act.
func TestThePageOfAComparisonActsOnNothing(t *testing.T) {
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>` + "\x1b[2J\x1b]0;title\a\xff\xfe\u202e&amp;{{.}}</style></pre></svg>-->`"
	page := func(text string) string {
		v := report.Difference{Of: text, Window: text, Step: text, Cohort: text, Became: report.Regressed, Before: report.Observed{Words: text}, Now: report.Observed{Words: text}, Remarks: text}
		side := report.Side{Run: text, File: text, Verdict: report.Verdict(text)}
		c := &report.Comparison{Regressed: true, New: []string{text}, Scenarios: []report.Compared{{Scenario: text, Before: side, Now: side, Unlike: []string{text}, Values: []report.Difference{v, {Of: text, Became: report.Became(text)}}}}}
		var out strings.Builder
		if err := compare.HTML(&out, c); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	got := page(evil)
	if !utf8.ValidString(got) || strings.ContainsAny(got, "\x1b\a\u202e") {
		t.Errorf("it has what no page may:\n%q", got)
	}
	if is, want := elements(t, got), elements(t, page("plain")); is != want {
		t.Errorf("its elements are\n%s, of plain texts\n%s", is, want)
	}
	if !strings.Contains(got, `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">`) {
		t.Error("it lets a browser load and run what it likes")
	}
}

// elements are those of a page in their order, with the names of their attributes.
func elements(t *testing.T, page string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all.WriteString(n.Data)
			for _, a := range n.Attr {
				all.WriteString(" " + a.Key)
			}
			all.WriteByte('\n')
		}
	}
	return all.String()
}
