package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/plural"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// tally is how often each version answered.
type tally struct {
	total    int64
	versions []int64 // in the order of the portions
	others   string  // what else there was, worded; empty: nothing
	sources  []string
	missing  []string
}

// answersByVersion counts what a cohort saw. An answer without a version, one
// of several versions, and a transport error are others.
func answersByVersion(w Windows, l Load, portions []portion) tally {
	result, v := w.result(l)
	t := tally{sources: v.sources, missing: v.missing}
	if result == nil {
		return t
	}
	if missing := unanswered(result); missing != "" {
		t.missing = append(t.missing, fmt.Sprintf("%s in the %s: %s", l.name(), wordWindow(l.Window), missing))
		return t
	}
	t.total = result.Sent
	listed := map[string]bool{}
	for _, p := range portions {
		listed[p.version] = true
		t.versions = append(t.versions, result.Count(withVersion(p.version)))
	}
	others := map[string]int64{}
	for _, o := range result.Outcomes {
		switch {
		case o.Count == 0:
		case o.Error != "":
			others["with the error "+o.Error] += o.Count
		case o.Version == "":
			others["without a version"] += o.Count
		case o.Version == loadgen.Mixed && !listed[o.Version]:
			others["from several versions"] += o.Count
		case !listed[o.Version]:
			others["from "+o.Version] += o.Count
		}
	}
	var list []string
	for _, what := range slices.Sorted(maps.Keys(others)) {
		list = append(list, fmt.Sprintf("%d %s", others[what], what))
	}
	t.others = strings.Join(list, ", ")
	return t
}

// requestsByVersion counts what the proxies counted for a service: all
// requests, and those to each version. The rest are others.
func (c *compiler) requestsByVersion(service string, portions []portion) func(Windows) tally {
	needs := []Need{{Function: report.Requests, Args: []string{service}}}
	for _, p := range portions {
		needs = append(needs, Need{Function: report.Requests, Args: []string{service, p.version}})
	}
	for _, n := range needs {
		c.need(n)
		c.about(n.text())
	}
	return func(w Windows) tally {
		var t tally
		var counts []int64
		for _, n := range needs {
			v := ofProxies(n)(w)
			t.sources, t.missing = union(t.sources, v.sources), union(t.missing, v.missing)
			if v.amount != nil { // a count
				counts = append(counts, v.amount.Num().Int64())
			}
		}
		if len(t.missing) == 0 {
			t.take(service, counts[0], counts[1:])
		}
		return t
	}
}

// take checks the counts of a service and sets them.
func (t *tally) take(service string, total int64, versions []int64) {
	rest := total
	for _, n := range versions {
		rest -= n
	}
	switch {
	case total == 0:
		t.missing = append(t.missing, fmt.Sprintf("no request reached %s: there are no samples", service))
	case rest < 0:
		t.missing = append(t.missing, fmt.Sprintf("%s to %s in all, but %d by version", plural.Of(total, "request"), service, total-rest))
	case rest > 0:
		t.others = fmt.Sprintf("%d to no version that is listed", rest)
	}
	t.total, t.versions = total, versions
}
