package rules

import (
	"fmt"

	telemetry "istio.io/api/telemetry/v1alpha1"
	apitype "istio.io/api/type/v1beta1"
)

// IngressGateway returns the labels of the pods of Istio's default ingress
// gateway, by which Gateway objects select it.
func IngressGateway() map[string]string { return map[string]string{"istio": "ingressgateway"} }

// LogGateway returns the change by which the pods of the ingress gateway in a
// namespace, each of which is given by its labels, log every request, in Istio's
// default format. It selects them alone: a Telemetry without a selector would
// be for all of the namespace, and in Istio's root namespace for the whole mesh.
//
// One that selects all of them already is edited. Of several, Istio follows the
// first or the last, by its version, and beside one that selects some of them a
// second would be such a several: both are errors.
func LogGateway(objects []*Object, namespace string, pods []map[string]string) (Change, error) {
	var wide, owner *Object
	for _, o := range objects {
		spec, ok := o.Spec.(*telemetry.Telemetry)
		if !ok || o.Namespace != namespace || len(spec.GetTargetRefs()) > 0 || spec.GetTargetRef() != nil { // those name Gateways of Kubernetes' own API
			continue
		}
		labels := spec.GetSelector().GetMatchLabels()
		some, all := selected(labels, pods)
		switch {
		case len(labels) == 0:
			if wide == nil {
				wide = o
			}
		case !some:
		case !all:
			return Change{}, fmt.Errorf("switching the gateway's access log on: %s selects some of its pods and not others, and which of two Telemetries Istio follows depends on its version; give it the provider %s, or let it select all of them", o.Ref, LogProvider)
		case owner != nil:
			return Change{}, fmt.Errorf("switching the gateway's access log on: %s and %s both select its pods, and which one Istio follows depends on its version; merge them into one", owner.Ref, o.Ref)
		default:
			owner = o
		}
	}
	if owner != nil {
		return logIn(owner), nil
	}
	spec := &telemetry.Telemetry{Selector: &apitype.WorkloadSelector{MatchLabels: IngressGateway()}}
	if wide == nil {
		spec.AccessLogging = logging(nil)
	} else { // the narrower one hides what the wider says of other providers
		spec.AccessLogging = logging(wide.Spec.(*telemetry.Telemetry).AccessLogging)
	}
	return Change{After: logObject(namespace, spec)}, nil
}

// selected says whether a selector takes some of the pods, and whether all.
func selected(labels map[string]string, pods []map[string]string) (some, all bool) {
	all = true
	for _, pod := range pods {
		if Selects(labels, pod) {
			some = true
		} else {
			all = false
		}
	}
	return some, all
}
