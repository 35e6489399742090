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
	if owner == nil {
		return Change{After: logObject(namespace, &telemetry.Telemetry{AccessLogging: logging(nil)})}, nil
	}
	return logIn(owner), nil
}

// logObject is a Telemetry of the run's own.
func logObject(namespace string, spec *telemetry.Telemetry) *Object {
	return &Object{
		Ref:        Ref{Kind: Telemetry, Namespace: namespace, Name: "meshchaos-access-log"},
		APIVersion: "telemetry.istio.io/v1",
		Labels:     map[string]string{managedBy: "meshchaos"},
		Spec:       spec,
	}
}

// logIn returns the change by which a Telemetry that is there has every request
// logged.
func logIn(owner *Object) Change {
	after := owner.Clone()
	after.Manifest, after.ResourceVersion = nil, ""
	spec := after.Spec.(*telemetry.Telemetry)
	spec.AccessLogging = logging(spec.AccessLogging)
	return Change{Before: owner, After: after}
}

// logging is what has every request logged, and what was said of other providers.
func logging(said []*telemetry.AccessLogging) []*telemetry.AccessLogging {
	all := []*telemetry.AccessLogging{{Providers: []*telemetry.ProviderRef{{Name: LogProvider}}}}
	for _, l := range said {
		if keep := withoutProvider(l); keep != nil {
			all = append(all, keep)
		}
	}
	return all
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
