package verdict

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
	"github.com/meshchaos/meshchaos/scenarios"
)

// changesUnlike holds what was written against what the scenario writes, and what is said
// of the undoing against what shows it.
func (r run) changesUnlike() string {
	wrote := map[string]bool{}
	first := map[string]report.Change{}
	for i, c := range r.record.Changes {
		of, again := first[c.Object]
		if !again {
			of, first[c.Object] = c, c
		}
		switch {
		case (c.Action == "updated") != (len(c.Before) > 0):
			return fmt.Sprintf("changes[%d].action is %s, and before says otherwise", i, c.Action)
		case again && c.Action != "updated":
			return fmt.Sprintf("changes[%d].action is %s, and an earlier change has written the object", i, c.Action)
		case !again && r.isMarked(c):
			return fmt.Sprintf("changes[%d].before is what the run wrote, and no earlier change has written it", i)
		case c.Restored && c.Proof == "":
			return fmt.Sprintf("changes[%d].restored is true, and no proof says how that is known", i)
		case c.Kept && len(r.record.Problems) == 0:
			return fmt.Sprintf("changes[%d].kept is true, and problems does not say what was kept", i)
		case c.Live.Duration < 0:
			return fmt.Sprintf("changes[%d].live is %v", i, c.Live)
		}
		if wrong := r.leftUnlike(c, of); wrong != "" {
			return fmt.Sprintf("changes[%d].left %s", i, wrong)
		}
		wrote[c.Step] = true
	}
	return r.unwritten(wrote)
}

// isMarked says whether an object had the mark of the run before it was written.
func (r run) isMarked(c report.Change) bool {
	change, err := changeOf(c)
	return err == nil && change.Before != nil && rules.MarkedBy(change.Before) == r.record.Run
}

// leftUnlike holds what stood there after the run against what is said of the undoing, and
// against the first change of the object, which has what was there before. Two manifests
// may be alike only since both are masked.
func (r run) leftUnlike(c, first report.Change) string {
	is, told := decoded(c.Left)
	was, known := decoded(first.Before)
	switch {
	case c.Kept && len(c.Left) == 0 && len(r.record.Stages) > 0: // versions that kept no stages did not keep this either
		return "is missing, and kept says that it is not what was there before"
	case len(c.Left) == 0:
		return ""
	case c.Restored && !c.Kept:
		return "is there, and restored says that it is what was there before"
	case string(c.Left) != string(first.Left):
		return "is not that of the first change of the object"
	case told && known && rules.Equal(is, was) && !isMasked(string(c.Left)):
		return "is what was there before"
	case c.Kept && is != nil && rules.MarkedBy(is) == r.record.Run:
		return "is what the run wrote, and kept says that it is not"
	}
	return ""
}

// decoded is the object of a manifest; nil: there was none.
func decoded(manifest json.RawMessage) (o *rules.Object, known bool) {
	if len(manifest) == 0 || string(manifest) == "null" {
		return nil, true
	}
	o, err := rules.Decode(manifest)
	return o, err == nil
}

// unwritten says of which stages nothing was written, where no run is made of such: a
// step may find its rules in force, but neither all that a run goes through does, nor the
// first step and what is given.
func (r run) unwritten(wrote map[string]bool) string {
	driven := func(step scenarios.Step) bool { return r.record.Window(report.During, step.Name) != nil }
	writes := func(step scenarios.Step) bool { return wrote[step.Name] }
	steps := r.scenario.Steps
	switch {
	case driven(steps[0]) && !wrote[report.Given] && !writes(steps[0]):
		return "changes has none of the first load under rules"
	case !slices.ContainsFunc(steps, func(s scenarios.Step) bool { return !driven(s) }) && !slices.ContainsFunc(steps, writes):
		return "changes has none of any load under rules"
	}
	return ""
}
