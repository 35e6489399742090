package istio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	authorization "k8s.io/api/authorization/v1"
	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// right is what a user may or may not do.
type right struct{ verb, group, resource, subresource, namespace string }

// String words it as kubectl auth can-i takes it.
func (r right) String() string {
	what := r.resource
	if r.group != "" {
		what += "." + r.group
	}
	if r.subresource != "" {
		what += "/" + r.subresource
	}
	return fmt.Sprintf("%s %s -n %s", r.verb, what, r.namespace)
}

// askedAtOnce bounds how many questions the API server is asked at a time.
const askedAtOnce = 8

// Permits implements mesh.Mesh.
func (m *Mesh) Permits(ctx context.Context, use mesh.Use) error {
	needed := m.rightsOfRun()
	if use.Gateway {
		gateway, err := m.rightsAtGateway(ctx)
		if err != nil {
			return answered(err)
		}
		needed = append(needed, gateway...)
	}
	return m.permitted(ctx, needed)
}

// rightsOfRun are those that a run needs whatever it writes: to read what there is,
// to keep its ledger, to see what others hold, and to drive load from its pod. It does
// without pods/log, and says so.
func (m *Mesh) rightsOfRun() []right {
	all := []right{
		{"list", "", "services", "", m.namespace},
		{"list", "", "configmaps", "", m.namespace}, {"create", "", "configmaps", "", m.namespace},
		{"update", "", "configmaps", "", m.namespace}, {"delete", "", "configmaps", "", m.namespace},
		{"list", coordination.GroupName, "leases", "", m.namespace},
		{"get", "", "pods", "", m.namespace}, {"list", "", "pods", "", m.namespace}, {"watch", "", "pods", "", m.namespace},
		{"create", "", "pods", "", m.namespace}, {"delete", "", "pods", "", m.namespace}, reading(m.namespace),
	}
	for _, kind := range rules.Kinds() {
		if of, there := m.resources[kind]; there && kind != rules.Telemetry { // which Objects leaves out where it must
			all = append(all, right{"list", of.Group, of.Resource, "", m.namespace})
		}
	}
	return all
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
	}
	return []right{{"list", "", "services", "", namespace}, {"list", "", "pods", "", namespace}, reading(namespace)}, nil
}

// reading is the right by which the proxies of a namespace are read.
func reading(namespace string) right { return right{"create", "", "pods", "portforward", namespace} }

// rightsFor are those that a run needs to claim and write objects, and to undo that: to
// take those away that are not there yet, or what it wrote out of one of them that
// somebody else has changed meanwhile.
func (m *Mesh) rightsFor(ctx context.Context, objects []*rules.Object) ([]right, error) {
	all := claimRights(journal.Claims(objects, m.namespace))
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
			all = append(all, right{verb, of.Group, of.Resource, "", m.in(o.Namespace)})
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
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	var mu sync.Mutex
	var missing []string
	asked := map[right]bool{}
	for _, r := range needed {
		if asked[r] {
			continue
		}
		asked[r] = true
		group.Go(func() error {
			held, err := m.holds(ctx, r)
			if err == nil && !held {
				mu.Lock()
				missing = append(missing, r.String())
				mu.Unlock()
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return answered(err)
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("this user has not all rights that the run needs, some of them to undo it; have these granted, which kubectl auth can-i answers with no: %s",
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
	held, err := m.may(ctx, r)
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

// may asks the API server whether this user has a right. Where it does not tell, the
// write will.
func (m *Mesh) may(ctx context.Context, r right) (bool, error) {
	review, err := m.kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorization.SelfSubjectAccessReview{
		Spec: authorization.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorization.ResourceAttributes{
			Verb: r.verb, Group: r.group, Resource: r.resource, Subresource: r.subresource, Namespace: r.namespace,
		}},
	}, metav1.CreateOptions{})
	if apierrors.IsForbidden(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking whether this user may %s: %w", r, err)
	}
	return review.Status.Allowed, nil
}
