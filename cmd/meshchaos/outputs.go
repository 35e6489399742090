package main

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/terminal"
)

// The words for how records are printed.
const (
	outputTable = "table"
	outputWide  = "wide"
	outputJSON  = "json"
	outputLines = "jsonl"
)

// outputHelp explains them in the help of a command.
const outputHelp = `-o table prints what matters of a run, -o wide all of it. -o json prints the
record as report.json has it; of several, when all are done, one document as
kubectl does: of kind List, with the records as items. -o jsonl prints each
record on a line, as soon as there is one. In the place of the record of a
scenario that was not run stands what is of kind NotRun, and says why.`

// printOne prints a record, one of so many, unless -o asks for all of them together.
func printOne(to streams, record *report.Record, of int, output string, explain bool) error {
	to.out = asItIs(to.out)
	switch {
	case output == outputLines:
		return printLine(to.out, record)
	case output == outputJSON && of > 1:
		return nil
	case output == outputJSON:
		return printJSON(to.out, record)
	}
	if to.quiet { // what is not as it was is told of however quiet it is to be
		err := terminal.WriteVerdict(to.out, record, to.shown(output, explain))
		return errors.Join(err, terminal.WriteLost(to.err, record.Changes, to.shown(output, explain)))
	}
	return terminal.Write(to.out, record, to.shown(output, explain))
}

// printAll prints what is of no single record: of -o json a List where there are several
// documents, and what stands in the place of a record that there is not.
func printAll(w io.Writer, documents []any, output string) error {
	if output == outputJSON && len(documents) > 1 {
		return printJSON(w, report.ListOf(documents))
	}
	for _, document := range documents {
		notRun, is := document.(report.NotRun)
		if !is {
			continue
		}
		if err := printNotRun(w, notRun, output); err != nil {
			return err
		}
	}
	return nil
}

func printNotRun(w io.Writer, of report.NotRun, output string) error {
	switch output {
	case outputJSON:
		return printJSON(w, of)
	case outputLines:
		return printLine(w, of)
	}
	return nil
}

func printLine(w io.Writer, of any) error {
	line, err := json.Marshal(of)
	if err == nil {
		_, err = w.Write(append(line, '\n'))
	}
	return err
}
