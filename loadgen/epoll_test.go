//go:build linux

package loadgen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/meshchaos/meshchaos/internal/epoll"
)

func TestTenThousandConnectionsSendWhatTheServerCounts(t *testing.T) {
	heap, _ := tenThousand(t)
	t.Logf("%d connections, %.0f bytes of the heap each", manyConnections, heap)
	if heap > 2000 {
		t.Errorf("a connection takes %.0f bytes", heap)
	}
}

// What the kernel did not take at once of a request stays that request, whatever is sent over
// another connection meanwhile: its id comes behind more than there is room for.
func TestARequestKeepsItsIDWhileItIsWritten(t *testing.T) {
	const connections = 2
	var both sync.WaitGroup
	both.Add(connections)
	ids := make(chan string, connections)
	address := startTCP(t, func(conn net.Conn) {
		requests := bufio.NewReader(conn)
		_, _ = requests.Peek(1)
		both.Done()
		both.Wait()
		r, err := http.ReadRequest(requests)
		if err != nil {
			t.Error(err)
			return
		}
		ids <- r.Header.Get(requestIDHeader)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	request := get("http://" + address)
	request.Header = map[string]string{"a": strings.Repeat("x", 32<<20)}
	r := runLoops(t, 1, Plan{HTTP: request, Connections: connections, Requests: connections})
	if answered(r, 200) != connections {
		t.Fatalf("outcomes %v", r.Outcomes)
	}
	if one, other := <-ids, <-ids; one == other {
		t.Errorf("both requests came as %s", one)
	}
}

// An answer and the end of its connection that come at once are seen at once: a request that
// is sent at the same moment would be lost.
func TestAnAnswerWithTheEndOfItsConnectionIsTheLastOfIt(t *testing.T) {
	address := startTCP(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		raw, err := conn.(*net.TCPConn).SyscallConn()
		if err == nil { // so that the end waits for nothing but is in the same packet
			err = raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, 1) })
		}
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	if r := run(t, Plan{Engine: EngineEpoll, HTTP: get("http://" + address), Connections: 1, Requests: 20}); answered(r, 200) != 20 || r.Dialed != 20 {
		t.Errorf("over %d connections: %v", r.Dialed, r.Outcomes)
	}
}

// BenchmarkConnections prints what each of ten thousand connections takes: of the heap, and
// of the memory that the process has.
func BenchmarkConnections(b *testing.B) {
	for b.Loop() {
		heap, resident := tenThousand(b)
		b.ReportMetric(heap, "heap-B/conn")
		b.ReportMetric(resident, "resident-B/conn")
	}
}

const manyConnections = 10_000

// tenThousand sends five requests over each of ten thousand connections, holds what came of
// them against the server, and returns what a connection took of the heap while all of them
// were open, and at the end of what the process has.
func tenThousand(t testing.TB) (heap, resident float64) {
	const connections = manyConnections
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < connections+1000 {
		t.Skipf("it needs that %d files may be open, and %d may: ulimit -n", connections+1000, limit.Cur)
	}
	url, stop := startServer(t)
	before, had := inUse(), residentSize(t)
	var during uint64
	ended := false
	results, err := RunGroup(t.Context(), map[string]Plan{"only": {
		Engine: EngineEpoll, HTTP: get(url), Connections: connections, Requests: 5 * connections, Warmup: connections,
	}}, Bounds{}, func(context.Context) error {
		during = inUse()
		return nil
	}, func(p Progress) { ended = p.Ended })
	if err != nil {
		t.Fatal(err)
	}
	resident = residentSize(t) - had
	result, served := results["only"], stop()
	if !ended || answered(result, 200) != 5*connections || served != 6*connections || result.Warmup != connections {
		t.Errorf("the server answered %d, and after %d to warm up the result has %v", served, result.Warmup, result.Outcomes)
	}
	if result.Used != connections || result.Dialed < connections {
		t.Errorf("%d of %d connections were used", result.Used, result.Dialed)
	}
	return (float64(during) - float64(before)) / connections, resident / connections
}

// residentSize is how many bytes of memory this process has.
func residentSize(t testing.TB) float64 {
	text, err := os.ReadFile("/proc/self/statm")
	var all, resident float64
	if err == nil {
		_, err = fmt.Sscan(string(text), &all, &resident)
	}
	if err != nil {
		t.Fatal(err)
	}
	return resident * float64(os.Getpagesize())
}

// However soon a load is cut off, what the server has read is counted, and nothing stays
// open.
func TestACutAtAnyMomentLeavesNothing(t *testing.T) {
	var served atomic.Int64
	url := startHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		_, _ = w.Write([]byte("hello"))
	})
	open := func() int {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, file := range files { // the server's own may not know yet
			if to, err := os.Readlink("/proc/self/fd/" + file.Name()); err == nil && (strings.Contains(to, "eventpoll") || strings.Contains(to, "timerfd")) {
				n++
			}
		}
		return n
	}
	run(t, Plan{HTTP: get(url), Connections: 1, Requests: 1}) // which opens Go's own
	before, goroutines := open(), runtime.NumGoroutine()
	rapid.Check(t, func(r *rapid.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rapid.IntRange(0, 5000).Draw(r, "µs"))*time.Microsecond)
		defer cancel()
		already := served.Load()
		result, err := runUntil(ctx, Plan{
			HTTP: get(url), Connections: rapid.IntRange(1, 300).Draw(r, "connections"), Warmup: rapid.Int64Range(0, 50).Draw(r, "warmup"),
			QPS: rapid.SampledFrom([]float64{0, 50_000}).Draw(r, "qps"),
		})
		if !errors.Is(err, context.DeadlineExceeded) || open() != before {
			r.Fatalf("error %v; %d epolls and timers are open, and were %d", err, open(), before)
		}
		cut := result.Count(failedAs(ErrorCanceled))
		if n := served.Load() - already; result.Sent+result.Warmup-cut > n || result.Sent != answered(result, 200)+cut {
			r.Fatalf("the server has read %d: %v, and %d to warm up", n, result.Outcomes, result.Warmup)
		}
	})
	for until := time.Now().Add(time.Minute); runtime.NumGoroutine() > goroutines+2; <-time.After(10 * time.Millisecond) {
		if time.Now().After(until) { // those of the server end when it hears of the ends of its connections
			t.Fatalf("%d goroutines, and there were %d", runtime.NumGoroutine(), goroutines)
		}
	}
}

// A second without answers is in the percentiles as what it was to those who came meanwhile.
func TestAStallOfASecondIsInThePercentiles(t *testing.T) {
	t.Parallel()
	inTime(t, func() string {
		result := run(t, Plan{Engine: EngineEpoll, HTTP: get(stalling(t, time.Second)), Connections: 1, Requests: 300, QPS: 100})
		if p99, _ := result.Response.Quantile(0.99); p99 < 890*time.Millisecond {
			t.Errorf("response p99 is %v", p99)
		}
		if p98, _ := result.Service.Quantile(0.98); p98 > 500*time.Millisecond {
			return fmt.Sprintf("service p98 is %v", p98)
		}
		return ""
	})
}

func TestANameIsLookedUpAsGoDoes(t *testing.T) {
	url := startHTTP(t, func(http.ResponseWriter, *http.Request) {})
	result := run(t, Plan{Engine: EngineEpoll, HTTP: get(strings.Replace(url, "127.0.0.1", "localhost", 1)), Connections: 2, Requests: 10})
	if answered(result, 200) != 10 || result.Dialed != 2 {
		t.Errorf("on %d connections: %v", result.Dialed, result.Outcomes)
	}
}

// As a load ends, each connection that was free for a turn in time gives it back.
func TestTurnsThatConnectionsWereFreeForAreGivenBack(t *testing.T) {
	start := time.Now()
	l := newLoop(&request{script: new(script)}, 4, 4)
	l.pacer = &pacer{schedule: schedule{rate: steady(10)}, start: start}
	for i := range l.conns {
		l.conns[i].since = start.Add(time.Duration(i) * 40 * time.Millisecond)
		l.free.add(&l.conns[i])
	}
	l.giveBack() // turns of 0, 100, 200 and 300 ms, to connections free since 0, 40, 80 and 120
	if all, late := l.pacer.waited(time.Hour), l.pacer.waited(250*time.Millisecond); all != 3 || late != 2 {
		t.Errorf("%d were given back, %d of them due by 250 ms; want 3 and 2", all, late)
	}
}

// A connection that was opened for a request which has been given up meanwhile is closed.
func TestAConnectionThatComesTooLateIsClosed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for what, c := range map[string]*loopConn{
		"nothing is dialed for":     {stage: idle, dials: 1},
		"another is dialed for now": {stage: dialing, dials: 2},
	} {
		socket, _, err := dial(t.Context(), l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.socket = epoll.None
		c.take(opened{conn: c, dial: 1, socket: socket})
		_ = server.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || c.socket != epoll.None {
			t.Errorf("%s: the server reads %v, and the connection has socket %d", what, err, c.socket)
		}
		_ = server.Close()
	}
}
