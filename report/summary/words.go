package summary

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/report"
)

// figures are the significant digits of what is measured.
const figures = 3

// Duration words a latency in three significant digits: 6.01s, 12.3ms.
func Duration(d time.Duration) string {
	unit := time.Duration(1)
	for range len(strconv.FormatInt(int64(d.Abs()), 10)) - figures {
		unit *= 10
	}
	return d.Round(unit).String()
}

// Took words how long something lasted, for people: 17s, 2.3s, 1m5s.
func Took(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// Lasted words how long a run took as a whole.
func Lasted(r *report.Record) string { return Took(r.Ended.Sub(r.Started)) }

// Moment words when something was, to the second.
func Moment(t time.Time) string { return t.UTC().Format(time.DateTime + " UTC") }

// Number words a count in full and another number in three significant digits: 20,
// 19.9, 0.333.
func Number(n float64) string {
	if n == math.Trunc(n) && math.Abs(n) < 1e15 {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	decimals := figures - 1 - int(math.Floor(math.Log10(math.Abs(n))))
	text := strconv.FormatFloat(n, 'f', max(decimals, 0), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// Share words a share of 1 in percent, in three significant digits. What is not all
// never reads 100%, and what is not nothing never 0%.
func Share(share float64) string {
	exact := new(big.Rat)
	if exact.SetFloat64(share) == nil {
		return "-"
	}
	percent := exact.Mul(exact, big.NewRat(100, 1))
	whole := len(new(big.Int).Quo(percent.Num(), percent.Denom()).String())
	for decimals := max(figures-whole, 0); ; decimals++ {
		text := percent.FloatString(decimals)
		if strings.Contains(text, ".") {
			text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
		}
		rounds := share != 1 && text == "100" || share != 0 && text == "0"
		if !rounds || decimals > 12 {
			return text + "%"
		}
	}
}

// Measured words what was measured, by its unit.
func Measured(value float64, unit report.Unit) string {
	switch unit {
	case report.Seconds:
		return Duration(time.Duration(value * float64(time.Second)))
	case report.Share:
		return Share(value)
	}
	return Number(value)
}

// Interval words between which shares a share would be with other requests of the same
// kind, with a confidence of 99 %; empty: it is no share of requests.
func Interval(m report.Measure) string {
	if m.Part == nil {
		return ""
	}
	return Share(m.Part.Low) + " to " + Share(m.Part.High)
}

// Plural words a number of things.
func Plural(n int64, word string) string { return plural.Of(n, word) }
