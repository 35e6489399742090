package verdict

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// stoppedUnlike holds why a load was ended against the conditions of the scenario, and its
// words against its numbers. Records of versions that had words alone are taken by these.
func (r run) stoppedUnlike() string {
	for i := range r.record.Windows {
		w := &r.record.Windows[i]
		if w.Stopped == nil {
			continue
		}
		wrong := r.conditionUnlike(w)
		if wrong == "" && len(w.Stopped.Values) > 0 {
			wrong = wordsUnlike(w.Stopped)
		}
		if wrong == "" {
			wrong = amountUnlike(w)
		}
		if wrong != "" {
			return fmt.Sprintf("windows[%d].stopped%s", i, wrong)
		}
	}
	return ""
}

// conditionUnlike is where a reason differs from the condition that it names.
func (r run) conditionUnlike(w *report.Window) string {
	s := w.Stopped
	if s.Condition == "" { // no record has the caps
		return ""
	}
	conditions := r.scenario.AbortWhen(w.Name, r.stepOf(w))
	at := slices.IndexFunc(conditions, func(c scenarios.Condition) bool { return c.Text() == s.Condition })
	switch {
	case at < 0:
		return fmt.Sprintf(".condition is %s, which the scenario has not there", s.Condition)
	case s.Line != conditions[at].Line:
		return fmt.Sprintf(".line is %d, and the scenario in the report has the condition in line %d", s.Line, conditions[at].Line)
	case len(s.Values) == 0:
		return ""
	}
	asked := conditions[at].Asked()
	for i := range asked {
		if asked[i].Name != "" && i < len(s.Bounds) { // it was observed, too
			asked[i].Value = s.Bounds[i].Value
		}
	}
	return unlike(".bounds", tree(asked), tree(s.Bounds))
}

// wordsUnlike is where the words of a reason, its numbers and what was asked of them differ.
func wordsUnlike(s *report.Stopped) string {
	observed := strings.Split(s.Observed, "; ")
	if len(observed) != len(s.Values) {
		return fmt.Sprintf(".values has %d entries, and observed names %d", len(s.Values), len(observed))
	}
	for i, v := range s.Values {
		if v.Of != "" && !strings.Contains(s.Condition, v.Of) {
			return fmt.Sprintf(".values[%d].of is %s, of which the condition does not speak", i, v.Of)
		}
		if !says(observed[i], v.Unit, v.Value) {
			return fmt.Sprintf(".values[%d].value is %v, and observed says %s", i, v.Value, observed[i])
		}
		for j, b := range s.Bounds {
			if b.Of != v.Of || b.Value == nil {
				continue
			}
			if !says(s.Limit, v.Unit, *b.Value) {
				return fmt.Sprintf(".bounds[%d].value is %v, and limit says %s", j, *b.Value, s.Limit)
			}
			if !v.Least && against(v.Value, b.Operator, *b.Value, s.Condition == "") {
				return fmt.Sprintf(".values[%d].value is %v, by which the load is not ended", i, v.Value)
			}
		}
	}
	return ""
}

// amountUnlike is where a load had more behind it when it was ended than it has in all.
func amountUnlike(w *report.Window) string {
	s := w.Stopped
	var sent int64
	for _, l := range w.Loads {
		if l != nil {
			sent += l.Sent
		}
	}
	switch length := w.Ended.Sub(w.Started); {
	case len(w.Loads) > 0 && s.Sent > sent: // none: engine fortio's was not waited for, which cannot be cut off
		return fmt.Sprintf(".sent is %d, and its loads are of %d requests", s.Sent, sent)
	case s.Samples > s.Sent:
		return fmt.Sprintf(".samples is %d, of %d requests that had ended", s.Samples, s.Sent)
	case min(s.Samples, s.Sent) < 0, s.Condition != "" && s.Samples == 0:
		return fmt.Sprintf(".samples is %d, and .sent %d", s.Samples, s.Sent)
	case s.Condition != "" && s.After.Duration > length+longer, s.After.Duration < 0: // a cap may be exceeded before the window begins
		return fmt.Sprintf(".after is %v, and the window was %v long", s.After, length)
	}
	return ""
}

// against says whether a value speaks against the end of a load: a condition has not come
// true by it, or a cap was not exceeded. Of amounts that are written alike either may be
// the larger.
func against(value float64, operator string, bound float64, exceeded bool) bool {
	switch {
	case exceeded:
		return value < bound
	case strings.HasPrefix(operator, "<"):
		return value > bound
	case strings.HasPrefix(operator, ">"):
		return value < bound
	}
	return operator == "==" && value != bound
}

// What words write numbers as.
var (
	someTime   = regexp.MustCompile(`-?(?:[0-9]+(?:\.[0-9]+)?(?:h|ms|m|s|µs|ns))+`)
	someShare  = regexp.MustCompile(`-?[0-9]+(?:\.[0-9]+)?%`)
	someNumber = regexp.MustCompile(`-?[0-9]+(?:\.[0-9]+)?`)
)

// says tells whether words have a number, in three figures or more, and of how many
// requests it is that of how many; where they have none of its unit they say nothing else.
func says(words string, unit report.Unit, value float64) bool {
	if strings.Contains(words, report.Mask) {
		return true
	}
	written := map[report.Unit]*regexp.Regexp{report.Seconds: someTime, report.Share: someShare, report.Number: someNumber}[unit]
	if written == nil {
		return false
	}
	var count, total float64
	if _, part, is := strings.Cut(words, " ("); is {
		if n, _ := fmt.Sscanf(part, "%g of %g)", &count, &total); n == 2 && !(math.Abs(value*total-count) <= 1e-6*total) {
			return false
		}
	}
	all := written.FindAllString(words, -1)
	return len(all) == 0 || slices.ContainsFunc(all, func(text string) bool {
		read, least := amountOf(text, unit)
		return math.Abs(read-value) <= max(0.006*math.Abs(value), least)
	})
}

// amountOf is a number in the unit of a record, and how far off rounding may be that has
// three decimals.
func amountOf(text string, unit report.Unit) (amount, least float64) {
	switch unit {
	case report.Seconds:
		length, _ := time.ParseDuration(text)
		return length.Seconds(), time.Microsecond.Seconds()
	case report.Share:
		percent, _ := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		return percent / 100, 0.00001
	}
	number, _ := strconv.ParseFloat(text, 64)
	return number, 0.001
}
