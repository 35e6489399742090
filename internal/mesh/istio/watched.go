package istio

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// watched is a kind of object that can act on the traffic.
type watched struct {
	kind       string
	of         schema.GroupVersionResource
	namespaces []string                                        // in which to follow it; where that of all is granted, that alone
	selector   string                                          // of labels
	did        func(was, is *unstructured.Unstructured) string // what became different; empty: nothing that matters
	acts       func(*unstructured.Unstructured) bool
}

// byHost are the kinds of Istio's that act on hosts which they name, from any
// namespace; byPlace some of those that act on the workloads of their namespace,
// or, in Istio's own, of all.
var (
	byHost = map[string]string{
		"VirtualService": "virtualservices", "DestinationRule": "destinationrules", "ServiceEntry": "serviceentries",
	}
	byPlace = map[string]schema.GroupVersionResource{
		"EnvoyFilter":           {Group: "networking.istio.io", Version: "v1alpha3", Resource: "envoyfilters"},
		"WasmPlugin":            {Group: "extensions.istio.io", Version: "v1alpha1", Resource: "wasmplugins"},
		"AuthorizationPolicy":   {Group: "security.istio.io", Version: "v1", Resource: "authorizationpolicies"},
		"PeerAuthentication":    {Group: "security.istio.io", Version: "v1", Resource: "peerauthentications"},
		"RequestAuthentication": {Group: "security.istio.io", Version: "v1", Resource: "requestauthentications"},
	}
)

// watched are the kinds to follow for the traffic: in the namespaces whose objects act on
// the workloads of the mesh, which are its own, Istio's, and the ingress gateway's.
func (m *Mesh) watched(of mesh.Traffic) []watched {
	version := m.resources[rules.VirtualService].GroupVersion()
	here := append(m.namespaces(), m.gatewaysElsewhere()...)
	if !slices.Contains(here, istioSystem) {
		here = append(here, istioSystem)
	}
	var all []watched
	for kind, plural := range byHost {
		all = append(all, watched{
			kind: kind, of: version.WithResource(plural), did: respecified,
			namespaces: append([]string{metav1.NamespaceAll}, here...),
			acts:       func(o *unstructured.Unstructured) bool { return m.spans(o.GetNamespace()) || m.reaches(o, of) },
		})
	}
	place := func(kind string, of schema.GroupVersionResource) {
		all = append(all, watched{
			kind: kind, of: of, did: respecified, namespaces: here,
			acts: func(*unstructured.Unstructured) bool { return true },
		})
	}
	for kind, of := range byPlace {
		place(kind, of)
	}
	place(rules.Gateway, version.WithResource("gateways"))
	place("Sidecar", version.WithResource("sidecars"))
	if of, there := m.resources[rules.Telemetry]; there {
		place(rules.Telemetry, of)
	}
	return all
}

// respecified compares what an object asks for: by metadata.generation, which
// Kubernetes counts up with each change of the spec and with no other, and by the
// spec where it keeps none, as of a Service.
func respecified(was, is *unstructured.Unstructured) string {
	switch {
	case was == nil:
		return mesh.Created
	case is == nil:
		return mesh.Deleted
	case was.GetUID() != is.GetUID(), was.GetGeneration() != is.GetGeneration():
		return mesh.Changed
	case is.GetGeneration() == 0 && !equality.Semantic.DeepEqual(was.Object["spec"], is.Object["spec"]):
		return mesh.Changed
	}
	return ""
}

// reaches says whether an object of another namespace names one of the hosts, is
// exported to these and bound to where the traffic passes. A VirtualService
// without hosts is a delegate, whose hosts another one has.
func (m *Mesh) reaches(o *unstructured.Unstructured, traffic mesh.Traffic) bool {
	exported, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "exportTo") // malformed: it counts as if it were for all
	if len(exported) > 0 && !slices.Contains(exported, "*") && !slices.ContainsFunc(exported, m.spans) {
		return false
	}
	gateways, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "gateways")
	if !traffic.Gateway && len(gateways) > 0 && !slices.Contains(gateways, "mesh") {
		return false
	}
	named, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "hosts")
	if host, there, _ := unstructured.NestedString(o.Object, "spec", "host"); there {
		named = append(named, host)
	}
	return len(named) == 0 || slices.ContainsFunc(named, func(pattern string) bool {
		return slices.ContainsFunc(traffic.Hosts, func(host string) bool { return rules.Covers(pattern, o.GetNamespace(), host) })
	})
}

// watchedPods are the pods that carry or serve traffic, those of the ingress
// gateway, and the services.
func (m *Mesh) watchedPods(ctx context.Context) ([]watched, error) {
	var services []corev1.Service
	for _, namespace := range m.namespaces() {
		some, err := m.servicesIn(ctx, namespace)
		if err != nil {
			return nil, err
		}
		services = append(services, some...)
	}
	gateways, err := m.gatewayPods(ctx)
	if err != nil {
		return nil, err
	}
	for i := range gateways {
		m.remember(gateways[i].Namespace)
	}
	pods := corev1.SchemeGroupVersion.WithResource("pods")
	all := []watched{
		{
			kind: "Service", of: corev1.SchemeGroupVersion.WithResource("services"), namespaces: m.namespaces(), did: respecified,
			acts: func(*unstructured.Unstructured) bool { return true },
		}, {
			kind: "Pod", of: pods, namespaces: m.namespaces(), did: served,
			acts: func(o *unstructured.Unstructured) bool {
				return o.GetLabels()[label] == "" && (hasProxy(podOf(o)) || selected(services, podOf(o)))
			},
		},
	}
	return append(all, watched{
		kind: "Pod", of: pods, namespaces: m.gatewaysElsewhere(), selector: gatewayLabels, did: served,
		acts: func(*unstructured.Unstructured) bool { return true },
	}), nil
}

// selected says whether a pod is behind a service.
func selected(services []corev1.Service, pod *corev1.Pod) bool {
	return slices.ContainsFunc(services, func(s corev1.Service) bool { return s.Namespace == pod.Namespace && selects(s, pod) })
}

// selects says whether a service selects the pods of its namespace that have the labels of
// one.
func selects(s corev1.Service, pod *corev1.Pod) bool {
	return len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pod.Labels))
}

// served says whether a pod began or ceased to serve.
func served(was, is *unstructured.Unstructured) string {
	switch before, now := was != nil && serves(podOf(was)), is != nil && serves(podOf(is)); {
	case now && !before:
		return mesh.Serves
	case before && !now:
		return mesh.Ceased
	}
	return ""
}

func podOf(o *unstructured.Unstructured) *corev1.Pod {
	pod := &corev1.Pod{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, pod); err != nil {
		return &corev1.Pod{} // no pod that this client knows serves
	}
	return pod
}
