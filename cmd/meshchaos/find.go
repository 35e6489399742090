package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshchaos/meshchaos/scenarios"
)

// findFlags say which scenarios a command is about.
type findFlags struct {
	selector string
	set      []string
}

// namesHelp explains the arguments of a command that takes several scenarios.
const namesHelp = `Each argument is a file, a folder with all that is below it, a pattern such as
'nightly/*.yaml', - for stdin, or a name without a path: that of a file of this
folder, or else of a scenario of the library (meshchaos list).`

func (f *findFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.selector, "selector", "l", "", "only scenarios with these labels, as kubectl selects: app=bookinfo,guide!=old")
	complete(cmd, "selector", labelPairs)
}

// addSet adds --set, by which a scenario is read with something else in it.
func addSet(cmd *cobra.Command, set *[]string) {
	cmd.Flags().StringArrayVar(set, "set", nil, "let a value stand where a path into spec leads: load.jason.requests=50, steps[0].load.pages.qps=5, params.host=web; in YAML, and as often as needed")
	complete(cmd, "set", settings)
}

// found is a scenario that was named, or what is wrong with it.
type found struct {
	scenario *scenarios.Scenario // nil: err says why
	file     string              // as it was named
	err      error
}

// name is that of the scenario, as far as it is known.
func (f found) name() string {
	if f.scenario != nil {
		return f.scenario.Name
	}
	return scenarios.NameOf(f.file)
}

// each reads the scenarios that the arguments name, without those that the
// selector is not for. The error is one of all of them together.
func (f *findFlags) each(cmd *cobra.Command, args []string) ([]found, error) {
	names, left, err := scenarios.Expand(args)
	if err != nil {
		return nil, err
	}
	for _, file := range left {
		remark(cmd.ErrOrStderr(), file+": left out: it holds no scenario")
	}
	if err := oneStdin(names); err != nil {
		return nil, err
	}
	var all []found
	for _, name := range names {
		s, err := read(cmd, name, f.set)
		all = append(all, found{s, name, err})
	}
	chosen, err := f.choose(all)
	if err != nil {
		return nil, err
	}
	return chosen, apart(chosen)
}

// oneStdin refuses to read stdin twice.
func oneStdin(names []string) error {
	if i := slices.Index(names, scenarios.Stdin); i >= 0 && slices.Contains(names[i+1:], scenarios.Stdin) {
		return errors.New("reading stdin: - stands twice, and there is one stdin")
	}
	return nil
}

// choose leaves out the scenarios that the selector is not for. One that cannot be
// read may be one that it is for.
func (f *findFlags) choose(all []found) ([]found, error) {
	selector, err := labels.Parse(f.selector)
	if err != nil {
		return nil, fmt.Errorf("reading --selector %q: %w; write it as kubectl takes it: app=bookinfo,guide!=old", f.selector, err)
	}
	var chosen []found
	for _, one := range all {
		if one.err != nil || selector.Matches(labels.Set(one.scenario.Labels)) {
			chosen = append(chosen, one)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("reading --selector %q: it chooses none of %d scenarios; their labels: %s", f.selector, len(all), wordLabels(all))
	}
	return chosen, nil
}

// errorsOf are what is wrong with scenarios, and with all of them together.
func errorsOf(all []found, together error) error {
	var wrong []error
	for _, one := range all {
		wrong = append(wrong, one.err)
	}
	return errors.Join(append(wrong, together)...)
}

// read reads the scenario of a name that stands for one.
func read(cmd *cobra.Command, name string, set []string) (*scenarios.Scenario, error) {
	var s *scenarios.Scenario
	var err error
	if name == scenarios.Stdin {
		s, err = scenarios.ReadFrom(cmd.InOrStdin(), set...)
	} else {
		s, err = scenarios.Find(name, set...)
	}
	if out, ok := cmd.ErrOrStderr().(*output); ok && err == nil {
		out.secrets = append(out.secrets, s.Hide)
	}
	return s, err
}

// apart refuses scenarios of one name: nobody could tell their reports apart.
func apart(all []found) error {
	var wrong []error
	origins := map[string]string{}
	for _, one := range all {
		if one.scenario == nil {
			continue
		}
		other, taken := origins[one.scenario.Name]
		switch origin := one.scenario.Origin(); {
		case !taken:
			origins[one.scenario.Name] = origin
		case other == origin:
			wrong = append(wrong, fmt.Errorf("the scenario %s of %s is named twice; name it once", one.scenario.Name, origin))
		default:
			wrong = append(wrong, fmt.Errorf("the scenarios of %s and of %s are both named %q, and their reports could not be told apart; rename one (metadata.name), or give each a command of its own", other, origin, one.scenario.Name))
		}
	}
	return errors.Join(wrong...)
}

// wordLabels lists the labels of scenarios, each once.
func wordLabels(all []found) string {
	have := map[string]bool{}
	for _, one := range all {
		for key, value := range one.scenario.Labels {
			have[key+"="+value] = true
		}
	}
	if len(have) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(have)), ", ")
}
