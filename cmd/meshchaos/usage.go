package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/scenarios"
)

// helpWidth is how wide the help of flags is: as wide as a terminal is at least.
const helpWidth = 80

// explainUsage folds the help of the flags of all commands, and lets what is
// wrong with a flag or an argument say how the command is written.
func explainUsage(root *cobra.Command) {
	root.SetUsageTemplate(strings.NewReplacer(
		".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", helpWidth),
		"for more information about a command.", "for more about a command.", // which of completion would not fit
	).Replace(root.UsageTemplate()))
	root.SetFlagErrorFunc(explainFlag)
	root.InitDefaultCompletionCmd()
	root.SetHelpCommand(newHelp(root))
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

// explainFlag tells who writes -n for a namespace, as kubectl takes it, where run
// has the number of requests, as fortio does, and who misspells a flag.
func explainFlag(cmd *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	var refused *refusedError
	switch {
	case errors.As(err, &refused):
		err = refused
	case errors.As(err, &invalid) && invalid.GetFlag().Name == "requests" && cmd.Name() != loadCommand:
		err = fmt.Errorf("%w; %s", err, namespaceHint(invalid.GetValue()))
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		var names []string
		cmd.Flags().VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
		if meant := nearest.Word(unknown.GetSpecifiedName(), names); meant != "" {
			err = fmt.Errorf("%w; did you mean --%s?", err, meant)
		}
	}
	return seeHelp(cmd, err)
}

// namespaceHint is for who writes -n for a namespace.
func namespaceHint(value string) string {
	if len(validation.IsDNS1123Label(value)) > 0 || strings.Trim(value, "0123456789") == "" || whole.MatchString(strings.TrimPrefix(value, "0x")) {
		return "a namespace is named by --namespace"
	}
	return "did you mean --namespace " + value + "?"
}

func sayUse(cmd *cobra.Command, err error) error {
	if cmd.HasSubCommands() {
		return err
	}
	if len(cmd.ValidArgs) > 0 {
		err = fmt.Errorf("%w; there are %s", err, strings.Join(cmd.ValidArgs, ", "))
	}
	return fmt.Errorf("%w; write %s", err, cmd.UseLine())
}

func seeHelp(cmd *cobra.Command, err error) error {
	return &usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
}

// usageError says that a command line is wrong by itself, so that nothing of it was begun.
type usageError struct{ err error }

// Error implements error.
func (e *usageError) Error() string { return e.err.Error() }

// Unwrap returns what is wrong.
func (e *usageError) Unwrap() error { return e.err }

// newHelp is the help of each command as a command, which refuses what is none.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		RunE: func(_ *cobra.Command, args []string) error {
			about, _, err := root.Find(args)
			if err != nil {
				return err // execute words it
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return commandNames(root), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// unknownCommand says what might have been meant by the first argument that is no
// command, or returns nil if there is none.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) > 0 && args[0] == "help" {
		args = args[1:]
	}
	at := slices.IndexFunc(args, func(arg string) bool { return !strings.HasPrefix(arg, "-") })
	if _, _, err := root.Find(args); err == nil || at < 0 {
		return nil
	}
	name := args[at]
	if _, err := os.Stat(name); err == nil || slices.Contains(scenarios.Names(), name) {
		return fmt.Errorf("unknown command %q; it is a scenario's name: write %s run %[1]s", name, root.Name())
	}
	return fmt.Errorf("unknown command %q; %s", name, nearest.Hint(name, commandNames(root)))
}

func commandNames(root *cobra.Command) []string {
	var names []string
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() {
			names = append(names, cmd.Name())
		}
	}
	return names
}

// arguments takes as many as these; most below 0: no fewer than least.
func arguments(least, most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return errors.New("an argument is missing")
		case most >= 0 && len(args) > most:
			return fmt.Errorf("there is no place for %q", args[most])
		}
		return nil
	}
}

// noArguments refuses any.
func noArguments(cmd *cobra.Command, args []string) error { return arguments(0, 0)(cmd, args) }

// namedBy refuses any argument, and says which flag has what it may be meant for.
func namedBy(what, flag string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := noArguments(cmd, args); err != nil {
			return fmt.Errorf("%w; a %s is named by --%s", err, what, flag)
		}
		return nil
	}
}
