package istio

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// Span implements mesh.Mesh.
func (m *Mesh) Span(ctx context.Context, namespaces, hosts []string) error {
	further := slices.Clone(namespaces)
	for _, host := range hosts {
		_, maybe, _ := strings.Cut(host, ".")
		name, namespace, inCluster := rules.InCluster(rules.Qualified(host, m.namespace, maybe))
		if !inCluster || namespace == m.namespace || slices.Contains(further, namespace) {
			continue
		}
		services, err := m.servicesIn(ctx, namespace)
		if err != nil && !apierrors.IsForbidden(err) {
			return err
		}
		if slices.ContainsFunc(services, func(s corev1.Service) bool { return s.Name == name }) {
			further = append(further, namespace)
		}
	}
	further = slices.DeleteFunc(further, func(namespace string) bool { return namespace == m.namespace })
	slices.Sort(further)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.further = slices.Compact(further)
	return nil
}

// namespaces are those that the mesh spans, the run's own first.
func (m *Mesh) namespaces() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string{m.namespace}, m.further...)
}

// spans says whether a namespace is one of them.
func (m *Mesh) spans(namespace string) bool { return slices.Contains(m.namespaces(), namespace) }

// gatewaysElsewhere are the namespaces of the ingress gateway's pods that are none of
// them.
func (m *Mesh) gatewaysElsewhere() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.gateways), func(namespace string) bool {
		return namespace == m.namespace || slices.Contains(m.further, namespace)
	})
}
