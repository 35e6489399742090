package summary

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/report"
)

// Command is the command line that repeats a run.
func Command(r *report.Record) string {
	name := r.Scenario.File
	switch {
	case r.Scenario.Library:
		name = r.Scenario.Name
	case name == "stdin":
		name = "-"
	}
	words := []string{"meshchaos", "run", shell(name)}
	if r.Mesh.Kind != "embedded" {
		words = append(words, "--mesh", shell(r.Mesh.Kind), "--namespace", shell(r.Mesh.Namespace))
	}
	if r.Seed != nil {
		words = append(words, "--seed", strconv.FormatUint(*r.Seed, 10))
	}
	for _, set := range r.Scenario.Set {
		words = append(words, "--set", shell(set))
	}
	return strings.Join(append(words, overrides(r.Scenario.Load)...), " ")
}

// overrides are the options that stand for the parts of a load that were replaced.
func overrides(all []report.Override) []string {
	var words []string
	for _, o := range all {
		if o.Connections != nil {
			words = append(words, "-c", fmt.Sprint(*o.Connections))
		}
		if o.Requests != nil {
			words = append(words, "-n", fmt.Sprint(*o.Requests))
		}
		if o.QPS != nil {
			words = append(words, "--qps", strconv.FormatFloat(*o.QPS, 'g', -1, 64))
		}
		if o.Cohort != "" {
			words = append(words, "--cohort", shell(o.Cohort))
		}
	}
	return words
}

// bare is a word that no shell takes for anything else.
var bare = regexp.MustCompile(`^[A-Za-z0-9_./:=,@%+-]+$`)

func shell(word string) string {
	if bare.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
