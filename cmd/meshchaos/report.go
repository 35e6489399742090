package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshchaos/meshchaos/report/summary"
)

func newReport() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "report REPORT|FOLDER|-...",
		Short: "Make the files of reports again, from the records alone",
		Long: `Make the files of reports again, from the records alone: what run --report-dir
puts beside report.json. Each argument is report.json of a run, a folder with
such files below it, what run -o json or -o jsonl prints, or - for stdin.

The files are written beside each record; with --report-dir into that folder,
with the record, and of several records each into a folder of its scenario's
name. What is of all of them together goes into that folder, or into the one
that is the only argument. Each record is judged again, as by meshchaos judge:
the files show what it holds, and of one that says otherwise the status is 3.`,
		Example:           "  meshchaos report out\n  meshchaos run delay-jason -o json | meshchaos report - --report-dir out",
		Args:              arguments(1, -1),
		ValidArgsFunction: reportFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := readRecords(cmd.InOrStdin(), args, lacking(cmd))
			if err != nil {
				return err
			}
			top, err := place(all, args, dir)
			if err != nil {
				return err
			}
			status := exitPass
			for _, one := range all { // nothing is shown that a record says and does not hold
				differs, err := judgeAgain(cmd, one)
				if err != nil {
					return fmt.Errorf("judging %s: %w", one.name, err)
				}
				if differs {
					status = exitInconclusive
				}
			}
			if err := writeReports(cmd, all, top, dir != ""); err != nil {
				return &runError{err}
			}
			if status != exitPass {
				return &verdictError{status}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, reportDirFlag, "", "write into this folder, rather than beside the records")
	return cmd
}

// reportFiles completes the records and folders of a line.
func reportFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"json", "jsonl"}, cobra.ShellCompDirectiveFilterFileExt
}

// place says into which folder the files of each record go, and returns the one for what
// is of all of them together; empty: each has it by itself.
func place(all []source, args []string, dir string) (top string, err error) {
	switch {
	case dir == "":
		return placeBeside(all, args)
	case len(all) == 1:
		all[0].dir = dir
		return "", nil
	}
	return dir, placeInto(dir, all)
}

// placeBeside leaves the files of each record in the folder that is its own. What is of all
// goes into the only argument, unless that is the folder of one of them.
func placeBeside(all []source, args []string) (top string, err error) {
	taken := map[string]string{}
	for _, one := range all {
		if one.dir == "" {
			return "", fmt.Errorf("making a report of %s: there is no folder that is its own; name one by --report-dir", one.name)
		}
		dir := filepath.Clean(one.dir)
		if other, there := taken[dir]; there {
			return "", fmt.Errorf("making reports of %s and %s: they lie in one folder, and each report takes one of its own; name another by --report-dir", other, one.name)
		}
		taken[dir] = one.name
	}
	if len(all) < 2 || len(args) != 1 {
		return "", nil
	}
	if _, there := taken[filepath.Clean(args[0])]; there {
		return "", nil // it is full of a report already
	}
	return args[0], nil
}

// placeInto gives each record a folder of its scenario's name below one.
func placeInto(dir string, all []source) error {
	taken := map[string]bool{}
	for i := range all {
		one := &all[i]
		name := folderOf(one.record.Scenario.Name)
		if name == "" {
			return fmt.Errorf("making a report of %s: %q is no name of a folder; make it alone, with a --report-dir of its own", one.name, one.record.Scenario.Name)
		}
		if taken[name] { // another run of the same scenario
			name += "-" + folderOf(one.record.Run)
		}
		if taken[name] {
			return fmt.Errorf("making a report of %s: run %s of %s is there twice; name it once", one.name, one.record.Run, one.record.Scenario.Name)
		}
		taken[name], one.dir = true, filepath.Join(dir, name)
	}
	return nil
}

// folderOf is a name of a record as that of a folder; empty: it can be none.
func folderOf(name string) string {
	if name == "." || filepath.Base(name) != name || !filepath.IsLocal(name) {
		return ""
	}
	return name
}

// writeReports writes the files of records, each into its folder, and what is of all of
// them into top. What fails keeps nothing else back.
func writeReports(cmd *cobra.Command, all []source, top string, fresh bool) error {
	var failures []error
	var ended []summary.Ended
	of := faces
	if top != "" {
		of = ofEach()
	}
	for _, one := range all {
		said, err := writeSource(one, of, fresh)
		failures = append(failures, err)
		if said != "" {
			remark(cmd.OutOrStdout(), said)
		}
		folder, err := filepath.Rel(top, one.dir)
		if err != nil {
			folder = ""
		}
		ended = append(ended, summary.Ended{Name: one.record.Scenario.Name, Record: one.record, Folder: filepath.ToSlash(folder)})
	}
	if top != "" {
		written, err := writeOverviews(top, ended, slices.Concat([]overview{resultsOfAll}, overviews))
		failures = append(failures, err)
		remark(cmd.OutOrStdout(), wrote(top, written))
	}
	return errors.Join(failures...)
}

// writeSource writes the faces of a record into its folder, and the record itself into
// one where it is not.
func writeSource(one source, of []face, fresh bool) (string, error) {
	if fresh {
		if err := os.MkdirAll(one.dir, 0o755); err != nil {
			return "", fmt.Errorf("making the folder of the report: %w; name another by --report-dir", err)
		}
		return writeReport(one.dir, one.record, of)
	}
	written, err := writeFaces(one.dir, one.record, of)
	if err != nil {
		err = fmt.Errorf("writing the report: %w", err)
	}
	if len(written) == 0 {
		return "", err
	}
	return wrote(one.dir, written), err
}
