package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar"
	"github.com/meshchaos/meshchaos/internal/sidecar/config"
)

// store keeps the objects, in the order of their creation.
type store struct {
	objects []*rules.Object
	version uint64 // the last resource version that was given
}

// with returns the objects as they would be with others written.
func (s *store) with(objects []*rules.Object) []*rules.Object {
	all := s.objects
	for _, o := range objects {
		all = rules.Put(all, o)
	}
	return all
}

// Objects implements mesh.Mesh.
func (m *Mesh) Objects(context.Context) ([]*rules.Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var objects []*rules.Object
	for _, o := range m.store.objects {
		objects = append(objects, o.Clone())
	}
	return objects, nil
}

// Gateways implements mesh.Mesh: there is one namespace.
func (m *Mesh) Gateways(ctx context.Context) ([]*rules.Object, bool, error) {
	objects, err := m.Objects(ctx)
	return slices.DeleteFunc(objects, func(o *rules.Object) bool { return o.Kind != rules.Gateway }), true, err
}

// GatewayPorts implements mesh.Mesh: the gateway listens wherever a Gateway says.
func (m *Mesh) GatewayPorts(context.Context) (map[int][]int, error) { return nil, nil }

// Permits implements mesh.Mesh: there are no rights here.
func (m *Mesh) Permits(context.Context, mesh.Use) error { return nil }

// Elsewhere implements mesh.Mesh: there is one namespace.
func (m *Mesh) Elsewhere(context.Context, []string) ([]*rules.Object, bool, error) {
	return nil, true, nil
}

// Inspect implements mesh.Mesh: every workload has a proxy, and nobody else is here.
func (m *Mesh) Inspect(context.Context, []string) ([]error, []string, error) { return nil, nil, nil }

// Span implements mesh.Mesh: there is one namespace.
func (m *Mesh) Span(context.Context, []string, []string) error { return nil }

// Admit implements mesh.Mesh. A field that is not implemented is a
// *config.UnsupportedError.
func (m *Mesh) Admit(_ context.Context, objects []*rules.Object) error {
	placed, err := placed(objects)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err = sidecar.Compile(m.common, m.store.with(placed))
	return err
}

// Admit says whether a new mesh with the application would take the objects.
func Admit(app string, objects []*rules.Object) error {
	sample, err := podsOf(app)
	if err != nil {
		return err
	}
	placed, err := placed(objects)
	if err != nil {
		return err
	}
	_, err = sidecar.Compile(config.Mesh{Services: registry(sample, nil)}, placed)
	return err
}

// placed gives objects without a namespace the mesh's, and refuses others, but for
// the gateway's Telemetries.
func placed(objects []*rules.Object) ([]*rules.Object, error) {
	var all []*rules.Object
	for _, o := range objects {
		if o.Namespace == "" {
			o = o.Clone()
			o.Namespace = Namespace
		}
		if o.Namespace != Namespace && (o.Kind != rules.Telemetry || o.Namespace != config.GatewayNamespace) {
			return nil, fmt.Errorf("reading %s: the embedded mesh has the namespace %q alone; leave metadata.namespace out", o.Ref, Namespace)
		}
		all = append(all, o)
	}
	return all, nil
}

// Write implements mesh.Mesh. When it returns, every proxy runs the change.
func (m *Mesh) Write(_ context.Context, change rules.Change) (*rules.Object, error) {
	if change.Before == nil && change.After == nil {
		return nil, fmt.Errorf("writing a change: it has neither before nor after")
	}
	ref := change.Ref()
	if ref.Namespace == "" {
		ref.Namespace = Namespace
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.conflict(ref, change.Before); err != nil {
		return nil, err
	}
	next := store{version: m.store.version + 1}
	var written *rules.Object
	if change.After == nil {
		next.objects = slices.DeleteFunc(slices.Clone(m.store.objects), func(o *rules.Object) bool { return o.Ref == ref })
	} else {
		var err error
		if written, err = stored(change.After, next.version, rules.Find(m.store.objects, ref)); err != nil {
			return nil, err
		}
		next.objects = rules.Put(m.store.objects, written)
	}
	if err := m.push(next.objects); err != nil {
		return nil, err
	}
	m.tell(ref, rules.Find(m.store.objects, ref), written)
	m.store = next
	if written == nil {
		return nil, nil
	}
	return written.Clone(), nil
}

// conflict says that what is there is not what the change was made from.
func (m *Mesh) conflict(ref rules.Ref, before *rules.Object) error {
	var want, have string
	if before != nil {
		want = before.ResourceVersion
	}
	if o := rules.Find(m.store.objects, ref); o != nil {
		have = o.ResourceVersion
	}
	if want == have {
		return nil
	}
	return &mesh.ConflictError{Ref: ref, Want: want, Have: have}
}

// stored is an object as the mesh keeps and returns it, in the place of was.
func stored(o *rules.Object, version uint64, was *rules.Object) (*rules.Object, error) {
	objects, err := placed([]*rules.Object{o})
	if err != nil {
		return nil, err
	}
	object := objects[0].Clone()
	object.ResourceVersion = strconv.FormatUint(version, 10)
	if object.Manifest, err = object.Encode(); err != nil {
		return nil, err
	}
	// As Kubernetes does, so that a change which was taken back can be told.
	generation := fmt.Sprintf(`"metadata":{"generation":%d,`, generationOf(object, version, was))
	object.Manifest = bytes.Replace(object.Manifest, []byte(`"metadata":{`), []byte(generation), 1)
	return object, nil
}

// generationOf is the version that changed the spec last.
func generationOf(o *rules.Object, version uint64, was *rules.Object) uint64 {
	var manifest struct{ Metadata struct{ Generation uint64 } }
	if was == nil || !proto.Equal(o.Spec, was.Spec) || json.Unmarshal(was.Manifest, &manifest) != nil {
		return version
	}
	return manifest.Metadata.Generation
}

// push makes all proxies run the objects.
func (m *Mesh) push(objects []*rules.Object) error {
	cfg, err := sidecar.Compile(m.common, objects)
	if err != nil {
		return err
	}
	for _, w := range m.workloads {
		if err := w.proxy.Push(cfg); err != nil {
			return err
		}
	}
	return nil
}
