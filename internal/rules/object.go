// Package rules holds Istio's traffic rules as objects: it decodes them
// strictly, checks what Istio itself would refuse, and merges intents such as
// a fault or a split into the object that owns a host.
//
// An intent stands in one file: its form in YAML, its check, its merging, its
// wording, and what of it is to be seen to bite; and its name in the list of forms.
//
// The package is pure: it reads no mesh and writes none. It may import
// internal/yamlnode, internal/nearest and internal/re2.
package rules

import (
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
	telemetry "istio.io/api/telemetry/v1alpha1"
)

// The kinds of object that a run can write.
const (
	VirtualService  = "VirtualService"
	DestinationRule = "DestinationRule"
	Gateway         = "Gateway"
	Telemetry       = "Telemetry"
)

// Kinds returns the kinds of object in the order to write them. What is logged
// comes first, so that the log tells of every rule from its beginning to its
// end. Then comes what others refer to: a VirtualService that is there before
// the subset that it names answers 503 (istio/istio#23956).
func Kinds() []string { return []string{Telemetry, Gateway, DestinationRule, VirtualService} }

// fileKinds returns the kinds of object that a scenario may write, in the order
// of Kinds. It may write no Telemetry: what proxies log is what a run judges by,
// so the run alone turns that on, and no file can blind it.
func fileKinds() []string { return []string{Gateway, DestinationRule, VirtualService} }

// NewSpec returns an empty spec of a kind, nil for a kind that is none of Kinds.
func NewSpec(kind string) proto.Message {
	switch kind {
	case VirtualService:
		return &networking.VirtualService{}
	case DestinationRule:
		return &networking.DestinationRule{}
	case Gateway:
		return &networking.Gateway{}
	case Telemetry:
		return &telemetry.Telemetry{}
	}
	return nil
}

// Ref names an object.
type Ref struct {
	Kind      string
	Namespace string
	Name      string
}

// String returns Kind/namespace/name.
func (r Ref) String() string {
	if r.Namespace == "" { // as in a file that leaves it to kubectl
		return r.Kind + "/" + r.Name
	}
	return fmt.Sprintf("%s/%s/%s", r.Kind, r.Namespace, r.Name)
}

// Object is one object of Istio's, of one of Kinds.
type Object struct {
	Ref
	APIVersion      string // networking.istio.io/v1, v1beta1 or v1alpha3; telemetry.istio.io/v1 or v1alpha1
	Labels          map[string]string
	Annotations     map[string]string
	ResourceVersion string // empty: not read from a mesh
	// Spec is a *networkingv1alpha3.VirtualService, DestinationRule or Gateway, or
	// a *telemetryv1alpha1.Telemetry; Istio's other API versions are aliases of
	// these types.
	Spec proto.Message
	// Manifest is the object as the mesh returned it, in JSON, so that it can be
	// put back to the letter; nil for one that was not read from a mesh.
	Manifest []byte

	// zeros are the paths of connection pool limits that the manifest gives as
	// 0; the Spec cannot tell them from absent ones.
	zeros []string
}

// ZeroLimits returns the paths of the connection pool limits that the manifest
// gives as 0, which Istio takes as unset.
func (o *Object) ZeroLimits() []string { return o.zeros }

// Find returns the object of a Ref, nil if there is none.
func Find(objects []*Object, ref Ref) *Object {
	if i := indexOf(objects, ref); i >= 0 {
		return objects[i]
	}
	return nil
}

// Put returns the objects with o in the place of the one of its Ref, or behind
// them if there is none. The slice that it is given is not touched.
func Put(objects []*Object, o *Object) []*Object {
	objects = slices.Clone(objects)
	if i := indexOf(objects, o.Ref); i >= 0 {
		objects[i] = o
		return objects
	}
	return append(objects, o)
}

func indexOf(objects []*Object, ref Ref) int {
	return slices.IndexFunc(objects, func(o *Object) bool { return o.Ref == ref })
}

// Change replaces Before by After. A nil Before creates, a nil After deletes.
type Change struct {
	Before *Object
	After  *Object
}

// Ref returns what the change is about.
func (c Change) Ref() Ref {
	if c.After != nil {
		return c.After.Ref
	}
	return c.Before.Ref
}

// InWritingOrder compares two changes by the order in which to write them, that
// of Kinds. Undo them in reverse.
func InWritingOrder(a, b Change) int {
	return cmp.Compare(slices.Index(Kinds(), a.Ref().Kind), slices.Index(Kinds(), b.Ref().Kind))
}
