package loadgen

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// startRaw answers request i of each connection, from 0, with what answer
// returns, and closes the connection if that is empty. It counts the requests.
func startRaw(t *testing.T, end func(net.Conn), answer func(i int) string) (url string, served *atomic.Int64) {
	served = new(atomic.Int64)
	address := startTCP(t, func(conn net.Conn) {
		reader := bufio.NewReader(conn)
		for i := 0; ; i++ {
			req, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			served.Add(1)
			text := answer(i)
			if text == "" {
				end(conn)
				return
			}
			_, _ = io.WriteString(conn, text)
		}
	})
	return "http://" + address, served
}

func ok(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// reset closes a connection at once; what TLS would say before is not said.
func reset(conn net.Conn) {
	if encrypted, ok := conn.(*tls.Conn); ok {
		conn = encrypted.NetConn()
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

func TestReusedConnectionThatDiesIsAnErrorAndNotARetry(t *testing.T) {
	for _, tt := range []struct {
		name   string
		end    func(net.Conn)
		method string
		want   string // fortio does not say
	}{
		{"reset GET", reset, "GET", ErrorReset},
		{"reset POST", reset, "POST", ErrorReset},
		{"closed GET", func(net.Conn) {}, "GET", ErrorEOF},
		{"closed PUT", func(net.Conn) {}, "PUT", ErrorEOF},
	} {
		for _, engine := range engines {
			t.Run(tt.name+" "+engine, func(t *testing.T) {
				url, served := startRaw(t, tt.end, func(i int) string {
					if i == 2 {
						return ""
					}
					return ok("x")
				})
				result := run(t, Plan{
					Engine: engine, Connections: 2, Requests: 30,
					HTTP: &HTTP{Method: tt.method, URL: url, Body: "body"},
				})
				if served.Load() != result.Sent {
					t.Errorf("the server got %d requests and the result has %d", served.Load(), result.Sent)
				}
				errs := result.Count(func(o Outcome) bool { return o.Error != "" })
				if errs < result.Sent/3-1 || errs+answered(result, 200) != result.Sent {
					t.Errorf("%d of %d are errors: %v", errs, result.Sent, result.Outcomes)
				}
				if result.Sent < 30 || result.Sent > 32 {
					t.Errorf("sent %d, want 30, and at most one more a connection", result.Sent)
				}
				if engine != EngineFortio && (result.Sent != 30 || result.Count(failedAs(tt.want)) != errs) {
					t.Errorf("sent %d, outcomes %v, want %s", result.Sent, result.Outcomes, tt.want)
				}
			})
		}
	}
}

func TestConnectionClosedWhileIdleIsReplacedUnseen(t *testing.T) {
	for _, tt := range []struct {
		name, engine, header string
	}{
		{"with notice", EngineNetHTTP, "Connection: close\r\n"},
		{"with notice, fortio", EngineFortio, "Connection: close\r\n"},
		{"without notice", EngineNetHTTP, ""},
		{"with notice, epoll", EngineEpoll, "Connection: close\r\n"},
		{"without notice, epoll", EngineEpoll, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// Each answer is the connection's last. The open loop leaves time for the
			// end of the connection to arrive.
			var served atomic.Int64
			address := startTCP(t, func(conn net.Conn) {
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				served.Add(1)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+tt.header+"Content-Length: 0\r\n\r\n")
			})
			result := run(t, Plan{Engine: tt.engine, HTTP: get("http://" + address), Connections: 1, Requests: 6, QPS: 50})
			if answered(result, 200) != 6 || served.Load() != 6 || result.Dialed != 6 || result.Used != 6 {
				t.Errorf("served %d on %d connections, of which the result has %d: %v", served.Load(), result.Dialed, result.Used, result.Outcomes)
			}
		})
	}
}

// TestOutcomes says what each engine makes of an answer.
func TestOutcomes(t *testing.T) {
	refused := "http://" + nobody
	big := strings.Repeat("x", 300<<10)
	for _, tt := range []struct {
		name         string
		answer       string
		http, fortio Outcome
	}{
		{"body", ok("v1 yes"), Outcome{Status: 200, Checks: []string{"yes"}, Version: "v1"}, Outcome{Status: 200, Checks: []string{"yes"}, Version: "v1"}},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nv1 y\r\n2\r\nes\r\n0\r\n\r\n", Outcome{Status: 200, Checks: []string{"yes"}, Version: "v1"}, Outcome{Status: 200, Checks: []string{"yes"}, Version: "v1"}},
		{"error with a body", "HTTP/1.1 503 no\r\nContent-Length: 3\r\n\r\nyes", Outcome{Status: 503, Checks: []string{"yes"}}, Outcome{Status: 503, Checks: []string{"yes"}}},
		{"redirect", "HTTP/1.1 302 no\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", Outcome{Status: 302}, Outcome{Status: 302}},
		{"no content", "HTTP/1.1 204 no\r\n\r\n", Outcome{Status: 204}, Outcome{Status: 204}},
		{"cut short", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nyes", Outcome{Error: ErrorEOF}, Outcome{Error: ErrorEOF}},
		{"chunk cut short", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nyes", Outcome{Error: ErrorEOF}, Outcome{Error: ErrorEOF}},
		{"no length", "HTTP/1.1 200 OK\r\n\r\nyes", Outcome{Status: 200, Checks: []string{"yes"}}, Outcome{Error: ErrorOther}},
		{"above fortio's buffer", ok(big + "yes"), Outcome{Status: 200, Checks: []string{"yes"}}, Outcome{Error: ErrorOther}},
		{"above 8 MiB", ok(strings.Repeat("x", 8<<20+1)), Outcome{Error: ErrorOther}, Outcome{Error: ErrorOther}},
		{"no HTTP", "220 smtp ready at your service\r\n\r\n", Outcome{Error: ErrorOther}, Outcome{Error: ErrorOther}},
		{"closed", "", Outcome{Error: ErrorEOF}, Outcome{Error: ErrorOther}},
		{"refused", "refused", Outcome{Error: ErrorRefused}, Outcome{Error: ErrorOther}},
		{"no answer in time", "timeout", Outcome{Error: ErrorTimeout}, Outcome{Error: ErrorTimeout}},
	} {
		for engine, want := range map[string]Outcome{EngineEpoll: tt.http, EngineNetHTTP: tt.http, EngineFortio: tt.fortio} {
			t.Run(tt.name+" "+engine, func(t *testing.T) {
				url, timeout := refused, 10*time.Second
				if tt.answer != "refused" {
					url = startOnce(t, tt.answer)
				}
				if tt.answer == "timeout" {
					timeout = 50 * time.Millisecond
				}
				result := run(t, Plan{
					Engine: engine, HTTP: get(url), Connections: 1, Requests: 1, Timeout: Duration{Duration: timeout},
					Checks:   []Check{{Name: "yes", Body: "yes"}},
					Versions: []Check{{Name: "v1", Body: "v1"}},
				})
				want.Count = 1
				if diff := cmp.Diff([]Outcome{want}, result.Outcomes, noExamples); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// startOnce answers the one request of each connection: with nothing until the
// other side leaves, if the answer is "timeout".
func startOnce(t *testing.T, answer string) string {
	return "http://" + startTCP(t, func(conn net.Conn) {
		reader := bufio.NewReader(conn)
		if _, err := http.ReadRequest(reader); err != nil {
			return
		}
		if answer == "timeout" {
			_, _ = reader.ReadByte()
			return
		}
		_, _ = io.WriteString(conn, answer)
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = reader.ReadByte()
	})
}

// nobody listens here: a port that was free a moment ago may be another test's by now.
const nobody = "127.0.0.1:1"

func TestEndlessBodyIsGivenUp(t *testing.T) {
	url := startHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		for block := make([]byte, 64<<10); ; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	for _, engine := range []string{EngineEpoll, EngineNetHTTP} {
		plan := Plan{Engine: engine, HTTP: get(url), Connections: 1, Requests: 1, Timeout: Duration{Duration: 20 * time.Second}, Checks: []Check{{Name: "yes", Body: "yes"}}}
		if result := run(t, plan); result.Count(failedAs(ErrorOther)) != 1 || result.Elapsed.Duration > 10*time.Second {
			t.Errorf("%s: %v after %v", engine, result.Outcomes, result.Elapsed)
		}
		plan.Checks, plan.Timeout.Duration = nil, 200*time.Millisecond
		if result := run(t, plan); result.Count(failedAs(ErrorTimeout)) != 1 {
			t.Errorf("%s, of which nothing is asked: %v after %v", engine, result.Outcomes, result.Elapsed)
		}
	}
}

func TestRequestIsSentAsPlanned(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			var mu sync.Mutex
			var got []string
			url := startHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				mu.Lock()
				defer mu.Unlock()
				got = append(got, strings.Join([]string{r.Method, r.Host, r.RequestURI, r.Header.Get("end-user"), r.Header.Get("User-Agent"), string(body)}, " "))
			})
			run(t, Plan{Engine: engine, Connections: 1, Requests: 2, HTTP: &HTTP{
				Method: "PUT", URL: "http://httpbin.example:8000/put?x=a%20b",
				Header: map[string]string{"End-User": "jason", "User-Agent": "me"},
				Body:   "hello", Connect: strings.TrimPrefix(url, "http://"),
			}})
			want := "PUT httpbin.example:8000 /put?x=a%20b jason me hello"
			if diff := cmp.Diff([]string{want, want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEachConnectionHasItsOwnSession(t *testing.T) {
	var mu sync.Mutex
	sessions := map[string]map[string]int{} // requests by session and peer
	var logins int
	url := startHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/login" {
			logins++
			http.SetCookie(w, &http.Cookie{Name: "session", Value: fmt.Sprint(r.FormValue("username"), logins), Path: "/"})
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		session, err := r.Cookie("session")
		if err != nil {
			t.Errorf("%s came without a session", r.URL)
			return
		}
		if sessions[session.Value] == nil {
			sessions[session.Value] = map[string]int{}
		}
		sessions[session.Value][r.RemoteAddr]++
		renewed, _ := strings.CutSuffix(session.Value, "+")
		http.SetCookie(w, &http.Cookie{Name: "session", Value: renewed + "+", Path: "/"})
	})
	page := get(url + "/productpage")
	page.Login = &Login{URL: url + "/login", Form: map[string]string{"username": "jason"}}
	result := run(t, Plan{HTTP: page, Connections: 3, Requests: 60, QPS: 2000, Warmup: 3})
	if result.Setup != 3 || logins != 3 || result.Dialed != 3 {
		t.Errorf("%d logins of %d, %d connections dialed", logins, result.Setup, result.Dialed)
	}
	for session, peers := range sessions {
		first := !strings.HasSuffix(session, "+")
		for peer, requests := range peers {
			if len(peers) != 1 || first && requests != 1 {
				t.Errorf("session %s had %d requests from %s, and %d peers", session, requests, peer, len(peers))
			}
		}
	}
}

func TestLargeRequestIsWrittenWhileItsAnswerIsRead(t *testing.T) {
	const size = 7 << 20
	address := startTCP(t, func(conn net.Conn) {
		// Less than size fits in the buffers, either way.
		_ = conn.(*net.TCPConn).SetReadBuffer(256 << 10)
		_ = conn.(*net.TCPConn).SetWriteBuffer(256 << 10)
		reader := bufio.NewReader(conn)
		for {
			req, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, ok(strings.Repeat("x", size)))
			_, _ = io.Copy(io.Discard, req.Body)
		}
	})
	for _, engine := range []string{EngineEpoll, EngineNetHTTP} {
		result := run(t, Plan{
			Engine: engine, Connections: 1, Requests: 3, Timeout: Duration{Duration: 10 * time.Second},
			HTTP:   &HTTP{Method: "POST", URL: "http://" + address, Body: strings.Repeat("x", size)},
			Checks: []Check{{Name: "whole", Match: "^x+$"}},
		})
		if result.Count(holds("whole")) != 3 {
			t.Errorf("%s: %v", engine, result.Outcomes)
		}
	}
}

func TestAnAnswerOfSeveralVersionsIsMixed(t *testing.T) {
	for body, want := range map[string]string{"one": "v1", "two": "v2", "two one": Mixed, "one two": Mixed, "neither": ""} {
		url := startHTTP(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		for _, engine := range engines {
			result := run(t, Plan{
				Engine: engine, HTTP: get(url), Connections: 1, Requests: 3,
				Versions: []Check{{Name: "v1", Body: "one"}, {Name: "v2", Match: "two"}},
			})
			if n := result.Count(func(o Outcome) bool { return o.Version == want && o.Error == "" }); n != 3 || result.Sent != 3 {
				t.Errorf("%s, %q: %d of %d answers are of version %q: %v", engine, body, n, result.Sent, want, result.Outcomes)
			}
		}
	}
}

func TestACohortThatEndsByItsOwnLimitsSaysSo(t *testing.T) {
	url := startHTTP(t, func(http.ResponseWriter, *http.Request) {})
	for name, others := range map[string]Plan{
		"requests": {Requests: 4, Connections: 2},
		"duration": {Duration: Duration{Duration: 20 * time.Millisecond}, Connections: 2, QPS: 200},
	} {
		others.HTTP, others.While = get(url), "jason"
		results, err := RunGroup(t.Context(), map[string]Plan{
			"jason": {HTTP: get(url), Connections: 1, Requests: 61, QPS: 40}, "others": others,
		}, Bounds{}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if jason, took := results["jason"].Elapsed, results["others"].Elapsed; took.Duration > jason.Duration*3/4 || jason.Duration < 1500*time.Millisecond {
			t.Errorf("%s: the others were there for %v of %v", name, took, jason)
		}
	}
}
