package istio

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAMeshSaysWhichClusterAndAsWhom: and does without the latter where the API server
// does not say it.
func TestAMeshSaysWhichClusterAndAsWhom(t *testing.T) {
	const traffic = `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"networking.istio.io/v1","resources":[{"name":"virtualservices","kind":"VirtualService"},{"name":"destinationrules","kind":"DestinationRule"},{"name":"gateways","kind":"Gateway"}]}`
	for want, code := range map[string]int{"system:serviceaccount:shop:meshchaos": http.StatusCreated, "": http.StatusNotFound} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/version":
				answer(w, http.StatusOK, `{"gitVersion":"v1.34.4"}`)
			case r.URL.Path == "/apis/networking.istio.io/v1":
				answer(w, http.StatusOK, traffic)
			case r.URL.Path == "/api/v1/namespaces/shop":
				answer(w, http.StatusOK, `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"shop"}}`)
			case strings.HasSuffix(r.URL.Path, "/pods"):
				answer(w, http.StatusOK, `{"kind":"PodList","apiVersion":"v1","items":[]}`)
			case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/selfsubjectreviews") && code == http.StatusCreated:
				answer(w, code, fmt.Sprintf(`{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1","status":{"userInfo":{"username":%q}}}`, want))
			default:
				fails(w, http.StatusNotFound, "NotFound", "not here")
			}
		}))
		t.Cleanup(server.Close)
		file := filepath.Join(t.TempDir(), "config")
		config := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: of-shop\ncontexts:\n- {name: of-shop, context: {cluster: one, user: me, namespace: shop}}\nclusters:\n- {name: one, cluster: {server: %q}}\nusers:\n- {name: me, user: {token: sesame}}\n", server.URL)
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := Open(t.Context(), Options{Kubeconfig: file, Run: "r"})
		if err != nil {
			t.Fatal(err)
		}
		info := m.Info()
		if info.Context != "of-shop" || info.Server != strings.TrimPrefix(server.URL, "http://") || info.Account != want {
			t.Errorf("it is the context %q at %q as %q, want %q", info.Context, info.Server, info.Account, want)
		}
		if err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
