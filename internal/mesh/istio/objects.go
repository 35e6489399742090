package istio

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/meshchaos/meshchaos/internal/journal"
	"github.com/meshchaos/meshchaos/internal/rules"
)

const fieldManager = journal.FieldManager

// goneLimit is how long the finalizers of a deleted object may take.
const goneLimit = 3 * time.Second

// resource returns the client for an object's kind and namespace.
func (m *Mesh) resource(ref rules.Ref) (dynamic.ResourceInterface, error) {
	of, ok := m.resources[ref.Kind]
	if !ok {
		return nil, fmt.Errorf("finding %s: the cluster has no resources of that kind, so this Istio is too old, or installed without it", m.name(ref))
	}
	return m.dynamic.Resource(of).Namespace(m.in(ref.Namespace)), nil
}

// in returns the namespace that a name without one is in.
func (m *Mesh) in(namespace string) string {
	if namespace == "" {
		return m.namespace
	}
	return namespace
}

// name words a ref for an error.
func (m *Mesh) name(ref rules.Ref) string {
	ref.Namespace = m.in(ref.Namespace)
	return ref.String()
}

// Objects implements mesh.Mesh. Of an object with a field that this build does
// not know, Spec holds what is known, so that the owner of a host is found;
// Admit and Write refuse to change such an object. Telemetries are left out where
// the cluster has none, or this user may not see them, and those of the gateway's
// namespace until Proxies has found one.
func (m *Mesh) Objects(ctx context.Context) ([]*rules.Object, error) {
	var objects []*rules.Object
	for _, kind := range rules.Kinds() {
		if _, there := m.resources[kind]; !there { // a Telemetry at most: Open saw to the others
			continue
		}
		for _, namespace := range m.namespacesOf(kind) {
			some, err := m.objectsIn(ctx, kind, namespace)
			if kind == rules.Telemetry && apierrors.IsForbidden(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			objects = append(objects, some...)
		}
	}
	return objects, nil
}

// namespacesOf are those in which a run may have to do with objects of a kind.
func (m *Mesh) namespacesOf(kind string) []string {
	all := m.namespaces()
	if kind == rules.Telemetry {
		all = append(all, m.gatewaysElsewhere()...)
	}
	return all
}

func (m *Mesh) objectsIn(ctx context.Context, kind, namespace string) ([]*rules.Object, error) {
	list, err := m.list(ctx, kind, namespace, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var objects []*rules.Object
	for i := range list.Items {
		o, err := read(&list.Items[i])
		if err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	return objects, nil
}

func (m *Mesh) list(ctx context.Context, kind, namespace string, o metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	r, err := m.resource(rules.Ref{Kind: kind, Namespace: namespace})
	if err != nil {
		return nil, err
	}
	list, err := r.List(ctx, o)
	if err != nil {
		return nil, answered(fmt.Errorf("listing the %s of namespace %s: %w", m.resources[kind].Resource, m.in(namespace), err))
	}
	return list, nil
}

// provable refuses to write an object that Objects would leave out: nobody could
// tell whether it was taken away again.
func (m *Mesh) provable(ctx context.Context, ref rules.Ref) error {
	if ref.Kind != rules.Telemetry {
		return nil
	}
	_, err := m.list(ctx, ref.Kind, ref.Namespace, metav1.ListOptions{Limit: 1})
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("writing %s: this user may not list telemetries there, so a run could not prove that it took its own away: %w", m.name(ref), err)
	}
	return err
}

// Admit implements mesh.Mesh: it asks for every right that the objects take, and
// by a dry run of each object the API server and Istio's admission webhook, which
// judge one object at a time. The error has all that they refuse.
func (m *Mesh) Admit(ctx context.Context, objects []*rules.Object) error {
	needed, err := m.rightsFor(ctx, objects)
	if err != nil {
		return answered(err)
	}
	lacking := m.permitted(ctx, needed)
	if isUnanswered(lacking) {
		return lacking
	}
	refused := []error{lacking}
	for _, o := range objects {
		err := answered(m.admit(ctx, o))
		if isUnanswered(err) {
			return err
		}
		if lacking != nil && apierrors.IsForbidden(err) { // which says the same once more
			continue
		}
		refused = append(refused, err)
	}
	return errors.Join(refused...)
}

func (m *Mesh) admit(ctx context.Context, o *rules.Object) error {
	doing := "trying " + m.name(o.Ref) + " on the cluster"
	r, err := m.resource(o.Ref)
	if err == nil {
		err = m.provable(ctx, o.Ref)
	}
	if err != nil {
		return err
	}
	for range admitTries { // istiod writes status at any time
		if err = m.try(ctx, r, o, doing); !apierrors.IsConflict(err) {
			return err
		}
	}
	return err
}

// admitTries bounds how often an object is tried that changes meanwhile. It is no
// retry.RetryOnConflict, which takes an ended context for success.
const admitTries = 5

func (m *Mesh) try(ctx context.Context, r dynamic.ResourceInterface, o *rules.Object, doing string) error {
	before, err := current(ctx, r, o.Ref)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	body, err := m.body(o, before)
	if err != nil {
		return err
	}
	dry := []string{metav1.DryRunAll}
	if before == nil {
		_, err = r.Create(ctx, body, metav1.CreateOptions{DryRun: dry, FieldManager: fieldManager, FieldValidation: metav1.FieldValidationStrict})
	} else {
		_, err = r.Update(ctx, body, metav1.UpdateOptions{DryRun: dry, FieldManager: fieldManager, FieldValidation: metav1.FieldValidationStrict})
	}
	return refused(doing, err)
}
