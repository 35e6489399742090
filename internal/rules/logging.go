package rules

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	telemetry "istio.io/api/telemetry/v1alpha1"
)

// LogProvider is Istio's provider that logs to the proxy's stdout. It is there
// without any configuration (istio.io, "Telemetry API").
const LogProvider = "envoy"

// LogAccess returns the change by which the sidecars of a namespace log every
// request, in Istio's default format. Istio follows one Telemetry without a
// selector in a namespace, so one that is there is edited; of several, which one
// it follows is undefined. One with a selector hides the others from the
// workloads that it selects, so where such a one is about access logs, that is
// an error.
func LogAccess(objects []*Object, namespace string) (Change, error) {
	var owner *Object
	for _, o := range objects {
		spec, ok := o.Spec.(*telemetry.Telemetry)
		switch {
		case !ok || o.Namespace != namespace:
		case spec.Selector != nil || len(spec.TargetRefs) > 0:
			if len(spec.AccessLogging) > 0 {
				return Change{}, fmt.Errorf("switching the access logs on: %s has the say over those of some workloads; give it the provider %s, or delete it", o.Ref, LogProvider)
			}
		case owner != nil:
			return Change{}, fmt.Errorf("switching the access logs on: %s and %s are both for the whole namespace, and which one Istio follows is undefined; merge them into one", owner.Ref, o.Ref)
		default:
			owner = o
		}
	}
	on := &telemetry.AccessLogging{Providers: []*telemetry.ProviderRef{{Name: LogProvider}}}
	if owner == nil {
		return Change{After: &Object{
			Ref:        Ref{Kind: Telemetry, Namespace: namespace, Name: "meshchaos-access-log"},
			APIVersion: "telemetry.istio.io/v1",
			Labels:     map[string]string{managedBy: "meshchaos"},
			Spec:       &telemetry.Telemetry{AccessLogging: []*telemetry.AccessLogging{on}},
		}}, nil
	}
	after := owner.Clone()
	after.Manifest, after.ResourceVersion = nil, ""
	spec := after.Spec.(*telemetry.Telemetry)
	logging := []*telemetry.AccessLogging{on}
	for _, l := range spec.AccessLogging {
		if keep := withoutProvider(l); keep != nil {
			logging = append(logging, keep)
		}
	}
	spec.AccessLogging = logging
	return Change{Before: owner, After: after}, nil
}

// withoutProvider is what an entry says of other providers; nil: nothing. One
// without a provider is about the mesh's default, which the new entry replaces.
func withoutProvider(l *telemetry.AccessLogging) *telemetry.AccessLogging {
	l = proto.CloneOf(l)
	var others []*telemetry.ProviderRef
	for _, p := range l.Providers {
		if p.GetName() != LogProvider {
			others = append(others, p)
		}
	}
	if len(others) == 0 {
		return nil
	}
	l.Providers = others
	return l
}
