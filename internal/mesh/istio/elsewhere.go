package istio

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// Elsewhere implements mesh.Mesh. Of DestinationRules those count that a sidecar looks
// for after those of its own namespace: the host's namespace has them, or Istio's root
// namespace, which is taken to be istio-system.
func (m *Mesh) Elsewhere(ctx context.Context, hosts []string) (objects []*rules.Object, all bool, err error) {
	all = true
	for _, kind := range []string{rules.VirtualService, rules.DestinationRule} {
		some, whole, err := m.elsewhere(ctx, kind, hosts)
		if err != nil {
			return nil, false, err
		}
		objects, all = append(objects, some...), all && whole
	}
	return objects, all, nil
}

func (m *Mesh) elsewhere(ctx context.Context, kind string, hosts []string) (objects []*rules.Object, all bool, err error) {
	list, err := m.dynamic.Resource(m.resources[kind]).List(ctx, metav1.ListOptions{})
	all = err == nil
	if apierrors.IsForbidden(err) {
		list, err = m.list(ctx, kind, istioSystem, metav1.ListOptions{})
	}
	switch {
	case apierrors.IsForbidden(err):
		return nil, false, nil
	case err != nil:
		return nil, false, answered(fmt.Errorf("listing the %s of other namespaces: %w", m.resources[kind].Resource, err))
	}
	traffic := mesh.Traffic{Hosts: hosts}
	for i := range list.Items {
		u := &list.Items[i]
		if m.spans(u.GetNamespace()) || !m.reaches(u, traffic) { // of those Objects tells
			continue
		}
		o, err := read(u)
		if err != nil {
			return nil, false, err
		}
		ofNamespace := func(host string) bool { return strings.HasSuffix(host, rules.FQDN("", o.Namespace)) }
		if kind == rules.DestinationRule && o.Namespace != istioSystem && !slices.ContainsFunc(hosts, ofNamespace) {
			continue
		}
		objects = append(objects, o)
	}
	return objects, all, nil
}
