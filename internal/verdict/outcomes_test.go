package verdict

import (
	"strings"
	"testing"

	"github.com/meshchaos/meshchaos/loadgen"
)

func TestARequestEndsInOneWayThatItsLoadHas(t *testing.T) {
	http := loadgen.Plan{HTTP: &loadgen.HTTP{URL: "http://web/"}}
	calls := loadgen.Plan{GRPC: &loadgen.GRPC{}}
	tcp := loadgen.Plan{TCP: &loadgen.TCP{}}
	engines := map[bool]string{true: loadgen.EngineGRPC, false: loadgen.EngineNetHTTP}
	for _, tt := range []struct {
		plan loadgen.Plan
		of   []loadgen.Outcome
		want string
	}{
		{http, []loadgen.Outcome{{Status: 200}, {Status: 200, Checks: []string{"a"}}, {Status: 200, Version: "v1"}, {Status: 503}, {Error: "eof"}}, ""},
		{calls, []loadgen.Outcome{{GRPC: "OK"}, {GRPC: "UNAVAILABLE"}, {GRPC: "UNAVAILABLE", Message: "gone"}, {GRPC: "CODE_17"}, {Error: "eof"}}, ""},
		{tcp, []loadgen.Outcome{{}, {Checks: []string{"a"}}, {Error: "eof"}}, ""},
		{http, []loadgen.Outcome{{Status: 200}, {}}, "[1] has the status 0"},
		{http, []loadgen.Outcome{{Status: 200, Error: "eof"}}, "ends in one way"},
		{calls, []loadgen.Outcome{{Status: 503, GRPC: "UNAVAILABLE"}}, "ends in one way"},
		{calls, []loadgen.Outcome{{GRPC: "OK", Error: "eof"}}, "ends in one way"},
		{calls, []loadgen.Outcome{{}}, "ends in one way"},
		{calls, []loadgen.Outcome{{Status: 200}}, "[0] is of status 200"},
		{http, []loadgen.Outcome{{GRPC: "OK"}}, "[0] is of code OK"},
		{tcp, []loadgen.Outcome{{Status: 200}}, "[0] is of status 200"},
		{calls, []loadgen.Outcome{{GRPC: "unavailable"}}, "no code"},
		{calls, []loadgen.Outcome{{GRPC: "CODE_0"}}, "no code"},
		{calls, []loadgen.Outcome{{GRPC: "CODE_14"}}, "no code"},
		{calls, []loadgen.Outcome{{GRPC: "CODE_017"}}, "no code"},
		{calls, []loadgen.Outcome{{GRPC: "CODE_-1"}}, "no code"},
		{calls, []loadgen.Outcome{{GRPC: "OK", Message: "well"}}, ".message"},
		{http, []loadgen.Outcome{{Status: 503, Message: "gone"}}, ".message"},
		{http, []loadgen.Outcome{{Status: 200}, {Status: 503}, {Status: 200}}, "[2] is of status 200, as another"},
	} {
		got := outcomesUnlike(tt.plan, &loadgen.Result{Engine: engines[tt.plan.GRPC != nil], Outcomes: tt.of})
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%+v: %q, want %q", tt.of, got, tt.want)
		}
	}
}

func TestTheEngineOfALoadIsOneThatItTakes(t *testing.T) {
	for _, tt := range []struct {
		plan   loadgen.Plan
		engine string
		want   bool
	}{
		{loadgen.Plan{}, loadgen.EngineEpoll, true},
		{loadgen.Plan{}, loadgen.EngineNetHTTP, true},
		{loadgen.Plan{}, "", true},
		{loadgen.Plan{}, loadgen.EngineFortio, false},
		{loadgen.Plan{}, loadgen.EngineGRPC, false},
		{loadgen.Plan{GRPC: &loadgen.GRPC{}}, loadgen.EngineGRPC, true},
		{loadgen.Plan{GRPC: &loadgen.GRPC{}}, loadgen.EngineEpoll, false},
		{loadgen.Plan{Engine: loadgen.EngineFortio}, loadgen.EngineFortio, true},
		{loadgen.Plan{Engine: loadgen.EngineFortio}, loadgen.EngineEpoll, false},
	} {
		if got := outcomesUnlike(tt.plan, &loadgen.Result{Engine: tt.engine}); (got == "") != tt.want {
			t.Errorf("%q of %+v: %q", tt.engine, tt.plan, got)
		}
	}
}
