package loadgen

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// sockets is a server of WebSockets, which counts what it does.
type sockets struct {
	url                        string
	opened, messages, finished atomic.Int64 // finished: closed by the client as it should be
	serving                    sync.WaitGroup
}

// startWS answers message i of each WebSocket, from 0, with what answer returns.
func startWS(t *testing.T, answer func(i int, message string, conn *websocket.Conn) string) *sockets {
	t.Helper()
	s := &sockets{}
	s.url = strings.Replace(startHTTP(t, s.handler(answer)), "http:", "ws:", 1)
	return s
}

func (s *sockets) handler(answer func(i int, message string, conn *websocket.Conn) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.serving.Add(1)
		defer s.serving.Done()
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		s.opened.Add(1)
		for i := 0; ; i++ {
			_, message, err := conn.Read(r.Context())
			if err != nil {
				if websocket.CloseStatus(err) == websocket.StatusNormalClosure {
					s.finished.Add(1)
				}
				return
			}
			s.messages.Add(1)
			text := answer(i, string(message), conn)
			if text == "" {
				return
			}
			if conn.Write(r.Context(), websocket.MessageText, []byte(text)) != nil {
				return
			}
		}
	}
}

func echo(_ int, message string, _ *websocket.Conn) string { return "one " + message }

func (s *sockets) plan(messages ...string) Plan {
	return Plan{Connections: 2, Requests: 6, HTTP: &HTTP{Method: "GET", URL: s.url, Messages: messages}}
}

func TestEachMessageOfAWebSocketIsAnswered(t *testing.T) {
	s := startWS(t, echo)
	plan := s.plan("hello", "again")
	plan.Checks = []Check{{Name: "both", Body: "one hello\none again"}}
	plan.Versions = []Check{{Name: "v1", Match: "^one "}}
	result := run(t, plan)
	s.serving.Wait()
	want := []Outcome{{Status: 101, Checks: []string{"both"}, Version: "v1", Count: 6}}
	if diff := cmp.Diff(want, result.Outcomes, noExamples); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if result.Dialed != 6 || result.Used != 6 || s.opened.Load() != 6 || s.messages.Load() != 12 || s.finished.Load() != 6 || result.Engine != EngineNetHTTP {
		t.Errorf("engine %s, dialed %d, used %d; the server opened %d, read %d and saw %d finished", result.Engine, result.Dialed, result.Used, s.opened.Load(), s.messages.Load(), s.finished.Load())
	}
}

func TestAWebSocketThatDifferentVersionsAnswerIsMixed(t *testing.T) {
	for want, answers := range map[string][]string{
		"v1":  {"one", "one", "one"},
		Mixed: {"one", "two", "one"},
		"":    {"three", "three", "three"},
	} {
		plan := startWS(t, func(i int, _ string, _ *websocket.Conn) string { return answers[i] }).plan("a", "b", "c")
		plan.Versions = []Check{{Name: "v1", Body: "one"}, {Name: "v2", Body: "two"}}
		if result := run(t, plan); len(result.Outcomes) != 1 || result.Outcomes[0].Version != want {
			t.Errorf("answers %v: outcomes %v, want the version %q", answers, result.Outcomes, want)
		}
	}
}

func TestAWebSocketIsOpenedAsThePlanSays(t *testing.T) {
	ids := make(chan string, 6)
	url := startHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		ids <- r.Header.Get(requestIDHeader)
		http.Error(w, r.Host+" "+r.Header.Get("End-User"), http.StatusServiceUnavailable)
	})
	plan := Plan{Connections: 1, Requests: 6, Checks: []Check{{Name: "as asked", Body: "reviews jason"}}, HTTP: &HTTP{
		URL: strings.Replace(url, "http:", "ws:", 1), Header: map[string]string{"host": "reviews", "end-user": "jason"}, Messages: []string{"hello"},
	}}
	result := run(t, plan)
	if result.Count(holds("as asked")) != 6 || answered(result, 503) != 6 {
		t.Errorf("outcomes %v", result.Outcomes)
	}
	seen := map[string]bool{}
	for range 6 {
		seen[<-ids] = true
	}
	if len(seen) != 6 || !seen[result.Outcomes[0].Slowest.RequestID] {
		t.Errorf("%d ids, the slowest is %+v", len(seen), result.Outcomes[0].Slowest)
	}
}

func TestWhatBecomesOfAWebSocket(t *testing.T) {
	redirect := startHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
	})
	bare := startTCP(t, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: no\r\n\r\n")
	})
	cut := startTCP(t, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, "HTTP/1.1 404 Not Found\r\nContent-Length: 5000\r\n\r\n"+strings.Repeat("x", 2000))
	})
	ends := startTCP(t, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) })
	resets := startTCP(t, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)); reset(conn) })
	over := make(chan struct{})
	wait := func(int, string, *websocket.Conn) string { <-over; return "" }
	for _, tt := range []struct {
		name, url string
		want      Outcome
	}{
		{"closed for a reason", startWS(t, func(_ int, _ string, conn *websocket.Conn) string {
			_ = conn.Close(websocket.StatusGoingAway, "later")
			return ""
		}).url, eof},
		{"closed without", startWS(t, func(int, string, *websocket.Conn) string { return "" }).url, eof},
		{"no answer", startWS(t, wait).url, Outcome{Error: ErrorTimeout}},
		{"several answers to one", startWS(t, func(_ int, message string, conn *websocket.Conn) string {
			_ = conn.Write(context.Background(), websocket.MessageText, []byte("more"))
			return message
		}).url, Outcome{Status: 101}},
		{"too large", startWS(t, func(int, string, *websocket.Conn) string { return strings.Repeat("x", maxBody+1) }).url, other},
		{"redirected", redirect, Outcome{Status: 302}},
		{"no WebSocket", startHTTP(t, answers(200)), Outcome{Status: 200}},
		{"opened wrongly", bare, other},
		{"not opened by a part of an answer", cut, eof},
		{"closed before it is opened", ends, eof},
		{"reset before it is opened", resets, isReset},
		{"refused", nobody, Outcome{Error: ErrorRefused}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, address, _ := strings.Cut(tt.url, "://")
			if address == "" {
				address = tt.url
			}
			plan := Plan{Connections: 2, Requests: 4, HTTP: &HTTP{URL: "ws://" + address, Messages: []string{"hello"}}}
			if tt.want.Error == ErrorTimeout {
				plan.Timeout.Duration = 100 * time.Millisecond
			}
			result := run(t, plan)
			tt.want.Count = 4
			if diff := cmp.Diff([]Outcome{tt.want}, result.Outcomes, noExamples); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	close(over)
}

func TestAnAnswerByWhichAWebSocketIsNotOpenedIsReadAsAWhole(t *testing.T) {
	url := startHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, strings.Repeat("long ", 2000)+"and its end", 404)
	})
	plan := Plan{Connections: 1, Requests: 3, HTTP: &HTTP{URL: strings.Replace(url, "http:", "ws:", 1), Messages: []string{"hello"}}, Checks: []Check{{Name: "end", Body: "and its end"}}}
	want := []Outcome{{Status: 404, Checks: []string{"end"}, Count: 3}}
	if diff := cmp.Diff(want, run(t, plan).Outcomes, noExamples); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAWebSocketOverTLS(t *testing.T) {
	s := &sockets{}
	server := startSecure(t, time.Now().Add(time.Hour), func(_ *authority, c *tls.Config) { c.NextProtos = []string{"http/1.1"} }, s.handler(echo))
	plan := server.plan(false, TLS{})
	plan.HTTP.URL, plan.HTTP.Messages = "wss://"+shopHost+"/", []string{"hello"}
	result := run(t, plan)
	if s.serving.Wait(); answered(result, 101) != 8 || s.finished.Load() != 8 {
		t.Errorf("%d were finished: %v", s.finished.Load(), result.Outcomes)
	}
	plan.TLS = &TLS{CACertificates: newAuthority(t, "another").pem}
	if result := run(t, plan); result.Count(failedAs(ErrorTLS)) != 8 || s.opened.Load() != 8 {
		t.Errorf("%d were opened: %v", s.opened.Load(), result.Outcomes)
	}
}

func TestTheEndOfALoadCutsWebSocketsOff(t *testing.T) {
	over := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asked atomic.Int64
	s := startWS(t, func(int, string, *websocket.Conn) string {
		if asked.Add(1) == 2 {
			cancel()
		}
		<-over
		return ""
	})
	plan := s.plan("hello")
	result, err := runUntil(ctx, plan)
	close(over)
	if err == nil || result.Count(failedAs(ErrorCanceled)) != 2 || result.Sent != 2 {
		t.Errorf("%v: %v", err, result.Outcomes)
	}
}

// The time of a request ends with its last answer, as by TCP; the connection is not free for
// the next one before the server has closed it, or had time to.
func TestAWebSocketThatIsNotClosedByItsServerIsAnsweredAllTheSame(t *testing.T) {
	over := make(chan struct{})
	s := startWS(t, func(_ int, message string, conn *websocket.Conn) string {
		_ = conn.Write(context.Background(), websocket.MessageText, []byte(message))
		<-over
		return ""
	})
	plan := s.plan("hello")
	plan.Connections, plan.Requests, plan.QPS, plan.Timeout.Duration = 1, 2, 1000, time.Second
	result := run(t, plan)
	close(over)
	slowest, _ := result.Service.Max()
	lag, _ := result.Lag.Max()
	if answered(result, 101) != 2 || slowest >= time.Second || lag >= time.Second || result.Elapsed.Duration < 2*time.Second {
		t.Errorf("the slowest took %v, and began %v late, in a load of %v: %v", slowest, lag, result.Elapsed, result.Outcomes)
	}
}
