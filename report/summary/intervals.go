package summary

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/chance"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// confidence is that of the interval of a percentile. Those of shares are in the record,
// with 99 %: at that level the p99 of a load would take 528 requests for an upper end.
const confidence = 0.95

// Between is between which latencies a percentile would be with other requests of the
// same kind, with a confidence of 95 % at the least, by the ranks of the latencies
// (chance.Ranks). That is as if no request had to do with another: where requests hang
// together, since they met the same pause of a machine, it would be wider.
//
// There is none of a smallest or largest latency: of what a further request takes, those
// that were seen set no bound. Nor is there of a mean, for which one would have to know
// how latencies are distributed.
type Between struct {
	Low, High *Latency // nil: there are too few requests for this end
}

// String words it: 5.98s to 6.04s; 18.4ms and up, where there is no upper end; none.
func (b Between) String() string {
	switch {
	case b.Low == nil && b.High == nil:
		return "none"
	case b.High == nil:
		return b.Low.String() + " and up"
	case b.Low == nil:
		return "up to " + b.High.String()
	}
	return b.Low.String() + " to " + b.High.String()
}

// Between is that of a percentile of the response times: of p99 by 0.99.
func (l Load) Between(q float64) Between { return between(l.Result.Response, q) }

func between(h *loadgen.Histogram, q float64) (b Between) {
	n := h.Count()
	low, high := chance.Ranks(n, q, confidence)
	for _, end := range []struct {
		to   **Latency
		rank int64
	}{{&b.Low, low}, {&b.High, high}} {
		if latency, ok := h.Quantile(float64(end.rank) / float64(max(n, 1))); ok && end.rank > 0 {
			*end.to = new(Latency(latency))
		}
	}
	return b
}

// percentile finds where an expression names one: of a window, a cohort, its response or
// service times.
var percentile = regexp.MustCompile(`\b(?:(baseline|recovery)\.)?([A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*)\.(service\.)?p(50|90|95|99|999)\b`)

// Percentile is the interval of what was observed, where that is a percentile; nil: it is
// something else, or not known. A sum of percentiles is none, nor is a multiple.
func Percentile(r *report.Record, e report.Expectation) *Between {
	if len(e.Values) != 1 || e.Values[0].Unit != report.Seconds {
		return nil
	}
	for _, named := range percentile.FindAllStringSubmatch(e.Expression, -1) {
		window, step := cmp.Or(named[1], report.During), ""
		if window == report.During {
			step = e.Step
		}
		w := r.Window(window, step)
		if w == nil || w.Loads[named[2]] == nil {
			continue
		}
		times := w.Loads[named[2]].Response
		if named[3] != "" {
			times = w.Loads[named[2]].Service
		}
		q := quantile(named[4])
		if is, ok := times.Quantile(q); ok && math.Abs(is.Seconds()-e.Values[0].Value) < time.Nanosecond.Seconds() {
			return new(between(times, q))
		}
	}
	return nil
}

// quantile is that of a percentile by its digits: 0.5 of 50, 0.999 of 999.
func quantile(digits string) float64 {
	q, _ := strconv.ParseFloat("0."+digits, 64) // of digits
	return q
}

// Confident words between what the observed side of an expectation would be with other
// requests of the same kind: 99% interval 47.8% to 100%; empty: it is neither a share of
// requests nor a percentile.
func Confident(r *report.Record, e report.Expectation) string {
	level, words := confident(r, e)
	switch words {
	case "":
		return ""
	case tooFew:
		return "too few for a " + level + " interval"
	}
	return level + " interval " + words
}

// Briefly is Confident for a column: 99%: 47.8% to 100%.
func Briefly(r *report.Record, e report.Expectation) string {
	level, words := confident(r, e)
	if words == "" {
		return ""
	}
	return level + ": " + words
}

const tooFew = "too few"

// confident is the interval of what was observed, and its level.
func confident(r *report.Record, e report.Expectation) (level, words string) {
	var shares []string
	for _, m := range e.Values {
		if interval := Interval(m); interval != "" {
			shares = append(shares, strings.TrimSpace(m.Of+" "+interval))
		}
	}
	b := Percentile(r, e)
	switch {
	case len(shares) > 0:
		return "99%", strings.Join(shares, ", ")
	case b == nil:
		return "", ""
	case *b == Between{}:
		return "95%", tooFew
	}
	return "95%", b.String()
}
