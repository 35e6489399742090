package compare

import (
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
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

// failures compares each way to fail, and each status but 200.
func (l loads) failures() []*value {
	k := l.kinds(func(o loadgen.Outcome) []string {
		if !o.Failed() && (o.Status == 0 || o.Status == http.StatusOK) { // of which the others tell
			return nil
		}
		return []string{o.Words()}
	})
	before, now := bunches(l.old, k.of), bunches(l.new, k.of)
	var all []*value
	for _, name := range k.names() {
		v := k.share(name, name, before[name], now[name])
		code, isStatus := strings.CutPrefix(name, "status ")
		if grpc, is := strings.CutPrefix(name, "code "); is {
			code, isStatus = grpc, true
		}
		switch {
		case isStatus && code < "400":
			v.worse = unknown
		case isStatus && l.expects(regexp.MustCompile(`(^|[^\w.-])`+regexp.QuoteMeta(l.name())+`\.(status\[|grpc\[|share\()`+code)):
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
	k := l.kinds(func(o loadgen.Outcome) []string {
		if o.Error != "" {
			return []string{""} // no whole answer shows who gave it
		}
		return []string{o.Version}
	})
	names := k.names()
	if i := slices.Index(names, ""); len(names) == 2 || i >= 0 && len(names) > 1 {
		names = slices.Delete(names, max(i, 0), max(i, 0)+1) // of two shares the one says what the other does
	}
	var all []*value
	for _, name := range names {
		if name == "" {
			continue
		}
		v := k.share("version "+name, name, 1, 1)
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
	k := l.kinds(func(o loadgen.Outcome) []string { return o.Checks })
	var all []*value
	for _, name := range k.names() {
		if !l.expects(regexp.MustCompile(`^` + regexp.QuoteMeta(l.name()+`.share("`+name+`")`))) {
			all = append(all, k.share("check "+name, name, 1, 1))
		}
	}
	return all
}

// kinds are how many requests of a load were of which kind: how they ended, who answered, or
// what they showed. There may be as many kinds as requests: each is looked at once.
type kinds struct {
	loads
	of          func(loadgen.Outcome) []string // one or several, or none
	before, now map[string]int64
}

func (l loads) kinds(of func(loadgen.Outcome) []string) kinds {
	return kinds{loads: l, of: of, before: tally(l.old, of), now: tally(l.new, of)}
}

// tally is how many requests were of each kind.
func tally(r *loadgen.Result, of func(loadgen.Outcome) []string) map[string]int64 {
	all := map[string]int64{}
	for _, o := range r.Outcomes {
		for _, kind := range slices.Compact(slices.Sorted(slices.Values(of(o)))) {
			all[kind] += o.Count
		}
	}
	return all
}

// names are those of the kinds of both loads, sorted.
func (k kinds) names() []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(k.before)), maps.Keys(k.now))
	slices.Sort(all)
	return slices.Compact(all)
}

// share compares how many of the requests were of a kind, of which each so many hang
// together.
func (k kinds) share(of, kind string, old, new float64) *value {
	v := k.value(of)
	v.compare(chance.Table{First: k.before[kind], OfFirst: k.old.Sent, Second: k.now[kind], OfSecond: k.new.Sent}, old, new)
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
	old, new = max(1, old), max(1, new) // nobody knows
	switch {
	case math.Abs(now-before) < burst:
		return max(old, new)
	case before < now:
		return old
	}
	return new
}

// compare enters two shares and their test, of requests of which so many say as much as one.
func (v *value) compare(of chance.Table, old, new float64) {
	known := func(count, total int64) bool { return total > 0 && 0 <= count && count <= total }
	if !known(of.First, of.OfFirst) || !known(of.Second, of.OfSecond) {
		v.Became = report.Untested
		return
	}
	v.Before, v.Now = part(of.First, of.OfFirst), part(of.Second, of.OfSecond)
	together := togetherOf(of, old, new)
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

// asked is which share of a version was asked for before, of the load or else of a service.
// What was asked of another load says nothing of this one.
func (l loads) asked(version string) (share float64, known bool) {
	window := l.before.Window(l.window.Name, l.window.Step)
	for _, e := range l.before.Expectations {
		of, isSplit := strings.CutPrefix(e.Expression, "split(")
		of, _, _ = strings.Cut(of, ")")
		if l.window.Name != report.During || e.Step != l.window.Step || !isSplit || known && of != l.cohort {
			continue
		}
		if of != l.cohort && (window.Loads[of] != nil || strings.HasPrefix(of, report.Baseline+".") || strings.HasPrefix(of, report.Recovery+".")) {
			continue
		}
		for _, b := range e.Bounds {
			if b.Of == version && b.Value != nil {
				share, known = *b.Value, true
			}
		}
	}
	return share, known
}

// bunches are, of each kind, how many requests say as much as one that ends as it does
// whatever others do: a full pool, or an endpoint that is down, refuses many at once. It is
// by how much the counts over time vary more than chance has them (Pearson's χ² by its
// degrees of freedom); 0 where nobody knows how it went over time.
func bunches(r *loadgen.Result, of func(loadgen.Outcome) []string) map[string]float64 {
	all := map[string]float64{}
	if r.Series == nil || r.Sent == 0 {
		return all
	}
	ended := make([]int64, len(r.Series.Begun)) // of all kinds
	over := map[string][]int64{}                // time
	for _, one := range r.Series.Ended {
		count := one.Count[:min(len(one.Count), len(ended))]
		add(ended, count)
		for _, kind := range of(loadgen.Outcome{Status: one.Status, GRPC: one.GRPC, Error: one.Error}) {
			if over[kind] == nil {
				over[kind] = make([]int64, len(ended))
			}
			add(over[kind], count)
		}
	}
	for kind, n := range tally(r, of) {
		if share := float64(n) / float64(r.Sent); 0 < share && share < 1 {
			all[kind] = uneven(over[kind], ended, share)
		}
	}
	return all
}

func add(to, counts []int64) {
	for i, n := range counts {
		to[i] += n
	}
}

// uneven is Pearson's χ² of so many of all over time, by its degrees of freedom, where so
// great a share of them was to be expected at any time.
func uneven(some, all []int64, share float64) float64 {
	sum, slots := 0.0, 0
	for i, n := range all {
		if n <= 0 {
			continue
		}
		off := -share * float64(n)
		if some != nil {
			off += float64(some[i])
		}
		sum, slots = sum+off*off/(float64(n)*share*(1-share)), slots+1
	}
	if slots < 2 {
		return 0
	}
	return sum / float64(slots-1)
}

// portions compares the shares of requests that an expectation observed, of a split
// those of each version but one of two. Where comparisons are joined by || or negated, no
// share is for the worse by itself, and those of the loads are compared anyway.
func portions(before, now *report.Record, old, new report.Expectation) []*value {
	if len(new.Bounds) == 0 {
		return nil
	}
	var all []*value
	for i, m := range new.Values {
		at := slices.IndexFunc(old.Values, func(o report.Measure) bool { return o.Of == m.Of })
		if at < 0 || m.Part == nil || old.Values[at].Part == nil || len(new.Values) == 2 && m.Of != "" && i == 0 {
			continue
		}
		a, b := old.Values[at].Part, m.Part
		v := &value{Difference: report.Difference{Of: valueOf(new, m), Step: new.Step}}
		v.compare(chance.Table{First: a.Count, OfFirst: a.Total, Second: b.Count, OfSecond: b.Total}, bunchedOf(before, new), bunchedOf(now, new))
		if v.test != nil {
			v.worse = bounded(v, old, m.Of)
		}
		all = append(all, v)
	}
	return all
}

// ofStatus is a share of a load's requests with a status.
var ofStatus = regexp.MustCompile(`^(?:(baseline|recovery)\.)?([\w-]+)\.share\((\d+|[A-Z_]+)\)`)

// bunchedOf is, of an expectation of a share of requests with a status or a code, how many say as
// much as one in a run.
func bunchedOf(r *report.Record, e report.Expectation) float64 {
	found := ofStatus.FindStringSubmatch(e.Expression)
	if found == nil {
		return 0
	}
	window, step := found[1], ""
	if window == "" {
		window, step = report.During, e.Step
	}
	w := r.Window(window, step)
	if w == nil || w.Loads[found[2]] == nil {
		return 0
	}
	return bunches(w.Loads[found[2]], func(o loadgen.Outcome) []string {
		if o.GRPC != "" {
			return []string{o.GRPC}
		}
		return []string{strconv.Itoa(o.Status)}
	})[found[3]]
}

// bounded is the sense of a change of a share, by what was asked of it before: whether it has
// come nearer to what it is not to reach, or gone farther beyond.
func bounded(v *value, e report.Expectation, of string) sense {
	before, after := room(e.Bounds, of, v.Before.Measure.Value), room(e.Bounds, of, v.Now.Measure.Value)
	switch {
	case math.IsInf(before, 1) || math.Abs(after-before) < 1e-9: // as from 30% to 70% between 10% and 90%
		return unknown
	case after < before:
		return worse
	}
	return better
}

// room is how far a share is within the nearest of its bounds, below 0 if beyond one; without
// any it is infinite.
func room(bounds []report.Bound, of string, share float64) float64 {
	least := math.Inf(1)
	for _, b := range bounds {
		switch {
		case b.Of != of || b.Value == nil || b.Operator == "!=":
		case b.Operator == "==":
			least = min(least, -math.Abs(share-*b.Value))
		case strings.HasPrefix(b.Operator, "<"):
			least = min(least, *b.Value-share)
		default:
			least = min(least, share-*b.Value)
		}
	}
	return least
}
