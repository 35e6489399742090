package rules

import (
	networking "istio.io/api/networking/v1alpha3"
)

// Sources are the labels by which an object chooses the pods whose requests, or
// connections, parts of it are for, each choice once for each part that makes it.
func Sources(o *Object) []map[string]string {
	var all []map[string]string
	add := func(labels map[string]string) {
		if len(labels) > 0 {
			all = append(all, labels)
		}
	}
	switch spec := o.Spec.(type) {
	case *networking.DestinationRule:
		add(spec.GetWorkloadSelector().GetMatchLabels())
	case *networking.VirtualService:
		for _, entry := range spec.Http {
			for _, block := range entry.Match {
				add(block.GetSourceLabels())
			}
		}
		for _, entry := range spec.Tcp {
			for _, block := range entry.Match {
				add(block.GetSourceLabels())
			}
		}
	}
	return all
}
