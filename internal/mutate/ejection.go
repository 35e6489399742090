package mutate

import (
	"google.golang.org/protobuf/proto"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// ejection switches outlier detection off.
func ejection(w written) []edit {
	var edits []edit
	for i, change := range w.changes {
		before := policies(change.Before)
		var paths []string
		for path, policy := range policies(change.After) {
			if policy.GetOutlierDetection() != nil && !proto.Equal(policy.OutlierDetection, before[path].GetOutlierDetection()) {
				paths = append(paths, path)
			}
		}
		if len(paths) == 0 {
			continue
		}
		edits = append(edits, edit{w.ofPolicy(change.After) + "ejection-off", "no endpoint of " + shortHost(change.After) + " is ever ejected", func(w written) ([]rules.Change, error) {
			for _, path := range paths {
				policies(w.changes[i].After)[path].OutlierDetection = nil
			}
			return w.changes, nil
		}})
	}
	return edits
}
