package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/report/markdown"
	"github.com/meshchaos/meshchaos/report/terminal"
)

// exitRegressed is that of compare, if anything has.
const exitRegressed = 1

func newCompare() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Say what changed between two runs, by more than chance or not",
		Long: `Say what has changed between two runs of a scenario, and whether by more than
chance: the verdicts, the shares and the latencies. OLD and NEW are reports, or
folders with reports below them, of which those of one scenario are compared;
of several runs of one, the latest. All tests together say in one of a thousand
comparisons that something changed where nothing did. A latency counts that
changed by more than chance and by more than 10 %. A load that was carried out,
and is not any more, has regressed. The verdicts are those that the reports
hold, as meshchaos judge finds them; one that says another is told of. -o wide
also shows what has not changed, and what differs and was not tested.

Exit status: 0 nothing has regressed; 1 something has; 2 bad usage, a file that
is no report, or a scenario of OLD of which there is none in NEW.`,
		Example:           "  meshchaos compare monday tuesday\n  meshchaos compare old/report.json new/report.json -o markdown",
		Args:              arguments(2, 2),
		ValidArgsFunction: reportFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneStdin(args); err != nil {
				return err
			}
			before, err := latestOf(cmd, args[0])
			if err != nil {
				return err
			}
			now, err := latestOf(cmd, args[1])
			if err != nil {
				return err
			}
			sameRun(cmd, before, now)
			c, err := compared(args, before, now)
			if err != nil {
				return err
			}
			if err := printComparison(streamsOf(cmd), c, output); err != nil {
				return &runError{fmt.Errorf("printing the comparison: %w", err)}
			}
			if c.Regressed {
				return &verdictError{exitRegressed}
			}
			return nil
		},
	}
	addOutput(cmd, &output, outputTable, outputWide, "markdown", "html", outputJSON)
	return cmd
}

// sameRun warns of a run that is compared with itself, as where a job takes the report that
// it has just written for that of the night before.
func sameRun(cmd *cobra.Command, before, now map[string]compare.Run) {
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if old, new := before[name], now[name]; new.Record != nil && old.IsOf(new) {
			remark(cmd.ErrOrStderr(), fmt.Sprintf("warning: %s and %s are reports of the same run of %s, in which nothing can have changed", old.File, new.File, name))
		}
	}
}

// compared compares the runs of each scenario of the one argument with those of the other.
func compared(args []string, before, now map[string]compare.Run) (*report.Comparison, error) {
	var pairs []compare.Pair
	var missing, further []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, there := now[name]; !there {
			missing = append(missing, name)
			continue
		}
		pairs = append(pairs, compare.Pair{Before: before[name], Now: now[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if _, there := before[name]; !there {
			further = append(further, name)
		}
	}
	if len(missing) > 0 {
		has := "has no other"
		if len(further) > 0 {
			has = "has " + strings.Join(further, ", ")
			if len(pairs) > 0 {
				has += " beside those of both"
			}
		}
		return nil, fmt.Errorf("comparing %s with %s: there is no report of %s in the latter, which %s; name runs of the same scenarios", args[0], args[1], strings.Join(missing, ", "), has)
	}
	c := compare.Compare(pairs...)
	c.Tool, c.New = tool(), further
	return c, nil
}

// latestOf are the latest runs of each scenario that an argument names, by its name, with
// the verdicts that what they hold comes to.
func latestOf(cmd *cobra.Command, arg string) (map[string]compare.Run, error) {
	all, err := readRecords(cmd.InOrStdin(), []string{arg}, lacking(cmd))
	if err != nil {
		return nil, err
	}
	latest := map[string]source{}
	for _, one := range all {
		name := one.record.Scenario.Name
		if other, there := latest[name]; !there || one.record.Started.After(other.record.Started) {
			latest[name] = one
		}
	}
	runs := map[string]compare.Run{}
	for _, name := range slices.Sorted(maps.Keys(latest)) {
		one := latest[name]
		doubt(cmd, one)
		runs[name] = runOf(one)
	}
	return runs, nil
}

// printComparison prints a comparison as -o asks for it.
func printComparison(to streams, c *report.Comparison, output string) error {
	switch output {
	case outputJSON:
		return printJSON(to.out, c)
	case "markdown":
		return markdown.Compared(to.out, c)
	case "html":
		return compare.HTML(to.out, c)
	}
	var text strings.Builder
	if err := compare.Text(&text, c, output == outputWide); err != nil {
		return err
	}
	if output != outputWide && c.Count(report.Untested) > 0 {
		text.WriteString("(-o wide shows what differs and was not tested, and what is alike)\n")
	}
	return terminal.Fold(to.out, text.String(), to.width)
}
