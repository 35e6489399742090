package loadgen

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// startH2C serves HTTP/2 without TLS, and nothing else.
func startH2C(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func TestHTTP2WithPriorKnowledge(t *testing.T) {
	var served atomic.Int64
	url := startH2C(t, func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s %q %s", r.Proto, r.Method, r.Host, r.Header.Get("X-Any"), body, r.Header.Get("Accept-Encoding"))
	})
	result := run(t, Plan{
		Connections: 3, Requests: 30, Checks: []Check{{Name: "as asked", Match: `^HTTP/2.0 PUT reviews one "two" $`}},
		HTTP: &HTTP{Method: "PUT", URL: url, HTTP2: true, Header: map[string]string{"host": "reviews", "x-any": "one"}, Body: "two"},
	})
	want := []Outcome{{Status: 200, Checks: []string{"as asked"}, Count: 30}}
	if diff := cmp.Diff(want, result.Outcomes, noExamples); diff != "" || served.Load() != 30 || result.Dialed != 3 || result.Used != 3 {
		t.Errorf("served %d on %d connections, -want +got:\n%s", served.Load(), result.Dialed, diff)
	}
}

func TestHTTP2LogsInAndKeepsItsCookie(t *testing.T) {
	url := startH2C(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			http.SetCookie(w, &http.Cookie{Name: "user", Value: r.FormValue("username")})
			return
		}
		cookie, err := r.Cookie("user")
		if err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "user", Value: cookie.Value + "+"})
		_, _ = io.WriteString(w, cookie.Value)
	})
	result := run(t, Plan{
		Connections: 1, Requests: 3, Checks: []Check{{Name: "third", Match: `^jason\+\+$`}},
		HTTP: &HTTP{Method: "GET", URL: url, HTTP2: true, Login: &Login{URL: url + "/login", Form: map[string]string{"username": "jason"}}},
	})
	if result.Setup != 1 || answered(result, 200) != 3 || result.Count(holds("third")) != 1 || result.Dialed != 1 {
		t.Errorf("setup %d, dialed %d: %v", result.Setup, result.Dialed, result.Outcomes)
	}
}

func TestEachRequestOfHTTP2HasAnIDOfItsOwn(t *testing.T) {
	ids := make(chan string, 20)
	url := startH2C(t, func(_ http.ResponseWriter, r *http.Request) { ids <- r.Header.Get(requestIDHeader) })
	result := run(t, Plan{Connections: 2, Requests: 20, HTTP: &HTTP{Method: "GET", URL: url, HTTP2: true}})
	seen := map[string]bool{}
	for range 20 {
		seen[<-ids] = true
	}
	if len(seen) != 20 || !seen[result.Outcomes[0].Slowest.RequestID] {
		t.Errorf("%d ids; the slowest is %+v", len(seen), result.Outcomes[0].Slowest)
	}
}

// act2 is what a server does with a stream of HTTP/2.
type act2 struct {
	name string
	do   func(s *stream2) (goesOn bool) // the connection does
	want Outcome
	last bool // the next request needs another connection
}

// stream2 is a stream, whose request was read.
type stream2 struct {
	*http2.Framer
	conn net.Conn
	id   uint32
}

// head writes the head of an answer.
func (s *stream2) head(end bool, fields ...string) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	_ = s.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end})
}

func (s *stream2) answer() {
	s.head(false, ":status", "200")
	_ = s.WriteData(s.id, true, []byte("x"))
}

var acts2 = []act2{
	{"an answer", func(s *stream2) bool { s.answer(); return true }, status200, false},
	{"503", func(s *stream2) bool { s.head(true, ":status", "503"); return true }, Outcome{Status: 503}, false},
	{"an early hint before it", func(s *stream2) bool { s.head(false, ":status", "103"); s.answer(); return true }, status200, false},
	{"trailers", func(s *stream2) bool {
		s.head(false, ":status", "200", "trailer", "sum")
		_ = s.WriteData(s.id, false, []byte("x"))
		s.head(true, "sum", "1")
		return true
	}, status200, false},
	{"RST_STREAM before it", func(s *stream2) bool { return s.WriteRSTStream(s.id, http2.ErrCodeInternal) == nil }, isReset, false},
	{"RST_STREAM that refuses it", func(s *stream2) bool { return s.WriteRSTStream(s.id, http2.ErrCodeRefusedStream) == nil }, isReset, false},
	{"RST_STREAM in the body", func(s *stream2) bool {
		s.head(false, ":status", "200")
		_ = s.WriteData(s.id, false, []byte("x"))
		return s.WriteRSTStream(s.id, http2.ErrCodeCancel) == nil
	}, isReset, false},
	{"GOAWAY, and the answer", func(s *stream2) bool { _ = s.WriteGoAway(s.id, http2.ErrCodeNo, nil); s.answer(); return true }, status200, true},
	{"GOAWAY that leaves it out", func(s *stream2) bool { return s.WriteGoAway(s.id-2, http2.ErrCodeNo, nil) == nil }, eof, true},
	{"GOAWAY for an error", func(s *stream2) bool {
		return s.WriteGoAway(s.id-2, http2.ErrCodeEnhanceYourCalm, []byte("too many")) == nil
	}, eof, true},
	{"closed before it", func(*stream2) bool { return false }, eof, true},
	{"GOAWAY, and closed before it", func(s *stream2) bool { _ = s.WriteGoAway(s.id, http2.ErrCodeNo, nil); return false }, eof, true},
	{"closed in the body", func(s *stream2) bool {
		s.head(false, ":status", "200", "content-length", "9")
		_ = s.WriteData(s.id, false, []byte("x"))
		return false
	}, eof, true},
	{"ended in the body", func(s *stream2) bool {
		s.head(false, ":status", "200", "content-length", "9")
		return s.WriteData(s.id, true, []byte("x")) == nil
	}, eof, false},
	{"reset before it", func(s *stream2) bool { reset(s.conn); return false }, isReset, true},
	{"no answer", func(*stream2) bool { return true }, Outcome{Error: ErrorTimeout}, false},
	{"a part of one", func(s *stream2) bool { s.head(false, ":status", "200"); return true }, Outcome{Error: ErrorTimeout}, false},
	{"a status below 100", func(s *stream2) bool { s.head(true, ":status", "99"); return true }, other, false},
	{"a status of two digits and a 0", func(s *stream2) bool { s.head(true, ":status", "099"); return true }, other, false},
	{"a status of four digits", func(s *stream2) bool { s.head(true, ":status", "0200"); return true }, other, false},
	{"a status above 599", func(s *stream2) bool { s.head(true, ":status", "999"); return true }, Outcome{Status: 999}, false},
	{"no HTTP/2", func(s *stream2) bool {
		_, _ = io.WriteString(s.conn, strings.Repeat("220 smtp", 9))
		left(s.conn)
		return false
	}, other, true},
}

// scripted2 serves HTTP/2 by a script, as scripted does HTTP/1.1.
type scripted2 struct {
	address string
	read    atomic.Int64 // requests
	resets  atomic.Int64 // streams that the client has reset
}

func startScript2(t *testing.T, settings []http2.Setting, script ...act2) *scripted2 {
	s := &scripted2{}
	s.address = startTCP(t, func(conn net.Conn) {
		if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		framer := http2.NewFramer(conn, conn)
		framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		_ = framer.WriteSettings(settings...)
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return
			}
			switch f := frame.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					_ = framer.WriteSettingsAck()
				}
			case *http2.PingFrame:
				_ = framer.WritePing(true, f.Data)
			case *http2.RSTStreamFrame:
				s.resets.Add(1)
			case *http2.MetaHeadersFrame:
				act := script[(s.read.Add(1)-1)%int64(len(script))]
				if !act.do(&stream2{framer, conn, f.StreamID}) {
					return
				}
			}
		}
	})
	return s
}

func (s *scripted2) plan(requests int64) Plan {
	return Plan{Connections: 1, Requests: requests, HTTP: &HTTP{Method: "GET", URL: "http://" + s.address, HTTP2: true}}
}

func TestCountsAgreeWithAServerOfHTTP2ThatMisbehaves(t *testing.T) {
	for _, a := range acts2 {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			server := startScript2(t, nil, acts2[0], a, acts2[0])
			plan := server.plan(9)
			if a.want.Error == ErrorTimeout {
				plan.Timeout.Duration = time.Second
			}
			result := run(t, plan)
			if got := server.read.Load(); got != 9 || result.Sent != 9 {
				t.Errorf("the server read %d of %d requests: %v", got, result.Sent, result.Outcomes)
			}
			as := func(o Outcome) bool { return o.Status == a.want.Status && o.Error == a.want.Error }
			if n := result.Count(as); n != 3 && a.want.Status != 200 || result.Count(as)+6 < 9 || answered(result, 200)+3 < 9 {
				t.Errorf("%d are %s, of 3: %v", n, a.want.Words(), result.Outcomes)
			}
			if want := map[bool]int64{false: 1, true: 4}[a.last]; result.Dialed != want || result.Used != want {
				t.Errorf("dialed %d and used %d connections, want %d", result.Dialed, result.Used, want)
			}
			// That of the last may not be written any more before the connection is closed.
			if n := server.resets.Load(); a.want.Error == ErrorTimeout && n != 3 && n != 2 {
				t.Errorf("%d streams were reset, want those 3 that were late", n)
			}
		})
	}
}

// Between an answer and the GOAWAY behind it the next request may be sent, and fails then: the
// server has not taken it.
func TestARequestThatMeetsAGoAwayIsNotTaken(t *testing.T) {
	server := startScript2(t, nil, act2{do: func(s *stream2) bool { s.answer(); _ = s.WriteGoAway(s.id, http2.ErrCodeNo, nil); return false }})
	result := run(t, server.plan(50))
	refused := result.Count(failedAs(ErrorEOF)) + result.Count(failedAs(ErrorReset))
	if read := server.read.Load(); result.Sent != 50 || read < 1 || answered(result, 200) != read || refused != 50-read || result.Dialed != read {
		t.Errorf("the server has read %d, on %d connections: %v", read, result.Dialed, result.Outcomes)
	}
}

// closingFirst closes the first connection that it takes.
type closingFirst struct {
	net.Listener
	closed atomic.Bool
}

func (l *closingFirst) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil && !l.closed.Swap(true) {
		_ = c.Close()
		return l.Listener.Accept()
	}
	return c, err
}

// A connection that ends before its first request is replaced as any other is.
func TestAConnectionThatEndsBeforeItsFirstRequestIsReplaced(t *testing.T) {
	server := httptest.NewUnstartedServer(answers(200))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Listener = &closingFirst{Listener: server.Listener}
	server.Start()
	defer server.Close()
	plan := Plan{Connections: 1, HTTP: &HTTP{Method: "GET", URL: server.URL, HTTP2: true}}
	script, err := newScript(&plan, 1)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newHTTP2Conn(&plan, server.Listener.Addr().String(), nil, newUser(script), &matcher{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.connect(t.Context(), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for <-c.fate.ended; !c.client.State().Closed; {
		runtime.Gosched()
	}
	c.user.begin(0)
	if got, _ := c.send(t.Context(), time.Now()); got.status != 200 || c.dials != 2 {
		t.Errorf("after %d dials it ended with %+v", c.dials, got)
	}
}

// A connection sends a request at a time, so that any limit is kept but that of none at all.
func TestALimitOfStreamsIsKept(t *testing.T) {
	one := startScript2(t, []http2.Setting{{ID: http2.SettingMaxConcurrentStreams, Val: 1}}, acts2[0])
	if result := run(t, one.plan(20)); answered(result, 200) != 20 || result.Dialed != 1 || one.read.Load() != 20 {
		t.Errorf("one at a time: dialed %d, read %d: %v", result.Dialed, one.read.Load(), result.Outcomes)
	}
	// What is sent before the settings have come is what the server refuses; else it is not sent.
	none := startScript2(t, []http2.Setting{{ID: http2.SettingMaxConcurrentStreams, Val: 0}}, acts2[5])
	result := run(t, none.plan(6))
	if refused := result.Count(failedAs(ErrorReset)); refused != none.read.Load() || refused+result.Count(failedAs(ErrorOther)) != 6 {
		t.Errorf("none: read %d: %v", none.read.Load(), result.Outcomes)
	}
}

func TestAServerWithoutHTTP2IsAnError(t *testing.T) {
	s := startSecure(t, time.Now().Add(time.Hour), nil, answers(200))
	s.server.TLS.NextProtos = []string{"http/1.1"}
	if result := run(t, s.plan(true, TLS{})); result.Count(failedAs(ErrorTLS)) != 8 || s.served.Load() != 0 {
		t.Errorf("by ALPN: %v", result.Outcomes)
	}
	plain := run(t, Plan{Connections: 1, Requests: 3, HTTP: &HTTP{Method: "GET", URL: startHTTP(t, answers(200)), HTTP2: true}})
	if plain.Count(failedAs(ErrorOther)) != 3 {
		t.Errorf("by prior knowledge: %v", plain.Outcomes)
	}
}

// Requests that the end of a load has cut off are canceled, and nothing runs on.
func TestTheEndOfALoadCutsHTTP2Off(t *testing.T) {
	for _, name := range []string{"no answer", "a part of one"} {
		t.Run(name, func(t *testing.T) {
			act := acts2[map[string]int{"no answer": 15, "a part of one": 16}[name]]
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var begun atomic.Int64
			server := startScript2(t, nil, act2{name, func(s *stream2) bool {
				goesOn := act.do(s)
				if begun.Add(1) == 4 {
					cancel()
				}
				return goesOn
			}, act.want, act.last})
			plan := server.plan(4)
			plan.Connections = 4
			result, err := runUntil(ctx, plan)
			if err == nil || result.Count(failedAs(ErrorCanceled)) != 4 || result.Response.Count() != 0 {
				t.Errorf("%v: %v", err, result.Outcomes)
			}
		})
	}
}
