package istio

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// fieldManager signs what this program writes, in metadata.managedFields.
const fieldManager = "meshchaos"

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
	all := []string{m.namespace}
	if kind != rules.Telemetry {
		return all
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, namespace := range m.gateways {
		if namespace != m.namespace {
			all = append(all, namespace)
		}
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
		return nil, fmt.Errorf("listing the %s of namespace %s: %w", m.resources[kind].Resource, m.in(namespace), err)
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

// Admit implements mesh.Mesh, by a dry run of each object on the API server,
// Istio's admission webhook included. The server judges one object at a time.
func (m *Mesh) Admit(ctx context.Context, objects []*rules.Object) error {
	for _, o := range objects {
		if err := answered(m.admit(ctx, o)); err != nil {
			return err
		}
	}
	return nil
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

// current returns an object as it stands, nil if it is not there.
func current(ctx context.Context, r dynamic.ResourceInterface, ref rules.Ref) (*rules.Object, error) {
	now, err := r.Get(ctx, ref.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return read(now)
}

// Write implements mesh.Mesh. An After that is what its Manifest says is put
// back as that has it; of any other, metadata that the object has already is
// kept.
func (m *Mesh) Write(ctx context.Context, c rules.Change) (*rules.Object, error) {
	switch {
	case c.Before == nil && c.After == nil:
		return nil, fmt.Errorf("writing a change: it has neither before nor after")
	case c.Before != nil && c.After != nil && c.Before.Ref != c.After.Ref:
		return nil, fmt.Errorf("writing %s: it cannot take the place of %s; delete one and create the other", c.After.Ref, c.Before.Ref)
	}
	r, err := m.resource(c.Ref())
	if err != nil {
		return nil, err
	}
	if err := m.provable(ctx, c.Ref()); c.After != nil && err != nil { // what is there is taken away in any case
		return nil, err
	}
	var written *unstructured.Unstructured
	switch {
	case c.After == nil:
		return nil, m.remove(ctx, r, c.Before)
	case c.Before == nil:
		written, err = m.create(ctx, r, c.After)
	default:
		written, err = m.update(ctx, r, c)
	}
	if err != nil {
		return nil, err
	}
	return read(written)
}

func (m *Mesh) create(ctx context.Context, r dynamic.ResourceInterface, o *rules.Object) (*unstructured.Unstructured, error) {
	body, err := m.body(o, nil)
	if err != nil {
		return nil, err
	}
	written, err := r.Create(ctx, body, metav1.CreateOptions{FieldManager: fieldManager, FieldValidation: metav1.FieldValidationStrict})
	if apierrors.IsAlreadyExists(err) {
		return nil, conflict(ctx, r, o.Ref, "")
	}
	return written, refused("creating "+m.name(o.Ref), err)
}

func (m *Mesh) update(ctx context.Context, r dynamic.ResourceInterface, c rules.Change) (*unstructured.Unstructured, error) {
	body, err := m.body(c.After, c.Before)
	if err != nil {
		return nil, err
	}
	written, err := r.Update(ctx, body, metav1.UpdateOptions{FieldManager: fieldManager, FieldValidation: metav1.FieldValidationStrict})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil, conflict(ctx, r, c.Before.Ref, c.Before.ResourceVersion)
	}
	if err != nil {
		return nil, refused("updating "+m.name(c.After.Ref), err)
	}
	return m.disowned(ctx, r, c.After, written), nil
}

// disowned gives the fields of an object that was put back to who owned them: the
// update before this one has made them ours, and the next server-side apply of
// their owner would fail with a conflict. The rule is in force all the same, so
// what goes wrong here is only said.
func (m *Mesh) disowned(ctx context.Context, r dynamic.ResourceInterface, o *rules.Object, written *unstructured.Unstructured) *unstructured.Unstructured {
	was, err := restored(o)
	if was == nil || err != nil || len(was.GetManagedFields()) == 0 {
		return written
	}
	again := written.DeepCopy()
	again.SetManagedFields(was.GetManagedFields())
	now, err := r.Update(ctx, again, metav1.UpdateOptions{FieldManager: fieldManager})
	if err != nil {
		m.log(fmt.Sprintf("%s is put back, but its fields are still owned by %s, not by who owned them: %v", m.name(o.Ref), fieldManager, err))
		return written
	}
	return now
}

func (m *Mesh) remove(ctx context.Context, r dynamic.ResourceInterface, o *rules.Object) error {
	u, err := original(o)
	if err != nil {
		return err
	}
	uid := u.GetUID()
	err = r.Delete(ctx, o.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &o.ResourceVersion}})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return conflict(ctx, r, o.Ref, o.ResourceVersion)
	}
	if err != nil {
		return refused("deleting "+m.name(o.Ref), err)
	}
	return m.awaitGone(ctx, r, o.Ref, uid)
}

// awaitGone waits until an object that was deleted is gone, as it is at once
// unless somebody has put a finalizer on it: its rule is in force as long as that
// is there.
func (m *Mesh) awaitGone(ctx context.Context, r dynamic.ResourceInterface, ref rules.Ref, uid types.UID) error {
	var holding []string
	err := wait.PollUntilContextTimeout(ctx, pollEvery, goneLimit, true, func(ctx context.Context) (bool, error) {
		now, err := r.Get(ctx, ref.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) || (err == nil && now.GetUID() != uid) {
			return true, nil
		}
		if err == nil {
			holding = now.GetFinalizers()
		}
		return false, nil
	})
	if err == nil || len(holding) == 0 { // deleted, as the server has said; the proxies show the rest
		return nil
	}
	return fmt.Errorf(`deleting %s: it is marked as deleted and still in force, since somebody put the finalizer %s on it; if nobody takes that off: kubectl -n %s patch %s %s --type merge -p '{"metadata":{"finalizers":null}}'`,
		m.name(ref), strings.Join(holding, ", "), m.in(ref.Namespace), ref.Kind, ref.Name)
}

// conflict finds out what is there instead of the version that was read.
func conflict(ctx context.Context, r dynamic.ResourceInterface, ref rules.Ref, want string) error {
	now, err := current(ctx, r, ref)
	if err != nil {
		return fmt.Errorf("writing %s: it was changed by somebody else, and reading it again failed: %w", ref, err)
	}
	e := &mesh.ConflictError{Ref: ref, Want: want}
	if now != nil {
		e.Have = now.ResourceVersion
	}
	return e
}
