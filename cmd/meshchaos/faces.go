package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/report/fortio"
	"github.com/meshchaos/meshchaos/report/html"
	"github.com/meshchaos/meshchaos/report/junit"
	"github.com/meshchaos/meshchaos/report/markdown"
)

// recordFile is the name of a record in the folder of a report.
const recordFile = "report.json"

// face is what is made of a record, to lie beside it.
type face struct {
	files  string // their names in the folder of the report, with a * where there are several
	joint  bool   // of several scenarios there is one of all, in the folder above
	render func(*report.Record) (map[string][]byte, error)
	ours   func(name string, text []byte) bool // of several files: whether one of that name is of this face
}

// faces are all that a report has beside the record, which is written first. A further
// one is its package, and a line here.
var faces = []face{
	one("report.html", html.Write),
	one("report.md", markdown.Write),
	joint(one(resultsFile, junit.Write)),
	several("results/*.json", fortio.Results, fortio.IsResult),
}

// one is a face of one file.
func one(file string, write func(io.Writer, *report.Record) error) face {
	return face{files: file, render: func(r *report.Record) (map[string][]byte, error) {
		var text bytes.Buffer
		err := write(&text, r)
		return map[string][]byte{file: text.Bytes()}, err
	}}
}

// several is a face of several files, whose names render gives without their folder.
func several(files string, render func(*report.Record) (map[string][]byte, error), ours func(name string, text []byte) bool) face {
	return face{files: files, ours: ours, render: func(r *report.Record) (map[string][]byte, error) {
		all, err := render(r)
		placed := map[string][]byte{}
		for name, text := range all {
			placed[filepath.Join(filepath.Dir(files), name)] = text
		}
		return placed, err
	}}
}

func joint(f face) face {
	f.joint = true
	return f
}

// ofEach are the faces of each of several scenarios.
func ofEach() []face {
	return slices.DeleteFunc(slices.Clone(faces), func(f face) bool { return f.joint })
}

// safely renders a face. The rules of a run are undone by then, but what else the command
// has to take away is not: a face that breaks must not end the program.
func (f face) safely(r *report.Record) (files map[string][]byte, err error) {
	defer func() {
		if broke := recover(); broke != nil {
			err = fmt.Errorf("it broke: %v", broke)
		}
		if err != nil {
			files, err = nil, fmt.Errorf("making %s: %w", f.files, err)
		}
	}()
	return f.render(r)
}

// asWritten is a record as whoever reads its file has it, so that all that is made of it
// is the same whenever it is made: in memory its times have a clock that none has there.
func asWritten(r *report.Record) (*report.Record, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return report.Read(bytes.NewReader(text))
}

// asJudged holds that whoever judges a record again reaches its verdict. Where what is
// masked in it keeps that from being so, it says it itself, before anybody is misled.
func asJudged(r *report.Record) error {
	again, err := asWritten(r)
	if err != nil {
		return err
	}
	wrong := ""
	if err := judge(again); err != nil {
		wrong = fmt.Sprintf("it cannot be judged again: %v", err)
	} else if again.Verdict != r.Verdict {
		wrong = fmt.Sprintf("judged again it is %s: %s", again.Verdict, strings.Join(again.Against(), "; "))
	}
	if wrong != "" {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the run was %s, and its report does not show that: %s; if a secret has been masked that is a word of something else too, give it another value", r.Verdict, wrong))
	}
	return nil
}

// writeRecord writes a record into a folder.
func writeRecord(dir string, r *report.Record) error {
	text, err := report.Indent(r)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, recordFile), append(text, '\n'))
}

// writeFaces writes faces of a record into a folder and returns their names. One that
// fails does not keep the others back, and leaves none of an earlier record behind.
func writeFaces(dir string, r *report.Record, all []face) ([]string, error) {
	var written []string
	var failures []error
	for _, f := range all {
		files, err := f.safely(r)
		done := map[string]bool{}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			path := filepath.Join(dir, name)
			writing := os.MkdirAll(filepath.Dir(path), 0o755)
			if writing == nil {
				writing = writeFile(path, files[name])
			}
			if writing != nil {
				err = errors.Join(err, writing)
				continue
			}
			done[name] = true
		}
		failures = append(failures, err, f.forget(dir, done))
		if len(done) > 0 {
			written = append(written, f.named(len(done)))
		}
	}
	return written, errors.Join(failures...)
}

// named are the files of a face in a sentence.
func (f face) named(count int) string {
	if !strings.Contains(f.files, "*") {
		return f.files
	}
	return fmt.Sprintf("%s (%d)", f.files, count)
}

// forget deletes what is of an earlier record, but for what was made anew: beside the new
// one it would be read as its.
func (f face) forget(dir string, anew map[string]bool) error {
	var failures []error
	for _, name := range f.names(dir) {
		if anew[name] {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			failures = append(failures, err)
		}
	}
	if folder := filepath.Join(dir, filepath.Dir(f.files)); folder != filepath.Clean(dir) && len(anew) == 0 {
		if is, err := os.Lstat(folder); err == nil && is.IsDir() { // a link is somebody's
			_ = os.Remove(folder) // unless there is something else in it
		}
	}
	return errors.Join(failures...)
}

// names are those of its files that may lie in a folder: of several, those that are there.
// What they are told by themselves, for the record that they were made of may be cut off.
func (f face) names(dir string) []string {
	if f.ours == nil {
		return []string{f.files}
	}
	folder := filepath.Dir(f.files)
	entries, _ := os.ReadDir(filepath.Join(dir, folder)) // one that is not there has none
	var names []string
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		if fits, _ := filepath.Match(f.files, name); !fits {
			continue
		}
		if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil && f.ours(entry.Name(), text) {
			names = append(names, name)
		}
	}
	return names
}

// forgetReport takes a report out of a folder, but for junit.xml, which is written anew by
// then, and what is of several. What has one of their names and lies beside no record, or
// is no index of ours, is somebody else's.
func forgetReport(dir string) error {
	var names []string
	var failures []error
	if isReported(dir) {
		for _, f := range ofEach() {
			failures = append(failures, f.forget(dir, nil))
		}
		names = append(names, recordFile)
	}
	if index, err := os.ReadFile(filepath.Join(dir, indexFile)); err == nil && bytes.Contains(index, []byte(html.Mark)) {
		for _, o := range overviews {
			names = append(names, o.file)
		}
	}
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// isReported says whether a record lies in a folder, be it cut off or of another version.
func isReported(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, recordFile))
	if err != nil {
		return false
	}
	var old report.Record
	if json.Unmarshal(text, &old) != nil {
		return isRecord.Match(text)
	}
	return strings.HasPrefix(old.APIVersion, group) && old.Kind == report.Kind
}

// group is that of records, before their version.
const group = "meshchaos/"

// isRecord finds the head of a record, of whatever version, as it is written.
var isRecord = regexp.MustCompile(`^\s*{\s*"apiVersion": ?"` + group + `[a-z0-9]+",\s*"kind": ?"Report"`)

// writeReport writes a record with faces of it, first the record, and says what it wrote.
func writeReport(dir string, r *report.Record, all []face) (string, error) {
	if err := writeRecord(dir, r); err != nil {
		return "", fmt.Errorf("writing the report: %w", err)
	}
	written, err := writeFaces(dir, r, all)
	if err != nil {
		err = fmt.Errorf("writing the report: %w", err)
	}
	return wrote(dir, slices.Concat([]string{recordFile}, written)), err
}

func wrote(dir string, files []string) string {
	return fmt.Sprintf("wrote %s into %s", strings.Join(files, ", "), dir)
}
