package loadgen

import (
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// validateHTTP returns where values stand in a request.
func validateHTTP(field string, h *HTTP) ([]gap, error) {
	stands, gaps, err := filled(field+".", h)
	if err != nil {
		return nil, err
	}
	u, err := validateURL(field+".url", stands.URL)
	if err != nil {
		return nil, err
	}
	for _, g := range gaps {
		if strings.Contains(u.Host, g.mark) || isHost(strings.TrimPrefix(g.field, field+".header.")) {
			return nil, wrong(g.field, "%s has {{.%s}} in the place of a host, and a connection is to one host; write it in the path or the query", g.field, g.name)
		}
		if strings.Contains(u.Fragment, g.mark) {
			return nil, wrong(g.field, "%s has {{.%s}} behind a #, of which nothing is sent; write it in the path or the query", g.field, g.name)
		}
	}
	if err := validateWebSocket(field, h); err != nil {
		return nil, err
	}
	if h.Method != "" && !httpguts.ValidHeaderFieldName(h.Method) || h.Method == "CONNECT" {
		return nil, wrong(field+".method", "%s.method is %q; it must be a method such as GET or POST, and not CONNECT", field, h.Method)
	}
	if err := validateHeader(field, stands.Header); err != nil {
		return nil, err
	}
	if h.Login != nil {
		login, err := validateURL(field+".login.url", h.Login.URL)
		if err != nil {
			return nil, err
		}
		if login.Scheme != u.Scheme || login.Host != u.Host {
			return nil, wrong(field+".login.url", "%s.login.url is at %q and %s.url at %q; a connection logs in where it sends", field, origin(login), field, origin(u))
		}
	}
	return gaps, validateConnect(field+".connect", h.Connect)
}

// IsWebSocket says whether the URL is one of WebSocket.
func (h *HTTP) IsWebSocket() bool { return slices.Contains([]string{"ws", "wss"}, h.scheme()) }

func validateWebSocket(field string, h *HTTP) error {
	switch {
	case len(h.Messages) > 0 && !h.IsWebSocket():
		return wrong(field+".messages", "%s.messages is for WebSocket; write a URL with ws:// or wss://, or leave it out", field)
	case !h.IsWebSocket():
		return nil
	case len(h.Messages) == 0:
		return wrong(field+".messages", "%s.messages is empty; give at least one message to send", field)
	case h.Method != "" && h.Method != http.MethodGet:
		return wrong(field+".method", "%s.method is %s; a WebSocket is opened by a GET", field, h.Method)
	case h.Body != "":
		return wrong(field+".body", "%s.body is of no use to a WebSocket, which sends http.messages; leave it out", field)
	case h.HTTP2:
		return wrong(field+".http2", "%s.http2 is not possible with WebSocket, which is opened by HTTP/1.1 here; leave it out", field)
	case h.Login != nil:
		return wrong(field+".login", "%s.login is not possible with WebSocket; leave it out", field)
	}
	for name := range h.Header {
		if strings.HasPrefix(strings.ToLower(name), "sec-websocket-") {
			return wrong(field+".header."+name, "%s.header has %s, by which a WebSocket is opened; leave it out", field, name)
		}
	}
	return nil
}

func validateURL(field, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, wrong(field, "%s is no URL: %w", field, err)
	case defaultPorts[u.Scheme] == "" || u.Hostname() == "":
		return nil, wrong(field, "%s is %q; it must begin with http://, https://, ws:// or wss:// and a host", field, text)
	case !isPort(u.Port()):
		return nil, wrong(field, "%s has port %s; it must be 1 to 65535", field, u.Port())
	case u.User != nil:
		return nil, wrong(field, "%s holds a user; set the header Authorization instead", field)
	}
	return u, nil
}

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// isPort says whether something can listen there, or no port is given. That there are none
// but digits is all that url.Parse sees to.
func isPort(digits string) bool {
	port, err := strconv.ParseUint(digits, 10, 16)
	return digits == "" || err == nil && port > 0
}

func validateHeader(field string, header map[string]string) error {
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if err := validateField(field+".header", name, header[name]); err != nil {
			return err
		}
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if other, twice := seen[canonical]; twice {
			return wrong(field+".header."+name, "%s.header has both %s and %s, which are the same; leave one out", field, other, name)
		}
		seen[canonical] = name
	}
	return nil
}

// validateField refuses, besides malformed header fields, those by which the
// message itself is framed: each engine writes them itself.
func validateField(in, name, value string) error {
	switch strings.ToLower(name) {
	case "content-length", "transfer-encoding", "connection", "trailer", "upgrade", "expect":
		return wrong(in+"."+name, "%s has %s, which the load generator sets itself; leave it out", in, name)
	}
	if !httpguts.ValidHeaderFieldName(name) {
		return wrong(in+"."+name, "%s has %q, which is no name of a header field", in, name)
	}
	if !httpguts.ValidHeaderFieldValue(value) {
		return wrong(in+"."+name, "%s %s is %q, which holds a character that no header field may", in, name, value)
	}
	return nil
}
