package compare

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/chance"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// shares compares how the requests of a load ended: failures and unusual statuses, the
// versions that answered, the checks that held.
func (l loads) shares() []*value {
	all := l.failures()
	if l.window.Name != report.During || !l.expects(regexp.MustCompile(`^split\(`+regexp.QuoteMeta(l.cohort)+`\)`)) {
		all = append(all, l.versions()...)
	}
	return append(all, l.checks()...)
}

// failures compares each way to fail, and each status that is no success.
func (l loads) failures() []*value {
	var all []*value
	for _, name := range l.names(func(o loadgen.Outcome) []string {
		if o.Error == "" && o.Status < http.StatusMultipleChoices {
			return nil
		}
		return []string{o.Words()}
	}) {
		chosen := func(o loadgen.Outcome) bool { return o.Words() == name }
		v := l.share(name, chosen, bunched(l.old, chosen), bunched(l.new, chosen))
		code, isStatus := strings.CutPrefix(name, "status ")
		switch {
		case isStatus && code < "400":
			v.worse = unknown
		case isStatus && l.expects(regexp.MustCompile(`(^|[^\w.-])`+regexp.QuoteMeta(l.name())+`\.(status\[|share\()`+code)):
			v.worse, v.Remarks = unknown, "an expectation speaks of it, and says whether it is too much"
		default:
			v.worse = more(v)
		}
		all = append(all, v)
	}
	return all
}

// versions compares who answered. That another one does than before is what a split
// must not do, whatever is asked of it now.
func (l loads) versions() []*value {
	names := l.names(func(o loadgen.Outcome) []string { return []string{o.Version} })
	if i := slices.Index(names, ""); len(names) == 2 || i >= 0 && len(names) > 1 {
		names = slices.Delete(names, max(i, 0), max(i, 0)+1) // of two shares the one says what the other does
	}
	var all []*value
	for _, name := range names {
		if name == "" {
			continue
		}
		v := l.share("version "+name, func(o loadgen.Outcome) bool { return o.Error == "" && o.Version == name }, 1, 1)
		v.worse, v.Remarks = worse, "who answers has moved"
		if asked, known := l.asked(name); known {
			v.worse, v.Remarks = further(v, asked), "held against the split that was asked for before"
		}
		all = append(all, v)
	}
	return all
}

// checks compares what the answers showed, but for the checks of which an expectation
// has the share.
func (l loads) checks() []*value {
	var all []*value
	for _, name := range l.names(func(o loadgen.Outcome) []string { return o.Checks }) {
		if l.expects(regexp.MustCompile(`^` + regexp.QuoteMeta(l.name()+`.share("`+name+`")`))) {
			continue
		}
		all = append(all, l.share("check "+name, func(o loadgen.Outcome) bool { return slices.Contains(o.Checks, name) }, 1, 1))
	}
	return all
}

// names are those of the outcomes of both loads, sorted.
func (l loads) names(of func(loadgen.Outcome) []string) []string {
	all := map[string]bool{}
	for _, o := range slices.Concat(l.old.Outcomes, l.new.Outcomes) {
		for _, name := range of(o) {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// share compares how many of the requests ended so, of which each so many hang together.
func (l loads) share(of string, chosen func(loadgen.Outcome) bool, old, new float64) *value {
	v := l.value(of)
	table := chance.Table{First: l.old.Count(chosen), OfFirst: l.old.Sent, Second: l.new.Count(chosen), OfSecond: l.new.Sent}
	v.compare(table, togetherOf(table, old, new))
	return v
}

// burst is by how much of all requests two shares differ at least that are not taken for
// what comes in bunches by chance.
const burst = 0.05

// togetherOf is how many requests say as much as one, of two runs in which so many do. Of
// shares that are far apart it is that of the run with the fewer: how the service behaves
// without what is to be found. Else one burst, however great, would never count, since it
// makes itself one bunch.
func togetherOf(of chance.Table, old, new float64) float64 {
	before, now := float64(of.First)/float64(of.OfFirst), float64(of.Second)/float64(of.OfSecond)
	switch {
	case math.Abs(now-before) < burst:
		return max(old, new)
	case before < now:
		return old
	}
	return new
}

// compare enters two shares and their test.
func (v *value) compare(of chance.Table, together float64) {
	known := func(count, total int64) bool { return total > 0 && 0 <= count && count <= total }
	if !known(of.First, of.OfFirst) || !known(of.Second, of.OfSecond) {
		v.Became = report.Alike
		return
	}
	v.Before, v.Now = part(of.First, of.OfFirst), part(of.Second, of.OfSecond)
	fewer := func(n int64) int64 { return int64(math.Round(float64(n) / together)) }
	of = chance.Table{First: fewer(of.First), OfFirst: fewer(of.OfFirst), Second: fewer(of.Second), OfSecond: fewer(of.OfSecond)}
	v.test = &test{of.P(), of.Least()}
}

// more is the sense of what had better be little.
func more(v *value) sense {
	if v.Now.Measure.Value > v.Before.Measure.Value {
		return worse
	}
	return better
}

// further is the sense of what is to be as much as was asked for.
func further(v *value, asked float64) sense {
	if math.Abs(v.Now.Measure.Value-asked) > math.Abs(v.Before.Measure.Value-asked) {
		return worse
	}
	return better
}

// name is that of the load in an expectation.
func (l loads) name() string {
	if l.window.Name == report.During {
		return l.cohort
	}
	return l.window.Name + "." + l.cohort
}

// expects says whether both runs have an expectation of the window's step that says it.
func (l loads) expects(says *regexp.Regexp) bool {
	return slices.ContainsFunc(l.now.Expectations, func(e report.Expectation) bool {
		return (l.window.Name != report.During || e.Step == l.window.Step) && says.MatchString(e.Expression) &&
			slices.ContainsFunc(l.before.Expectations, func(o report.Expectation) bool { return o.Step == e.Step && o.Expression == e.Expression })
	})
}

// asked is which share of a version was asked for before, of the load or of a service.
func (l loads) asked(version string) (share float64, known bool) {
	for _, e := range l.before.Expectations {
		if l.window.Name != report.During || e.Step != l.window.Step || !strings.HasPrefix(e.Expression, "split(") {
			continue
		}
		for _, b := range e.Bounds {
			if b.Of == version && b.Value != nil {
				return *b.Value, true
			}
		}
	}
	return 0, false
}

// bunched is how many requests say as much as one that ends as it does whatever others
// do: a full pool, or an endpoint that is down, refuses many at once. It is by how much
// the counts over time vary more than chance has them (Pearson's χ² by its degrees of
// freedom); 1 at the least, and where nobody knows how it went over time.
func bunched(r *loadgen.Result, chosen func(loadgen.Outcome) bool) float64 {
	if r.Series == nil || r.Sent == 0 {
		return 1
	}
	share := float64(r.Count(chosen)) / float64(r.Sent)
	if share == 0 || share == 1 {
		return 1
	}
	sum, slots := 0.0, 0
	for i := range r.Series.Begun {
		var some, all int64
		for _, ended := range r.Series.Ended {
			if i >= len(ended.Count) {
				continue
			}
			all += ended.Count[i]
			if chosen(loadgen.Outcome{Status: ended.Status, Error: ended.Error}) {
				some += ended.Count[i]
			}
		}
		if all > 0 {
			off := float64(some) - share*float64(all)
			sum, slots = sum+off*off/(float64(all)*share*(1-share)), slots+1
		}
	}
	if slots < 2 {
		return 1
	}
	return max(1, sum/float64(slots-1))
}

// portions compares the shares of requests that an expectation observed, of a split
// those of each version but one of two.
func portions(before, now *report.Record, old, new report.Expectation) []*value {
	var all []*value
	for i, m := range new.Values {
		at := slices.IndexFunc(old.Values, func(o report.Measure) bool { return o.Of == m.Of })
		if at < 0 || m.Part == nil || old.Values[at].Part == nil || len(new.Values) == 2 && m.Of != "" && i == 0 {
			continue
		}
		a, b := old.Values[at].Part, m.Part
		v := &value{Difference: report.Difference{Of: strings.TrimSpace(new.Expression + " " + m.Of), Step: new.Step}}
		v.compare(chance.Table{First: a.Count, OfFirst: a.Total, Second: b.Count, OfSecond: b.Total}, bunchedOf(before, now, new))
		if v.test != nil {
			v.worse = bounded(v, old, m.Of)
		}
		all = append(all, v)
	}
	return all
}

// ofStatus is a share of a load's requests with a status.
var ofStatus = regexp.MustCompile(`^(?:(baseline|recovery)\.)?([\w-]+)\.share\((\d+)\)`)

// bunchedOf is, of an expectation of a share of requests with a status, how many say as
// much as one.
func bunchedOf(before, now *report.Record, e report.Expectation) float64 {
	found := ofStatus.FindStringSubmatch(e.Expression)
	if found == nil {
		return 1
	}
	window, step := found[1], ""
	if window == "" {
		window, step = report.During, e.Step
	}
	most := 1.0
	for _, r := range []*report.Record{before, now} {
		if w := r.Window(window, step); w != nil && w.Loads[found[2]] != nil {
			most = max(most, bunched(w.Loads[found[2]], func(o loadgen.Outcome) bool { return fmt.Sprint(o.Status) == found[3] }))
		}
	}
	return most
}

// bounded is the sense of a change of a share, by what was asked of it before.
func bounded(v *value, e report.Expectation, of string) sense {
	up := v.Now.Measure.Value > v.Before.Measure.Value
	for _, b := range e.Bounds {
		switch {
		case b.Of != of || b.Value == nil:
		case b.Operator == "==":
			return further(v, *b.Value)
		case strings.HasPrefix(b.Operator, "<") == up && b.Operator != "!=":
			return worse
		case b.Operator != "!=":
			return better
		}
	}
	return unknown
}
