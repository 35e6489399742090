package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/chance"
	"github.com/meshchaos/meshchaos/loadgen"
	"github.com/meshchaos/meshchaos/report"
)

// alpha is the chance that a cohort of a mesh that is back is said not to be:
// the level of a split's test, for the same reason.
const alpha = 1e-5

// notBack names the cohorts whose answers after the undoing are not those of
// the baseline.
func notBack(r run) []string {
	base, after := r.record.Window(report.Baseline, ""), r.record.Window(report.Recovery, "")
	if base == nil || after == nil || base.Cut != "" || after.Cut != "" {
		return nil
	}
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(after.Loads)) {
		before, now := base.Loads[name], after.Loads[name]
		if before == nil || before.Sent == 0 || now.Sent == 0 {
			continue // which its load is doubted for already
		}
		// What an answer is comes before what stands in it: one is said, not both.
		found := r.differences(sorts(before, false), sorts(now, false))
		if len(found) == 0 {
			found = r.differences(sorts(before, true), sorts(now, true))
		}
		for _, f := range found {
			problems = append(problems, fmt.Sprintf("the baseline is not back: after the undoing %s %s; look for what else has changed, and run again", name, f))
		}
	}
	return problems
}

// differences words how the sorts of answers after the undoing differ from
// those before it.
//
// Where all were alike, and nothing that is in force draws lots, one of another
// sort is enough. Else the shares are compared, by Fisher's exact test: of what
// is drawn a small baseline may have missed a sort, or had more of it.
func (r run) differences(before, now map[string]int64) []string {
	all := maps.Clone(before)
	maps.Copy(all, now)
	strict := len(before) == 1 && len(r.record.Draws) == 0
	var found []string
	for _, sort := range slices.Sorted(maps.Keys(all)) {
		of := chance.Table{First: before[sort], OfFirst: sum(before), Second: now[sort], OfSecond: sum(now)}
		switch {
		case strict && before[sort] == 0:
			found = append(found, fmt.Sprintf("was answered %s, before it never", sort))
		case !strict && of.P() < alpha/float64(len(all)):
			found = append(found, fmt.Sprintf("was answered %s in %d of %d requests, before it in %d of %d", sort, of.Second, of.OfSecond, of.First, of.OfFirst))
		}
	}
	return found
}

func sum(counts map[string]int64) int64 {
	var total int64
	for _, n := range counts {
		total += n
	}
	return total
}

// sorts counts the answers of a load by status or error and, if asked, by the
// version that they showed and the checks that they fulfilled.
func sorts(l *loadgen.Result, contents bool) map[string]int64 {
	found := map[string]int64{}
	for _, o := range l.Outcomes {
		words := o.Words()
		if o.Error == "" && o.Status == 0 && o.GRPC == "" {
			words = "in whole"
		}
		if contents {
			if o.Version != "" {
				words += " by " + o.Version
			}
			if len(o.Checks) > 0 {
				words += " with " + strings.Join(o.Checks, " and ")
			}
		}
		found[words] += o.Count
	}
	return found
}
