package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/internal/verdict"
	"github.com/meshchaos/meshchaos/internal/yamlnode"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/compare"
	"github.com/meshchaos/meshchaos/scenarios"
)

func newJudge() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "judge REPORT|FOLDER|-...",
		Short: "Judge reports again, from what they hold alone",
		Long: `Judge reports again, from what they hold alone, without a mesh: each is
report.json of a run, a folder with such files below it, what run -o json or
-o jsonl prints, or - for stdin. The exit status is that of the run, by the
verdict that is reached now; a report that says another one is told of.

` + outputHelp,
		Example:           "  meshchaos judge out/report.json\n  meshchaos judge out",
		Args:              arguments(1, -1),
		ValidArgsFunction: reportFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			status := exitPass
			lacks := lacking(cmd)
			var without []any
			all, err := readRecords(cmd.InOrStdin(), args, func(name string, of report.NotRun) {
				lacks(name, of)
				status, without = exitUsage, append(without, of) // as gravely as the run took it, at least
			})
			if err != nil {
				return err
			}
			documents := slices.Concat(recordsIn(all), without)
			for _, one := range all {
				if _, err := judgeAgain(cmd, one); err != nil {
					return fmt.Errorf("judging %s: %w", one.name, err)
				}
				if err := printOne(streamsOf(cmd), one.record, len(documents), output, false); err != nil {
					return &runError{fmt.Errorf("printing the report: %w", err)}
				}
				status = worse(status, statusOfRecord(one.record))
			}
			if err := printAll(cmd.OutOrStdout(), documents, output); err != nil {
				return &runError{fmt.Errorf("printing the reports: %w", err)}
			}
			if status != exitPass {
				return &verdictError{status}
			}
			return nil
		},
	}
	addOutput(cmd, &output, outputTable, outputWide, outputJSON, outputLines)
	addQuiet(cmd)
	return cmd
}

// judgeAgain judges a record again, and warns if it said another verdict than the one that
// it comes to, or other numbers of what it was judged by.
func judgeAgain(cmd *cobra.Command, one source) (differs bool, err error) {
	was := *one.record // judging puts others in the place of its lists, and changes none
	said, saidWorse := was.Verdict, regressed(one.record)
	if err := judge(one.record); err != nil {
		return false, err
	}
	if now := regressed(one.record); now != saidWorse {
		words := map[bool]string{true: "something has regressed", false: "nothing has regressed"}
		remark(cmd.ErrOrStderr(), fmt.Sprintf("warning: %s: it says that %s since run %s, and what it holds says that %s", one.name, words[saidWorse], one.record.ComparedWith.Run, words[now]))
	}
	if differs = said != one.record.Verdict; differs {
		remark(cmd.ErrOrStderr(), fmt.Sprintf("warning: %s: it says %s, and what it holds says %s", one.name, said, one.record.Verdict))
	}
	if wrong := verdict.Otherwise(&was, one.record); wrong != "" {
		remark(cmd.ErrOrStderr(), fmt.Sprintf("warning: %s: %s", one.name, wrong))
	}
	return differs, nil
}

// regressed says whether a record says that something has, since the run that it is compared with.
func regressed(r *report.Record) bool {
	return r.ComparedWith != nil && r.ComparedWith.Comparison != nil && r.ComparedWith.Comparison.Regressed
}

// doubt says of a record that its verdict is another than what it holds comes to, or
// that nobody can know that, so that nobody believes what is made of it; and enters what
// it comes to.
func doubt(cmd *cobra.Command, one source) {
	said := one.record.Verdict
	if _, err := judgeAgain(cmd, one); err != nil {
		remark(cmd.ErrOrStderr(), fmt.Sprintf("warning: %s: it says %s, and cannot be judged again: %v", one.name, said, err))
	}
}

// judge judges a record again.
func judge(record *report.Record) error {
	scenario, err := scenarios.OfRecord(record.Scenario)
	if err != nil {
		return err
	}
	if err := verdict.Unchanged(record, scenario); err != nil {
		return err
	}
	for _, c := range record.Changes {
		record.Restored = record.Restored && c.Restored
	}
	verdict.Judge(record, scenario).Enter(record)
	compare.Enter(record, judgeOf(record, scenario))
	return nil
}

// judgeOf judges what other runs of a scenario asked for by the record of one.
func judgeOf(record *report.Record, scenario *scenarios.Scenario) compare.Judge {
	return func(e report.Expectation) (report.Expectation, bool) { return verdict.Of(e, record, scenario) }
}

// runOf is a record that was read, as a run to be compared.
func runOf(one source) compare.Run {
	read := sync.OnceValues(func() (*scenarios.Scenario, error) { return scenarios.OfRecord(one.record.Scenario) })
	return compare.Run{File: one.name, Record: one.record, Judge: func(e report.Expectation) (report.Expectation, bool) {
		scenario, err := read()
		if err != nil {
			return report.Expectation{}, false // of which doubt has told
		}
		return judgeOf(one.record, scenario)(e)
	}}
}

// source is a record, and where it was read.
type source struct {
	record *report.Record
	name   string // of it in a sentence
	dir    string // the folder that is its alone; empty: it has none
}

func recordsIn(all []source) []any {
	var records []any
	for _, one := range all {
		records = append(records, one.record)
	}
	return records
}

// lacking warns of scenarios that stand among records and have none.
func lacking(cmd *cobra.Command) func(name string, of report.NotRun) {
	return func(name string, of report.NotRun) {
		remark(cmd.ErrOrStderr(), fmt.Sprintf("warning: %s: %s was %s: %s", name, of.Scenario.Name, of.Became, yamlnode.Brief(of.Error)))
	}
}

// readRecords reads the records that arguments name, and tells lacks of what stands among
// them without one.
func readRecords(stdin io.Reader, args []string, lacks func(name string, of report.NotRun)) ([]source, error) {
	files, err := recordsOf(args)
	if err != nil {
		return nil, err
	}
	var all []source
	for _, file := range files {
		found, err := readFile(stdin, file, lacks)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// readFile reads the records of a file, or of stdin.
func readFile(stdin io.Reader, file string, lacks func(name string, of report.NotRun)) ([]source, error) {
	in, name := stdin, "stdin"
	if file == "" {
		return nil, errors.New("reading a report: its name is empty; name report.json of a run, or its folder")
	}
	if file != scenarios.Stdin {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("reading a report: %w; %s", err, cmp.Or(insteadOfReport(file), "name report.json of a run, or its folder"))
		}
		defer f.Close()
		in, name = f, file
	}
	records, without, err := report.ReadAll(in)
	if instead := insteadOfReport(file); err != nil && instead != "" {
		return nil, fmt.Errorf("reading the report %s: %s", name, instead)
	} else if err != nil {
		return nil, fmt.Errorf("reading the report %s: %w", name, err)
	}
	for _, of := range without {
		lacks(name, of)
	}
	if len(records) == 1 && file != scenarios.Stdin {
		return []source{{records[0], name, filepath.Dir(file)}}, nil
	}
	var all []source
	for i, record := range records {
		if len(records) > 1 {
			all = append(all, source{record, fmt.Sprintf("%s, report %d (%s)", name, i+1, record.Scenario.Name), ""})
		} else {
			all = append(all, source{record, name, ""})
		}
	}
	return all, nil
}

// insteadOfReport says what to do with a file that is no report but a scenario; empty: it
// is none, as far as is known.
func insteadOfReport(file string) string {
	if _, err := scenarios.Find(file); err != nil && !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(file)) {
		return ""
	}
	return fmt.Sprintf("this is a scenario, and no report: meshchaos run %s --report-dir out leaves one in out", file)
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
		below, err := recordsBelow(arg)
		if err != nil {
			return nil, fmt.Errorf("looking for reports: %w", err)
		}
		if len(below) == 0 {
			return nil, fmt.Errorf("looking for reports in %s: there is no %s in it or below it; run with --report-dir writes one", arg, recordFile)
		}
		files = append(files, below...)
	}
	return files, nil
}

// recordsBelow are the files of the records in a folder or below it, named as it is. It
// may be a link, as to the latest of many; those below it are not followed.
func recordsBelow(folder string) ([]string, error) {
	root, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return nil, err
	}
	var files []string
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() != recordFile {
			return err
		}
		below, err := filepath.Rel(root, path)
		files = append(files, filepath.Join(folder, below))
		return err
	})
	return files, err
}
