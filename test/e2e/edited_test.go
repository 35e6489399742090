//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/meshchaos/meshchaos/report"
)

// applied owns ratings before the run.
const applied = `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
 "metadata":{"name":"applied","labels":{"team":"books"},"annotations":{"why":"theirs"}},
 "spec":{"hosts":["ratings"],"http":[
  {"name":"health","match":[{"uri":{"prefix":"/health"}}],"timeout":"1m30s","route":[{"destination":{"host":"ratings"}}]},
  {"name":"plain","timeout":"10.5s","route":[{"destination":{"host":"ratings"},"weight":0}]}]}}`

// slowForSome makes two copies of the owner's entries, before them.
const slowForSome = `
apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: slow-for-some}
spec:
  app: bookinfo
  apply:
    - fault: {service: ratings, delay: 20ms, when: {x-slow: "1"}}
  load:
    raters: {get: "http://ratings:9080/ratings/0", connections: 2, requests: 20, headers: {x-slow: "1"}}
    health: {get: "http://ratings:9080/health", connections: 2, requests: 20, headers: {x-slow: "1"}}
  expect:
    - raters.status[200] == raters.sent
    - health.status[200] == health.sent
`

// edits are what somebody does to the owner while the fault stands in it.
var edits = []struct {
	name  string
	patch string                           // by kubectl edit, of what the run has made of it; empty: it is deleted
	owned bool                             // whoever owned the spec may apply it again, changed, without a conflict
	again bool                             // and applied once more, as it was
	left  func(*unstructured.Unstructured) // makes of what it was what is to be left; nil: what they made of it
}{
	{
		name: "a label", patch: `[{"op":"add","path":"/metadata/labels/tier","value":"gold"}]`, owned: true,
		left: func(u *unstructured.Unstructured) { u.SetLabels(map[string]string{"team": "books", "tier": "gold"}) },
	}, {
		name: "another entry", patch: `[{"op":"replace","path":"/spec/http/3/timeout","value":"5s"}]`,
		left: func(u *unstructured.Unstructured) {
			u.Object["spec"].(map[string]any)["http"].([]any)[1].(map[string]any)["timeout"] = "5s"
		},
	}, {
		name: "the run's entry", patch: `[{"op":"replace","path":"/spec/http/0/timeout","value":"5s"}]`,
	}, {
		name: "a deletion", left: func(u *unstructured.Unstructured) { u.Object = nil },
	}, {
		name: "a deletion, and the same again", again: true, owned: true, left: func(*unstructured.Unstructured) {},
	},
}

func TestWhatSomebodyElseDoesToAnObjectIsKeptAndTheRuleTakenOut(t *testing.T) {
	s := readScenario(t, slowForSome)
	for i, edit := range edits {
		t.Run(edit.name, func(t *testing.T) {
			id := fmt.Sprintf("edit%x%02d", time.Now().Unix()&0xffff, i)
			m := openIstio(t.Context(), t, id)
			owner := ownerOf(t, m.Info().Namespace, applied)
			want := owner.apply(applied)
			var made *unstructured.Unstructured
			record, err := runScenario(t, s, id, &passedBy{Mesh: m, pass: func(ctx context.Context) (err error) {
				ctx = context.WithoutCancel(ctx) // the run ends as soon as it hears of it
				if edit.patch != "" {
					made, err = owner.Patch(ctx, "applied", types.JSONPatchType, []byte(edit.patch), metav1.PatchOptions{FieldManager: "kubectl-edit"})
					return err
				}
				err = owner.Delete(ctx, "applied", metav1.DeleteOptions{})
				if edit.again {
					owner.apply(applied)
				}
				return err
			}})
			if err != nil {
				t.Fatal(err)
			}
			named := edit.patch == "" || strings.Contains(strings.Join(record.Against(), "\n"), "by somebody else meanwhile (kubectl-edit)")
			if record.Verdict == report.Pass || record.Restored != (edit.left != nil) || !named {
				t.Errorf("verdict %s, restored %v", record.Verdict, record.Restored)
				show(t, record)
			}
			if edit.left == nil {
				want = made
				settle(t, id)
			} else {
				edit.left(want)
			}
			is := owner.get()
			if diff := cmp.Diff(saidOf(want), saidOf(is)); diff != "" {
				t.Errorf("what is left (-want +got):\n%s", diff)
			}
			said := saidOf(is)
			if edit.again { // it is what was there before
				said = nil
			}
			if diff := cmp.Diff(said, leftOf(t, record, "VirtualService/"+m.Info().Namespace+"/applied")); diff != "" {
				t.Errorf("what is left, and what the record says of it (-is +said):\n%s", diff)
			}
			if owners := managers(is); edit.left != nil && slices.Contains(owners, "meshchaos") {
				t.Errorf("its fields are owned by %q", owners)
			}
			if edit.owned {
				owner.apply(strings.Replace(applied, "10.5s", "11s", 1))
			}
		})
	}
}

// leftOf is what the record says of an object after the run: nil if it is what was there
// before.
func leftOf(t *testing.T, record *report.Record, object string) []any {
	t.Helper()
	at := slices.IndexFunc(record.Changes, func(c report.Change) bool { return c.Object == object })
	if at < 0 {
		t.Fatalf("the record has no change of %s", object)
	}
	left, u := record.Changes[at].Left, &unstructured.Unstructured{}
	switch {
	case left == nil:
		return nil
	case string(left) != "null":
		if err := u.UnmarshalJSON(left); err != nil {
			t.Fatal(err)
		}
	}
	return saidOf(u)
}

// settle takes the ledger away of a run that could not undo everything.
func settle(t *testing.T, id string) {
	t.Helper()
	m := openIstio(t.Context(), t, "settle")
	defer m.Close(context.WithoutCancel(t.Context()))
	ledgers, err := m.Ledgers(t.Context())
	if err != nil || len(ledgers) != 1 || ledgers[0].Run != id || time.Now().Before(ledgers[0].Deadline) {
		t.Fatalf("the run has left the ledgers %v, %v", ledgers, err)
	}
	if err := m.Settle(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

// owner is an object that somebody has applied, until the test ends.
type owner struct {
	dynamic.ResourceInterface
	t    *testing.T
	name string
}

// ownerOf is that of an object that is yet to be applied.
func ownerOf(t *testing.T, namespace, text string) owner {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(text), u); err != nil {
		t.Fatal(err)
	}
	of := schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: strings.ToLower(u.GetKind()) + "s"}
	o := owner{dynamicClient(t).Resource(of).Namespace(namespace), t, u.GetName()}
	t.Cleanup(func() {
		err := o.Delete(context.WithoutCancel(t.Context()), o.name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	return o
}

// apply applies it server-side, as a pipeline of theirs does.
func (o owner) apply(text string) *unstructured.Unstructured {
	o.t.Helper()
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(text), u); err != nil {
		o.t.Fatal(err)
	}
	written, err := o.Apply(o.t.Context(), o.name, u, metav1.ApplyOptions{FieldManager: "their-pipeline"})
	if err != nil {
		o.t.Fatal(err)
	}
	return written
}

// get returns it as it stands, without content if it is not there.
func (o owner) get() *unstructured.Unstructured {
	o.t.Helper()
	u, err := o.Get(o.t.Context(), o.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return &unstructured.Unstructured{}
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return u
}

// saidOf is what an object says, without what the API server adds.
func saidOf(u *unstructured.Unstructured) []any {
	return []any{u.GetLabels(), u.GetAnnotations(), u.Object["spec"]}
}

// managers are those who own fields of an object.
func managers(u *unstructured.Unstructured) []string {
	var names []string
	for _, entry := range u.GetManagedFields() {
		names = append(names, entry.Manager)
	}
	return names
}
