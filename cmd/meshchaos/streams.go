package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/summary"
	"github.com/meshchaos/meshchaos/report/terminal"
)

// streams are where the output of a run goes.
type streams struct {
	out, err io.Writer
	width    int  // columns of the terminal behind out; 0: there is none
	color    bool // it is to be shown in colours
	quiet    bool // no more than the verdict is wanted

	tell func(phase string) // hears of each phase of a run beside others; nil: nobody does
}

func streamsOf(cmd *cobra.Command) streams {
	out := cmd.OutOrStdout()
	quiet, _ := cmd.Flags().GetBool(quietFlag) // a command without it is not
	return streams{out: out, err: cmd.ErrOrStderr(), width: columns(out), color: colorful(out), quiet: quiet}
}

const quietFlag = "quiet"

// addQuiet adds -q.
func addQuiet(cmd *cobra.Command) {
	cmd.Flags().BoolP(quietFlag, "q", false, "print the verdict alone, in one sentence, and no progress")
}

// progress is where it goes how far a run has come.
func (s streams) progress() io.Writer {
	if s.quiet {
		return io.Discard
	}
	return s.err
}

// shown is how a report is shown there.
func (s streams) shown(output string, explain bool) terminal.Options {
	return terminal.Options{Width: s.width, Color: s.color, Explain: explain, Wide: output == outputWide}
}

// colorful says whether colours are wanted (https://no-color.org), and can be shown.
func colorful(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && movable(w)
}

func isTerminal(w io.Writer) bool {
	f := fileOf(w)
	return f != nil && term.IsTerminal(int(f.Fd()))
}

// output is stdout or stderr. It remembers that something could not be printed: cobra's
// help, and whoever prints a line of many, passes over that.
type output struct {
	to      io.Writer
	failed  error
	secrets []func(string) string // what masks those of the scenarios that were read
}

// Write implements io.Writer.
func (o *output) Write(text []byte) (int, error) {
	n, err := len(text), error(nil)
	if len(o.secrets) == 0 {
		n, err = o.to.Write(text)
	} else {
		_, err = io.WriteString(o.to, o.masked(string(text)))
	}
	if err != nil && o.failed == nil {
		o.failed = err
	}
	return n, err
}

// blame says of what ended a command, nil among it, that the output could not be printed,
// if that is so: nothing is wrong with the command line then.
func (o *output) blame(err error) error {
	switch {
	case o.failed == nil:
		return err
	case err == nil || err == o.failed: //nolint:errorlint // what wraps it says more
		return &runError{fmt.Errorf("printing the output: %w", o.failed)}
	case errors.Is(err, o.failed):
		return &runError{err}
	}
	return err
}

// masked is a text without secrets.
func (o *output) masked(text string) string {
	for _, hide := range o.secrets {
		text = hide(text)
	}
	return text
}

// asItIs is a stream that masks nothing, for what is made of a record: that is masked, and
// what is a secret elsewhere may be a name in it.
func asItIs(w io.Writer) io.Writer {
	if o, ok := w.(*output); ok && len(o.secrets) > 0 {
		return unmasked{o}
	}
	return w
}

type unmasked struct{ *output }

// Write implements io.Writer.
func (o unmasked) Write(text []byte) (int, error) {
	n, err := o.to.Write(text)
	if err != nil && o.failed == nil {
		o.failed = fmt.Errorf("printing the output: %w", err)
	}
	return n, err
}

// masking is how what goes to a stream is masked, for what goes elsewhere.
func masking(w io.Writer) func(string) string {
	if o, ok := w.(*output); ok {
		return o.masked
	}
	return func(text string) string { return text }
}

// fileOf is the file behind a stream; nil: there is none.
func fileOf(w io.Writer) *os.File {
	if o, ok := w.(*output); ok {
		w = o.to
	}
	f, _ := w.(*os.File)
	return f
}

// columns is how wide the terminal is, or 0 if w is none.
func columns(w io.Writer) int {
	if p, ok := w.(*held); ok {
		return p.columns
	}
	f := fileOf(w)
	if f == nil {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// printJSON prints what -o json asks for.
func printJSON(w io.Writer, of any) error {
	text, err := report.Indent(of)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

// remark prints lines beside the output, each folded where w is a terminal, without what
// would act on it: an error may quote what a server said. Whoever cannot be told of one
// cannot be told of that either.
func remark(w io.Writer, lines string) {
	if o, ok := w.(*output); ok {
		lines = o.masked(lines) // before a fold could part one
	}
	_ = terminal.Fold(w, summary.Lines(lines)+"\n", columns(w))
}
