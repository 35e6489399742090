package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	authorization "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Right is what a user may or may not do in a namespace.
type Right struct {
	Verb, Group, Resource, Subresource, Namespace string
	Name                                          string // of the one object; empty: of any
}

// String words it as kubectl auth can-i takes it.
func (r Right) String() string {
	what := r.Resource
	if r.Group != "" {
		what += "." + r.Group
	}
	if r.Name != "" {
		what += "/" + r.Name
	}
	if r.Subresource != "" { // behind a slash it would be a name, and the answer another
		what += " --subresource=" + r.Subresource
	}
	return fmt.Sprintf("%s %s -n %s", r.Verb, what, r.Namespace)
}

// askedAtOnce bounds how many questions the API server is asked at a time.
const askedAtOnce = 8

// Missing returns those of some rights that this user has not, in words and in order, each
// once. May is asked of each, from several goroutines.
func Missing(ctx context.Context, rights []Right, may func(context.Context, Right) (bool, error)) ([]string, error) {
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	var mu sync.Mutex
	var missing []string
	asked := map[Right]bool{}
	for _, r := range rights {
		if asked[r] {
			continue
		}
		asked[r] = true
		group.Go(func() error {
			held, err := may(ctx, r)
			if err == nil && !held {
				mu.Lock()
				missing = append(missing, r.String())
				mu.Unlock()
			}
			return err
		})
	}
	err := group.Wait()
	slices.Sort(missing)
	return missing, err
}

// May asks the API server whether this user has a right. Where it does not tell, the
// write will.
func May(ctx context.Context, kube kubernetes.Interface, r Right) (bool, error) {
	review, err := kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorization.SelfSubjectAccessReview{
		Spec: authorization.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorization.ResourceAttributes{
			Verb: r.Verb, Group: r.Group, Resource: r.Resource, Subresource: r.Subresource, Namespace: r.Namespace, Name: r.Name,
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
