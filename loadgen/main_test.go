package loadgen

import (
	"context"
	"flag"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
)

// serveEnv makes the test binary the benchmarks' server instead.
const serveEnv = "LOADGEN_BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serveEnv) != "" {
		serveRaw()
		return
	}
	goleak.VerifyTestMain(m)
}

// noExamples compares outcomes by what they count.
var noExamples = cmpopts.IgnoreFields(Outcome{}, "Slowest")

// engines are those that carry HTTP.
var engines = []string{EngineEpoll, EngineNetHTTP, EngineFortio}

// startHTTP serves handler and returns its URL.
func startHTTP(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// startTCP gives each connection to handle, in a goroutine of its own, and
// returns the address.
func startTCP(t testing.TB, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = conn.Close() }()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return listener.Addr().String()
}

// runUntil carries out a plan until it or the context ends.
func runUntil(ctx context.Context, plan Plan) (*Result, error) {
	results, err := RunGroup(ctx, map[string]Plan{"only": plan}, Bounds{}, nil, nil)
	return results["only"], err
}

// run carries out a plan that must not fail.
// answered is how many whole answers had a status.
func answered(r *Result, status int) int64 {
	return r.Count(func(o Outcome) bool { return o.Status == status })
}

func run(t testing.TB, plan Plan) *Result {
	t.Helper()
	result, err := runUntil(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if result.Failure != "" {
		t.Fatal(result.Failure)
	}
	return result
}

// failedAs chooses the requests that were counted under the name of an error.
func failedAs(name string) func(Outcome) bool {
	return func(o Outcome) bool { return o.Error == name }
}

// holds chooses the answers that held a check.
func holds(check string) func(Outcome) bool {
	return func(o Outcome) bool { return slices.Contains(o.Checks, check) }
}

func get(url string) *HTTP { return &HTTP{Method: "GET", URL: url} }

func TestFortioRegistersNoFlags(t *testing.T) {
	flag.VisitAll(func(f *flag.Flag) {
		if !strings.HasPrefix(f.Name, "test.") && !strings.HasPrefix(f.Name, "rapid.") {
			t.Errorf("flag -%s is registered", f.Name)
		}
	})
}
