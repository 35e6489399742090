package istio

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	authorization "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

// rightsFor are those that a run needs once it has begun: to write the objects, to
// take them away, to keep its ledger, and to drive load from its pod.
func (m *Mesh) rightsFor(objects []*rules.Object) []right {
	all := []right{
		{"create", "", "configmaps", "", m.namespace}, {"update", "", "configmaps", "", m.namespace},
		{"list", "", "configmaps", "", m.namespace}, {"delete", "", "configmaps", "", m.namespace},
		{"get", "", "pods", "", m.namespace}, {"create", "", "pods", "", m.namespace}, {"delete", "", "pods", "", m.namespace},
		{"create", "", "pods", "portforward", m.namespace},
	}
	for _, o := range objects {
		of, there := m.resources[o.Kind]
		if !there {
			continue // which is said elsewhere
		}
		for _, verb := range []string{"create", "update", "delete"} {
			all = append(all, right{verb, of.Group, of.Resource, "", m.in(o.Namespace)})
		}
	}
	return all
}

// permitted refuses what this user could begin and not end: a right that is missed
// when a rule is in force would leave it there. What was granted is not asked again.
func (m *Mesh) permitted(ctx context.Context, objects []*rules.Object) error {
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	var missing []string
	for _, r := range m.rightsFor(objects) {
		m.mu.Lock()
		known := m.granted[r]
		if m.granted == nil {
			m.granted = map[right]bool{}
		}
		m.granted[r] = true
		m.mu.Unlock()
		if known {
			continue
		}
		group.Go(func() error {
			allowed, err := m.may(ctx, r)
			if allowed {
				return nil
			}
			m.mu.Lock()
			defer m.mu.Unlock()
			delete(m.granted, r)
			if err == nil {
				missing = append(missing, r.String())
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
	return fmt.Errorf("this user has not all rights that the run needs, some of them to undo it; have these granted, which kubectl auth can-i answers with no: %s", strings.Join(missing, "; "))
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
