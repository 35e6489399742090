//go:build e2e

package e2e_test

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// between stands between a run and the API server, and sees each write.
type between struct {
	*gate             // the way to it
	kubeconfig string // of the cluster, by way of it
	api        *httputil.ReverseProxy

	mu      sync.Mutex
	onWrite func(w http.ResponseWriter, r *http.Request, api http.Handler) // answers a write; nil: the API server does
	onAny   func(*http.Request)                                            // hears of each request; nil: nobody does
}

// standBetween begins to stand there, until the test ends.
func standBetween(t *testing.T) *between {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("MESHCHAOS_E2E_KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	config.NextProtos = []string{"http/1.1"} // which alone lets tunnels through
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	b := &between{api: &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1, // else watches would tell late
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // a lost connection is passed on as one
	}}
	served := httptest.NewUnstartedServer(b)
	served.EnableHTTP2, served.Config.ErrorLog = true, b.api.ErrorLog
	served.StartTLS()
	t.Cleanup(func() {
		_ = served.Config.Close() // Server.Close would wait for watches
	})
	b.gate = openGate(t, served.Listener.Addr().String())
	b.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: served.Certificate().Raw})
	err = clientcmd.WriteToFile(api.Config{
		Clusters:       map[string]*api.Cluster{"between": {Server: "https://" + b.address, CertificateAuthorityData: ca}},
		Contexts:       map[string]*api.Context{"between": {Cluster: "between"}},
		CurrentContext: "between",
	}, b.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// at has each write told of, before the API server has it.
func (b *between) at(write func(w http.ResponseWriter, r *http.Request, api http.Handler)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.onWrite = write
}

// watch has each request told of.
func (b *between) watch(hear func(*http.Request)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.onAny = hear
}

// ServeHTTP implements http.Handler.
func (b *between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	on, hear := b.onWrite, b.onAny
	b.mu.Unlock()
	if hear != nil {
		hear(r)
	}
	if on == nil || !writes(r) {
		b.api.ServeHTTP(w, r)
		return
	}
	on(w, r, b.api)
}

// writes says whether a request changes something that outlives it: it tries nothing,
// asks for no rights, and opens no tunnel.
func writes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.URL.Query().Get("dryRun") == "" &&
		!strings.Contains(r.URL.Path, "/authorization.k8s.io/") && !strings.HasSuffix(r.URL.Path, "/portforward")
}
