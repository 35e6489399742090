package main

import (
	"io"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/loadgen"
)

// Loads stand in the order of their names, as in the summary, whichever was heard of first.
func TestLoadsStandInTheOrderOfTheirNames(t *testing.T) {
	p := newProgress(io.Discard)
	for _, name := range []string{"two", "chance", "stages", "chance", "ramp", "two"} {
		p.load(loadgen.Progress{Cohort: name})
	}
	var names []string
	for _, of := range p.loads {
		names = append(names, of.last.Cohort)
	}
	if got := strings.Join(names, " "); got != "chance ramp stages two" {
		t.Errorf("%s", got)
	}
}
