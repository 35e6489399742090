// Package meshtest opens meshes for tests, and holds them to what they were. It
// may import the meshes; only tests import it.
package meshtest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/mesh/embedded"
)

// Open opens an embedded mesh with an application, until the test ends.
func Open(t testing.TB, app string, seed uint64) *embedded.Mesh {
	t.Helper()
	m, err := embedded.Open(t.Context(), embedded.Options{App: app, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return m
}

// InForce is what a mesh holds, by the names of the objects, without what changes
// with every write.
func InForce(t testing.TB, m mesh.Mesh) map[string]string {
	t.Helper()
	objects, err := m.Objects(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, o := range objects {
		text, err := o.Encode()
		if err != nil {
			t.Fatal(err)
		}
		all[o.String()] = string(text)
	}
	return all
}

// Remember returns what fails the test if a mesh holds anything else by then.
func Remember(t testing.TB, m mesh.Mesh) (compare func()) {
	t.Helper()
	before := InForce(t, m)
	return func() {
		t.Helper()
		if diff := cmp.Diff(before, InForce(t, m)); diff != "" {
			t.Errorf("the rules differ from before (-before +after):\n%s", diff)
		}
	}
}
