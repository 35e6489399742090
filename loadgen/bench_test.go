package loadgen

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
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
	url := startServer(b)
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

// startServer runs this test binary as the server and returns its URL.
func startServer(b *testing.B) string {
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
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = server.Wait()
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return "http://" + strings.TrimSpace(address) + "/"
}

// serveRaw answers every request with the same bytes, at the least cost, until
// the standard input ends.
func serveRaw() {
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
			go answerAll(conn)
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func answerAll(conn net.Conn) {
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
				r.record(ended{reply: reply{status: 200 + i%5}, intended: start, begun: start, at: start.Add(took)})
			}
			for i := range b.N {
				var p Progress
				r.glance(&p, start.Add(time.Duration(i+1)*every))
			}
		})
	}
}
