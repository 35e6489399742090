package rules

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnObjectStandsWithWhatTheOneBeforeHadBeside(t *testing.T) {
	before, err := Decode([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
		"metadata":{"name":"ratings","namespace":"shop","uid":"1","resourceVersion":"7","generation":2,"managedFields":[{"manager":"argocd"}],
			"finalizers":["keep"],"labels":{"team":"books"},"annotations":{"why":"theirs"}},
		"spec":{"hosts":["ratings"],"http":[{"timeout":"10s","route":[{"destination":{"host":"ratings"}}]}]},"status":{"observedGeneration":2}}`))
	if err != nil {
		t.Fatal(err)
	}
	after := before.Clone()
	after.Manifest, after.ResourceVersion = nil, ""
	after.Labels = map[string]string{"tier": "gold"}
	Mark(after, "meshchaos-run-1-0")
	for name, test := range map[string]struct {
		o, before *Object
		want      string
	}{
		"as it is": {before, nil, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
			"metadata":{"name":"ratings","namespace":"shop","finalizers":["keep"],"labels":{"team":"books"},"annotations":{"why":"theirs"}},
			"spec":{"hosts":["ratings"],"http":[{"timeout":"10s","route":[{"destination":{"host":"ratings"}}]}]}}`},
		"in its place": {after, before, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
			"metadata":{"name":"ratings","namespace":"shop","finalizers":["keep"],"labels":{"team":"books","tier":"gold"},"annotations":{"why":"theirs"}},
			"spec":{"hosts":["ratings"],"http":[{"name":"meshchaos-run-1-0-0","timeout":"10s","route":[{"destination":{"host":"ratings"}}]}]}}`},
		"new": {after, nil, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
			"metadata":{"name":"ratings","namespace":"shop","labels":{"tier":"gold"},"annotations":{"why":"theirs"}},
			"spec":{"hosts":["ratings"],"http":[{"name":"meshchaos-run-1-0-0","timeout":"10s","route":[{"destination":{"host":"ratings"}}]}]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := Standing(test.o, test.before)
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
