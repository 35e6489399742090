package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/meshchaos/meshchaos/report/html"
	"github.com/meshchaos/meshchaos/report/junit"
	"github.com/meshchaos/meshchaos/report/markdown"
	"github.com/meshchaos/meshchaos/report/summary"
)

// overview is a file about several scenarios together.
type overview struct {
	file  string
	write func(io.Writer, []summary.Ended) error
}

// indexFile leads to the pages of several scenarios.
const indexFile = "index.html"

// overviews are those beside junit.xml, in the folder of the reports.
var overviews = []overview{
	{indexFile, html.Index},
	{"index.md", markdown.Index},
}

// resultsOfAll is junit.xml of several records; a run writes it as it goes.
var resultsOfAll = overview{resultsFile, func(w io.Writer, all []summary.Ended) error {
	var suites []junit.Suite
	for _, one := range all {
		suites = append(suites, junit.Of(one.Record))
	}
	return junit.WriteAll(w, suites)
}}

// writeOverviews writes what is of several scenarios together, and returns the names of
// the files. One that fails does not keep the others back.
func writeOverviews(dir string, ended []summary.Ended, all []overview) ([]string, error) {
	var written []string
	var failures []error
	for _, o := range all {
		if err := o.writeInto(dir, ended); err != nil {
			failures = append(failures, fmt.Errorf("writing the report: %s: %w", o.file, err))
			continue
		}
		written = append(written, o.file)
	}
	return written, errors.Join(failures...)
}

func (o overview) writeInto(dir string, ended []summary.Ended) (err error) {
	defer func() {
		if broke := recover(); broke != nil { // as a face may
			err = fmt.Errorf("it broke: %v", broke)
		}
	}()
	var text bytes.Buffer
	if err := o.write(&text, ended); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, o.file), text.Bytes())
}
