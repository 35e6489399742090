// Package verdicts is what a pass means, as files: for each sentence of the
// promise, scenarios that must not pass, and beside them a healthy neighbour,
// as like them as can be, that must. README.md maps the sentences to the files.
//
// A file says by itself how it must end, in a line of the comment that heads it:
//
//	# expect: inconclusive "never bit"
//
// and the words have to show, so that none ends so for another reason. The
// package may import whatever a run needs.
package verdicts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/internal/runner"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// Refused is the end of a scenario that nothing was written for.
const Refused = "refused"

// Row is one file of the table.
type Row struct {
	Folder string // 2.1-rule-hidden: the point, and which of its sentences
	Name   string // must-not-pass-later-route.yaml
	Path   string
	End    string   // pass, fail, inconclusive or refused
	Words  []string // each stands in what the end is said with
}

// ID names a row among all others.
func (r Row) ID() string { return r.Folder + "/" + r.Name }

// Healthy says whether the row is a neighbour that must pass.
func (r Row) Healthy() bool { return strings.HasPrefix(r.Name, "must-pass-") }

// Rows reads the table that lies in a folder.
func Rows(root string) ([]Row, error) {
	paths, err := filepath.Glob(filepath.Join(root, "*", "*.yaml"))
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, path := range paths {
		row, err := read(path)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
		if row.Healthy() || strings.HasPrefix(row.Name, "must-not-pass-") {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

var (
	expectLine = regexp.MustCompile(`(?m)^# expect: (pass|fail|inconclusive|refused)((?: "(?:[^"\\]|\\.)+")*)$`)
	quoted     = regexp.MustCompile(`"(?:[^"\\]|\\.)+"`)
)

func read(path string) (Row, error) {
	row := Row{Folder: filepath.Base(filepath.Dir(path)), Name: filepath.Base(path), Path: path}
	text, err := os.ReadFile(path)
	if err != nil {
		return row, err
	}
	found := expectLine.FindAllStringSubmatch(string(text), -1)
	rulesFile := !row.Healthy() && !strings.HasPrefix(row.Name, "must-not-pass-")
	switch {
	case rulesFile:
		return row, nil
	case !strings.HasPrefix(string(text), "# "):
		return row, errors.New("its first line does not say what it is about")
	case len(found) != 1:
		return row, fmt.Errorf(`it has %d lines such as # expect: inconclusive "never bit"`, len(found))
	}
	row.End = found[0][1]
	for _, word := range quoted.FindAllString(found[0][2], -1) {
		text, err := strconv.Unquote(word)
		if err != nil {
			return row, fmt.Errorf("unquoting %s: %w", word, err)
		}
		row.Words = append(row.Words, text)
	}
	switch {
	case row.Healthy() != (row.End == string(report.Pass)):
		return row, fmt.Errorf("its name and its end, %s, disagree", row.End)
	case !row.Healthy() && len(row.Words) == 0:
		return row, errors.New("it names no words, and could end so for any reason")
	}
	return row, nil
}

// Ended is how a row ended: refused with an error, or with a record.
type Ended struct {
	Warnings []string // of the file
	Record   *report.Record
	Err      error
}

// Held says how an end is not the one that the row must have; nil: it is.
func (r Row) Held(e Ended) error {
	if e.Err != nil {
		return r.heldRefused(e.Err)
	}
	record := e.Record
	switch {
	case r.End == Refused:
		return fmt.Errorf("it was not refused, and the verdict is %s", record.Verdict)
	case string(record.Verdict) != r.End:
		return fmt.Errorf("the verdict is %s, not %s", record.Verdict, r.End)
	case !record.Restored:
		return errors.New("not everything was restored")
	}
	said := e.said(record.Verdict)
	for _, word := range r.Words {
		if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, word) }) {
			return fmt.Errorf("nothing says %q, only %q", word, said)
		}
	}
	return nil
}

// heldRefused tells a refusal from a mesh that failed, and holds what the file
// itself is refused for to a line.
func (r Row) heldRefused(err error) error {
	var placed *scenarios.Error
	var refused *runner.RefusedError
	byFile, byRun := errors.As(err, &placed), errors.As(err, &refused)
	switch {
	case r.End != Refused:
		return fmt.Errorf("it was refused: %w", err)
	case !byFile && !byRun:
		return fmt.Errorf("it is not refused, something failed: %w", err)
	case byFile && placed.Line == 0:
		return fmt.Errorf("the refusal names no line: %w", err)
	}
	for _, word := range r.Words {
		if !strings.Contains(err.Error(), word) {
			return fmt.Errorf("the refusal does not say %q: %w", word, err)
		}
	}
	return nil
}

// said is what a record says for its verdict: the failed expectations, what
// kept it from being conclusive, or what a pass warns of.
func (e Ended) said(v report.Verdict) []string {
	var all []string
	for _, row := range e.Record.Expectations {
		if row.Verdict == v && v != report.Pass {
			all = append(all, row.Expression+": "+row.Reason)
		}
	}
	switch v {
	case report.Inconclusive:
		all = append(all, e.Record.Against()...)
	case report.Pass:
		all = append(append(all, e.Warnings...), e.Record.Warnings...)
	}
	return all
}
