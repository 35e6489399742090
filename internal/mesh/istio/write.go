package istio

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

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
	return m.disowned(ctx, r, c.After, written)
}

// disowned gives the fields of an object that was put back to who owned them: the
// update before this one has made them ours, and the next server-side apply of
// their owner would fail with a conflict.
func (m *Mesh) disowned(ctx context.Context, r dynamic.ResourceInterface, o *rules.Object, written *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	was, err := restored(o)
	if was == nil || err != nil || len(was.GetManagedFields()) == 0 {
		return written, nil
	}
	again := written.DeepCopy()
	again.SetManagedFields(was.GetManagedFields())
	now, err := r.Update(ctx, again, metav1.UpdateOptions{FieldManager: fieldManager})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil, conflict(ctx, r, o.Ref, written.GetResourceVersion())
	}
	return now, refused("giving the fields of "+m.name(o.Ref)+" back to who owned them", err)
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
		return answered(fmt.Errorf("writing %s: it was changed by somebody else, and reading it again failed: %w", ref, err))
	}
	e := &mesh.ConflictError{Ref: ref, Want: want}
	if now != nil {
		e.Have = now.ResourceVersion
	}
	return e
}
