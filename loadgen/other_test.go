package loadgen

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// By the name of an error that has none nobody knows what to do: its words are kept.
func TestAnErrorWithoutANameOfItsOwnIsToldInWords(t *testing.T) {
	wrong := startTCP(t, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, "220 mail.example.com\r\n")
		left(conn)
	})
	large := startHTTP(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxBody+1)) })
	ended := startTCP(t, func(net.Conn) {})
	asks := []Check{{Name: "any", Body: "x"}}
	for name, tt := range map[string]struct {
		plan Plan
		want string
	}{
		"epoll":                 {Plan{Engine: EngineEpoll, HTTP: get("http://" + wrong)}, "status line"},
		"net/http":              {Plan{Engine: EngineNetHTTP, HTTP: get("http://" + wrong)}, "malformed HTTP"},
		"a body too large":      {Plan{Engine: EngineEpoll, HTTP: get(large), Checks: asks}, "above 8 MiB"},
		"the same by net/http":  {Plan{Engine: EngineNetHTTP, HTTP: get(large), Checks: asks}, "above 8 MiB"},
		"a WebSocket":           {Plan{HTTP: &HTTP{URL: "ws://" + wrong, Messages: []string{"x"}}}, "malformed HTTP"},
		"a host that is none":   {Plan{HTTP: get("http://nobody.invalid/")}, "nobody.invalid"},
		"an error with a name":  {Plan{HTTP: get("http://" + ended)}, ""},
		"TCP to nobody's host":  {Plan{TCP: &TCP{Address: "nobody.invalid:1", Lines: []string{"x"}}}, "nobody.invalid"},
		"gRPC to nobody's host": {grpcPlan("nobody.invalid:1", checkMethod, 1, 3), "nobody.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.plan.Connections, tt.plan.Requests = 1, 3
			r := run(t, tt.plan)
			if n := r.Count(failedAs(ErrorOther)); n > 0 != (tt.want != "") || !strings.Contains(r.Other, tt.want) || tt.want == "" && r.Other != "" {
				t.Errorf("of %d it is said %q, want %q: %v", n, r.Other, tt.want, r.Outcomes)
			}
		})
	}
}

// A body of which nothing is asked may be of any length.
func TestABodyOfWhichNothingIsAskedHasNoLimit(t *testing.T) {
	large := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxBody+1)) }
	url := startHTTP(t, large)
	for name, plan := range map[string]Plan{
		"epoll":    {Engine: EngineEpoll, HTTP: get(url)},
		"net/http": {Engine: EngineNetHTTP, HTTP: get(url)},
		"HTTP/2":   {HTTP: &HTTP{Method: http.MethodGet, URL: startH2C(t, large), HTTP2: true}},
	} {
		t.Run(name, func(t *testing.T) {
			plan.Connections, plan.Requests = 1, 2
			if r := run(t, plan); answered(r, http.StatusOK) != 2 {
				t.Errorf("%v, %s", r.Outcomes, r.Other)
			}
		})
	}
}
