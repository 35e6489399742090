package istio

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meshchaos/meshchaos/internal/rules"
)

// inV1 are the resources of a cluster with Istio's newest API.
var inV1 = map[string]schema.GroupVersionResource{
	rules.VirtualService:  {Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"},
	rules.DestinationRule: {Group: "networking.istio.io", Version: "v1", Resource: "destinationrules"},
	rules.Gateway:         {Group: "networking.istio.io", Version: "v1", Resource: "gateways"},
	rules.Telemetry:       {Group: "telemetry.istio.io", Version: "v1", Resource: "telemetries"},
}

// answer writes a JSON answer of the API server.
func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

// fails writes a failure of the API server.
func fails(w http.ResponseWriter, status int, reason, message string) {
	text, _ := json.Marshal(message) // a string always can be
	answer(w, status, fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"code":%d,"message":%s}`, reason, status, text))
}

// withDynamic returns a mesh whose API server is a handler, for Istio's objects.
func withDynamic(t *testing.T, api http.HandlerFunc) *Mesh {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return withDynamicAt(t, server.URL)
}

func withDynamicAt(t *testing.T, url string) *Mesh {
	t.Helper()
	client, err := dynamic.NewForConfig(&rest.Config{Host: url})
	if err != nil {
		t.Fatal(err)
	}
	typed, err := kubernetes.NewForConfig(&rest.Config{Host: url})
	if err != nil {
		t.Fatal(err)
	}
	return &Mesh{Cluster: &Cluster{namespace: "book", resources: inV1, dynamic: client, kube: typed}}
}

func TestTheNewestAPIWithAllKindsIsTaken(t *testing.T) {
	const traffic = `{"name":"virtualservices","kind":"VirtualService"},{"name":"destinationrules","kind":"DestinationRule"},{"name":"gateways","kind":"Gateway"}`
	for name, test := range map[string]struct {
		serves map[string]string // group version: resources
		want   map[string]string // kind: group version
		err    string
	}{
		"the newest of each": {
			map[string]string{"networking.istio.io/v1": traffic, "networking.istio.io/v1beta1": traffic, "telemetry.istio.io/v1": `{"name":"telemetries"}`},
			map[string]string{"VirtualService": "networking.istio.io/v1", "DestinationRule": "networking.istio.io/v1", "Gateway": "networking.istio.io/v1", "Telemetry": "telemetry.istio.io/v1"}, "",
		},
		"one that lacks a kind is passed over, and so is a missing Telemetry": {
			map[string]string{"networking.istio.io/v1": `{"name":"gateways"}`, "networking.istio.io/v1alpha3": traffic},
			map[string]string{"VirtualService": "networking.istio.io/v1alpha3", "DestinationRule": "networking.istio.io/v1alpha3", "Gateway": "networking.istio.io/v1alpha3"}, "",
		},
		"no Istio": {nil, nil, "Istio is not installed"},
	} {
		t.Run(name, func(t *testing.T) {
			m := withAPI(t, func(w http.ResponseWriter, r *http.Request) {
				version := strings.TrimPrefix(r.URL.Path, "/apis/")
				if list, there := test.serves[version]; there {
					answer(w, http.StatusOK, fmt.Sprintf(`{"kind":"APIResourceList","apiVersion":"v1","groupVersion":%q,"resources":[%s]}`, version, list))
					return
				}
				fails(w, http.StatusNotFound, "NotFound", "not here")
			})
			found, err := resourcesOf(m.kube.Discovery())
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v; want %q", err, test.err)
				}
				return
			}
			have := map[string]string{}
			for kind, of := range found {
				have[kind] = of.GroupVersion().String()
			}
			if diff := cmp.Diff(test.want, have); err != nil || diff != "" {
				t.Errorf("error %v:\n%s", err, diff)
			}
		})
	}
}

func TestATelemetryThatCannotBeSeenIsLeftOutAndNotWritten(t *testing.T) {
	o, err := rules.Decode([]byte(`{"apiVersion":"telemetry.istio.io/v1","kind":"Telemetry","metadata":{"name":"log","namespace":"book"},"spec":{"accessLogging":[{"providers":[{"name":"envoy"}]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	m := withDynamic(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews"):
			answer(w, http.StatusCreated, `{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":true}}`)
		case r.Method != http.MethodGet:
			t.Errorf("%s %s was tried", r.Method, r.URL)
		case strings.HasSuffix(r.URL.Path, "/telemetries"):
			fails(w, http.StatusForbidden, "Forbidden", "telemetries is forbidden")
		default:
			answer(w, http.StatusOK, `{"kind":"List","apiVersion":"networking.istio.io/v1","items":[]}`)
		}
	})
	if objects, err := m.Objects(t.Context()); err != nil || len(objects) > 0 {
		t.Errorf("objects %v, error %v; want none", objects, err)
	}
	_, written := m.Write(t.Context(), rules.Change{After: o})
	for _, err := range []error{m.Admit(t.Context(), []*rules.Object{o}), written} {
		if err == nil || !strings.Contains(err.Error(), "this user may not list telemetries") {
			t.Errorf("error %v; want one that names the right", err)
		}
	}

	m.resources = map[string]schema.GroupVersionResource{}
	for kind, of := range inV1 {
		if kind != rules.Telemetry {
			m.resources[kind] = of
		}
	}
	if objects, err := m.Objects(t.Context()); err != nil || len(objects) > 0 {
		t.Errorf("objects %v, error %v; want none", objects, err)
	}
	_, err = m.Write(t.Context(), rules.Change{After: o})
	if err == nil || !strings.Contains(err.Error(), "Telemetry/book/log: the cluster has no resources of that kind") {
		t.Errorf("error %v; want that there is no such kind", err)
	}
}
