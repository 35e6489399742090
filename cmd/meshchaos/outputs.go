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
record on a line, as soon as there is one.`

// printOne prints a record, one of so many, unless -o asks for all of them together.
func printOne(to streams, record *report.Record, of int, output string, explain bool) error {
	switch {
	case output == outputLines:
		line, err := json.Marshal(record)
		if err == nil {
			_, err = to.out.Write(append(line, '\n'))
		}
		return err
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

// printAll prints what -o asks for of several records together.
func printAll(w io.Writer, records []*report.Record, of int, output string) error {
	if output != outputJSON || of < 2 {
		return nil
	}
	return printJSON(w, report.ListOf(records))
}
