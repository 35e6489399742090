package install

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/meshchaos/meshchaos/internal/cluster"
)

// kinds are those that samples have, in the order in which they are taken away: first what
// leads traffic to pods.
func kinds() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{
		{Group: istioAPI, Version: "v1", Kind: "Gateway"},
		{Version: "v1", Kind: "Service"},
		{Group: "apps", Version: "v1", Kind: "Deployment"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBinding"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "Role"},
		{Version: "v1", Kind: "ServiceAccount"},
	}
}

// installed returns what install made of a sample, and apart from it what has the labels
// of that and another origin.
func (in *Installer) installed(ctx context.Context, sample string) (mine, others []*unstructured.Unstructured, err error) {
	for _, kind := range kinds() {
		of := &unstructured.Unstructured{}
		of.SetGroupVersionKind(kind)
		resource, err := in.resource(of)
		if meta.IsNoMatchError(err) {
			continue // a cluster without Istio has no gateways
		}
		if err != nil {
			return nil, nil, err
		}
		list, err := resource.List(ctx, metav1.ListOptions{LabelSelector: managedBy + "=" + program + "," + partOf + "=" + sample})
		if apierrors.IsForbidden(err) && sample != Gateways && slices.Contains([]string{"Gateway", "Role", "RoleBinding"}, kind.Kind) {
			continue // no other sample has these
		}
		if err != nil {
			return nil, nil, fmt.Errorf("listing each %s of %s: %w", kind.Kind, sample, err)
		}
		for i := range list.Items {
			if o := &list.Items[i]; made(o, sample) {
				mine = append(mine, o)
			} else {
				others = append(others, o)
			}
		}
	}
	return mine, others, nil
}

// Find returns the names of what install made of a sample, and of what only has its labels.
// Its error is about the cluster.
func (in *Installer) Find(ctx context.Context, sample string) (mine, others []string, err error) {
	if err := in.reach(ctx); err != nil {
		return nil, nil, err
	}
	objects, rest, err := in.installed(ctx, sample)
	if err != nil {
		return nil, nil, fmt.Errorf("looking for %s in %s: %w", sample, in.namespace, err)
	}
	for _, o := range objects {
		mine = append(mine, named(o))
	}
	for _, o := range rest {
		others = append(others, named(o))
	}
	return mine, others, nil
}

// Remove deletes what install made of a sample, whatever others have changed of it, and
// waits until that and its pods are gone, or ctx ends. One that cannot be deleted does not
// keep it from the others. Say takes what is being waited for.
func (in *Installer) Remove(ctx context.Context, sample string, tell func(name string), say func(string)) error {
	mine, _, err := in.installed(ctx, sample)
	if err != nil {
		return fmt.Errorf("looking for %s in %s: %w", sample, in.namespace, err)
	}
	var failed []error
	for _, o := range mine {
		if err := in.remove(ctx, o); err != nil {
			failed = append(failed, fmt.Errorf("deleting %s in %s: %w", named(o), in.namespace, err))
			continue
		}
		tell(named(o))
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	return in.gone(ctx, sample, say)
}

// remove deletes this very object, and what it owns before it.
func (in *Installer) remove(ctx context.Context, o *unstructured.Unstructured) error {
	resource, err := in.resource(o)
	if err != nil {
		return err
	}
	uid, first := o.GetUID(), metav1.DeletePropagationForeground
	err = resource.Delete(ctx, o.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &first})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // it is gone, and what has its name is another
		return nil
	}
	return err
}

// gone waits until nothing of a sample is left. A cluster that does not answer meanwhile is
// asked again.
func (in *Installer) gone(ctx context.Context, sample string, say func(string)) error {
	var left []string
	var last error
	err := wait.PollUntilContextCancel(ctx, lookEvery, true, func(ctx context.Context) (bool, error) {
		objects, _, err := in.installed(ctx, sample)
		if last = err; err != nil {
			if cluster.Answers(err) {
				return false, err
			}
			return false, nil
		}
		left = nil
		for _, o := range objects {
			left = append(left, named(o))
		}
		if len(left) > 0 {
			say("waiting until these are gone: " + strings.Join(left, ", "))
		}
		return len(left) == 0, nil
	})
	doing := fmt.Sprintf("waiting until %s is gone from %s", sample, in.namespace)
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil || len(left) == 0:
		return fmt.Errorf("%s: %w", doing, cmp.Or(last, err))
	}
	return fmt.Errorf("%s: %w; these are deleted, and still there: %s; uninstall again waits again, and kubectl -n %s describe says what holds one", doing, ended(ctx), strings.Join(left, ", "), in.namespace)
}

// lookEvery is how often what is waited for is looked at.
const lookEvery = time.Second
