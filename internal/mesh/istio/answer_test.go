package istio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/internal/mesh"
	"github.com/meshchaos/meshchaos/internal/rules"
)

// A webhook that does not answer makes the API server answer 500.
func TestAClusterThatDoesNotAnswerRefusesNothing(t *testing.T) {
	o := virtualServiceFile(t)
	for name, test := range map[string]struct {
		code       int
		reason     string
		unanswered bool
	}{
		"throttled":                    {http.StatusTooManyRequests, "TooManyRequests", true},
		"a webhook that timed out":     {http.StatusInternalServerError, "InternalError", true},
		"a request that timed out":     {http.StatusGatewayTimeout, "Timeout", true},
		"away":                         {http.StatusServiceUnavailable, "ServiceUnavailable", true},
		"invalid":                      {http.StatusUnprocessableEntity, "Invalid", false},
		"denied by a webhook":          {http.StatusBadRequest, "BadRequest", false},
		"a right that this user lacks": {http.StatusForbidden, "Forbidden", false},
	} {
		t.Run(name, func(t *testing.T) {
			m := withDynamic(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					fails(w, http.StatusNotFound, "NotFound", "not here")
					return
				}
				fails(w, test.code, test.reason, "in the server's words")
			})
			_, written := m.Write(t.Context(), rules.Change{After: o})
			for doing, err := range map[string]error{"Admit": m.Admit(t.Context(), []*rules.Object{o}), "Write": written} {
				var unanswered *mesh.UnansweredError
				if errors.As(err, &unanswered) != test.unanswered || !strings.Contains(fmt.Sprint(err), "in the server's words") {
					t.Errorf("%s: error %v; want one in the server's words, unanswered: %v", doing, err, test.unanswered)
				}
			}
		})
	}
}

func TestAConnectionThatFailsRefusesNothing(t *testing.T) {
	o := virtualServiceFile(t)
	server := httptest.NewServer(http.NotFoundHandler())
	gone := withDynamicAt(t, server.URL)
	server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	silent := withDynamic(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for name, err := range map[string]error{"gone": gone.Admit(t.Context(), []*rules.Object{o}), "silent": silent.Admit(ctx, []*rules.Object{o})} {
		var unanswered *mesh.UnansweredError
		if !errors.As(err, &unanswered) {
			t.Errorf("%s: error %v; want an UnansweredError", name, err)
		}
	}
}

func TestOpeningTellsAWrongKubeconfigFromAClusterThatIsAway(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fails(w, http.StatusTooManyRequests, "TooManyRequests", "too many requests")
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := `{apiVersion: v1, kind: Config, current-context: busy, clusters: [{name: busy, cluster: {server: "` + server.URL + `"}}, {name: away, cluster: {server: "http://127.0.0.1:1"}}],
		contexts: [{name: busy, context: {cluster: busy}}, {name: away, context: {cluster: away}}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("clusters: 7"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		options    Options
		unanswered bool
		words      string
	}{
		"no such file":    {Options{Kubeconfig: "no/such/file"}, false, "no/such/file: no such file or directory; name another by --kubeconfig"},
		"no kubeconfig":   {Options{Kubeconfig: broken}, false, "reading the kubeconfig"},
		"no such context": {Options{Kubeconfig: file, Context: "elsewhere"}, false, "elsewhere"},
		"throttled":       {Options{Kubeconfig: file}, true, server.URL},
		"away":            {Options{Kubeconfig: file, Context: "away"}, true, "127.0.0.1:1"},
	} {
		_, err := Open(t.Context(), test.options)
		var unanswered *mesh.UnansweredError
		if err == nil || errors.As(err, &unanswered) != test.unanswered || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s: error %v; want one with %q, unanswered: %v", name, err, test.words, test.unanswered)
		}
	}
}

func virtualServiceFile(t *testing.T) *rules.Object {
	t.Helper()
	o, err := rules.DecodeFile([]byte(`{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"ping"},"spec":{"hosts":["ping"],"http":[{"route":[{"destination":{"host":"ping"}}]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	return o
}
