package verdict

import (
	"slices"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// bites are those of a window and, for each part that the run has written by
// then and nobody has looked for, one that says so: what was not looked for was
// not seen.
func (r run) bites(w *report.Window) []report.Bite {
	all := slices.Clone(w.Bites)
	lack := func(b report.Bite, why string) {
		if !slices.ContainsFunc(all, func(have report.Bite) bool { return idOf(have) == idOf(b) }) {
			b.Absent = why + "; run again, and report it if it stays"
			all = append(all, b)
		}
	}
	parts, unread := r.parts(w.Step)
	for _, p := range parts {
		lack(report.Bite{Rule: p.Object.String(), Path: p.Path, Kind: p.Kind, Service: p.Service(r.record.Mesh.Namespace), Stage: p.Stage}, "nobody has looked for it")
	}
	for _, c := range unread {
		lack(report.Bite{Rule: c.change.Object, Path: "spec", Stage: c.change.Step}, "the record of it cannot be read: "+c.err.Error())
	}
	return all
}

// unread is a change that the record has, and that cannot be read.
type unread struct {
	change report.Change
	err    error
}

// parts are those of the run's rules that are in force in a step, as its record
// has them.
func (r run) parts(step string) ([]rules.Part, []unread) {
	var parts []rules.Part
	var wrong []unread
	for _, c := range r.written(step) {
		change, err := changeOf(c)
		if err != nil {
			wrong = append(wrong, unread{c, err})
			continue
		}
		parts = rules.Follow(parts, c.Step, change)
	}
	return rules.InLoadOf(parts, report.Given, step), wrong
}

// written are the changes of what is given, and of the steps until one.
func (r run) written(step string) []report.Change {
	stages := []string{report.Given}
	for _, s := range r.scenario.Steps {
		stages = append(stages, s.Name)
		if s.Name == step {
			break
		}
	}
	var changes []report.Change
	for _, c := range r.record.Changes {
		if slices.Contains(stages, c.Step) {
			changes = append(changes, c)
		}
	}
	return changes
}

func changeOf(c report.Change) (rules.Change, error) {
	var change rules.Change
	var err error
	if len(c.Before) > 0 {
		if change.Before, err = rules.Decode(c.Before); err != nil {
			return change, err
		}
	}
	change.After, err = rules.Decode(c.After)
	return change, err
}
