package rules

import networking "istio.io/api/networking/v1alpha3"

// Hollow returns a DestinationRule of the name and the host of another one that says
// nothing, so that proxies do what they do without it.
func Hollow(o *Object) *Object {
	rule := o.Spec.(*networking.DestinationRule)
	return &Object{
		Ref: o.Ref, APIVersion: o.APIVersion, Labels: o.Labels, Annotations: o.Annotations,
		Spec: &networking.DestinationRule{Host: rule.Host, ExportTo: rule.ExportTo, WorkloadSelector: rule.WorkloadSelector},
	}
}
