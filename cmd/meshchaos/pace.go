package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report/summary"
)

// rateOver is the stretch of time that the rate now is of.
const rateOver = 2 * time.Second

// pace is how far a cohort has come, and how fast it goes.
type pace struct {
	last   loadgen.Progress
	before []loadgen.Progress // those of rateOver, the oldest first
	said   time.Duration      // when it was told of, in the load's own time; 0: not yet
}

func (l *pace) add(p loadgen.Progress) {
	l.last = p
	l.before = append(l.before, p)
	for len(l.before) > 2 && p.Elapsed.Duration-l.before[1].Elapsed.Duration >= rateOver {
		l.before = l.before[1:]
	}
}

// rate is how many requests ended a second, of late; 0: that cannot be said yet.
func (l *pace) rate() float64 {
	first := l.before[0]
	took, ended := l.last.Elapsed.Duration-first.Elapsed.Duration, l.last.Sent-first.Sent
	if len(l.before) == 1 {
		took, ended = l.last.Elapsed.Duration, l.last.Sent
	}
	if took <= 0 {
		return 0
	}
	return float64(ended) / took.Seconds()
}

// left is how long the load goes on, by its requests or its duration; ok is false where
// neither ends it, or its pace is not known.
func (l *pace) left() (d time.Duration, ok bool) {
	if l.last.Ended {
		return 0, false
	}
	if l.last.Duration.Duration > 0 {
		d, ok = max(l.last.Duration.Duration-l.last.Elapsed.Duration, 0), true
	}
	if todo := l.last.Planned - l.last.Sent; l.last.Planned > 0 {
		rate := l.rate()
		if l.last.QPS > 0 {
			rate = l.last.QPS
		}
		if rate > 0 {
			byRequests := time.Duration(float64(todo) / rate * float64(time.Second))
			if !ok || byRequests < d {
				d, ok = byRequests, true
			}
		}
	}
	return d, ok
}

func (l *pace) count() string {
	if l.last.Planned > 0 {
		return fmt.Sprintf("%d of %d", l.last.Sent, l.last.Planned)
	}
	return fmt.Sprint(l.last.Sent)
}

func (l *pace) speed() string {
	words := wordRate(l.rate())
	if l.last.QPS > 0 {
		words += " of " + wordRate(l.last.QPS)
	}
	return words + " qps"
}

func wordRate(rate float64) string {
	if rate >= 10 {
		return fmt.Sprintf("%.0f", rate)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", rate), ".0")
}

func wordWay(w loadgen.Way) string {
	if w.Error != "" {
		return fmt.Sprintf("%s: %d", w.Error, w.Count)
	}
	if w.GRPC != "" {
		return fmt.Sprintf("%s: %d", w.GRPC, w.Count)
	}
	if w.Status == 0 { // of TCP
		return fmt.Sprintf("answered: %d", w.Count)
	}
	return fmt.Sprintf("%d: %d", w.Status, w.Count)
}

func (l *pace) ways() []string {
	var all []string
	shown, others, rest := summary.Commonest(l.last.Ways, countOf)
	for _, w := range shown {
		all = append(all, wordWay(w))
	}
	if others > 0 {
		all = append(all, summary.Others(others, rest))
	}
	return all
}

func countOf(w loadgen.Way) int64 { return w.Count }

func (l *pace) times() string {
	words := "p50 " + summary.Duration(l.last.P50.Duration)
	switch {
	case l.last.P99.Duration == 0:
		return ""
	case l.last.Sent >= summary.LeastP99:
		words += ", p99 " + summary.Duration(l.last.P99.Duration)
	}
	return words
}

func (l *pace) remaining() string {
	if l.last.Ended {
		return "ended"
	}
	left, ok := l.left()
	if !ok {
		return ""
	}
	return left.Round(time.Second).String() + " left"
}

// words is all of it on a line.
func (l *pace) words() string {
	all := []string{fmt.Sprintf("%s: %s requests", l.last.Cohort, l.count()), l.speed()}
	all = append(all, l.ways()...)
	for _, more := range []string{l.times(), l.remaining()} {
		if more != "" {
			all = append(all, more)
		}
	}
	return strings.Join(all, ", ")
}

// ended is what the load came to.
func (l *pace) ended() string {
	words := l.last.Cohort + " " + l.count()
	if ways := l.ways(); len(ways) > 0 {
		words += " (" + strings.Join(ways, ", ") + ")"
	}
	return words
}

// barWidth is that of a bar between its brackets.
const barWidth = 12

// bar is how much of the load is done, by its requests or its duration; empty: neither
// ends it.
func (l *pace) bar() string {
	done := -1.0
	if l.last.Planned > 0 {
		done = float64(l.last.Sent) / float64(l.last.Planned)
	}
	if l.last.Duration.Duration > 0 {
		done = max(done, float64(l.last.Elapsed.Duration)/float64(l.last.Duration.Duration))
	}
	if done < 0 {
		return ""
	}
	full := min(int(done*barWidth), barWidth)
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", barWidth-full) + "]"
}

// fit sets a cohort into a line, without its bar where there is no room for that, or else
// into several.
func (p *progress) fit(l *pace, name, width int) []styled {
	const indent = 2
	head := styled{{text: fmt.Sprintf("%*s%-*s", indent, "", name, l.last.Cohort)}}
	fields := []styled{head, plainly(l.bar()), plainly(l.count()), plainly(l.speed())}
	var ways styled
	shown, others, rest := summary.Commonest(l.last.Ways, countOf)
	for i, w := range shown {
		if i > 0 {
			ways = append(ways, piece{text: ", "})
		}
		style := ""
		if (loadgen.Outcome{Status: w.Status, GRPC: w.GRPC, Error: w.Error}).Failed() {
			style = p.style("31")
		}
		ways = append(ways, piece{wordWay(w), style})
	}
	if others > 0 {
		ways = append(ways, piece{text: ", " + summary.Others(others, rest)})
	}
	fields = append(fields, ways, plainly(l.times()), plainly(l.remaining()))
	if lines := wrapped(fields, 2, width, 2*indent); len(lines) == 1 {
		return lines
	}
	return wrapped(slices.Delete(fields, 1, 2), 2, width, 2*indent)
}

func plainly(text string) styled {
	if text == "" {
		return nil
	}
	return styled{{text: text}}
}

// wordTarget says what a cohort sends, and as whom.
func wordTarget(p loadgen.Plan) string {
	words := summary.Sends(p)
	list := p.OfHTTP()
	if len(list) > 0 && list[0].HTTP.Login != nil {
		words += ", signed in as " + list[0].HTTP.Login.Form["username"]
	}
	for _, r := range list {
		for _, name := range slices.Sorted(maps.Keys(r.HTTP.Header)) {
			words += fmt.Sprintf(", %s: %s", name, r.HTTP.Header[name])
		}
	}
	return words
}
