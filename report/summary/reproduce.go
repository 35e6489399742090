package summary

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/meshchaos/meshchaos/report"
)

// Command is the command line that repeats a run. In the place of a secret it has a
// variable of the shell, which refuses the line as long as nobody has given it a value:
// the mask would be sent.
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
	named := map[string]int{}
	for _, set := range r.Scenario.Set {
		words = append(words, "--set", setting(set, named))
	}
	return strings.Join(append(words, overrides(r.Scenario.Load)...), " ")
}

// masked is report.Mask, with the number that tells it from others, or as an expression.
var masked = regexp.MustCompile(`(?:\\+\*){3}|\*{3}[0-9]*`)

var inVariable = regexp.MustCompile(`[^A-Z0-9]+`)

// setting is one --set as a word for a shell. named counts the variables of each name.
func setting(set string, named map[string]int) string {
	if !masked.MatchString(set) {
		return shell(set)
	}
	path, _, _ := strings.Cut(set, "=")
	name := strings.Trim(inVariable.ReplaceAllString(strings.ToUpper(path[strings.LastIndex(path, ".")+1:]), "_"), "_")
	if name == "" || name[0] <= '9' {
		name = "SECRET_" + name
	}
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", "$", `\$`)
	var word strings.Builder
	last := 0
	for _, m := range masked.FindAllStringIndex(set, -1) {
		variable := name
		if named[name]++; named[name] > 1 {
			variable += "_" + strconv.Itoa(named[name])
		}
		word.WriteString(quoted.Replace(set[last:m[0]]) + "${" + variable + ":?is masked in the report, set it}")
		last = m[1]
	}
	return `"` + word.String() + quoted.Replace(set[last:]) + `"`
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
