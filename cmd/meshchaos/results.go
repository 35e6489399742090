package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/meshchaos/meshchaos/report/junit"
)

// resultsFile is the results of a command's runs, for CI.
const resultsFile = "junit.xml"

// results keep junit.xml in step with a command: it is there before anything else is
// done, and tells at any time of each scenario what is known of it, so that a command
// that fails early, or is killed, is in it too.
type results struct {
	dir     string // empty: none are written
	started time.Time
	hide    func(string) string // what masks the secrets of scenarios in errors

	mu     sync.Mutex
	suites []junit.Suite
}

// begin writes the first.
func (r *results) begin() error {
	if r.dir == "" {
		return nil
	}
	if err := makeFolder(r.dir); err != nil {
		return fmt.Errorf("making the folder of the report: %w; name another by --report-dir", err)
	}
	r.suites = []junit.Suite{junit.Unfinished("meshchaos", r.started)}
	return r.write()
}

// of notes which scenarios the command is of.
func (r *results) of(all []found) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.suites = nil
	var names []string
	for _, one := range all {
		names = append(names, one.name())
		r.suites = append(r.suites, junit.Unfinished(one.name(), r.started))
	}
	return errors.Join(r.write(), r.forget(names))
}

// ended notes what became of a scenario. Where that cannot be written, the outcome has
// that too.
func (r *results) ended(i int, o *outcome, to streams) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.suites[i] = o.suite(r.hide)
	if err := r.write(); err != nil {
		complain(to.err, err)
		o.status = worse(o.status, exitInconclusive)
		o.failures = append(o.failures, err)
	}
}

// failed notes why it is not even known which scenarios the command is of, and says where.
func (r *results) failed(why error, stderr io.Writer) error {
	if r.dir == "" {
		return nil
	}
	r.suites = []junit.Suite{junit.NotRun("meshchaos", r.hide(why.Error()), r.started, time.Since(r.started))}
	if err := r.write(); err != nil {
		return err
	}
	remark(stderr, wrote(r.dir, []string{resultsFile}))
	return r.forget(nil)
}

// forget takes away what an earlier command has left of these scenarios, so that nobody
// takes it for this one's, whatever becomes of it.
func (r *results) forget(names []string) error {
	if r.dir == "" {
		return nil
	}
	dirs := []string{r.dir}
	if len(names) > 1 {
		for _, name := range names {
			if folder := folderOf(name); folder != "" { // else it is no scenario's
				dirs = append(dirs, filepath.Join(r.dir, folder))
			}
		}
	}
	var failures []error
	for _, dir := range dirs {
		failures = append(failures, forgetReport(dir))
	}
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("taking away what an earlier command reported: %w; name another folder by --report-dir", err)
	}
	return nil
}

func (r *results) write() error {
	if r.dir == "" {
		return nil
	}
	if host, err := os.Hostname(); err == nil { // where there is no record that says it
		for i := range r.suites {
			r.suites[i].Hostname = cmp.Or(r.suites[i].Hostname, r.hide(host))
		}
	}
	var text bytes.Buffer
	err := junit.WriteAll(&text, r.suites)
	if err == nil {
		err = writeFile(filepath.Join(r.dir, resultsFile), text.Bytes())
	}
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// suite is an outcome as a suite. One whose status is not that of a pass is none in it
// either.
func (o outcome) suite(hide func(string) string) junit.Suite {
	var why []string
	for _, err := range o.failures {
		why = append(why, hide(err.Error()))
	}
	if o.record == nil {
		return junit.NotRun(o.name, cmp.Or(strings.Join(why, "\n"), hide(o.why), o.word), o.began, o.took)
	}
	suite := junit.Of(o.record)
	if len(why) == 0 && o.status != exitPass && suite.Passed() {
		why = []string{o.word}
	}
	suite.Add(why)
	return suite
}
