package loadgen

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAListThatCannotBeSentIsRefused(t *testing.T) {
	of := func(change func(*Plan)) Plan {
		p := Plan{Connections: 1, Send: shopping("http://a")}
		change(&p)
		return p
	}
	values := func(url string, v Values) Plan { return Plan{Connections: 1, HTTP: get(url), Values: &v} }
	users := Values{File: "users.csv", Columns: []string{"name"}, Count: 2, Rows: [][]string{{"a"}, {"b\r\nc: d"}}}
	second := Duration{Duration: time.Second}
	for _, tt := range []struct {
		plan        Plan
		field, want string // empty: the plan is valid
	}{
		{of(func(*Plan) {}), "", ""},
		{of(func(p *Plan) { p.HTTP = get("http://a/") }), "", "exactly one of http, grpc, tcp and send"},
		{of(func(p *Plan) { p.Send = make([]Request, 33) }), "send", "at most 32"},
		{of(func(p *Plan) { p.Send[1].Name = "" }), "send[1]", "has no name"},
		{of(func(p *Plan) { p.Send[1].Name = "login" }), "send[1].name", `two requests named "login"`},
		{of(func(p *Plan) { p.Send[1].HTTP.URL = "http://b/" }), "send[1].http.url", `goes to "http://b"`},
		{of(func(p *Plan) { p.Send[1].HTTP.URL = "b" }), "send[1].http.url", "must begin with http://"},
		{of(func(p *Plan) { p.Send[1].HTTP.Connect = "b:1" }), "send[1].http.connect", `connects to "b:1"`},
		{of(func(p *Plan) { p.Send[1].HTTP.Login = &Login{URL: "http://a/"} }), "send[1].http.login", "logs in once"},
		{of(func(p *Plan) { p.Send[0].HTTP.Login = &Login{URL: "http://a/"} }), "", ""},
		{of(func(p *Plan) { p.Send[0].HTTP.Login = &Login{URL: "http://a/"}; p.Engine = EngineEpoll }), "engine", "cookies"},
		{of(func(p *Plan) { p.Send[1].Weight = -1 }), "send[1].weight", "must be 1 to"},
		{of(func(p *Plan) { p.Send[1].Weight = 1 }), "send[1]", "some requests of the list have a weight"},
		{of(func(p *Plan) {
			for i := range p.Send {
				p.Send[i].Weight = 1
			}
		}), "send[0].take", "is drawn"},
		{of(func(p *Plan) { p.Send[0].Take.Name = "a-b" }), "send[0].take.name", `named "a-b"`},
		{of(func(p *Plan) { p.Send[0].Take.Match = "x" }), "send[0].take", "exactly one of pointer and match"},
		{of(func(p *Plan) { p.Send[0].Take.Pointer = "" }), "send[0].take", "exactly one of pointer and match"},
		{of(func(p *Plan) { p.Send[0].Take.Pointer = "a" }), "send[0].take.pointer", "begins with /"},
		{of(func(p *Plan) { p.Send[0].Take.Pointer = "/a~b" }), "send[0].take.pointer", "~0"},
		{of(func(p *Plan) { p.Send[1].Take.Match = "(" }), "send[1].take.match", "no RE2"},
		{of(func(p *Plan) { p.Send[1].Take.Match = "x" }), "send[1].take.match", "has 0 groups"},
		{of(func(p *Plan) { p.Send[1].Take.Match = "(x)(y)" }), "send[1].take.match", "has 2 groups"},
		{of(func(p *Plan) { p.Send[0].HTTP.Body = "{{.basket}}" }), "send[0].http.body", "comes later"},
		{of(func(p *Plan) { p.Send[0].HTTP.Body = "{{.token}}" }), "send[0].http.body", "comes later"},
		{of(func(p *Plan) { p.Send[2].HTTP.Body = "{{.tokens}}" }), "send[2].http.body", "did you mean token?"},
		{of(func(p *Plan) { p.Send[2].HTTP.Body = "{{.who}}" }), "send[2].http.body", "there are token, basket"},
		{of(func(p *Plan) { p.Send[2].HTTP.URL = "http://a/" }), "send[1].take", "no request has {{.basket}}"},
		{of(func(p *Plan) { p.Send[2].HTTP.URL = "http://{{.basket}}/" }), "send[2].http.url", "in the place of a host"},
		{of(func(p *Plan) { p.Send[2].HTTP.URL = "http://a/#{{.basket}}" }), "send[2].http.url", "behind a #"},
		{of(func(p *Plan) { p.Send[2].HTTP.Header = map[string]string{"host": "{{.basket}}"} }), "send[2].http.header.host", "in the place of a host"},
		{of(func(p *Plan) { p.Send[2].HTTP.Header = map[string]string{"x": "{{.basket"} }), "send[2].http.header.x", "unclosed action"},
		{of(func(p *Plan) { p.Send[2].HTTP.Body = "{{if .basket}}x{{end}}" }), "send[2].http.body", "nothing but names"},
		{of(func(p *Plan) { p.Send[2].HTTP.Body = "{{.basket.id}}" }), "send[2].http.body", "nothing but names"},
		{of(func(p *Plan) { p.Send[2].HTTP.Body = "{{len .basket}}" }), "send[2].http.body", `function "len"`},
		{of(func(p *Plan) { p.Send[2].HTTP.Body = `{{define "x"}}y{{end}}` }), "send[2].http.body", "defines templates"},
		{of(func(p *Plan) { p.Engine = EngineFortio }), "engine", "a list of them"},
		{of(func(p *Plan) { p.Seed = 7 }), "seed", "nothing is drawn"},
		{of(func(p *Plan) { p.Values = &Values{File: "f", Columns: []string{"token"}, Count: 1} }), "send[0].take.name", "so is a column of f"},
		{values("http://a/{{.name}}", users), "", ""},
		{values("http://a/{{.names}}", users), "http.url", "did you mean name?"},
		{values("http://a/", users), "values", "write {{.name}}"},
		{values("http://a/{{.name}}", Values{File: "f", Columns: []string{"name"}}), "values", "at least"},
		{values("http://a/{{.name}}", Values{File: "f", Columns: []string{"name"}, Count: 7}), "", ""}, // as a record has it
		{values("http://a/{{.name}}", Values{File: "f", Columns: []string{"name"}, Count: 2, Rows: [][]string{{"a"}}}), "values", "says that it has 2"},
		{values("http://a/{{.name}}", Values{File: "f", Columns: []string{"name", "name"}, Count: 1}), "values", `named "name"`},
		{values("http://a/{{.name}}", Values{File: "f", Columns: []string{"name"}, Count: 1, Rows: [][]string{{"a", "b"}}}), "values", "row 1 of f has 2"},
		{Plan{Connections: 1, HTTP: &HTTP{URL: "http://a/", Header: map[string]string{"x": "{{.name}}"}}, Values: &users}, "http.header.x", "in row 2"},
		{Plan{Connections: 1, TCP: &TCP{Address: "a:1", Lines: []string{"x"}}, Values: &users}, "values", "a load of TCP"},
		{Plan{Connections: 1, GRPC: &GRPC{Address: "a:1", Method: "s.S/M"}, Values: &users}, "values", "a load of gRPC"},
		{Plan{Connections: 1, HTTP: get("http://a/{{.name}}"), Values: &users, Engine: EngineFortio}, "engine", "a value varies"},
		{Plan{Connections: 1, HTTP: get(`http://a/{{"x"}}`), Engine: EngineFortio}, "engine", "a value varies"},
		{Plan{Connections: 1, HTTP: get("http://a/{{.name}}")}, "http.url", "there are none"},
		{Plan{Connections: 1, HTTP: get("http://a/"), Think: &Think{From: second, To: second}}, "", ""},
		{Plan{Connections: 1, HTTP: get("http://a/"), Think: &Think{From: second, To: second}, Seed: 1}, "seed", "nothing is drawn"},
		{Plan{Connections: 1, HTTP: get("http://a/"), Think: &Think{To: second}, Seed: 1}, "", ""},
		{Plan{Connections: 1, HTTP: get("http://a/"), Think: &Think{From: second}}, "think", "the shorter first"},
		{Plan{Connections: 1, HTTP: get("http://a/"), Think: &Think{From: second, To: second}, QPS: 1}, "think", "at a rate"},
	} {
		err := tt.plan.Validate()
		var wrong *FieldError
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("want none: %v", err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("error %v, want one with %q", err, tt.want)
		case tt.field != "" && (!errors.As(err, &wrong) || wrong.Field != tt.field):
			t.Errorf("error %v is of the field %q, want %q", err, wrong.Field, tt.field)
		}
	}
}

func TestAValueIsTakenFromAnAnswer(t *testing.T) {
	const body = `{"a": {"b/c": ["x", 12345678901234567890, true, null, {}]}, "": 1.5e3, "~": "t", "empty": "", "line": "a\nb"}`
	for _, tt := range []struct {
		take   Take
		inHead bool
		body   string
		want   string // empty: there is none
	}{
		{Take{Pointer: "/a/b~1c/0"}, false, body, "x"},
		{Take{Pointer: "/a/b~1c/1"}, false, body, "12345678901234567890"},
		{Take{Pointer: "/a/b~1c/2"}, false, body, "true"},
		{Take{Pointer: "/a/b~1c/3"}, false, body, ""},
		{Take{Pointer: "/a/b~1c/4"}, false, body, ""},
		{Take{Pointer: "/a/b~1c/5"}, false, body, ""},
		{Take{Pointer: "/a/b~1c/00"}, false, body, ""},
		{Take{Pointer: "/a/b~1c/-1"}, false, body, ""},
		{Take{Pointer: "/a"}, false, body, ""},
		{Take{Pointer: "/a/b/c"}, false, body, ""},
		{Take{Pointer: "/"}, false, body, "1.5e3"},
		{Take{Pointer: "/~0"}, false, body, "t"},
		{Take{Pointer: "/empty"}, false, body, ""},
		{Take{Pointer: "/line"}, false, body, "a\nb"},
		{Take{Pointer: "/line"}, true, body, ""},
		{Take{Pointer: "/~0"}, false, body + "x", ""},
		{Take{Pointer: "/~0"}, false, body[:9], ""},
		{Take{Pointer: "/~0"}, false, "", ""},
		{Take{Match: `id=(\w+)`}, false, "id=7; id=8", "7"},
		{Take{Match: `id=(\w*)`}, false, "id=; id=8", ""},
		{Take{Match: `id=(\w+)?`}, false, "id=", ""},
		{Take{Match: `id=(\w+)`}, false, "", ""},
	} {
		taker, err := newTaker("take", &tt.take)
		if err != nil {
			t.Fatal(err)
		}
		taker.inHead = tt.inHead
		if value, ok := taker.from([]byte(tt.body)); ok != (tt.want != "") || ok && value != tt.want {
			t.Errorf("%+v of %s: %q %v, want %q", tt.take, tt.body, value, ok, tt.want)
		}
	}
}
