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
			prune(w.changes[i].After.Spec.(*networking.DestinationRule))
			return w.changes, nil
		}})
	}
	return edits
}

// prune takes out the policies in which nothing is left, which Istio refuses.
func prune(rule *networking.DestinationRule) {
	rule.TrafficPolicy = pruned(rule.TrafficPolicy)
	for _, s := range rule.Subsets {
		s.TrafficPolicy = pruned(s.TrafficPolicy)
	}
}

func pruned(p *networking.TrafficPolicy) *networking.TrafficPolicy {
	if p == nil {
		return nil
	}
	p.PortLevelSettings = slices.DeleteFunc(p.PortLevelSettings, func(port *networking.TrafficPolicy_PortTrafficPolicy) bool {
		return proto.Equal(port, &networking.TrafficPolicy_PortTrafficPolicy{Port: port.Port})
	})
	if proto.Equal(p, &networking.TrafficPolicy{}) {
		return nil
	}
	return p
}

func ejectNobody(p policy) {
	switch p := p.(type) {
	case *networking.TrafficPolicy:
		p.OutlierDetection = nil
	case *networking.TrafficPolicy_PortTrafficPolicy:
		p.OutlierDetection = nil
	}
}
