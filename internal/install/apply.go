package install

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
)

// Step is what installing does to one object.
type Step struct {
	Sample string
	Object *unstructured.Unstructured
	before *unstructured.Unstructured // as it was made earlier; nil: it is not there
	same   bool                       // it was tried, and nothing would become different
	remove bool
}

// Does words the step: create, update, keep or delete.
func (s Step) Does() string {
	switch {
	case s.remove:
		return "delete"
	case s.before == nil:
		return "create"
	case s.same:
		return "keep"
	}
	return "update"
}

// Name is how its object is called: Service/httpbin.
func (s Step) Name() string { return named(s.Object) }

// Apply carries the steps out, one after the other, and tells of each what became of the
// object: created, updated, deleted, or as it was. Its error says at which it ended.
func (in *Installer) Apply(ctx context.Context, steps []Step, tell func(Step, string)) error {
	for _, s := range steps {
		did, err := in.carryOut(ctx, s)
		if err != nil {
			return fmt.Errorf("writing %s in %s: %w", s.Name(), in.namespace, err)
		}
		tell(s, did)
	}
	return nil
}

func (in *Installer) carryOut(ctx context.Context, s Step) (did string, err error) {
	if s.remove {
		return "deleted", in.remove(ctx, s.before)
	}
	if s.before == nil {
		_, err := in.write(ctx, s)
		return "created", err
	}
	if s.before, err = in.own(ctx, s.before); err != nil {
		return "", err
	}
	now, err := in.write(ctx, s)
	if err != nil {
		return "", err
	}
	if same(now, s.before) {
		return "as it was", nil
	}
	return "updated", nil
}

// same says whether two states of an object differ in nothing but who owns what.
func same(a, b *unstructured.Unstructured) bool {
	a, b = a.DeepCopy(), b.DeepCopy()
	for _, o := range []*unstructured.Unstructured{a, b} {
		o.SetManagedFields(nil)
		o.SetResourceVersion("")
		unstructured.RemoveNestedField(o.Object, "status")
	}
	return equality.Semantic.DeepEqual(a.Object, b.Object)
}

// write creates an object, or applies it to what install made earlier: what others have
// added stays. Creating fails where somebody was faster, while applying would take over
// what is theirs.
func (in *Installer) write(ctx context.Context, s Step, dryRun ...string) (*unstructured.Unstructured, error) {
	resource, err := in.resource(s.Object)
	if err != nil {
		return nil, err
	}
	if s.before != nil {
		object := s.Object.DeepCopy()
		object.SetUID(s.before.GetUID()) // of this very object, or of none
		return resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: manager, Force: true, DryRun: dryRun})
	}
	now, err := resource.Create(ctx, s.Object, metav1.CreateOptions{FieldManager: manager, FieldValidation: metav1.FieldValidationStrict, DryRun: dryRun})
	if apierrors.IsAlreadyExists(err) {
		return nil, fmt.Errorf("somebody else made it meanwhile; run the command again: %w", err)
	}
	return now, err
}

// own turns the fields that install created into ones that it applies, so that one that is
// not in the manifest any more goes.
func (in *Installer) own(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(o, sets.New(manager), manager)
	if err != nil || patch == nil {
		return o, err
	}
	resource, err := in.resource(o)
	if err != nil {
		return nil, err
	}
	return resource.Patch(ctx, o.GetName(), types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: manager})
}
