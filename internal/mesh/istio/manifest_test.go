package istio

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networking "istio.io/api/networking/v1alpha3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// theirs is an object as an API server returns it, with metadata and spellings
// that an Object does not keep.
const theirs = `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
"metadata":{"name":"reviews","namespace":"book","uid":"u-1","resourceVersion":"7","generation":3,"creationTimestamp":"2026-01-02T03:04:05Z",
 "labels":{"team":"a"},"annotations":{"note":"theirs"},"finalizers":["example.com/keep"],"managedFields":[{"manager":"kubectl"}]},
"spec":{"hosts":["reviews"],"http":[{"timeout":"1m30s","route":[{"destination":{"host":"reviews"},"weight":0}]}]},
"status":{"observedGeneration":"3"}}`

func tree(t *testing.T, manifest string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON([]byte(manifest)); err != nil {
		t.Fatal(err)
	}
	return u
}

func object(t *testing.T, manifest string) *rules.Object {
	t.Helper()
	o, err := read(tree(t, manifest))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// body must equal want, which is JSON.
func sent(t *testing.T, o, before *rules.Object, want string) {
	t.Helper()
	have, err := (&Mesh{Cluster: &Cluster{namespace: "book", resources: inV1}}).body(o, before)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree(t, want).Object, have.Object); diff != "" {
		t.Errorf("what is sent (-want +have):\n%s", diff)
	}
}

func TestAnObjectIsPutBackToTheLetter(t *testing.T) {
	const asItWas = `"labels":{"team":"a"},"annotations":{"note":"theirs"},"finalizers":["example.com/keep"]},
"spec":{"hosts":["reviews"],"http":[{"timeout":"1m30s","route":[{"destination":{"host":"reviews"},"weight":0}]}]}}`
	before := object(t, theirs)
	written := object(t, strings.NewReplacer(`"resourceVersion":"7"`, `"resourceVersion":"9"`, "1m30s", "5s", `"team":"a"`, `"team":"b"`).Replace(theirs))
	sent(t, before, written, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
"metadata":{"name":"reviews","namespace":"book","uid":"u-1","resourceVersion":"9",`+asItWas)
	sent(t, before, nil, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"reviews","namespace":"book",`+asItWas)
}

func TestAnObjectThatIsPutBackKeepsTheFinalizersThatCameMeanwhile(t *testing.T) {
	before := object(t, theirs)
	written := object(t, strings.NewReplacer(`"resourceVersion":"7"`, `"resourceVersion":"9"`, "1m30s", "5s", "example.com/keep", "example.com/other").Replace(theirs))
	sent(t, before, written, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
"metadata":{"name":"reviews","namespace":"book","uid":"u-1","resourceVersion":"9",
 "labels":{"team":"a"},"annotations":{"note":"theirs"},"finalizers":["example.com/other"]},
"spec":{"hosts":["reviews"],"http":[{"timeout":"1m30s","route":[{"destination":{"host":"reviews"},"weight":0}]}]}}`)
}

func TestAChangedObjectKeepsTheMetadataThatItHas(t *testing.T) {
	before := object(t, theirs)
	after := before.Clone()
	after.Spec.(*networking.VirtualService).Http[0].Name = "slow"
	after.Labels = map[string]string{"run": "t1"}
	sent(t, after, before, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
"metadata":{"name":"reviews","namespace":"book","uid":"u-1","resourceVersion":"7",
 "labels":{"team":"a","run":"t1"},"annotations":{"note":"theirs"},"finalizers":["example.com/keep"]},
"spec":{"hosts":["reviews"],"http":[{"name":"slow","timeout":"90s","route":[{"destination":{"host":"reviews"}}]}]}}`)
}

func TestAnObjectWithAnUnknownFieldIsReadAndPutBackButNotChanged(t *testing.T) {
	newer := strings.Replace(theirs, `"timeout":"1m30s"`, `"quota":5,"timeout":"90s"`, 1)
	before := object(t, newer)
	if hosts := rules.Hosts(before); len(hosts) != 1 || hosts[0] != "reviews.book.svc.cluster.local" {
		t.Errorf("hosts %v; want that the owner of reviews is found", hosts)
	}
	again, err := restored(before)
	if err != nil || again == nil {
		t.Fatalf("it is not put back to the letter (%v)", err)
	}
	after := before.Clone()
	after.Spec.(*networking.VirtualService).Http[0].Name = "slow"
	_, err = (&Mesh{Cluster: &Cluster{namespace: "book", resources: inV1}}).body(after, before)
	if err == nil || !strings.Contains(err.Error(), "quota") || !strings.Contains(err.Error(), "VirtualService/book/reviews") {
		t.Errorf("error %v; want that reviews cannot be changed for its quota", err)
	}
}
