package mutate

import (
	"slices"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// ejection switches outlier detection off.
func ejection(w written) []edit {
	var edits []edit
	for i, change := range w.changes {
		before, after := policies(change.Before), policies(change.After)
		paths := slices.DeleteFunc(after.paths(), func(path string) bool {
			now := after.at(path).GetOutlierDetection()
			return now == nil || proto.Equal(now, before.at(path).GetOutlierDetection())
		})
		if len(paths) == 0 {
			continue
		}
		edits = append(edits, edit{id: w.ofPolicy(change.After) + "ejection-off", what: "no endpoint of " + shortHost(change.After) + " is ever ejected", alter: func(w written) ([]rules.Change, error) {
			for _, path := range paths {
				ejectNobody(policies(w.changes[i].After).at(path))
			}
			return w.changes, nil
		}})
	}
	return edits
}

func ejectNobody(p policy) {
	switch p := p.(type) {
	case *networking.TrafficPolicy:
		p.OutlierDetection = nil
	case *networking.TrafficPolicy_PortTrafficPolicy:
		p.OutlierDetection = nil
	}
}
