package verdicts

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// answers is what a cluster says to a request, if it says anything.
type answers func(http.ResponseWriter, *http.Request) bool

// cluster is as much of a Kubernetes API with Istio's objects as a run asks for
// before its first write: a service ratings, and its pod. The user has all rights.
var cluster = map[string]string{
	"/version":                      `{"major":"1","minor":"34","gitVersion":"v1.34.4"}`,
	"/api":                          `{"kind":"APIVersions","versions":["v1"]}`,
	"/apis":                         `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"networking.istio.io","versions":[{"groupVersion":"networking.istio.io/v1","version":"v1"}],"preferredVersion":{"groupVersion":"networking.istio.io/v1","version":"v1"}}]}`,
	"/apis/networking.istio.io":     `{"kind":"APIGroup","apiVersion":"v1","name":"networking.istio.io","versions":[{"groupVersion":"networking.istio.io/v1","version":"v1"}],"preferredVersion":{"groupVersion":"networking.istio.io/v1","version":"v1"}}`,
	"/apis/networking.istio.io/v1":  `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"networking.istio.io/v1","resources":[` + resource("VirtualService") + `,` + resource("DestinationRule") + `,` + resource("Gateway") + `]}`,
	"/api/v1/namespaces/default":    `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"default"}}`,
	"/services":                     `{"kind":"ServiceList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"ratings","namespace":"default"},"spec":{"selector":{"app":"ratings"},"ports":[{"name":"http","port":9080}]}}]}`,
	"/namespaces/default/pods":      `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"ratings-v1-1","namespace":"default","labels":{"app":"ratings","version":"v1"}},"status":{"phase":"Running","podIP":"10.0.0.1","conditions":[{"type":"Ready","status":"True"}]}}]}`,
	"/namespaces/istio-system/pods": `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}`,
	"/virtualservices":              `{"kind":"VirtualServiceList","apiVersion":"networking.istio.io/v1","metadata":{},"items":[]}`,
	"/destinationrules":             `{"kind":"DestinationRuleList","apiVersion":"networking.istio.io/v1","metadata":{},"items":[]}`,
	"/gateways":                     `{"kind":"GatewayList","apiVersion":"networking.istio.io/v1","metadata":{},"items":[]}`,
}

func resource(kind string) string {
	return fmt.Sprintf(`{"name":"%ss","singularName":"%s","namespaced":true,"kind":"%s","verbs":["create","delete","get","list","patch","update","watch"]}`, strings.ToLower(kind), strings.ToLower(kind), kind)
}

// status is the body by which a Kubernetes API says that it will not.
func status(w http.ResponseWriter, code int, reason, message string) bool {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","code":%d,"reason":%q,"message":%q}`, code, reason, message)
	return true
}

// serve starts the API, of which some requests are answered otherwise, and
// returns a kubeconfig for it.
func serve(t *testing.T, otherwise answers) (kubeconfig string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if otherwise(w, r) {
			return
		}
		if r.Method == http.MethodGet {
			for path, body := range cluster {
				if r.URL.Path == path || strings.Count(path, "/") < 4 && !strings.HasPrefix(path, "/api") && path != "/version" && strings.HasSuffix(r.URL.Path, path) {
					w.Header().Set("Content-Type", "application/json")
					fmt.Fprint(w, body)
					return
				}
			}
		}
		if strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews") {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":true}}`)
			return
		}
		t.Logf("not there: %s %s", r.Method, r.URL)
		status(w, http.StatusNotFound, "NotFound", "the server could not find the requested resource")
	}))
	t.Cleanup(server.Close)
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: {server: %q}}], users: [{name: u, user: {}}], contexts: [{name: c, context: {cluster: c, user: u, namespace: default}}]}`, server.URL)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if otherwise == nil {
		server.Close()
	}
	return kubeconfig
}
