package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// answer is what one side takes from a connection: the answer, or why there is none.
type answer struct {
	status int
	body   string
	last   bool
	read   int // bytes of the connection
	err    error
	ended  bool // the end of the connection was come upon
}

// cut says whether an answer is none since it is not whole.
func (a answer) cut() bool { return errors.Is(a.err, io.ErrUnexpectedEOF) }

// ending notes that its end was read.
type ending struct {
	*bytes.Reader
	ended bool
}

func (r *ending) Read(p []byte) (n int, err error) {
	n, err = r.Reader.Read(p)
	r.ended = r.ended || err == io.EOF
	return n, err
}

// byNetHTTP is what net/http takes from a connection.
func byNetHTTP(connection []byte, method string) (a answer, proto string) {
	source := &ending{Reader: bytes.NewReader(connection)}
	reader := bufio.NewReader(source)
	request := &http.Request{Method: method}
	for {
		resp, err := http.ReadResponse(reader, request)
		if err != nil {
			a.err, a.ended = err, source.ended
			return a, proto
		}
		proto = resp.Proto
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols && err == nil {
			continue
		}
		return answer{
			status: resp.StatusCode, body: string(body), last: resp.Close,
			read: len(connection) - source.Len() - reader.Buffered(), err: err, ended: err != nil && source.ended,
		}, proto
	}
}

// byReader is what a Reader takes from a connection whose bytes come in pieces that end
// at these places, in order.
func byReader(connection []byte, method string, ends []int) (a answer) {
	var r Reader
	r.Begin(method == http.MethodHead)
	var body []byte
	at := 0
	for _, end := range append(slices.Clone(ends), len(connection)) {
		piece := slices.Clone(connection[at:end]) // as the buffer of a connection, it does not last
		for len(piece) > 0 && !r.Done() {
			part, n, err := r.Read(piece)
			body = append(body, part...)
			a.read += n
			if err != nil {
				a.err = err
				return a
			}
			clear(piece[:n])
			piece = piece[n:]
		}
		at = end
	}
	if !r.Done() {
		if a.err = r.End(); a.err != nil {
			return a
		}
	}
	return answer{status: r.Status(), body: string(body), last: r.Last(), read: a.read}
}

// stricter says whether the Reader has a reason of its own to refuse what net/http takes.
func stricter(err error, connection []byte, theirs answer, proto string) bool {
	switch {
	case errors.Is(err, errStatusLine):
		return proto != "HTTP/1.0" && proto != "HTTP/1.1" || interim(connection)
	case errors.Is(err, errStatus):
		return theirs.status < 100 || interim(connection)
	case errors.Is(err, errFolded):
		return bytes.Contains(connection, []byte("\n ")) || bytes.Contains(connection, []byte("\n\t"))
	case errors.Is(err, errLine), errors.Is(err, errHead):
		return len(connection) > MaxLine
	case errors.Is(err, errLength):
		return bytes.Contains(connection, []byte("000"))
	case errors.Is(err, errTrailer):
		return bytes.Contains(connection, []byte("\n\n")) || bytes.Count(connection, []byte("\n")) > bytes.Count(connection, []byte("\r\n"))
	}
	return false
}

// interim says whether a status of 0 to 199 may stand before another one, of which
// net/http then tells.
func interim(connection []byte) bool { return bytes.Count(connection, []byte("HTTP/")) > 1 }

// hold holds what the Reader takes from a connection against what net/http does.
func hold(t *testing.T, connection []byte, method string, ends []int) {
	t.Helper()
	theirs, proto := byNetHTTP(connection, method)
	ours := byReader(connection, method, ends)
	switch {
	case ours.err == nil && theirs.err == nil:
		if ours != theirs {
			t.Errorf("%s, in pieces to %v: %q\nnet/http: %+v\nhere:     %+v", method, ends, connection, theirs, ours)
		}
	case ours.err == nil:
		t.Errorf("%s, in pieces to %v: %q\nnet/http refuses it: %v\nhere: %+v", method, ends, connection, theirs.err, ours)
	case theirs.err == nil:
		if !stricter(ours.err, connection, theirs, proto) {
			t.Errorf("%s, in pieces to %v: %q\nnet/http: %+v\nhere it is refused: %v", method, ends, connection, theirs, ours.err)
		}
	case ours.cut() && !theirs.ended, // which calls a line malformed that its end has cut off
		theirs.cut() && !ours.cut() && !stricter(ours.err, connection, theirs, proto):
		t.Errorf("%s, in pieces to %v: %q\nnet/http: %v\nhere:     %v", method, ends, connection, theirs.err, ours.err)
	}
}

// inPieces holds a connection whole, in two pieces at each place, and byte by byte.
func inPieces(t *testing.T, connection []byte, method string) {
	t.Helper()
	hold(t, connection, method, nil)
	var all []int
	for i := 1; i < len(connection); i++ {
		all = append(all, i)
		if len(connection) < 2000 {
			hold(t, connection, method, []int{i})
		}
	}
	hold(t, connection, method, all)
}

var seeds = []string{
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 503 no\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
	"HTTP/1.1 200\r\ncontent-length:0\r\n\r\n",
	"HTTP/1.1  200 OK\nContent-Length: 2\nConnection: x, Close\n\nhi",
	"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
	"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\nrest",
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nrest",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n.",
	"HTTP/1.1 200 OK\r\n\r\nuntil the end",
	"HTTP/1.0 200 OK\r\n\r\nuntil the end",
	"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 4\r\nTrailer: Sum\r\n\r\n1 \r\nx\r\n0\r\nSum: 1\r\nB: 2\r\n\r\nrest",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n a: b\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno trailer\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: a, content-length\r\n\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nContent-Length: 00000000000000000000000000000002\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\n A: b\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nno field\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\n: no name\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nA: b\x00c\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nA: \x80\xff\r\nContent-Length: 2\r\n\r\nhi",
	"HTTP/1.1 200 OK\r\nA: b\r\r\n\r\nhi",
	"HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
	"HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n", "HTTP/1.1\t200 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n",
	"HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length", "HTTP/1.1 200 OK\r\nContent-Length: 5", "HTTP/1.1 200 OK\r\n\r",
	"", "\r\n", "\n", "garbage", "garbage\r\n\r\n",
}

func TestAnAnswerIsWhatNetHTTPTakesForOne(t *testing.T) {
	for _, seed := range seeds {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			inPieces(t, []byte(seed), method)
		}
	}
}

// What Reader says that it refuses beside what net/http does, but for what is long.
func TestWhatIsStricterIsRefused(t *testing.T) {
	const long = "000000000000000000002" // 21 digits
	for connection, want := range map[string]error{
		"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n":                                 errStatusLine,
		"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n":                                 errStatus,
		"HTTP/1.1 200 OK\r\nContent-Length: " + long + "\r\n\r\nhi":                    errLength,
		"HTTP/1.1 200 OK\r\nContent-Length: " + long[1:] + "\r\n\r\nhi":                nil,
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nhi":                 errFolded,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\nC: d\r\n\r\n": errTrailer,
	} {
		if ours := byReader([]byte(connection), http.MethodGet, nil); !errors.Is(ours.err, want) {
			t.Errorf("%q: the error is %v, want %v", connection, ours.err, want)
		}
	}
}

func TestWhatIsLongIsReadAsFarAsNetHTTPReadsIt(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, n := range []int{4088, 4089, 4090, 4091, 4092, 4093, 4094, 4095, 4096, 4097, 5000} {
		long := strings.Repeat("x", n)
		for _, rest := range []string{
			"1;" + long + "\r\nx\r\n0\r\n\r\n",
			"0\r\na:" + long + "\r\n\r\n",
			fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", n, long),
		} {
			inPieces(t, []byte(head+rest), http.MethodGet)
		}
	}
	for _, n := range []int{100, 900, 1000, 1500, 2000, 5000} { // more lines than chunks
		inPieces(t, []byte(head+strings.Repeat("1;0123456789012345678\r\nx\r\n", n)+"0\r\n\r\n"), http.MethodGet)
	}
	for _, n := range []int{MaxLine - 5, MaxLine - 4, MaxLine + 5, MaxHead} {
		ours := byReader([]byte("HTTP/1.1 200 OK\r\na: "+strings.Repeat("x", n)+"\r\nContent-Length: 0\r\n\r\n"), http.MethodGet, nil)
		if fits := n+len("a: \r\n") <= MaxLine; fits != (ours.err == nil) {
			t.Errorf("of %d: %v", n, ours.err)
		}
	}
	if ours := byReader([]byte("HTTP/1.1 200 OK\r\n"+strings.Repeat("a: b\r\n", MaxHead/6)+"\r\n"), http.MethodGet, nil); !errors.Is(ours.err, errHead) {
		t.Errorf("of too many fields: %v", ours.err)
	}
}

func FuzzReader(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed), false, uint64(1))
	}
	f.Fuzz(func(t *testing.T, connection []byte, head bool, seed uint64) {
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		draw := rand.New(rand.NewPCG(seed, 0))
		var ends []int
		for i := 1; i < len(connection); i++ {
			if draw.IntN(4) == 0 {
				ends = append(ends, i)
			}
		}
		hold(t, connection, method, nil)
		hold(t, connection, method, ends)
	})
}

func TestNothingIsAllocated(t *testing.T) {
	connection := []byte("HTTP/1.1 200 OK\r\nserver: envoy\r\ndate: Mon, 23 Nov 2026 06:00:00 GMT\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 503 Service Unavailable\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
	var r Reader
	if n := testing.AllocsPerRun(100, func() {
		for at := 0; at < len(connection); {
			r.Begin(false)
			for !r.Done() {
				_, n, err := r.Read(connection[at:min(at+30, len(connection))])
				if err != nil {
					t.Fatal(err)
				}
				at += n
			}
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkReader(b *testing.B) {
	connection := []byte("HTTP/1.1 200 OK\r\nserver: envoy\r\ndate: Mon, 23 Nov 2026 06:00:00 GMT\r\ncontent-type: text/plain\r\nx-envoy-upstream-service-time: 3\r\ncontent-length: 12\r\n\r\nhello, world")
	var r Reader
	b.SetBytes(int64(len(connection)))
	for b.Loop() {
		r.Begin(false)
		for at := 0; !r.Done(); {
			_, n, _ := r.Read(connection[at:])
			at += n
		}
	}
}
