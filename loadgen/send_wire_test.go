package loadgen

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// wire is a way for requests to get to a server, other than plain HTTP/1.1.
type wire struct {
	name  string
	start func(*testing.T, http.HandlerFunc) (url string, tls *TLS)
	http2 bool
}

func wires() []wire {
	encrypted := func(t *testing.T, serve http.HandlerFunc) (string, *TLS) {
		s := startSecure(t, time.Now().Add(time.Hour), nil, serve)
		return s.server.URL, &TLS{CACertificates: s.authority.pem, SNI: shopHost}
	}
	plain := func(t *testing.T, serve http.HandlerFunc) (string, *TLS) { return startH2C(t, serve), nil }
	return []wire{{"HTTP/2", plain, true}, {"TLS", encrypted, false}, {"HTTP/2 over TLS", encrypted, true}}
}

// carry has a plan go that way.
func (w wire) carry(p *Plan, tls *TLS) {
	p.TLS = tls
	if p.HTTP != nil {
		p.HTTP.HTTP2 = w.http2
	}
	for i := range p.Send {
		p.Send[i].HTTP.HTTP2 = w.http2
	}
}

// What is taken of an answer stands in the request behind it, whatever carries both.
func TestAListIsTheSameOverEachWire(t *testing.T) {
	for _, w := range wires() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			s.silent = 4
			url, tls := w.start(t, s.ServeHTTP)
			plan := Plan{Connections: 5, Requests: 200, Warmup: 7, Send: shopping(url)}
			w.carry(&plan, tls)
			result := run(t, plan)
			if result.Sent != 200 || result.Dialed != 5 || result.Count(failedAs(ErrorUntaken)) == 0 || answered(result, 201) == 0 {
				t.Errorf("%d on %d connections: %v", result.Sent, result.Dialed, result.Outcomes)
			}
			if refused := s.asked["/order 400"]; refused > 0 || result.Count(Outcome.Failed) != result.Count(failedAs(ErrorUntaken)) {
				t.Errorf("%v, and the server has seen %v", result.Outcomes, s.asked)
			}
			var served int64
			for _, n := range s.asked {
				served += n
			}
			if served != 207 {
				t.Errorf("207 were sent, and the server has seen %v", s.asked)
			}
		})
	}
}

func TestValuesStandInARequestOverEachWire(t *testing.T) {
	rows := [][]string{{"Ann & Bo", "a/b"}, {"Jörg \"x\"", "?#%"}}
	for _, w := range wires() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			var server asking
			url, tls := w.start(t, server.serve(func(r *http.Request, body string) string {
				return fmt.Sprintf("%s|%s|%s|%s|%d", r.URL.Path, r.URL.Query().Get("name"), r.Header.Get("x-name"), body, r.ContentLength)
			}))
			plan := Plan{
				Connections: 3, Requests: 60,
				HTTP:   &HTTP{Method: "POST", URL: url + "/of/{{.path}}?name={{.name}}", Header: map[string]string{"x-name": "a{{.name}}z"}, Body: `{"name": "{{.name}}"}`},
				Values: &Values{File: "users.csv", Columns: []string{"name", "path"}, Count: 2, Rows: rows},
			}
			w.carry(&plan, tls)
			if result := run(t, plan); answered(result, 200) != 60 {
				t.Errorf("%v", result.Outcomes)
			}
			for _, row := range rows {
				body := fmt.Sprintf(`{"name": "%s"}`, row[0])
				if key := fmt.Sprintf("/of/%s|%s|a%sz|%s|%d", row[1], row[0], row[0], body, len(body)); server.all[key] != 30 {
					t.Errorf("%s: %d, want 30, of %v", key, server.all[key], server.all)
				}
			}
		})
	}
}

// A cookie that a connection was given goes with each request of its list, and so does one
// that the list is given on the way; an id of ours is another each time.
func TestALoginIsOfAllRequestsOfAListOverEachWire(t *testing.T) {
	for _, w := range wires() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			var server, ids asking
			count := server.serve(func(r *http.Request, _ string) string { return r.URL.Path + " " + r.Header.Get("Cookie") })
			identify := ids.serve(func(r *http.Request, _ string) string { return r.Header.Get(requestIDHeader) })
			url, tls := w.start(t, func(rw http.ResponseWriter, r *http.Request) {
				identify(rw, r)
				if r.URL.Path == "/login" {
					http.SetCookie(rw, &http.Cookie{Name: "session", Value: "s"})
					return
				}
				if r.URL.Path == "/b" {
					http.SetCookie(rw, &http.Cookie{Name: "seen", Value: "b"})
				}
				count(rw, r)
			})
			list := []Request{{Name: "a", HTTP: *get(url + "/a")}, {Name: "b", HTTP: *get(url + "/b?{{.word}}")}}
			list[0].HTTP.Login = &Login{URL: url + "/login", Form: map[string]string{"username": "ann"}}
			plan := Plan{Connections: 2, Requests: 20, Send: list, Values: &Values{File: "w.csv", Columns: []string{"word"}, Count: 1, Rows: [][]string{{"x"}}}}
			w.carry(&plan, tls)
			result := run(t, plan)
			want := map[string]int64{"/a session=s": 2, "/b session=s": 2, "/a session=s; seen=b": 8, "/b session=s; seen=b": 8}
			if result.Setup != 2 || fmt.Sprint(server.all) != fmt.Sprint(want) {
				t.Errorf("%d logins: %v", result.Setup, server.all)
			}
			if len(ids.all) < 20 {
				t.Errorf("%d ids: %v", len(ids.all), ids.all)
			}
		})
	}
}

func TestAListGoesOneWay(t *testing.T) {
	list := func(urls ...string) (all []Request) {
		for i, url := range urls {
			all = append(all, Request{Name: string(rune('a' + i)), HTTP: *get(url)})
		}
		return all
	}
	talks := list("ws://a/", "ws://a/")
	talks[0].HTTP.Messages = []string{"hello"}
	half := list("http://a/", "http://a/")
	half[1].HTTP.HTTP2 = true
	for want, plan := range map[string]Plan{
		`send[1] goes to "https://a" and the first to "http://a"`: {Send: list("http://a/", "https://a/")},
		"send[0] is a WebSocket":                                  {Send: talks},
		"some requests of the list are sent by HTTP/2":            {Send: half},
		"tls is for https":                                        {Send: list("http://a/", "http://a/"), TLS: &TLS{}},
		"engine epoll speaks no TLS":                              {Engine: EngineEpoll, Send: list("https://a/", "https://a/")},
		"engine epoll speaks no HTTP/2":                           {Engine: EngineEpoll, Send: []Request{half[1]}},
		"this is a load of WebSocket":                             {HTTP: &HTTP{URL: "ws://a/", Messages: []string{"x"}}, Values: &Values{Columns: []string{"a"}, Count: 1}},
	} {
		plan.Connections, plan.Requests = 1, 2
		if err := plan.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
