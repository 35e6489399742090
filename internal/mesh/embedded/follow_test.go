package embedded

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

func TestWhatComesAndGoesIsTold(t *testing.T) {
	m := open(t, "bookinfo", 1)
	there := create(t, m, `{"kind":"VirtualService","metadata":{"name":"there"},"spec":{"hosts":["details"],"http":[{"route":[{"destination":{"host":"details"}}]}]}}`)[0]
	ctx, stop := context.WithCancel(t.Context())
	var heard []mesh.Event
	if _, err := m.Follow(ctx, mesh.Traffic{}, func(e mesh.Event) { heard = append(heard, e) }); err != nil {
		t.Fatal(err)
	}
	write := func(c rules.Change) *rules.Object {
		t.Helper()
		o, err := m.Write(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	labelled := there.Clone()
	labelled.Labels = map[string]string{"team": "films"}
	there = write(rules.Change{Before: there, After: labelled})
	came := write(rules.Change{After: object(t, `{"kind":"DestinationRule","metadata":{"name":"came"},"spec":{"host":"ratings"}}`)})
	write(rules.Change{Before: came})
	other := there.Clone()
	other.Spec = object(t, `{"kind":"VirtualService","metadata":{"name":"there"},"spec":{"hosts":["ratings"],"http":[{"route":[{"destination":{"host":"ratings"}}]}]}}`).Spec
	there = write(rules.Change{Before: there, After: other})
	stop()
	want := []mesh.Event{
		{Ref: came.Ref, Did: mesh.Created, Version: came.ResourceVersion},
		{Ref: came.Ref, Did: mesh.Deleted},
		{Ref: there.Ref, Did: mesh.Changed, Version: there.ResourceVersion},
	}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Errorf("what was told differs (-want +got):\n%s", diff)
	}
}
