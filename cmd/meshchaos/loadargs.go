package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// fortioStyle writes flags of load as pflag takes them: with fortio, and all of Go's own
// flags, -qps is what --qps is here. Other commands have none behind one dash that is longer
// than a letter. What a shell asks to be completed is the last word of such a line: the begin
// of a name behind one dash, which is answered by names behind one, or left as it is.
func fortioStyle(root *cobra.Command, args []string) []string {
	before, line, after := args[:0], args, []string(nil)
	if len(args) > 1 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		before, line, after = args[:1], args[1:len(args)-1], args[len(args)-1:]
	}
	if len(line) == 0 || line[0] != loadCommand {
		return args
	}
	cmd, _, err := root.Find(line[:1])
	if err != nil {
		return args
	}
	if len(after) > 0 && !valueWanted(cmd.Flags(), line) {
		if word, dashed := strings.CutPrefix(after[0], "-"); dashed && isBegin(cmd.Flags(), word) {
			after = []string{"--" + word}
			cmd.SetOut(oneDash{cmd.OutOrStdout()})
		}
	}
	return slices.Concat(before, twoDashesEach(cmd.Flags(), line), after)
}

// isBegin says whether what stands behind one dash is the begin of a name, and no letter that
// is a flag.
func isBegin(flags *pflag.FlagSet, word string) bool {
	return word != "" && word[0] != '-' && (len(word) > 1 || flags.ShorthandLookup(word) == nil)
}

// oneDash writes names of flags, each a line of its own as a shell gets them, with one dash.
type oneDash struct{ to io.Writer }

// Write implements io.Writer.
func (w oneDash) Write(line []byte) (int, error) {
	if bytes.HasPrefix(line, []byte("--")) {
		n, err := w.to.Write(line[1:])
		return n + 1, err
	}
	return w.to.Write(line)
}

// valueWanted says whether what comes behind a line is the value of its last flag.
func valueWanted(flags *pflag.FlagSet, line []string) bool {
	last := line[len(line)-1]
	return wantsValue(flags, twoDashes(flags, last))
}

// twoDashesEach gives each flag that has one dash a second, and leaves values as they are.
func twoDashesEach(flags *pflag.FlagSet, args []string) (all []string) {
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(all, args[i:]...)
		}
		arg := twoDashes(flags, args[i])
		all = append(all, arg)
		if wantsValue(flags, arg) && i+1 < len(args) { // which may begin with a dash, too
			i++
			all = append(all, args[i])
		}
	}
	return all
}

// twoDashes gives a long name behind one dash its second. -c16 is -c with its value.
func twoDashes(flags *pflag.FlagSet, arg string) string {
	word, dashed := strings.CutPrefix(arg, "-")
	name, _, _ := strings.Cut(word, "=")
	if !dashed || len(name) < 2 || name[0] == '-' {
		return arg
	}
	if flags.Lookup(name) == nil && flags.ShorthandLookup(name[:1]) != nil && unicode.IsDigit(rune(name[1])) {
		return arg
	}
	return "-" + arg
}

// wantsValue says whether a flag has its value in the next argument.
func wantsValue(flags *pflag.FlagSet, arg string) bool {
	var flag *pflag.Flag
	switch name, long := strings.CutPrefix(arg, "--"); {
	case long:
		flag = flags.Lookup(name)
	case len(arg) == 2 && arg[0] == '-':
		flag = flags.ShorthandLookup(arg[1:])
	}
	return flag != nil && flag.NoOptDefVal == ""
}
