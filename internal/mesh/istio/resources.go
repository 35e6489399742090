package istio

import (
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// api is a group of Istio's API, with the resource names of its kinds.
type api struct {
	group    string
	versions []string // the newest first
	plurals  map[string]string
}

var (
	trafficAPI = api{"networking.istio.io", []string{"v1", "v1beta1", "v1alpha3"}, map[string]string{
		rules.VirtualService:  "virtualservices",
		rules.DestinationRule: "destinationrules",
		rules.Gateway:         "gateways",
	}}
	telemetryAPI = api{"telemetry.istio.io", []string{"v1", "v1alpha1"}, map[string]string{
		rules.Telemetry: "telemetries",
	}}
)

// resourcesOf returns the resources of Istio's objects in a cluster, by kind. The
// traffic rules must be there; Telemetry is left out where it is not.
func resourcesOf(d discovery.DiscoveryInterface) (map[string]schema.GroupVersionResource, error) {
	found, err := trafficAPI.find(d)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("it has no %s resources, so Istio is not installed in it; install Istio, choose another cluster with --context, or use --mesh embedded", trafficAPI.group)
	}
	logs, err := telemetryAPI.find(d)
	if err != nil {
		return nil, err
	}
	maps.Copy(found, logs)
	return found, nil
}

// find returns the resources in the newest version that has all kinds; none if no
// version has.
func (a api) find(d discovery.DiscoveryInterface) (map[string]schema.GroupVersionResource, error) {
	for _, v := range a.versions {
		version := schema.GroupVersion{Group: a.group, Version: v}
		list, err := d.ServerResourcesForGroupVersion(version.String())
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("asking for the resources of %s: %w", version, err)
		}
		found := map[string]schema.GroupVersionResource{}
		for kind, plural := range a.plurals {
			if slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == plural }) {
				found[kind] = version.WithResource(plural)
			}
		}
		if len(found) == len(a.plurals) {
			return found, nil
		}
	}
	return map[string]schema.GroupVersionResource{}, nil
}
