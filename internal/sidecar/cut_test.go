package sidecar

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/meshchaos/meshchaos/internal/sidecar/sidecartest"
)

// wired writes an answer byte by byte as given, and ends the connection.
func wired(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, text)
	}
}

// What Envoy 1.40 does with an answer whose body does not come to its end: the client
// gets what has come, and the host has failed.
func TestAnAnswerThatBreaksOff(t *testing.T) {
	const pool = `"trafficPolicy":{"outlierDetection":{"consecutive5xxErrors":1,"interval":"60s","baseEjectionTime":"60s","maxEjectionPercent":100}}`
	for _, tt := range []struct {
		name, answer, body, log string
		err                     error
		ejected                 int64
	}{
		{"a length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi", "hi", "UPE upstream_reset_after_response_started{protocol_error}", io.ErrUnexpectedEOF, 1},
		{"parts", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", "hi", "UPE upstream_reset_after_response_started{protocol_error}", io.ErrUnexpectedEOF, 1},
		{"neither", "HTTP/1.1 200 OK\r\n\r\nhi", "hi", "- via_upstream", nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := startMesh(t, Options{}, web(t, wired(tt.answer)), sidecartest.DestinationRule(t, "web", `{"host":"web",`+pool+`}`))
			resp, err := m.client.Get("http://web:8000/")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if string(body) != tt.body || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v", body, err)
			}
			sidecartest.Until(t, "it is logged", func() bool { return len(m.lines.all()) == 1 })
			if got := m.lastFlags(); got != tt.log {
				t.Errorf("the log has %s, want %s", got, tt.log)
			}
			m.wantStats(t, map[string]int64{"upstream_cx_destroy_remote": 1, "upstream_cx_destroy_local": 0})
			if n := m.stat(sidecartest.ClusterStat("outbound|8000||web", "outlier_detection.ejections_enforced_total")); n != tt.ejected {
				t.Errorf("%d were ejected, want %d", n, tt.ejected)
			}
		})
	}
}

func TestATimeoutInAnAnswerIsCounted(t *testing.T) {
	m := startMesh(t, Options{}, web(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "hi")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}), sidecartest.VirtualService(t, "web", `{"hosts":["web"],"http":[{"timeout":"1s","route":[{"destination":{"host":"web"}}]}]}`))
	resp, err := m.client.Get("http://web:8000/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "hi" || err == nil {
		t.Errorf("got %q, %v", body, err)
	}
	m.wantStats(t, map[string]int64{"upstream_rq_timeout": 1})
}

// Who has sent all that it has to say may still read, and is gone to Envoy.
func TestAClientThatHalfClosesIsNotAnswered(t *testing.T) {
	m := startMesh(t, Options{}, web(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	conn, err := m.Dial(t.Context(), "tcp", "web:8000")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: web\r\n\r\n")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); len(answer) > 0 || err != nil {
		t.Errorf("got %q, %v", answer, err)
	}
	if got := m.lastFlags(); got != "DC downstream_remote_disconnect" {
		t.Errorf("the log has %s", got)
	}
}
