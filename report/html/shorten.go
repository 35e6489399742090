package html

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/report/summary"
)

// fewest is how many rows a table keeps at least, and few where even so many are too much
// for a page: of texts that are all long.
const fewest, few = 20, 5

// shorten leaves out the least important of what a page still has, and says whether
// there was any. The verdict, the proofs' counts and what heads the page stay.
func (p *page) shorten() bool {
	for _, leave := range []func() string{p.noText, p.noFurther, p.noGiven, p.fewerPictures, p.noDiffs, p.fewerRows} {
		if what := leave(); what != "" {
			p.Omitted = append(p.Omitted, what)
			return true
		}
	}
	return false
}

func (p *page) noText() string {
	if p.Text == "" && len(p.Files) == 0 {
		return ""
	}
	p.Text, p.Files = "", nil
	return "the text of the scenario"
}

func (p *page) noFurther() string {
	count := len(p.Further)
	p.Further = nil
	return several(count, "further tree of calls", "further trees of calls")
}

func (p *page) noGiven() string {
	count := p.without(func(w writing) bool { return w.Given })
	return several(count, "diff of what is given", "diffs of what is given")
}

func (p *page) noDiffs() string {
	count := p.without(func(writing) bool { return true })
	for i := range p.Objects {
		if o := &p.Objects[i]; o.Left != nil {
			o.Left = nil
			count++
		}
	}
	return several(count, "diff of the rules", "diffs of the rules")
}

// without leaves out the diffs of some writes, and counts them.
func (p *page) without(which func(writing) bool) int {
	count := 0
	for i := range p.Objects {
		for j := range p.Objects[i].Writes {
			if w := &p.Objects[i].Writes[j]; w.Diff != nil && which(*w) {
				w.Diff = nil
				count++
			}
		}
	}
	return count
}

func (p *page) fewerPictures() string {
	const kept = 4
	count := max(len(p.Pictures)-kept, 0)
	p.Pictures = p.Pictures[:len(p.Pictures)-count]
	return several(count, "further cohort in the pictures", "further cohorts in the pictures")
}

// shortest leaves out of a brief page what no other lacks: its pictures, and then the rows
// beyond a few. It says whether there was any of it.
func (p *page) shortest() bool {
	what := several(len(p.Pictures), "cohort in the pictures, the last", "cohorts in the pictures, the last")
	if p.Pictures = nil; what == "" {
		what = p.rowsTo(few)
	}
	if what != "" {
		p.Omitted = append(p.Omitted, what)
	}
	return what != ""
}

func (p *page) fewerRows() string { return p.rowsTo(fewest) }

// rowsTo halves the longest of the tables, none to less than so many rows.
func (p *page) rowsTo(fewest int) string {
	longest := 0
	for _, n := range []int{len(p.Expectations), len(p.Explaining), len(p.Loads), len(p.LoadsAsked), len(p.Shares), len(p.Objects), len(p.Bites), len(p.Quantities), len(p.Reconciled), len(p.Problems), len(p.Warnings)} {
		longest = max(longest, n)
	}
	for _, s := range p.compared() {
		longest = max(longest, len(s.Values), len(s.Unlike))
	}
	for _, l := range p.Loads {
		longest = max(longest, len(l.Answers), len(l.Errors), len(l.Said))
	}
	if longest <= fewest {
		return ""
	}
	count := 0
	limit := max(min(longest/2, 500), fewest)
	cutGood(&p.Expectations, limit, func(e expectation) bool { return e.Verdict != report.Pass }, &count)
	for i := range p.Expectations {
		e := &p.Expectations[i]
		e.NewStep = e.Step != "" && (i == 0 || p.Expectations[i-1].Step != e.Step)
	}
	cut(&p.Problems, limit, &count)
	cut(&p.Warnings, limit, &count)
	for i := range p.compared() {
		s := &p.compared()[i]
		s.Values = compare.Shown(*s, false)
		cut(&s.Values, limit, &count)
		cut(&s.Unlike, limit, &count)
	}
	cut(&p.Explaining, limit, &count)
	for i := range p.Loads {
		cut(&p.Loads[i].Answers, limit, &count)
		cut(&p.Loads[i].Errors, limit, &count)
		cut(&p.Loads[i].Said, limit, &count)
	}
	cut(&p.Loads, limit, &count)
	cut(&p.LoadsAsked, limit, &count)
	cut(&p.Shares, limit, &count)
	cutGood(&p.Objects, limit, func(o object) bool { return o.Lost() }, &count)
	cut(&p.Bites, limit, &count)
	cut(&p.Quantities, limit, &count)
	cut(&p.Reconciled, limit, &count)
	return several(count, "row of a table or a list", "rows of tables and lists")
}

// compared are the scenarios of the comparison with an earlier run: one, if there is any.
func (p *page) compared() []report.Compared {
	if c := p.Comparison(); c != nil {
		return c.Scenarios
	}
	return nil
}

// brief is a page of which all is left out that can be, with the beginnings of its texts.
func brief(r *report.Record) (*page, error) {
	short := summary.Clean(r)
	shorten(reflect.ValueOf(short).Elem())
	p, err := newPage(short)
	if err != nil {
		return nil, err
	}
	for p.shorten() {
	}
	p.Omitted = append(p.Omitted, "the ends of long texts")
	count := 0
	for i := range p.Explaining {
		cut(&p.Explaining[i].Rows, fewest, &count)
	}
	if what := several(count, "call of a tree", "calls of trees"); what != "" {
		p.Omitted = append(p.Omitted, what)
	}
	return p, nil
}

// beginning is the beginning of a text.
func beginning(text string) string {
	const runes = 120
	return summary.Short(text, runes)
}

// shorten leaves the beginnings of all texts of a value.
func shorten(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(beginning(v.String()))
	case reflect.Pointer:
		if !v.IsNil() && v.Type() != reflect.TypeFor[*loadgen.Histogram]() {
			shorten(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			shorten(v.Index(i))
		}
	case reflect.Map:
		shortenMap(v)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				shorten(v.Field(i))
			}
		}
	}
}

// shortenMap leaves the beginnings of the keys too, as many as there are.
func shortenMap(v reflect.Value) {
	for i, key := range v.MapKeys() {
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(v.MapIndex(key))
		shorten(value)
		short := beginning(key.String())
		if short != key.String() {
			v.SetMapIndex(key, reflect.Value{})
			short = fmt.Sprintf("%s%d", short, i)
		}
		v.SetMapIndex(reflect.ValueOf(short).Convert(key.Type()), value)
	}
}

func cut[T any](rows *[]T, limit int, count *int) {
	if over := len(*rows) - limit; over > 0 {
		*rows, *count = (*rows)[:limit], *count+over
	}
}

// cutGood cuts the last of the rows that are not bad, and only then those that are.
func cutGood[T any](rows *[]T, limit int, bad func(T) bool, count *int) {
	over := len(*rows) - limit
	for i := len(*rows) - 1; i >= 0 && over > 0; i-- {
		if !bad((*rows)[i]) {
			*rows, over, *count = slices.Delete(*rows, i, i+1), over-1, *count+1
		}
	}
	cut(rows, limit, count)
}

func several(count int, one, more string) string {
	switch count {
	case 0:
		return ""
	case 1:
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", count, more)
}
