package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/nearest"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// Annotation begins the name of an annotation that silences a trap for the object
// that has it. The trap's id follows; the value is the reason.
const Annotation = "lint.meshchaos/"

// Silenced says whether an annotation of an object silences a trap.
func Silenced(o *rules.Object, id string) bool { return o.Annotations[Annotation+id] != "" }

// CheckSilences returns what is wrong with the annotations that are to silence
// traps: an id that no trap has, or no reason.
func CheckSilences(o *rules.Object) []rules.Problem {
	var problems []rules.Problem
	for _, id := range silences(o) {
		path := fmt.Sprintf("metadata.annotations[%q]", Annotation+id)
		switch {
		case !slices.Contains(IDs(), id):
			problems = append(problems, rules.Problem{Ref: o.Ref, Path: path, Message: fmt.Sprintf("there is no trap %q to silence; %s", id, nearest.Hint(id, IDs()))})
		case strings.TrimSpace(o.Annotations[Annotation+id]) == "":
			problems = append(problems, rules.Problem{Ref: o.Ref, Path: path, Message: "it silences a trap and gives no reason; write why what it warns of is meant"})
		}
	}
	return problems
}

// silences are the ids in the annotations of an object.
func silences(o *rules.Object) []string {
	var ids []string
	for _, key := range slices.Sorted(maps.Keys(o.Annotations)) {
		if id, ok := strings.CutPrefix(key, Annotation); ok {
			ids = append(ids, id)
		}
	}
	return ids
}
