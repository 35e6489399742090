package main

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var (
	whole   = regexp.MustCompile(`^([-+]?)0*([0-9]+)$`)
	decimal = regexp.MustCompile(`^([-+]?)0*([0-9]+(?:\.[0-9]+)?)$`)
)

// decimalFlag is a number as everybody reads it: 010 is 10, where pflag's own
// would take it for 8, and 0x10 is none.
type decimalFlag struct {
	pflag.Value
	form *regexp.Regexp
}

// Set implements pflag.Value.
func (f decimalFlag) Set(text string) error {
	parts := f.form.FindStringSubmatch(text)
	switch {
	case parts == nil && f.form == whole:
		return errors.New("it takes a whole number in decimal digits")
	case parts == nil:
		return errors.New("it takes a number in decimal digits")
	}
	err := f.Value.Set(parts[1] + parts[2])
	if errors.Is(err, strconv.ErrSyntax) {
		return errors.New("it takes none below 0")
	}
	if reason := errors.Unwrap(err); reason != nil { // without the name of Go's function
		return reason
	}
	return err
}

// timeFlag is a time, of which what is none is told in our words, not in those of Go.
type timeFlag struct{ pflag.Value }

// Set implements pflag.Value.
func (f timeFlag) Set(text string) error {
	if err := f.Value.Set(text); err != nil {
		return errors.New("it takes a time with its unit, as in 90s, 5m or 1h30m")
	}
	return nil
}

// readDecimal lets the flags of a command, and of those below it, take decimal
// numbers only, and keeps a shell from offering files for them and for times.
func readDecimal(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		switch kind := flag.Value.Type(); {
		case strings.HasPrefix(kind, "float"):
			flag.Value = decimalFlag{flag.Value, decimal}
		case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"):
			flag.Value = decimalFlag{flag.Value, whole}
		case kind == "duration":
			flag.Value = timeFlag{flag.Value}
			if flag.DefValue == "0s" {
				flag.DefValue = "0" // which help takes for none
			}
		default:
			return
		}
		if _, offers := cmd.GetFlagCompletionFunc(flag.Name); !offers {
			complete(cmd, flag.Name, cobra.NoFileCompletions)
		}
	})
	for _, below := range cmd.Commands() {
		readDecimal(below)
	}
}
