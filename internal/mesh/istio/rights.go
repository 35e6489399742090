package istio

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshchaos/meshchaos/internal/cluster"
	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// right is what a user may or may not do.
type right = cluster.Right

// to is one, of a part of the resource where subresource is not empty.
func to(verb, group, resource, subresource, namespace string) right {
	return right{Verb: verb, Group: group, Resource: resource, Subresource: subresource, Namespace: namespace}
}

// Permits implements mesh.Mesh.
func (m *Mesh) Permits(ctx context.Context, use mesh.Use) error {
	needed := m.rightsOfRun()
	if slices.ContainsFunc(use.Cohorts, func(c mesh.Cohort) bool { return c.Senders() > 1 }) {
		needed = append(needed, m.rightsOfSenders()...)
	}
	if use.Gateway {
		gateway, err := m.rightsAtGateway(ctx)
		if err != nil {
			return answered(err)
		}
		needed = append(needed, gateway...)
		secrets, err := m.rightsOfSecrets(ctx, slices.Sorted(maps.Keys(mesh.Credentials(use.Cohorts))))
		if err != nil {
			return answered(err)
		}
		needed = append(needed, secrets...)
	}
	return m.permitted(ctx, needed)
}

// rightsOfRun are those that a run needs whatever it writes: to read what there is,
// to keep its ledger, to see what others hold, and to drive load from its pod. It does
// without pods/log, and says so.
func (m *Mesh) rightsOfRun() []right {
	all := []right{
		to("create", "", "configmaps", "", m.namespace),
		to("update", "", "configmaps", "", m.namespace), to("delete", "", "configmaps", "", m.namespace),
		to("list", coordination.GroupName, "leases", "", m.namespace),
		to("get", "", "pods", "", m.namespace), to("watch", "", "pods", "", m.namespace),
		to("create", "", "pods", "", m.namespace), to("delete", "", "pods", "", m.namespace),
	}
	for _, namespace := range m.namespaces() {
		all = append(all, to("list", "", "configmaps", "", namespace)) // the ledgers of those who hold it
		all = append(all, to("list", "", "services", "", namespace), to("list", "", "pods", "", namespace), reading(namespace))
		for _, kind := range rules.Kinds() {
			if of, there := m.resources[kind]; there && kind != rules.Telemetry { // which Objects leaves out where it must
				all = append(all, to("list", of.Group, of.Resource, "", namespace))
			}
		}
	}
	return all
}

// rightsOfSenders are those that a run needs besides of which a load has several senders:
// they are the pods of a Job.
func (m *Mesh) rightsOfSenders() []right {
	const batch = "batch"
	return []right{
		to("create", batch, "jobs", "", m.namespace), to("list", batch, "jobs", "", m.namespace), to("delete", batch, "jobs", "", m.namespace),
	}
}

// rightsAtGateway are those that a run needs besides whose load enters at the ingress
// gateway, or whose rules are for it.
func (m *Mesh) rightsAtGateway(ctx context.Context) ([]right, error) {
	namespace := istioSystem // where it is looked for first
	switch service, err := m.gatewayService(ctx); {
	case err != nil:
		return nil, err
	case service != nil:
		namespace = service.Namespace
		m.remember(namespace)
	}
	return []right{to("list", "", "services", "", namespace), to("list", "", "pods", "", namespace), reading(namespace)}, nil
}

// reading is the right by which the proxies of a namespace are read.
func reading(namespace string) right { return to("create", "", "pods", "portforward", namespace) }

// rightsFor are those that a run needs to claim and write objects, and to undo that: to
// take those away that are not there yet, or what it wrote out of one of them that
// somebody else has changed meanwhile.
func (m *Mesh) rightsFor(ctx context.Context, objects []*rules.Object) ([]right, error) {
	all := claimRights(journal.Claims(objects, m.namespace, m.gateway()))
	for _, o := range objects {
		of, there := m.resources[o.Kind]
		if !there {
			continue // which is said elsewhere
		}
		verbs := []string{"get", "update"}
		switch present, err := m.present(ctx, o.Ref); {
		case apierrors.IsForbidden(err): // the first of the two is missed, and the others are not known
		case err != nil:
			return nil, fmt.Errorf("reading %s: %w", m.name(o.Ref), err)
		case !present:
			verbs = append(verbs, "create", "delete")
		}
		if o.Kind == rules.Telemetry {
			verbs = append(verbs, "list") // else nobody could prove that it is taken away
		}
		for _, verb := range verbs {
			all = append(all, to(verb, of.Group, of.Resource, "", m.in(o.Namespace)))
		}
	}
	return all, nil
}

// present says whether an object is there, whatever it holds.
func (m *Mesh) present(ctx context.Context, ref rules.Ref) (bool, error) {
	r, err := m.resource(ref)
	if err != nil {
		return false, err
	}
	_, err = r.Get(ctx, ref.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// permitted refuses what this user could begin and not end: a right that is missed
// when a rule is in force would leave it there.
func (m *Mesh) permitted(ctx context.Context, needed []right) error {
	missing, err := cluster.Missing(ctx, needed, m.holds)
	if err != nil {
		return answered(err)
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("this user has not all rights that the run needs, some of them to undo it; have these granted, as a Role that meshchaos manifests rbac prints does; kubectl auth can-i answers with no: %s",
		strings.Join(missing, "; "))
}

// holds says whether this user has a right. What was granted is not asked again.
func (m *Mesh) holds(ctx context.Context, r right) (bool, error) {
	m.mu.Lock()
	known := m.granted[r]
	m.mu.Unlock()
	if known {
		return true, nil
	}
	held, err := cluster.May(ctx, m.kube, r)
	if held {
		m.mu.Lock()
		if m.granted == nil {
			m.granted = map[right]bool{}
		}
		m.granted[r] = true
		m.mu.Unlock()
	}
	return held, err
}
