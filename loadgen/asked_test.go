package loadgen

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ours are the engines of which every plan is carried out alike.
var ours = []string{EngineEpoll, EngineNetHTTP}

func TestEachConnectionIsPrimedByOneRequestBeforeTheLoad(t *testing.T) {
	for _, engine := range ours {
		t.Run(engine, func(t *testing.T) {
			url, served := startRaw(t, reset, func(int) string { return ok("x") })
			result := run(t, Plan{Engine: engine, HTTP: get(url), Connections: 4, Requests: 8, QPS: 1000, Prime: true})
			if result.Warmup != 4 || result.Sent != 8 || result.Dialed != 4 || served.Load() != 12 {
				t.Errorf("%d were sent before, %d then, over %d connections; the server had %d", result.Warmup, result.Sent, result.Dialed, served.Load())
			}
		})
	}
}

func TestALoadOfWhichTheFirstRequestFailsIsNotCarriedOut(t *testing.T) {
	for _, engine := range ours {
		t.Run(engine, func(t *testing.T) {
			url := startHTTP(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
			plan := Plan{Engine: engine, HTTP: get(url), Connections: 3, Requests: 6, Prime: true}
			result, err := runUntil(t.Context(), plan)
			if err != nil || result.Sent != 0 || !strings.Contains(result.Failure, "status 503") {
				t.Errorf("%v, %d sent, %q", err, result.Sent, result.Failure)
			}
			plan.AllowInitialErrors = true
			if result = run(t, plan); result.Sent != 6 || result.Warmup != 3 {
				t.Errorf("%d sent after %d", result.Sent, result.Warmup)
			}
		})
	}
}

func TestALoadEndsWithTheFirstAnswerOfAStatus(t *testing.T) {
	for _, engine := range ours {
		t.Run(engine, func(t *testing.T) {
			var served atomic.Int64
			url := startHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
				if served.Add(1) >= 20 {
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			})
			result := run(t, Plan{Engine: engine, HTTP: get(url), Connections: 2, Requests: 1000, AbortOn: 503})
			failed := answered(result, 503)
			if failed < 1 || failed > 2 || answered(result, 200) != 19 || result.Sent != served.Load() {
				t.Errorf("%v of %d", result.Outcomes, served.Load())
			}
		})
	}
}

func TestALoadEndsWithTheFirstRequestWithoutAnAnswer(t *testing.T) {
	for _, engine := range ours {
		t.Run(engine, func(t *testing.T) {
			url, served := startRaw(t, reset, func(i int) string {
				if i == 4 {
					return ""
				}
				return ok("x")
			})
			result := run(t, Plan{Engine: engine, HTTP: get(url), Connections: 1, Requests: 1000, AbortOn: AbortOnError})
			if result.Sent != 5 || served.Load() != 5 {
				t.Errorf("%v of %d", result.Outcomes, served.Load())
			}
		})
	}
}

func TestEachRequestHasAConnectionOfItsOwnIfItAsksForThat(t *testing.T) {
	for _, engine := range ours {
		t.Run(engine, func(t *testing.T) {
			var asked atomic.Int64
			url := startHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
				if r.Close {
					asked.Add(1)
				}
			})
			request := get(url)
			request.Close = true
			result := run(t, Plan{Engine: engine, HTTP: request, Connections: 2, Requests: 10})
			if result.Used != 10 || result.Dialed != 10 || asked.Load() != 10 || answered(result, 200) != 10 {
				t.Errorf("over %d connections, of %d dialed, %d asked: %v", result.Used, result.Dialed, asked.Load(), result.Outcomes)
			}
		})
	}
}

// A server that keeps the connection open all the same, and does not say that it will not, is
// not sent a second request over it.
func TestAConnectionIsClosedBehindItsRequestWhateverTheServerSays(t *testing.T) {
	for _, engine := range ours {
		address := startTCP(t, func(conn net.Conn) {
			for requests := bufio.NewReader(conn); ; {
				if _, err := http.ReadRequest(requests); err != nil {
					return
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		})
		request := get("http://" + address)
		request.Close = true
		if r := run(t, Plan{Engine: engine, HTTP: request, Connections: 2, Requests: 10}); r.Used != 10 || r.Dialed != 10 || answered(r, 200) != 10 {
			t.Errorf("%s: over %d connections, of %d dialed: %v", engine, r.Used, r.Dialed, r.Outcomes)
		}
	}
}

// A stall of the server costs a schedule what was due in it, if it is not to catch up.
func TestWhatWasDueInAStallIsBegunOrNeverIs(t *testing.T) {
	const stall = 300 * time.Millisecond
	for _, engine := range ours {
		for _, noCatchUp := range []bool{false, true} {
			var once sync.Once
			url := startHTTP(t, func(http.ResponseWriter, *http.Request) {
				once.Do(func() { <-time.After(stall) })
			})
			plan := Plan{Engine: engine, HTTP: get(url), Connections: 1, QPS: 100, Requests: 80, NoCatchUp: noCatchUp}
			result := run(t, plan)
			longest, _ := result.Response.Quantile(0.9)
			switch {
			case !noCatchUp && (result.Sent != 80 || result.Missed != 0 || longest < stall/2):
				t.Errorf("%s caught up: %d sent, %d missed, 90%% within %v", engine, result.Sent, result.Missed, longest)
			case noCatchUp && (result.Sent+result.Missed != 80 || result.Missed < 28):
				t.Errorf("%s did not catch up: %d sent, %d missed", engine, result.Sent, result.Missed)
			}
		}
	}
}

// Jitter moves a request by a tenth of the wait for it, and no request is lost by it.
func TestJitterMovesEachTurnByATenth(t *testing.T) {
	p := &pacer{schedule: schedule{rate: steady(1), requests: 50}, start: time.Now(), jitter: true}
	moved := 0
	for i := range 50 {
		turn, ok := p.claim(p.start)
		due := time.Duration(i) * time.Second
		off := turn.at.Sub(p.start) - due
		if !ok || off.Abs() > due/10+time.Millisecond {
			t.Errorf("turn %d is off by %v", i, off)
		}
		if off != 0 {
			moved++
		}
	}
	if _, more := p.claim(p.start); more || moved < 40 {
		t.Errorf("%d of 50 were moved, and there are more: %v", moved, more)
	}
}

func TestWhatIsAskedOfALoadIsValidated(t *testing.T) {
	for field, plan := range map[string]Plan{
		"allowInitialErrors": {AllowInitialErrors: true},
		"abortOn":            {AbortOn: 42},
		"http.close":         {Engine: EngineFortio, HTTP: &HTTP{URL: "http://a", Close: true}},
	} {
		plan.Connections = 1
		if plan.HTTP == nil {
			plan.HTTP = get("http://a")
		}
		if err := plan.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
