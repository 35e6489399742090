package runner

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// subset is one of a host.
type subset struct{ host, name string }

// dropped returns the subsets that a DestinationRule had and has no more, or has for
// other pods, and to which something leads: with what that is.
func dropped(before, after *rules.Object, objects []*rules.Object) map[subset]string {
	led := map[subset]string{}
	if before == nil || after.Kind != rules.DestinationRule {
		return led
	}
	for _, o := range objects {
		for _, target := range rules.Targets(o) {
			if !target.Sent || target.Subset == "" {
				continue
			}
			had, was := rules.Labels([]*rules.Object{before}, target.Host, target.Subset)
			has, is := rules.Labels([]*rules.Object{after}, target.Host, target.Subset)
			if was && (!is || !maps.Equal(had, has)) {
				of := subset{target.Host, target.Subset}
				led[of] = cmp.Or(led[of], fmt.Sprintf("%s of %s", target.Path, o.Ref))
			}
		}
	}
	return led
}

func gone(of subset, objects []*rules.Object) bool {
	_, is := rules.Labels(objects, of.host, of.name)
	return !is
}

func compareSubsets(a, b subset) int {
	return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.name, b.name))
}

// stillLed says of which subsets that a DestinationRule drops, or gives to pods that
// are not there, requests are still sent: they would be answered by nobody.
func (t there) stillLed(before, after *rules.Object, objects []*rules.Object) error {
	var wrong []error
	led := dropped(before, after, objects)
	for _, of := range slices.SortedFunc(maps.Keys(led), compareSubsets) {
		err := t.target(rules.Target{Host: of.host, Subset: of.name, Sent: true}, objects)
		if err == nil {
			continue
		}
		if service, _ := t.service(of.host); service != nil && gone(of, objects) {
			err = fmt.Errorf("it is taken away; leave it in, or lead the requests elsewhere; %s", sayNobody(service, of.name))
		}
		wrong = append(wrong, wrongField(after.Ref, "spec.subsets", "%s leads to the subset %s: %w", led[of], of.name, err))
	}
	return errors.Join(wrong...)
}
