package loadgen

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// act is what a server does with a request once it has read the head of it.
type act struct {
	name string
	// do answers, and says whether the connection goes on.
	do func(conn net.Conn, body io.Reader) (goesOn bool)
	// What becomes of the request by engines epoll and net/http, and by fortio's.
	ours, fortio Outcome
}

// says is an act that answers in these pieces, and reads the request first.
func says(pieces ...string) func(net.Conn, io.Reader) bool {
	return func(conn net.Conn, body io.Reader) bool {
		_, _ = io.Copy(io.Discard, body)
		for _, piece := range pieces {
			_, _ = io.WriteString(conn, piece)
		}
		return true
	}
}

// then ends the connection after another act.
func then(do func(net.Conn, io.Reader) bool, end func(net.Conn)) func(net.Conn, io.Reader) bool {
	return func(conn net.Conn, body io.Reader) bool {
		do(conn, body)
		end(conn)
		return false
	}
}

func closed(net.Conn) {}

// left waits until the client has left.
func left(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// halfClosed ends what the server sends, and waits for the end of the client.
func halfClosed(conn net.Conn) {
	_ = conn.(interface{ CloseWrite() error }).CloseWrite()
	left(conn)
}

var (
	status200 = Outcome{Status: 200}
	other     = Outcome{Error: ErrorOther}
	eof       = Outcome{Error: ErrorEOF}
	isReset   = Outcome{Error: ErrorReset}
	slowly    = strings.Split("HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz", "")
)

// acts are those that a server's script is made of.
var acts = []act{
	{"an answer", says(ok("x")), status200, status200},
	{"in many pieces", says(slowly...), status200, Outcome{}}, // which fortio's client may not understand
	{"in chunks, with trailers", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n3\r\nabc\r\n", "0\r\n\r\n"), status200, status200},
	{"an early hint before it", says("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", ok("x")), status200, other},
	{"no content", says("HTTP/1.1 204 No Content\r\n\r\n"), Outcome{Status: 204}, Outcome{Status: 204}},
	{"not modified, with a length", says("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), Outcome{Status: 304}, Outcome{Status: 304}},
	{"503", says("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno"), Outcome{Status: 503}, Outcome{Status: 503}},
	{"503 that is the last", then(says("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"), closed), Outcome{Status: 503}, Outcome{Status: 503}},
	{"until the end", then(says("HTTP/1.1 200 OK\r\n\r\nabc"), closed), status200, status200},
	{"half closed behind an answer that says so", then(says("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"), halfClosed), status200, status200},
	{"the last, on a connection that stays open", then(says("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"), left), status200, status200},
	{"half closed in the body", then(says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), halfClosed), eof, eof},
	{"closed before it", then(says(), closed), eof, other},
	{"closed in the head", then(says("HTTP/1.1 200 OK\r\nContent-"), closed), eof, eof},
	{"closed in the body", then(says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), closed), eof, eof},
	{"closed in a chunk", then(says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"), closed), eof, eof},
	{"reset before it", then(says(), reset), isReset, other},
	{"reset in the head", then(says("HTTP/1.1 200 OK\r\nContent-"), reset), isReset, other},
	{"reset in the body", then(says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), reset), isReset, other},
	{"more than the answer", then(says(ok("x")+"and more"), left), status200, status200},
	{"two answers", then(says(ok("x")+ok("y")), left), status200, status200},
	{"none at all", then(says(), left), Outcome{Error: ErrorTimeout}, Outcome{Error: ErrorTimeout}},
	{"a part of one", then(says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), left), Outcome{Error: ErrorTimeout}, Outcome{Error: ErrorTimeout}},
	{"no HTTP", then(says("220 smtp ready at your service\r\n\r\n"), left), other, other},
	{"two lengths", then(says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy"), left), other, status200},
}

// scripted serves by a script: the n-th request, from 0, is answered by the n-th act, and
// those after the last by the first again. It counts what it has done.
type scripted struct {
	url    string
	script []act

	mu   sync.Mutex
	read int64            // requests
	done map[string]int64 // acts, by name
}

func startScript(t *testing.T, script ...act) *scripted { return startScriptOver(t, nil, script...) }

// startScriptOver does so over TLS, unless config is nil.
func startScriptOver(t *testing.T, config *tls.Config, script ...act) *scripted {
	s := &scripted{script: script, done: map[string]int64{}}
	s.url = "http://" + startTCP(t, func(conn net.Conn) {
		if config != nil {
			conn = tls.Server(conn, config)
			defer func() { _ = conn.Close() }()
		}
		for reader := bufio.NewReader(conn); ; {
			req, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			if !s.next().do(conn, req.Body) {
				return
			}
		}
	})
	return s
}

func (s *scripted) next() act {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.script[s.read%int64(len(s.script))]
	s.read++
	s.done[a.name]++
	return a
}

// counts is how many requests the server has read, and what they come to by how they end.
func (s *scripted) counts(engine string) (read int64, want map[way]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	want = map[way]int64{}
	for _, a := range s.script {
		o := a.ours
		if engine == EngineFortio {
			o = a.fortio
		}
		want[wayOf(o, engine)] += s.done[a.name]
		delete(s.done, a.name) // it may stand in the script twice
	}
	return s.read, want
}

// wayOf is how a request ended. Fortio's client tells few errors apart, and not always.
func wayOf(o Outcome, engine string) way {
	if engine == EngineFortio && o.Error != "" {
		return way{err: "an error"}
	}
	return way{o.Status, o.GRPC, o.Error}
}

// Whatever a server does, each request that it has read ended as it should, and each that
// it has not ended by an error: on a connection that it had just closed.
func TestCountsAgreeWithAServerThatMisbehaves(t *testing.T) {
	for _, a := range acts {
		for _, engine := range engines {
			if engine == EngineFortio && a.fortio.Status == 0 && a.fortio.Error == "" {
				continue
			}
			t.Run(a.name+" "+engine, func(t *testing.T) {
				t.Parallel()
				server := startScript(t, acts[0], a, acts[0])
				plan := Plan{Engine: engine, HTTP: &HTTP{Method: "POST", URL: server.url, Body: "body"}, Connections: 3, Requests: 12}
				switch {
				case a.ours.Error == ErrorTimeout:
					plan.Timeout.Duration = 1500 * time.Millisecond
				case engine == EngineFortio: // whose client waits for more than it understands
					plan.Timeout.Duration = 2 * time.Second
				}
				result := run(t, plan)
				server.agrees(t, result, engine)
			})
		}
	}
}

// agrees holds a result against what the server has counted.
func (s *scripted) agrees(t interface{ Errorf(string, ...any) }, r *Result, engine string) {
	read, want := s.counts(engine)
	got := map[way]int64{}
	for _, o := range r.Outcomes {
		got[wayOf(o, engine)] += o.Count
	}
	unread := r.Sent - read
	for how, n := range want {
		if how.err != "" {
			continue
		}
		if got[how] != n {
			t.Errorf("%d with %v; by the server's counts %d", got[how], how, n)
		}
	}
	var lost int64
	for how, n := range got {
		lost += n - want[how]
	}
	if lost != unread || unread < 0 || r.Sent != r.Response.Count() {
		t.Errorf("the server read %d of %d requests: %v; by its counts %v", read, r.Sent, got, want)
	}
	if engine != EngineFortio && r.Sent != r.Planned {
		t.Errorf("%d were sent of %d", r.Sent, r.Planned)
	}
	for how, n := range got {
		if n > want[how] && how.err != ErrorReset && how.err != ErrorEOF && engine != EngineFortio {
			t.Errorf("%d with %v; by the server's counts %d", n, how, want[how])
		}
	}
}

// The same of scripts of many acts, in closed loop and open.
func TestCountsAgreeWithAnyScript(t *testing.T) {
	var quick []act // without those that take a timeout
	for _, a := range acts {
		if a.ours.Error != ErrorTimeout {
			quick = append(quick, a)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		engine := rapid.SampledFrom([]string{EngineEpoll, EngineNetHTTP}).Draw(r, "engine")
		var script []act
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(quick)-1), 1, 9).Draw(r, "script") {
			script = append(script, quick[i])
		}
		server := startScript(t, script...)
		result := run(t, Plan{
			Engine: engine, HTTP: get(server.url), Connections: rapid.IntRange(1, 5).Draw(r, "connections"), Requests: 30,
			QPS: rapid.SampledFrom([]float64{0, 5000}).Draw(r, "qps"),
		})
		server.agrees(r, result, engine)
	})
}

// A server that stops reading, or answers before it has read, is neither waited for for
// longer than the timeout nor sent another request on that connection.
func TestARequestThatIsNotReadWhole(t *testing.T) {
	const timeout = 3 * time.Second
	for answer, want := range map[string]Outcome{"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n": {Status: 413}, "": {Error: ErrorTimeout}} {
		for _, engine := range []string{EngineEpoll, EngineNetHTTP} {
			t.Run(want.Words()+" "+engine, func(t *testing.T) {
				t.Parallel()
				over := make(chan struct{})
				server := startScript(t, act{ours: want, do: func(conn net.Conn, _ io.Reader) bool {
					_, _ = io.WriteString(conn, answer)
					<-over
					return false
				}})
				t.Cleanup(func() { close(over) }) // before the server is waited for
				result := run(t, Plan{
					Engine: engine, HTTP: &HTTP{Method: "POST", URL: server.url, Body: strings.Repeat("x", 8<<20)},
					Connections: 2, Requests: 4, Timeout: Duration{Duration: timeout},
				})
				server.agrees(t, result, engine)
				if result.Dialed != 4 {
					t.Errorf("%d connections were dialed for 4 requests", result.Dialed)
				}
				if took, _ := result.Response.Max(); took > 2*timeout {
					t.Errorf("a request took %v, of at most %v", took, timeout)
				}
			})
		}
	}
}
