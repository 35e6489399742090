package fortio

import (
	"strings"
	"testing"
	"time"

	"github.com/meshchaos/meshchaos/loadgen"
)

func TestWhatFortioCannotDoIsRefused(t *testing.T) {
	for field, change := range map[string]func(*loadgen.Plan){
		"checks.stars":                       func(p *loadgen.Plan) { p.Checks = []loadgen.Check{{Name: "stars", Body: "*"}} },
		"versions.v1":                        func(p *loadgen.Plan) { p.Versions = []loadgen.Check{{Name: "v1", Body: "one"}} },
		"warmup":                             func(p *loadgen.Plan) { p.Warmup = 1 },
		"http.login":                         func(p *loadgen.Plan) { p.HTTP.Login = &loadgen.Login{URL: "http://shop/login"} },
		"http.connect":                       func(p *loadgen.Plan) { p.HTTP.Connect = "10.0.0.1:80" },
		"http.body":                          func(p *loadgen.Plan) { p.HTTP.Body = "{uuid}" },
		"http.header.x":                      func(p *loadgen.Plan) { p.HTTP.Header = map[string]string{"x": "a{uuid}"} },
		"tcp.address":                        func(p *loadgen.Plan) { p.HTTP, p.TCP = nil, &loadgen.TCP{Address: "a:1", Lines: []string{"x"}} },
		"requests":                           func(p *loadgen.Plan) { p.Duration = loadgen.Duration{Duration: time.Second} },
		"while":                              func(p *loadgen.Plan) { p.Requests, p.While = 0, "b" },
		"duration":                           func(p *loadgen.Plan) { p.Requests, p.Duration = 0, loadgen.Duration{Duration: time.Second} },
		"connections":                        func(p *loadgen.Plan) { p.QPS, p.Requests = 10, 7 },
		"connections of a number that grows": func(p *loadgen.Plan) { p.QPS, p.MaxConnections = 10, 9 },
		"rate":                               func(p *loadgen.Plan) { p.Rate = []loadgen.RatePoint{{QPS: 5}} },
		"arrival":                            func(p *loadgen.Plan) { p.QPS, p.Arrival = 10, loadgen.ArrivalPoisson },
		"":                                   func(*loadgen.Plan) {},
		"connections too":                    func(p *loadgen.Plan) { p.QPS, p.Requests = 10, 5 },
	} {
		p := loadgen.Plan{HTTP: &loadgen.HTTP{Method: "GET", URL: "http://shop/"}, Connections: 5, Requests: 10}
		change(&p)
		all := Check(p)
		switch {
		case field == "" && len(all) > 0:
			t.Errorf("what it can do is refused: %v", all)
		case field != "" && (len(all) != 1 || all[0].Field != strings.Fields(field)[0]):
			t.Errorf("%s: %v; want one of this field", field, all)
		}
	}
}

func TestConnectionsThatShareRequestsEqually(t *testing.T) {
	for _, test := range []struct{ requests, most, want int64 }{{10, 5, 5}, {7, 5, 1}, {9, 4, 3}, {4, 4, 2}, {1, 4, 1}} {
		if got := sharing(test.requests, test.most); got != test.want {
			t.Errorf("%d requests on up to %d connections: %d; want %d", test.requests, test.most, got, test.want)
		}
	}
}
