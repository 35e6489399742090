package loadgen

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestValidateNamesWhatIsWrong(t *testing.T) {
	web := func(h HTTP) Plan { return Plan{Connections: 1, HTTP: &h} }
	line := func(c TCP) Plan { return Plan{Connections: 1, TCP: &c} }
	checks := func(c ...Check) Plan {
		return Plan{Connections: 1, HTTP: get("http://a/"), Checks: c}
	}
	amount := func(change func(*Plan)) Plan {
		p := Plan{Connections: 1, HTTP: get("http://a/")}
		change(&p)
		return p
	}
	fortio := func(p Plan) Plan {
		p.Engine = EngineFortio
		return p
	}
	epoll := func(p Plan) Plan {
		p.Engine = EngineEpoll
		return p
	}
	aborts := func(p Plan, on int) Plan {
		p.AbortOn = on
		return p
	}
	encrypted := func(own TLS) Plan { return Plan{Connections: 1, HTTP: get("https://a/"), TLS: &own} }
	for _, tt := range []struct {
		plan Plan
		want string // empty: the plan is valid
	}{
		{web(HTTP{URL: "http://a/"}), ""},
		{web(HTTP{URL: "http://a:80/", Method: "POST", Header: map[string]string{"Host": "b", "end-user": "jason"}, Connect: "127.0.0.1:80"}), ""},
		{line(TCP{Address: "a:1", Lines: []string{""}}), ""},
		{Plan{Connections: 1}, "exactly one of http, grpc, tcp and send"},
		{Plan{Connections: 1, HTTP: get("http://a/"), TCP: &TCP{}}, "exactly one of http, grpc, tcp and send"},
		{amount(func(p *Plan) { p.Engine = "wrk" }), `engine is "wrk"`},
		{amount(func(p *Plan) { p.Connections = 0 }), "connections is 0"},
		{amount(func(p *Plan) { p.Connections = 10_001 }), "connections is 10001"},
		{amount(func(p *Plan) { p.Requests = -1 }), "requests is -1"},
		{amount(func(p *Plan) { p.Connections, p.Requests = 4, 3 }), "requests is 3, fewer than the 4 connections"},
		{amount(func(p *Plan) { p.Connections, p.Requests = 4, 4 }), ""},
		{amount(func(p *Plan) { p.Warmup = -1 }), "warmup is -1"},
		{amount(func(p *Plan) { p.Duration = Duration{Duration: -time.Second} }), "duration is -1s"},
		{amount(func(p *Plan) { p.Duration.Duration = 2 }), "duration is 2ns"},
		{amount(func(p *Plan) { p.Duration = Duration{Duration: MinDuration} }), ""},
		{amount(func(p *Plan) { p.Timeout = Duration{Duration: 2 * time.Hour} }), "timeout is 2h0m0s"},
		{amount(func(p *Plan) { p.QPS = -1 }), "qps is -1"},
		{amount(func(p *Plan) { p.QPS = math.NaN() }), "qps is NaN"},
		{amount(func(p *Plan) { p.QPS = math.Inf(1) }), "qps is +Inf"},
		{web(HTTP{URL: "https://a/", HTTP2: true}), ""},
		{web(HTTP{URL: "ws://a/", Messages: []string{""}}), ""},
		{web(HTTP{URL: "ws://a/"}), "http.messages is empty"},
		{web(HTTP{URL: "http://a/", Messages: []string{"x"}}), "http.messages is for WebSocket"},
		{web(HTTP{URL: "ws://a/", Messages: []string{"x"}, Method: "POST"}), "is opened by a GET"},
		{web(HTTP{URL: "ws://a/", Messages: []string{"x"}, Body: "b"}), "http.body"},
		{web(HTTP{URL: "ws://a/", Messages: []string{"x"}, HTTP2: true}), "http.http2"},
		{web(HTTP{URL: "ws://a/", Messages: []string{"x"}, Login: &Login{URL: "ws://a/"}}), "http.login"},
		{web(HTTP{URL: "ws://a/", Messages: []string{"x"}, Header: map[string]string{"Sec-WebSocket-Key": "k"}}), "by which a WebSocket is opened"},
		{epoll(web(HTTP{URL: "ws://a/", Messages: []string{"x"}})), "engine epoll speaks no WebSocket"},
		{fortio(web(HTTP{URL: "ws://a/", Messages: []string{"x"}})), "speaks no WebSocket"},
		{aborts(Plan{Connections: 1, GRPC: &GRPC{Address: "a:1", Method: "grpc.health.v1.Health/Check"}}, 503), "a call of gRPC ends by a code"},
		{aborts(Plan{Connections: 1, GRPC: &GRPC{Address: "a:1", Method: "grpc.health.v1.Health/Check"}}, AbortOnError), ""},
		{aborts(line(TCP{Address: "a:1", Lines: []string{""}}), 503), "by TCP has no status"},
		{aborts(line(TCP{Address: "a:1", Lines: []string{""}}), AbortOnError), ""},
		{aborts(web(HTTP{URL: "ws://a/", Messages: []string{"x"}}), 503), ""}, // by which it may not be opened
		{web(HTTP{URL: "ftp://a/"}), "http.url"},
		{web(HTTP{URL: "https://a/", Login: &Login{URL: "http://a/"}}), "http.login.url"},
		{epoll(web(HTTP{URL: "https://a/"})), "engine epoll speaks no TLS"},
		{epoll(web(HTTP{URL: "http://a/", HTTP2: true})), "engine epoll speaks no HTTP/2"},
		{fortio(web(HTTP{URL: "https://a/"})), "engine fortio is driven without TLS"},
		{fortio(web(HTTP{URL: "http://a/", HTTP2: true})), "speaks HTTP/1.1 alone"},
		{encrypted(TLS{SNI: "b"}), ""},
		{encrypted(TLS{SNI: "10.0.0.1"}), "tls.sni"},
		{encrypted(TLS{SNI: "https://b"}), "tls.sni"},
		{encrypted(TLS{CACertificates: "none"}), "no certificate in PEM"},
		{encrypted(TLS{CACertificates: "none", InsecureSkipVerify: true}), "leave one out"},
		{encrypted(TLS{ClientCertificate: "c"}), "of no use without its tls.privateKey"},
		{encrypted(TLS{PrivateKey: "k"}), "is of no certificate"},
		{encrypted(TLS{ClientCertificate: "c", PrivateKey: "k"}), "no pair in PEM"},
		{amount(func(p *Plan) { p.TLS = &TLS{} }), "tls is for https"},
		{web(HTTP{URL: "http:///x"}), "http.url"},
		{web(HTTP{URL: "http://a:b/"}), "http.url"},
		{web(HTTP{URL: "http://a:65536/"}), "http.url"},
		{web(HTTP{URL: "http://a:0/"}), "http.url"},
		{web(HTTP{URL: "http://me:secret@a/"}), "Authorization"},
		{web(HTTP{URL: "http://a/", Method: "GE T"}), "http.method"},
		{web(HTTP{URL: "http://a/", Connect: "b"}), "http.connect"},
		{web(HTTP{URL: "http://a/", Header: map[string]string{"a b": "c"}}), `"a b"`},
		{web(HTTP{URL: "http://a/", Header: map[string]string{"a": "b\r\nc: d"}}), "http.header a"},
		{web(HTTP{URL: "http://a/", Header: map[string]string{"content-length": "1"}}), "content-length"},
		{web(HTTP{URL: "http://a/", Header: map[string]string{"end-user": "a", "End-User": "b"}}), "both End-User and end-user"},
		{web(HTTP{URL: "http://a/", Login: &Login{URL: "http://b/"}}), "http.login.url"},
		{line(TCP{Lines: []string{"x"}}), "tcp.address"},
		{line(TCP{Address: "a", Lines: []string{"x"}}), "tcp.address"},
		{line(TCP{Address: "a:65536", Lines: []string{"x"}}), "tcp.address has port 65536"},
		{line(TCP{Address: "a:-1", Lines: []string{"x"}}), "tcp.address has port -1"},
		{line(TCP{Address: "a:http", Lines: []string{"x"}}), ""},
		{web(HTTP{URL: "http://a/", Connect: "b:0"}), "http.connect has port 0"},
		{line(TCP{Address: "a:1"}), "tcp.lines"},
		{line(TCP{Address: "a:1", Lines: []string{"a\nb"}}), "tcp.lines[0]"},
		{line(TCP{Address: "a:1", Lines: []string{"a"}, Connect: ":1"}), "tcp.connect"},
		{checks(Check{Body: "x"}), "checks[0] has no name"},
		{checks(Check{Name: "x"}), "exactly one of body and match"},
		{checks(Check{Name: "x", Body: "y", Match: "z"}), "exactly one of body and match"},
		{checks(Check{Name: "x", Match: "("}), "RE2"},
		{checks(Check{Name: "x", Match: ".*"}), "holds of every answer"},
		{checks(Check{Name: "x", Match: "(^|a)b?"}), "holds of every answer"},
		{checks(Check{Name: "x", Match: "(ab){0,3}$"}), "holds of every answer"},
		{checks(Check{Name: "x", Body: "y"}, Check{Name: "x", Body: "z"}), `two entries named "x"`},
		{checks(make([]Check, 65)...), "at most 64"},
		{amount(func(p *Plan) { p.Versions = []Check{{Name: Mixed, Body: "x"}} }), Mixed},
		{amount(func(p *Plan) { p.Versions = []Check{{Name: "v1", Body: "x"}, {Name: "v2", Body: "x"}} }), `"v1" and "v2" have the same text`},
		{amount(func(p *Plan) { p.Versions = []Check{{Name: "v1", Body: "x"}, {Name: "v2", Match: "x"}} }), ""},
		{fortio(web(HTTP{URL: "http://a/"})), ""},
		{fortio(web(HTTP{URL: "http://a/", Login: &Login{URL: "http://a/login"}})), "cookies"},
		{fortio(web(HTTP{URL: "http://a/", Method: "HEAD"})), "HEAD"},
		{fortio(web(HTTP{URL: "http://a/{uuid}"})), "{uuid}"},
		{fortio(line(TCP{Address: "a:1", Lines: []string{"a", "b"}})), "one line"},
		{fortio(amount(func(p *Plan) { p.Connections = 1001 })), "128 KiB"},
	} {
		err := tt.plan.Validate()
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%+v: %v", tt.plan, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%+v: error %v, want one with %q", tt.plan, err, tt.want)
		}
	}
}

func TestWhileMustLeadToACohortThatEndsByItself(t *testing.T) {
	plan := func(while string) Plan {
		return Plan{Connections: 1, Requests: 1, TCP: &TCP{Address: "127.0.0.1:1", Lines: []string{"x"}}, While: while}
	}
	for _, tt := range []struct {
		plans map[string]Plan
		want  string
	}{
		{map[string]Plan{"a": plan(""), "b": plan("c")}, `while names "c"`},
		{map[string]Plan{"a": plan("a")}, "leads back"},
		{map[string]Plan{"a": plan("b"), "b": plan("c"), "c": plan("b")}, "leads back"},
		{map[string]Plan{"a": plan(""), "b": {}}, `cohort "b"`},
	} {
		results, err := RunGroup(t.Context(), tt.plans, Bounds{}, nil, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || results != nil {
			t.Errorf("error %v, want one with %q", err, tt.want)
		}
	}
}
