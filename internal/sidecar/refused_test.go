package sidecar

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/internal/rules"
	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// say sends a request as it is written, and reads the answer.
func (m *mesh) say(t *testing.T, request string) (status int, header http.Header, body string) {
	t.Helper()
	conn, err := m.Dial(t.Context(), "tcp", "web:8000")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Close {
		resp.Header.Set("Connection", "close")
	}
	return resp.StatusCode, resp.Header, string(text)
}

// many are so many headers.
func many(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "h%d: v\r\n", i)
	}
	return text.String()
}

// What Envoy 1.40 answered to these under Istio's configuration, and what it logged.
func TestWhatEnvoysCodecRefusesIsRefused(t *testing.T) {
	const head = " HTTP/1.1\r\nHost: web\r\n"
	for _, tt := range []struct {
		name, request string
		status        int
		body, closes  string
		log, route    string // the method and the path before the flags
	}{
		{"an old version", "GET / HTTP/1.0\r\nHost: web\r\n\r\n", 426, "Upgrade Required", "close", "  HTTP/1.1 DPE low_version", ""},
		{"a head that is too long", "GET /" + head + "big: " + strings.Repeat("x", 61_500) + "\r\n\r\n", 431, "Request Header Fields Too Large", "close", "  HTTP/1.1 DPE http1.headers_too_large", ""},
		{"one that is not", "GET /" + head + "big: " + strings.Repeat("x", 61_300) + "\r\n\r\n", 200, "hello", "", "GET / HTTP/1.1 - via_upstream", "default"},
		{"too many headers", "GET /" + head + many(100) + "\r\n", 431, "Request Header Fields Too Large", "close", "  HTTP/1.1 DPE http1.too_many_headers", ""},
		{"not too many", "GET /" + head + many(99) + "\r\n", 200, "hello", "", "GET / HTTP/1.1 - via_upstream", "default"},
		{"no path", "OPTIONS *" + head + "\r\n", 404, "", "", "OPTIONS * HTTP/1.1 - absolute_path_rejected", ""},
		{"a fragment", "GET /a?b#c" + head + "\r\n", 200, "hello", "", "GET /a?b HTTP/1.1 - via_upstream", "default"},
		{"a zero byte", "GET /a%00b" + head + "\r\n", 400, "", "close", "GET /a%00b HTTP/1.1 - path_normalization_failed", ""},
		{"another protocol", "GET /" + head + "Upgrade: foo\r\nConnection: Upgrade\r\n\r\n", 403, "", "close", "GET / HTTP/1.1 - upgrade_failed", "default"},
		{"another protocol without saying so", "GET /" + head + "Upgrade: foo\r\n\r\n", 200, "hello", "", "GET / HTTP/1.1 - via_upstream", "default"},
		{"HTTP/2", "GET /" + head + "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n\r\n", 200, "hello", "", "GET / HTTP/1.1 - via_upstream", "default"},
		{"a host alone", "GET http://web" + head + "\r\n", 200, "hello", "", "GET / HTTP/1.1 - via_upstream", "default"},
		{"a host that no service has", "GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n", 502, "", "", "GET / HTTP/1.1 - direct_response", "block_all"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := startMesh(t, Options{}, web(t, sidecartest.Answering("hello")))
			status, header, body := m.say(t, tt.request)
			if status != tt.status || body != tt.body || header.Get("Connection") != tt.closes {
				t.Errorf("got %d %q, connection %q", status, body, header.Get("Connection"))
			}
			sidecartest.Until(t, "it is logged", func() bool { return len(m.lines.all()) == 1 })
			e := m.lines.all()[0]
			if got := fmt.Sprintf("%s %s %s %s", e.method, e.path, e.protocol, m.lastFlags()); got != tt.log || e.route != tt.route {
				t.Errorf("the log has %q of route %q, want %q of %q", got, e.route, tt.log, tt.route)
			}
			if n := m.stat(fmt.Sprintf("http.outbound_0.0.0.0_8000;.downstream_rq_%dxx", tt.status/100)); n != 1 {
				t.Errorf("%d answers were counted", n)
			}
		})
	}
}

func TestAnAnswerOfTooManyHeadersIsNone(t *testing.T) {
	for n, want := range map[int]int{99: 200, 100: 502} {
		m := startMesh(t, Options{}, web(t, wired("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"+many(n)+"\r\n")))
		if g := m.get("http://web:8000/"); g.Status != want {
			t.Errorf("with %d more it is %d, want %d", n, g.Status, want)
		}
	}
}

// What is in parts stays so, however short it is.
func TestABodyOfNoLengthGetsNone(t *testing.T) {
	m := startMesh(t, Options{}, web(t, wired("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")))
	if _, header, body := m.say(t, "GET / HTTP/1.1\r\nHost: web\r\n\r\n"); body != "hi" || header.Get("Content-Length") != "" {
		t.Errorf("got %q with %v", body, header)
	}
}

// Envoy matches what is left of a request's headers, and before it counts attempts.
func TestMatchesOfHeadersThatAreNotJustPassedOn(t *testing.T) {
	for name, tt := range map[string]struct {
		match, headers string
		want           string
	}{
		"its length":                {`{"content-length":{"exact":"2"}}`, "Content-Length: 2\r\n\r\nhi", "v2"},
		"of a connection":           {`{"connection":{}}`, "Connection: x\r\n", "v1"},
		"of a connection, named":    {`{"x":{}}`, "Connection: x\r\nX: 1\r\n", "v1"},
		"the count of attempts":     {`{"x-envoy-attempt-count":{}}`, "", "v1"},
		"of which there is one":     {`{"user-agent":{"exact":"a"}}`, "User-Agent: a\r\nUser-Agent: b\r\n", "v1"},
		"of which there is one, in": {`{"user-agent":{"exact":"a,b"}}`, "User-Agent: a\r\nUser-Agent: b\r\n", "v2"},
		"of which there are two":    {`{"x":{"exact":"a"}}`, "X: b\r\nX: a\r\n", "v2"},
	} {
		m := startMesh(t, Options{}, web(t, sidecartest.Answering("v1"), sidecartest.Answering("v2")), []*rules.Object{sidecartest.Subsets(t, "web"),
			sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"match":[{"headers":`+tt.match+`}],"route":[{"destination":{"host":"web","subset":"v2"}}]},{"route":[{"destination":{"host":"web","subset":"v1"}}]}]}`)}...)
		if _, _, got := m.say(t, "POST / HTTP/1.1\r\nHost: web\r\n"+tt.headers+"\r\n"); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestTheHostSeesOneOfWhatThereIsOnce(t *testing.T) {
	seen := make(chan seen, 1)
	m := startMesh(t, Options{}, web(t, notingRequests("v1", seen)))
	m.say(t, "GET / HTTP/1.1\r\nHost: web\r\nUser-Agent: a\r\nUser-Agent: b\r\nX-Request-Id: c\r\nX-Request-Id: d\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n"+
		"TE: gzip, trailers\r\nConnection: TE\r\nX-Envoy-Upstream-Stream-Duration-Ms: 1\r\nX: e\r\nX: f\r\n\r\n")
	got := (<-seen).Header
	for name, want := range map[string]string{
		"User-Agent": "a,b", requestID: "c,d", forwardedFor: "192.0.2.1,192.0.2.2", "Te": "trailers", "X-Envoy-Upstream-Stream-Duration-Ms": "", "X": "e|f",
	} {
		if values := strings.Join(got.Values(name), "|"); values != want {
			t.Errorf("%s is %q, want %q", name, values, want)
		}
	}
}
