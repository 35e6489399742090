package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/report/terminal"
)

func newHistory() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "history FOLDER|REPORT|-...",
		Short: "Say what became of scenarios from run to run",
		Long: `Say what became of scenarios from run to run: each report.json in a folder or
below it, the earliest run first. Of each run the verdict, and what has changed
since the one before it, as meshchaos compare finds it; over the runs, of each
load under the rule the median, the 99th percentile and the share of failures,
and of each expectation what was observed, where that is a number.
The verdicts are those that the reports hold, as meshchaos judge finds them;
one that says another is told of.

Exit status: 0, whatever became of them; 2 bad usage, or a file that is no
report.`,
		Example:           "  meshchaos history nights\n  meshchaos history nights -o json",
		Args:              arguments(1, -1),
		ValidArgsFunction: reportFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := readRecords(cmd.InOrStdin(), args, lacking(cmd))
			if err != nil {
				return err
			}
			for _, one := range all {
				doubt(cmd, one)
			}
			to, h := streamsOf(cmd), historyOf(all)
			if output == outputJSON {
				err = printJSON(to.out, h)
			} else {
				var text strings.Builder
				_ = compare.PastText(&text, h) // which has no end
				err = terminal.Fold(to.out, text.String(), to.width)
			}
			if err != nil {
				return &runError{fmt.Errorf("printing the history: %w", err)}
			}
			return nil
		},
	}
	addOutput(cmd, &output, outputTable, outputJSON)
	return cmd
}

// historyOf is that of the runs, by their scenarios.
func historyOf(all []source) *report.History {
	runs := map[string][]compare.Run{}
	for _, one := range all {
		name := one.record.Scenario.Name
		runs[name] = append(runs[name], runOf(one))
	}
	h := &report.History{APIVersion: report.APIVersion, Kind: report.KindHistory, Tool: tool(), Scenarios: []report.Past{}}
	for _, name := range slices.Sorted(maps.Keys(runs)) {
		h.Scenarios = append(h.Scenarios, compare.Past(runs[name]))
	}
	return h
}
