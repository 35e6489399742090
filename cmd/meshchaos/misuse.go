package main

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// reportDirFlag names the folder of a report.
const reportDirFlag = "report-dir"

// reportMisuse leaves in junit.xml why a command line was not even read to its end: for a
// CI job it is a run that failed like any other, and what an earlier one left is not to be
// taken for it.
func reportMisuse(cmd *cobra.Command, args []string, why error) error {
	kept := &results{dir: reportDirIn(cmd, args), started: time.Now(), hide: masking(cmd.ErrOrStderr())}
	if err := kept.begin(); err != nil {
		return err
	}
	return kept.failed(why, cmd.ErrOrStderr())
}

// reportDirIn is the folder that a command line names, whatever else is wrong with it.
func reportDirIn(cmd *cobra.Command, args []string) string {
	lenient := pflag.NewFlagSet(cmd.Name(), pflag.ContinueOnError)
	lenient.ParseErrorsAllowlist.UnknownFlags = true
	lenient.Usage = func() {}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		any := *flag
		any.Value = new(anything)
		lenient.AddFlag(&any)
	})
	_ = lenient.Parse(args) // as far as it goes
	return lenient.Lookup(reportDirFlag).Value.String()
}

// anything is the value of a flag, of which nothing is wrong.
type anything string

// Set implements pflag.Value.
func (a *anything) Set(text string) error {
	*a = anything(text)
	return nil
}

// String implements pflag.Value.
func (a *anything) String() string { return string(*a) }

// Type implements pflag.Value.
func (a *anything) Type() string { return "string" }
