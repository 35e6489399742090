package loadgen

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fortio.org/fortio/fhttp"
	"fortio.org/fortio/periodic"
)

// benchConnections is how many connections each engine keeps busy.
const benchConnections = 16

// BenchmarkEngines compares the engines with fortio's own runner, against one
// server in a process of its own, so that the CPU time is the client's. The last
// column is the CPU time as a ratio to the runner's with its fast client.
func BenchmarkEngines(b *testing.B) {
	url, _ := startServer(b)
	var runner float64
	b.Run("fortio-runner", func(b *testing.B) {
		runner = measure(b, 0, func() { runFortio(b, url, false) })
	})
	b.Run("fortio-runner-stdclient", func(b *testing.B) {
		measure(b, runner, func() { runFortio(b, url, true) })
	})
	for _, engine := range engines {
		b.Run("engine-"+strings.ReplaceAll(engine, "/", "-"), func(b *testing.B) {
			measure(b, runner, func() {
				result := run(b, Plan{Engine: engine, HTTP: get(url), Connections: min(benchConnections, b.N), Requests: int64(b.N)})
				if answered(result, 200) != int64(b.N) {
					b.Fatalf("%v", result.Outcomes)
				}
			})
		})
	}
}

// BenchmarkEnginesLag says how late each engine is itself, at half of the rate that it
// reaches in a closed loop: with even distances, and with requests that arrive by chance.
func BenchmarkEnginesLag(b *testing.B) {
	url, _ := startServer(b)
	for _, engine := range engines {
		closed := run(b, Plan{Engine: engine, HTTP: get(url), Connections: benchConnections, Duration: Duration{Duration: time.Second}})
		half := float64(closed.Sent) / closed.Elapsed.Seconds() / 2
		for _, arrival := range []string{"", ArrivalPoisson} {
			b.Run(strings.ReplaceAll(engine, "/", "-")+"/"+cmp.Or(arrival, "even"), func(b *testing.B) {
				plan := Plan{Engine: engine, HTTP: get(url), Connections: min(benchConnections, b.N), QPS: half, Arrival: arrival, Requests: int64(b.N)}
				r := run(b, plan)
				for _, q := range []float64{0.5, 0.99} {
					lag, _ := r.Lag.Quantile(q)
					response, _ := r.Response.Quantile(q)
					b.ReportMetric(float64(lag.Microseconds()), fmt.Sprintf("lag-p%g-µs", q*100))
					b.ReportMetric(float64(response.Microseconds()), fmt.Sprintf("response-p%g-µs", q*100))
				}
				longest, _ := r.Lag.Max()
				b.ReportMetric(float64(longest.Microseconds()), "lag-max-µs")
				b.ReportMetric(half, "asked/s")
			})
		}
	}
}

// runFortio sends b.N requests as fortio's command line would.
func runFortio(b *testing.B, url string, std bool) {
	quietFortio()
	options := &fhttp.HTTPRunnerOptions{
		RunnerOptions: periodic.RunnerOptions{
			QPS: -1, NumThreads: benchConnections, Exactly: int64(b.N), Out: io.Discard, Stop: periodic.NewAborter(),
		},
	}
	options.URL = url
	options.DisableFastClient = std
	result, err := fhttp.RunHTTPTest(options)
	if err != nil {
		b.Fatal(err)
	}
	if result.RetCodes[200] < int64(b.N) { // it sends at least one a thread
		b.Fatalf("%v", result.RetCodes)
	}
}

// measure reports, of the requests that send sends, the rate and the CPU time of
// this process, which it also returns, and that as a ratio to a peer's, if there
// is one.
func measure(b *testing.B, peer float64, send func()) float64 {
	b.ReportAllocs()
	began, before := time.Now(), cpuTime(b)
	send()
	cpu := float64((cpuTime(b) - before).Nanoseconds()) / 1e3 / float64(b.N)
	b.ReportMetric(cpu, "cpu-µs/req")
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "req/s")
	if peer > 0 {
		b.ReportMetric(cpu/peer, "×runner-cpu")
	}
	return cpu
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// startServer runs this test binary as the server and returns its URL. Stop ends it, and
// returns how many requests it has answered.
func startServer(b testing.TB) (url string, stop func() int64) {
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), serveEnv+"=1")
	server.Stderr = os.Stderr
	stdin, err := server.StdinPipe() // its end ends the server
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	told := bufio.NewReader(stdout)
	address, err := told.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	var answered int64
	end := sync.OnceFunc(func() {
		_ = stdin.Close()
		if _, err := fmt.Fscan(told, &answered); err != nil {
			b.Errorf("the server does not say how many requests it has answered: %v", err)
		}
		_ = server.Wait()
	})
	b.Cleanup(end)
	return "http://" + strings.TrimSpace(address) + "/", func() int64 {
		end()
		return answered
	}
}

// serveRaw answers every request with the same bytes, at the least cost, until the
// standard input ends, and then says how many it has answered.
func serveRaw() {
	var answered atomic.Int64
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Println(listener.Addr())
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answerAll(conn, &answered)
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
	fmt.Println(answered.Load())
}

func answerAll(conn net.Conn, answered *atomic.Int64) {
	defer func() { _ = conn.Close() }()
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello, world")
	buffer := make([]byte, 4096)
	for unread := 0; ; {
		n, err := conn.Read(buffer[unread:])
		if err != nil {
			return
		}
		unread += n
		if !bytes.HasSuffix(buffer[:unread], []byte("\r\n\r\n")) {
			continue
		}
		unread = 0
		answered.Add(1)
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// BenchmarkGlance is what an observer costs the requests, which wait meanwhile: it is
// called five times a second and cohort, and goes through the histogram once.
func BenchmarkGlance(b *testing.B) {
	for name, every := range map[string]time.Duration{"counts": 0, "percentiles": glanceEvery} {
		b.Run(name, func(b *testing.B) {
			var r recorder
			start := time.Now()
			r.slots.start = start
			for i := range 100_000 {
				took := time.Duration(i) * 100 * time.Microsecond
				r.record(&ended{reply: reply{status: 200 + i%5}, intended: start, begun: start, at: start.Add(took)})
			}
			for i := range b.N {
				var p Progress
				r.glance(&p, start.Add(time.Duration(i+1)*every))
			}
		})
	}
}
