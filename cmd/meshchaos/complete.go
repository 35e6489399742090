package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// complete lets a shell offer values of a flag.
func complete(cmd *cobra.Command, flag string, offer cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, offer); err != nil {
		panic(err) // the flag was added before
	}
}

// scenarioNames completes the library's names; files are completed beside them.
func scenarioNames(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return scenarios.Names(), cobra.ShellCompDirectiveDefault
}

// scenarioName completes the only one.
func scenarioName(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return scenarioNames(cmd, args, typed)
}

// named are the scenarios that a line to be completed names so far.
func named(args []string) []*scenarios.Scenario {
	files, _, err := scenarios.Expand(args)
	if err != nil {
		return nil
	}
	var all []*scenarios.Scenario
	for _, file := range files {
		if s, err := scenarios.Find(file); err == nil {
			all = append(all, s)
		}
	}
	return all
}

// stepNames completes the name of a step of the scenarios on the line.
func stepNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	names := []string{report.Given}
	for _, s := range named(args) {
		for _, step := range s.Steps {
			names = append(names, step.Name)
		}
	}
	return distinct(names), cobra.ShellCompDirectiveNoFileComp
}

// cohortNames completes the name of a cohort of the scenarios on the line.
func cohortNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, s := range named(args) {
		for _, step := range s.Steps {
			for _, cohort := range step.Cohorts {
				names = append(names, cohort.Name)
			}
		}
	}
	return distinct(names), cobra.ShellCompDirectiveNoFileComp
}

// settings completes the parameters of the scenarios on the line, and the first
// parts of paths.
func settings(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var paths []string
	for _, s := range named(args) {
		for name := range s.Params {
			paths = append(paths, "params."+name+"=")
		}
		for _, step := range s.Steps {
			at := "load."
			if step.Name != "" {
				at = "steps[" + step.Name + "].load."
			}
			for _, cohort := range step.Cohorts {
				for _, key := range []string{"connections", "requests", "qps", "duration"} {
					paths = append(paths, at+cohort.Name+"."+key+"=")
				}
			}
		}
	}
	paths = slices.DeleteFunc(paths, func(p string) bool { return !strings.HasPrefix(p, typed) })
	return distinct(paths), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// labelPairs completes the labels of the scenarios on the line, or of the library.
func labelPairs(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		args = scenarios.Names()
	}
	var pairs []string
	for _, s := range named(args) {
		for key, value := range s.Labels {
			pairs = append(pairs, key+"="+value)
		}
	}
	return distinct(pairs), cobra.ShellCompDirectiveNoFileComp
}

func distinct(names []string) []string {
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}
