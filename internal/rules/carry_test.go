package rules

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const labelled = `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
"metadata":{"name":"reviews","namespace":"book","resourceVersion":"7","generation":2,"labels":{"team":"a"},"annotations":{"note":"theirs"}},
"spec":{"hosts":["reviews"],"http":[{"timeout":"1m30s","route":[{"destination":{"host":"reviews"}}]}]}}`

func decoded(t *testing.T, text string) *Object {
	t.Helper()
	o, err := Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestWhatSomebodyElseDidToLabelsAndAnnotationsIsCarriedOver(t *testing.T) {
	was, ours := decoded(t, labelled), decoded(t, labelled)
	ours.Labels = map[string]string{"team": "a", "run": "t1"}
	theirs := ours.Clone()
	theirs.Labels = map[string]string{"run": "t1", "tier": "gold"}
	theirs.Annotations = nil
	got, err := Carry(was, ours, theirs)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"tier": "gold"}, got.Labels); diff != "" || len(got.Annotations) != 0 {
		t.Errorf("annotations %v, labels (-want +got):\n%s", got.Annotations, diff)
	}
	var manifest, want any
	if err := json.Unmarshal(got.Manifest, &manifest); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
"metadata":{"name":"reviews","namespace":"book","resourceVersion":"7","generation":2,"labels":{"tier":"gold"}},
"spec":{"hosts":["reviews"],"http":[{"timeout":"1m30s","route":[{"destination":{"host":"reviews"}}]}]}}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, manifest); diff != "" {
		t.Errorf("the manifest (-want +got):\n%s", diff)
	}
	if none, err := Carry(nil, ours, theirs); none != nil || err != nil {
		t.Errorf("of what was not there: %v, %v", none, err)
	}
}

func TestAnObjectIsRelabelledOnlyIfItsSpecWasNotWritten(t *testing.T) {
	before := decoded(t, labelled)
	relabelled, edited, again := before.Clone(), before.Clone(), before.Clone()
	relabelled.Labels["team"] = "b"
	edited.Labels["team"], edited.Spec = "b", NewSpec(VirtualService)
	again.Labels["team"], again.Manifest = "b", []byte(`{"metadata":{"generation":4}}`)
	for name, one := range map[string]struct {
		after *Object
		want  bool
	}{
		"a label": {relabelled, true}, "nothing": {before, false}, "the spec too": {edited, false},
		"the spec, there and back": {again, false}, "deleted": {nil, false},
	} {
		if got := Relabelled(before, one.after); got != one.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if Relabelled(nil, before) {
		t.Error("what was not there is said to be relabelled")
	}
}
