package embedded

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// page is an HTTP service of the mesh for a browser on this machine, which
// knows no names of the mesh: what it is asked goes on through the load
// workload's proxy, under the service's name.
type page struct {
	service   string // host:port
	path      string // worth opening
	address   string // of the listener
	server    *http.Server
	transport *http.Transport
}

// openPage opens the page of the first service that has one; nil: none has.
func (m *Mesh) openPage(ctx context.Context) (*page, error) {
	at := slices.IndexFunc(m.sample, func(w pod) bool { return w.Page })
	if at < 0 {
		return nil, nil
	}
	return m.listenPage(ctx, m.sample[at].Workload)
}

func (m *Mesh) listenPage(ctx context.Context, w workload.Workload) (*page, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening a port for the page of %s: %w", w.Name(), err)
	}
	p := &page{
		service:   fmt.Sprintf("%s:%d", w.App, w.ServicePort),
		path:      w.Path,
		address:   l.Addr().String(),
		transport: &http.Transport{DialContext: m.client().Dial},
	}
	quiet := log.New(io.Discard, "", 0)
	forward := &httputil.ReverseProxy{
		Transport: p.transport,
		ErrorLog:  quiet,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: p.service})
			r.Out.Host = p.service
		},
	}
	p.server = &http.Server{Handler: forward, BaseContext: func(net.Listener) context.Context { return ctx }, ErrorLog: quiet}
	m.routines.Go(func() {
		_ = p.server.Serve(l) // It ends when the mesh is closed; a browser sees if before.
	})
	return p, nil
}

func (p *page) close() {
	p.server.Close()
	p.transport.CloseIdleConnections()
}

// Doors says how to get into the mesh from this machine, a line each: the proxies'
// admin interfaces and access logs, a line for curl or nc, and at the end, where a
// small terminal still shows it, the page for a browser.
func (m *Mesh) Doors() []string {
	var lines []string
	for _, w := range m.pods() {
		lines = append(lines, Door("admin", w.options.Name, "http://"+w.admin.Address()))
	}
	lines = append(lines, Door("log", "of every proxy", "/access_log of its admin interface; ?follow goes on"))
	for _, s := range m.common.Services {
		for _, p := range s.Ports {
			address := fmt.Sprintf("%s:%d", s.Name, p.Number)
			listener, err := m.client().ListenerAddress(address)
			if err != nil {
				continue // The mesh is closed.
			}
			lines = append(lines, Door("call", address, m.command(s.Name, address, listener)))
		}
	}
	if m.page != nil {
		lines = append(lines, Door("page", m.page.service, "http://"+m.page.address+m.page.path))
	}
	return lines
}

// Door is a line of Doors, or one to be printed below them.
func Door(kind, name, how string) string { return fmt.Sprintf("%-6s %-21s %s", kind, name, how) }

// command calls a service through the proxy whose listener is given.
func (m *Mesh) command(service, address, listener string) string {
	at := slices.IndexFunc(m.sample, func(w pod) bool { return w.App == service })
	host, port, err := net.SplitHostPort(listener)
	switch {
	case err != nil || at < 0:
		return listener
	case m.sample[at].IsTCP():
		return fmt.Sprintf("nc %s %s", host, port)
	case m.sample[at].IsGRPC():
		return fmt.Sprintf(`grpcurl -plaintext -authority %s -d '{"message": "hello"}' %s %s`, address, listener, strings.TrimPrefix(m.sample[at].Path, "/"))
	}
	return fmt.Sprintf("curl --connect-to %s:%s:%s http://%s%s", address, host, port, address, m.sample[at].Path)
}
