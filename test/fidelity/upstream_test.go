//go:build e2e

package fidelity

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The headers by which a call says what it wants of the workload that gets it.
const (
	callHeader = "X-Call" // which call it is
	doHeader   = "X-Do"   // what the workload does: see workload.ServeHTTP
)

// The headers by which Envoy tells a host of an attempt.
const (
	attemptHeader  = "X-Envoy-Attempt-Count"
	expectedHeader = "X-Envoy-Expected-Rq-Timeout-Ms"
)

// workload is one version of a service, in this process: it notes what comes.
type workload struct {
	version string
	side    int // which it is of; one that both share finds out by the id of a request
	address string
	fd      int // of one that takes no connection, its socket

	mu    sync.Mutex
	seen  [2][]string    // each request in words, by which two are compared, by the side that it came from
	first map[string]int // how long the first attempt of a request may take
}

// serveWorkload starts one on an address that both proxies reach.
func serveWorkload(t testing.TB, side int, ip, version string) *workload {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(err)
	}
	w := &workload{version: version, side: side, address: l.Addr().String(), first: map[string]int{}}
	server := &http.Server{Handler: w, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }() // Until it is closed.
	t.Cleanup(func() { server.Close() })
	return w
}

// refusing is a workload that takes no connection. Its port is bound, so that
// nobody else gets it meanwhile, but nothing listens.
func refusing(t testing.TB, ip, version string) *workload {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: netip.MustParseAddr(ip).As4()}); err != nil {
		t.Fatal(err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return &workload{version: version, fd: fd, address: net.JoinHostPort(ip, strconv.Itoa(bound.(*unix.SockaddrInet4).Port))}
}

// deaf is a workload to which no connection comes about: the few that its queue
// holds are there already, and the kernel says nothing to others.
func deaf(t testing.TB, ip, version string) *workload {
	t.Helper()
	w := refusing(t, ip, version)
	if err := unix.Listen(w.fd, 0); err != nil {
		t.Fatal(err)
	}
	for {
		conn, err := net.DialTimeout("tcp", w.address, 100*time.Millisecond)
		if err != nil {
			return w
		}
		t.Cleanup(func() { conn.Close() })
	}
}

// ServeHTTP implements http.Handler. What it is to do are words such as
// status=503, times=2 (the first two attempts alone, and then 200), wait=50ms,
// close, garbage, wire=cut (see written), header=name:value.
func (w *workload) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	w.note(r, body, err)
	do := map[string]string{}
	for word := range strings.FieldsSeq(r.Header.Get(doHeader)) {
		name, value, _ := strings.Cut(word, "=")
		do[name] = value
		if header, text, found := strings.Cut(value, ":"); name == "header" && found {
			rw.Header().Add(header, text)
		}
	}
	attempt, _ := strconv.Atoi(r.Header.Get(attemptHeader))
	if times, err := strconv.Atoi(do["times"]); err == nil && attempt > times {
		do = nil
	}
	if wait, err := time.ParseDuration(do["wait"]); err == nil {
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
		}
	}
	if _, ok := do["close"]; ok {
		panic(http.ErrAbortHandler)
	}
	if text, ok := written[do["wire"]]; ok {
		hijacked(rw, text)
		return
	}
	if _, ok := do["garbage"]; ok {
		hijacked(rw, "no answer of HTTP\r\n\r\n")
		return
	}
	if status, err := strconv.Atoi(do["status"]); err == nil {
		rw.WriteHeader(status)
	}
	if do["status"] != "204" && do["status"] != "304" {
		fmt.Fprintf(rw, "%s answers %s", w.version, body)
	}
}

// written are answers as they go over the wire, before the connection ends.
var written = map[string]string{
	"cut":      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi",
	"cutparts": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
	"parts":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
	"endless":  "HTTP/1.1 200 OK\r\n\r\nhi",
}

func hijacked(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, text)
}

// note writes down a request. What is another in each run has a word instead.
func (w *workload) note(r *http.Request, body []byte, err error) {
	var lines []string
	for name, values := range r.Header {
		if tracing[name] {
			continue
		}
		for _, v := range values {
			if name == expectedHeader {
				v = w.told(r, v)
			}
			lines = append(lines, fmt.Sprintf("%s: %s", name, requestHeader(name, v)))
		}
	}
	slices.Sort(lines)
	text := fmt.Sprintf("call %s at %s, attempt %s: %s %s host %s, body %q %v; %s", r.Header.Get(callHeader), w.version,
		r.Header.Get(attemptHeader), r.Method, r.RequestURI, r.Host, short(body), err, strings.Join(lines, "; "))
	side := w.side
	if strings.HasPrefix(r.Header.Get("X-Request-Id"), sideIDs[embeddedSide]) {
		side = embeddedSide
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[side] = append(w.seen[side], text)
}

// tracing are headers that depend on the mesh's tracing. What the caller's Envoy
// says of the operation, that of the called workload takes away again.
var tracing = map[string]bool{
	"X-Envoy-Decorator-Operation": true, "Traceparent": true, "Tracestate": true,
	"X-B3-Traceid": true, "X-B3-Spanid": true, "X-B3-Parentspanid": true, "X-B3-Sampled": true,
}

// newID is an id that a gateway gave.
var newID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// requestHeader is what is compared of a request's header.
func requestHeader(name, value string) string {
	switch name {
	case "X-Forwarded-For", "X-Envoy-External-Address":
		parts := strings.Split(value, ",")
		for i, p := range parts {
			if ip := strings.TrimSpace(p); ip == "127.0.0.1" || strings.HasPrefix(ip, "10.244.0.") {
				parts[i] = "(the proxy)"
			}
		}
		return strings.Join(parts, ",")
	case "X-Request-Id":
		if newID.MatchString(value) {
			return "(a new one)"
		}
		return strings.NewReplacer(sideIDs[0], "", sideIDs[1], "").Replace(value)
	}
	return value
}

// told says how long a request may take as Envoy tells its host: of attempts after
// the first only whether that is about as long, since of a timeout something has
// gone, and more where the machine is busy.
func (w *workload) told(r *http.Request, value string) string {
	n, err := strconv.Atoi(value)
	if err != nil {
		return value
	}
	of := r.Header.Get(callHeader) + r.Header.Get("X-Envoy-Internal")
	w.mu.Lock()
	defer w.mu.Unlock()
	first, again := w.first[of]
	switch {
	case !again:
		w.first[of] = n
		return value
	case 3*n > 2*first:
		return "(about as long as the first)"
	}
	return "(what is left)"
}

func short(body []byte) string {
	if len(body) > 100 {
		return fmt.Sprintf("%d bytes", len(body))
	}
	return string(body)
}

// all is what came from a side, in an order of its own.
func (w *workload) all(side int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(slices.Values(w.seen[side]))
}
