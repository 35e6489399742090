//go:build linux && !race

package loadgen

import (
	"runtime"
	"testing"
	"time"
)

func TestARequestAllocatesNothing(t *testing.T) {
	url, _ := startServer(t)
	one := Plan{HTTP: get(url)}
	list := Plan{Send: []Request{{Name: "a", HTTP: *get(url), Weight: 2}, {Name: "b", HTTP: *get(url), Weight: 1}}}
	values := Plan{
		HTTP:   &HTTP{Method: "POST", URL: url + "?of={{.name}}", Body: "name: {{.name}}, {{.age}}\r\n\r\n"}, // as the server wants it to end
		Values: &Values{Columns: []string{"name", "age"}, Count: 2, Rows: [][]string{{"Ann & Bo", "44"}, {"Cy", "7"}}},
		Think:  &Think{From: Duration{Duration: time.Microsecond}, To: Duration{Duration: 2 * time.Microsecond}},
	}
	for name, plan := range map[string]Plan{"closed": one, "open": one, "list": list, "values": values} {
		t.Run(name, func(t *testing.T) {
			allocations := func(requests int64) float64 {
				plan := plan
				if name == "open" {
					plan.QPS = 20_000
				}
				plan.Engine, plan.Connections, plan.Requests = EngineEpoll, 16, requests
				plan.Checks, plan.Versions = []Check{{Name: "a text", Body: "world"}}, []Check{{Name: "an expression", Match: "hel+o"}}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				result := run(t, plan)
				runtime.ReadMemStats(&after)
				if n := result.Count(func(o Outcome) bool { return holds("a text")(o) && o.Version == "an expression" }); n != requests || result.Service.Count() != n {
					t.Fatalf("%v", result.Outcomes)
				}
				return float64(after.Mallocs - before.Mallocs)
			}
			const few, many = 1000, 21_000
			// Each tenth of a second has a histogram of its own.
			if each := (allocations(many) - allocations(few)) / (many - few); each > 0.1 {
				t.Errorf("%.2f allocations a request", each)
			}
		})
	}
}
