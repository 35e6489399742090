package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/verdict"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// recordFile is the name of a record in the folder of a report.
const recordFile = "report.json"

func newJudge() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "judge REPORT|FOLDER|-...",
		Short: "Judge reports again, from what they hold alone",
		Long: `Judge reports again, from what they hold alone, without a mesh: each is
report.json of a run, a folder with such files below it, or - for stdin. The
exit status is that of the run, by the verdict that is reached now; a report
that says another one is told of.`,
		Example: "  meshchaos judge out/report.json\n  meshchaos judge out",
		Args:    arguments(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := recordsOf(args)
			if err != nil {
				return err
			}
			status := exitPass
			for _, file := range files {
				record, err := readRecord(cmd.InOrStdin(), file)
				if err != nil {
					return err
				}
				said := record.Verdict
				if err := judge(record); err != nil {
					return fmt.Errorf("judging %s: %w", file, err)
				}
				if said != record.Verdict {
					remark(cmd.ErrOrStderr(), fmt.Sprintf("warning: %s: it says %s, and what it holds says %s", file, said, record.Verdict))
				}
				if err := printRecord(streamsOf(cmd), record, output, false); err != nil {
					return &runError{fmt.Errorf("printing the report: %w", err)}
				}
				status = worse(status, statusOfRecord(record))
			}
			if status != exitPass {
				return &verdictError{status}
			}
			return nil
		},
	}
	addOutput(cmd, &output, "table", "wide", "json")
	addQuiet(cmd)
	return cmd
}

// judge judges a record again.
func judge(record *report.Record) error {
	scenario, err := scenarios.OfRecord(record.Scenario)
	if err != nil {
		return err
	}
	verdict.Judge(record, scenario).Enter(record)
	return nil
}

// readRecord reads a record from a file, or from stdin.
func readRecord(stdin io.Reader, file string) (*report.Record, error) {
	in := stdin
	if file != scenarios.Stdin {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("reading a report: %w; name report.json of a run, or its folder", err)
		}
		defer f.Close()
		in = f
	}
	record, err := report.Read(in)
	if err != nil {
		return nil, fmt.Errorf("reading the report %s: %w", file, err)
	}
	return record, nil
}

// recordsOf are the files of the records that arguments name: a folder stands for all
// below it.
func recordsOf(args []string) ([]string, error) {
	if err := oneStdin(args); err != nil {
		return nil, err
	}
	var files []string
	for _, arg := range args {
		if info, err := os.Stat(arg); err != nil || !info.IsDir() {
			files = append(files, arg) // reading it says what is wrong
			continue
		}
		found := len(files)
		err := filepath.WalkDir(arg, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && entry.Name() == recordFile {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("looking for reports: %w", err)
		}
		if len(files) == found {
			return nil, fmt.Errorf("looking for reports in %s: there is no %s in it or below it; run with --report-dir writes one", arg, recordFile)
		}
	}
	return files, nil
}
