//go:build e2e

package e2e_test

import (
	"context"
	"testing"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/report"
)

// theirs owns ratings before the run. Its spec is written in ways that decoding
// and encoding again would not keep.
const theirs = `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
 "metadata":{"name":"theirs","labels":{"team":"books"},"annotations":{"why":"theirs"}},
 "spec":{"hosts":["ratings"],"http":[{"name":"plain","timeout":"10.5s","route":[{"destination":{"host":"ratings"},"weight":0}]}]}}`

// place writes an object that nobody but the test owns, until the test ends.
func place(t *testing.T, m mesh.Mesh, o *rules.Object) *rules.Object {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	written, err := m.Write(ctx, rules.Change{After: o})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		objects, err := m.Objects(ctx)
		if err != nil {
			t.Error(err)
		}
		if now := rules.Find(objects, written.Ref); now != nil {
			if _, err := m.Write(ctx, rules.Change{Before: now}); err != nil {
				t.Error(err)
			}
		}
	})
	return written
}

func TestTheOwnerOfAHostIsPutBackToTheLetter(t *testing.T) {
	ctx := context.WithoutCancel(t.Context())
	keeper := openIstio(ctx, t, "keeper")
	t.Cleanup(func() {
		if err := keeper.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	object, err := rules.DecodeFile([]byte(theirs))
	if err != nil {
		t.Fatal(err)
	}
	object.Namespace = keeper.Info().Namespace
	before := place(t, keeper, object)

	record := run(t, "delay-jason", "owner", openIstio(t.Context(), t, "owner"), honest)
	if record.Verdict != report.Pass || !record.Restored {
		t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
		show(t, record)
	}
	edited := false
	for _, c := range record.Changes {
		edited = edited || c.Object == before.String() && c.Action == "updated"
	}
	if !edited {
		t.Error("the owner of ratings was not edited")
	}
	objects, err := keeper.Objects(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != 1 || !rules.Equal(before, objects[0]) {
		t.Errorf("there were %s, and are %v", before.Manifest, objects)
	}
}
