package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/scenarios"
)

// readBaseline reads the earlier runs that --baseline names, before the first scenario is
// run. That there is none of any is an error, and of one a remark: it may be new.
func (f *runFlags) readBaseline(cmd *cobra.Command, all []found) error {
	if !cmd.Flags().Changed("baseline") {
		return nil
	}
	var err error
	if f.earlier, err = latestOf(cmd, f.baseline); err != nil {
		return fmt.Errorf("reading --baseline: %w", err)
	}
	var without []string
	for _, one := range all {
		if name := one.scenario.Name; f.earlier[name].Record == nil {
			without = append(without, name)
		}
	}
	if len(without) == len(all) {
		return fmt.Errorf("reading --baseline: %s has no report of %s, only of %s; name a run of it", f.baseline, strings.Join(without, ", "), strings.Join(slices.Sorted(maps.Keys(f.earlier)), ", "))
	}
	if len(without) > 0 {
		remark(cmd.ErrOrStderr(), fmt.Sprintf("warning: --baseline: %s has no report of %s, which is compared with nothing", f.baseline, strings.Join(without, ", ")))
	}
	return nil
}

// compare compares a run with the earlier one of its scenario, if there is one. What is
// secret now is masked in that before: it need not have been then.
func (f *runFlags) compare(record *report.Record, s *scenarios.Scenario) {
	if earlier, there := f.earlier[record.Scenario.Name]; there {
		record.ComparedWith = report.EarlierOf(earlier.Record, earlier.File)
		s.HideEarlier(record.ComparedWith)
		compare.Enter(record, judgeOf(record, s))
	}
}
