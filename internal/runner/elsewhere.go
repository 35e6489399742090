package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

const unseenElsewhere = "this user may not see the VirtualServices and DestinationRules of other namespaces; one of them for the same host would show as a rule that the proxies never run"

// elsewhere says which objects of other namespaces make the run's without effect, or
// would be without effect because of the run's.
func (p *Planned) elsewhere(ctx context.Context, m mesh.Mesh) (wrong []error, err error) {
	others, all, err := m.Elsewhere(ctx, p.hosts())
	if err != nil {
		return nil, fmt.Errorf("reading the rules of other namespaces: %w", err)
	}
	if !all {
		p.Warnings = append(p.Warnings, unseenElsewhere)
	}
	for stage, change := range p.first() {
		was := rules.Find(p.objects, change.Ref())
		note := func(err error) {
			if err != nil {
				wrong = append(wrong, stage.wrong(change.Ref(), err))
			}
		}
		for _, other := range others {
			note(clash(was, change.After, other, p.objects))
		}
		for _, other := range p.objects {
			if hidden := hiddenBy(change.After, other); hidden != nil {
				note(hidden)
			} else {
				note(clash(was, change.After, other, p.objects))
			}
		}
	}
	return wrong, nil
}

// hosts are those of the objects that the run writes.
func (p *Planned) hosts() []string {
	var all []string
	for _, stage := range p.Stages {
		for _, o := range stage.Objects() {
			all = append(all, rules.Hosts(o)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// clash says why an object that a run writes and one of another namespace cannot both
// be in force.
func clash(was, ours, other *rules.Object, objects []*rules.Object) error {
	switch {
	case ours.Kind != other.Kind || ours.Namespace == other.Namespace:
		return nil
	case ours.Kind == rules.VirtualService:
		return overruled(was, ours, other)
	case ours.Kind == rules.DestinationRule:
		return hides(was, ours, other, objects)
	}
	return nil
}

// overruled says that sidecars follow a VirtualService of another namespace for a host
// of ours: of several, the first created (istio, pilot/pkg/model/push_context.go,
// sortConfigByCreationTime).
func overruled(was, ours, other *rules.Object) error {
	mine, _ := rules.Followers(rules.BoundTo(ours))
	theirs, _ := rules.Followers(rules.BoundTo(other))
	common := slices.IndexFunc(rules.Hosts(ours), func(host string) bool { return slices.Contains(rules.Hosts(other), host) })
	if !mine || !theirs || common < 0 || was != nil && created(was).Before(created(other)) {
		return nil
	}
	return fmt.Errorf("writing %s: %s has the host %s too, and was there first, so sidecars follow that one (istio/istio#36621); write the rules there, run in its namespace, or have it exported to its own alone (spec.exportTo: [\".\"])", ours.Ref, other.Ref, rules.Hosts(ours)[common])
}

// created is when an object was, as its manifest tells; one without is as new as can be.
func created(o *rules.Object) time.Time {
	var manifest struct {
		Metadata struct{ CreationTimestamp time.Time }
	}
	if err := json.Unmarshal(o.Manifest, &manifest); err != nil || manifest.Metadata.CreationTimestamp.IsZero() {
		return time.Now()
	}
	return manifest.Metadata.CreationTimestamp
}

// hides says that a DestinationRule which a run creates would hide one for a wider
// scope, whose policy the host has until then: sidecars follow the one of their own
// namespace, else that of the service's, else that of Istio's root namespace, and join
// none of them (istio, pilot/pkg/model/push_context.go, destinationRule).
func hides(was, ours, other *rules.Object, objects []*rules.Object) error {
	rule, theirs := ours.Spec.(*networking.DestinationRule), other.Spec.(*networking.DestinationRule)
	host := rules.Hosts(ours)[0]
	inForce := slices.ContainsFunc(objects, func(o *rules.Object) bool {
		_, is := o.Spec.(*networking.DestinationRule)
		return is && o.Namespace == ours.Namespace && rules.Covers(rules.Hosts(o)[0], o.Namespace, host)
	})
	if was != nil || inForce || !rules.Covers(rules.Hosts(other)[0], other.Namespace, host) {
		return nil
	}
	lost := unsaid(theirs.TrafficPolicy, rule.TrafficPolicy)
	if len(lost) == 0 {
		return nil
	}
	return fmt.Errorf("creating %s: it would hide %s, whose trafficPolicy.%s is in force for %s now; let the rule say that too (give the service a DestinationRule of its own with it, or write the run's as an object)",
		ours.Ref, other.Ref, strings.Join(lost, ", trafficPolicy."), host)
}

// hiddenBy says that the sidecars of another namespace that the mesh spans follow a
// DestinationRule of their own for the host of one that is in the namespace of its service
// (as above).
func hiddenBy(ours, other *rules.Object) error {
	if ours.Kind != rules.DestinationRule || other.Kind != ours.Kind {
		return nil
	}
	host := rules.Hosts(ours)[0]
	if _, serving, _ := rules.InCluster(host); serving != ours.Namespace || other.Namespace == serving || !rules.Covers(rules.Hosts(other)[0], other.Namespace, host) {
		return nil
	}
	return fmt.Errorf("writing %s: %s is for %s too, and the sidecars of its namespace follow that one; take it away, or write the run's there, as an object", ours.Ref, other.Ref, host)
}

// unsaid are the parts of a policy that another one says nothing of.
func unsaid(policy, by *networking.TrafficPolicy) (parts []string) {
	if policy == nil {
		return nil
	}
	said := by.ProtoReflect()
	fields := policy.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if policy.ProtoReflect().Has(field) && (by == nil || !said.Has(field)) {
			parts = append(parts, field.JSONName())
		}
	}
	return parts
}
