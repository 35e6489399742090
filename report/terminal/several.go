package terminal

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// Ended is how one of several scenarios ended.
type Ended struct {
	Name string
	Word string // its verdict, or what became of it instead
	Why  string // it is no pass; empty: it is
	Took time.Duration
}

// WriteSeveral prints how several scenarios ended: what is no pass first, and why.
func WriteSeveral(w io.Writer, all []Ended, o Options) error {
	p := &printer{w: w, width: o.Width, color: o.Color}
	word, name := 0, 0
	for _, e := range all {
		word, name = max(word, twwidth.Width(e.Word)), max(name, twwidth.Width(e.Name))
	}
	sorted := slices.SortedStableFunc(slices.Values(all), func(a, b Ended) int { return cmp.Compare(a.rank(), b.rank()) })
	margin := strings.Repeat(" ", word+2)
	p.line("")
	for _, e := range sorted {
		took := "-"
		if e.Took > 0 {
			took = summary.Took(e.Took)
		}
		p.line("%s%s%-*s  %s", p.paint(e.Word, e.color()), margin[len(e.Word):], name, e.Name, took)
		if e.Why != "" {
			p.fold(margin, margin, summary.Text(e.Why))
		}
	}
	p.line("")
	p.fold("", "  ", tallied(sorted))
	return p.err
}

// rank is before which others it stands.
func (e Ended) rank() int {
	switch e.Word {
	case string(report.Pass):
		return 3
	case string(summary.NotRestored):
		return 0
	case strings.ToUpper(string(report.Fail)):
		return 1
	}
	return 2
}

func (e Ended) color() string { return []string{red, red, yellow, green}[e.rank()] }

// tallied counts how scenarios ended, in their order.
func tallied(all []Ended) string {
	counts := map[string]int{}
	var words []string
	for _, e := range all {
		if counts[e.Word]++; counts[e.Word] == 1 {
			words = append(words, e.Word)
		}
	}
	for i, word := range words {
		words[i] = fmt.Sprintf("%d %s", counts[word], word)
	}
	return fmt.Sprintf("%d scenarios: %s", len(all), strings.Join(words, ", "))
}
