package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// helpWidth is how wide the help of flags is: as wide as a terminal is at least.
const helpWidth = 80

// explainUsage folds the help of the flags of all commands, and lets what is
// wrong with a flag or an argument say how the command is written.
func explainUsage(root *cobra.Command) {
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", helpWidth)))
	root.SetFlagErrorFunc(seeHelp)
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.HasSubCommands() {
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() } // else its Args are not looked at
		}
		if check := cmd.Args; check != nil {
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				if err := check(cmd, args); err != nil {
					return seeHelp(cmd, sayUse(cmd, err))
				}
				return nil
			}
		}
	}
}

func sayUse(cmd *cobra.Command, err error) error {
	if cmd.HasSubCommands() {
		return err
	}
	return fmt.Errorf("%w; write %s", err, cmd.UseLine())
}

func seeHelp(cmd *cobra.Command, err error) error {
	return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
}
