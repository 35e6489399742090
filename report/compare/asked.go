package compare

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
)

// loaded says which loads were asked for otherwise.
func loaded(before, now *report.Record) []string {
	name := func(a report.Asked) string { return strings.TrimSpace(a.Step + " " + a.Cohort) }
	old := map[string]report.Asked{}
	for _, a := range before.Asked {
		old[name(a)] = a
	}
	var all []string
	for _, a := range now.Asked {
		was, known := old[name(a)]
		differ := otherwise(was, a)
		switch {
		case !known:
			all = append(all, "load "+name(a)+": it was not asked for before")
		case len(differ) > 0:
			all = append(all, fmt.Sprintf("load %s: not the same was asked for: %s", name(a), strings.Join(differ, "; ")))
		}
		if known && was.From != a.From {
			all = append(all, fmt.Sprintf("load %s: it comes from %s, before from %s", name(a), a.From, was.From))
		}
		delete(old, name(a))
	}
	for _, gone := range slices.Sorted(maps.Keys(old)) {
		all = append(all, "load "+gone+": it was asked for before, and not now")
	}
	return all
}

// otherwise is what of a load was asked for otherwise: how much in a sentence, all else
// by where it stands in the record.
func otherwise(was, now report.Asked) []string {
	var all []string
	if asked(now) != asked(was) {
		all = append(all, asked(now)+", before "+asked(was))
		for _, plan := range []*loadgen.Plan{&was.Plan, &now.Plan} { // of which that is all
			plan.Connections, plan.MaxConnections, plan.Senders, plan.Requests, plan.QPS, plan.Rate, plan.Duration = 0, 0, 0, 0, 0, nil, loadgen.Duration{}
		}
	}
	old, new := fields(was), fields(now)
	places := slices.Sorted(maps.Keys(old))
	places = append(places, slices.Sorted(maps.Keys(new))...)
	slices.Sort(places)
	for _, place := range slices.Compact(places) {
		if old[place] != new[place] {
			is, was := alikeMasked(new[place], old[place])
			all = append(all, fmt.Sprintf("%s %s, before %s", place, field(is), field(was)))
		}
	}
	return all
}

// asked words how much load was asked for.
func asked(a report.Asked) string {
	words := []string{summary.Plural(int64(a.Plan.Connections), "connection")}
	if a.Plan.MaxConnections > 0 {
		words[0] = fmt.Sprintf("%d to %s", a.Plan.Connections, summary.Plural(int64(a.Plan.MaxConnections), "connection"))
	}
	if a.Plan.Senders > 1 {
		words[0] += fmt.Sprintf(" of %d senders", a.Plan.Senders)
	}
	if a.Plan.Requests > 0 {
		words = append(words, summary.Plural(a.Plan.Requests, "request"))
	}
	if a.Plan.QPS > 0 {
		words = append(words, summary.Number(a.Plan.QPS)+" qps")
	}
	if rate := summary.Rate(a.Plan); rate != "" {
		words = append(words, rate)
	}
	if a.Plan.Duration.Duration > 0 {
		words = append(words, "for "+a.Plan.Duration.String())
	}
	return strings.Join(words, ", ")
}

// fields are those of a plan by their places in the record: http.url.
func fields(a report.Asked) map[string]string {
	all := map[string]string{}
	text, err := json.Marshal(a.Plan)
	if err != nil {
		return all // a record has been written that way
	}
	var plan any
	if err := json.Unmarshal(text, &plan); err != nil {
		return all
	}
	flatten(all, "", plan)
	return all
}

func flatten(into map[string]string, place string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, one := range value {
			flatten(into, strings.TrimPrefix(place+"."+name, "."), one)
		}
	case []any:
		for i, one := range value {
			flatten(into, fmt.Sprintf("%s[%d]", place, i), one)
		}
	case nil:
	default:
		into[place] = fmt.Sprint(value)
	}
}

// alikeMasked are two texts of which neither is shown where the other is masked: what is a
// secret in one run was one in the other as well, though its scenario did not say so.
func alikeMasked(now, before string) (string, string) {
	switch {
	case strings.Contains(now, report.Mask) && before != "" && !strings.Contains(before, report.Mask):
		return now, "another, which is not shown"
	case strings.Contains(before, report.Mask) && now != "" && !strings.Contains(now, report.Mask):
		return "another, which is not shown", before
	}
	return now, before
}

// mostOfField is how many characters of a field are shown: a body may be long.
const mostOfField = 100

func field(value string) string {
	if value == "" {
		return "none"
	}
	return summary.Short(value, mostOfField)
}
