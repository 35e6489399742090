// Package hostile is a sample application that nobody wants: a service that answers
// whatever could break a report of it, or the program that reads it, and one behind it
// that is called likewise. No program has it but one that a test builds for itself.
package hostile

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/meshchaos/meshchaos/internal/samples/workload"
)

// Text is what it says, wherever something can be said: a tag, orders to a terminal (to
// clear it, to name its window, to turn what follows around), what is no UTF-8, and what
// ends a text of HTML, Markdown, XML and YAML.
const Text = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>` + "\x1b[2J\x1b]0;title\a\x9b31m\xff\xfe\xc3\x28\u202e" + `&amp;{{.}}</pre></details>]]>-->` + "```| @somebody |"

// Large is how many bytes its bodies have, of 5 MB.
const Large = 5 << 20

// Application is it. Its services are called as the file of a scenario can name them.
func Application() workload.Application {
	return workload.Application{Name: "hostile", Workloads: []workload.Workload{
		{App: "hostile", Version: "v1", ServicePort: 8000, Port: 8080, Path: "/length", Calls: []string{"behind"}, HTTP: front},
		{App: "behind", Version: "v1", ServicePort: 8000, Port: 8080, Path: "/length", HTTP: front},
		{App: "lines", Version: "v1", ServicePort: 9000, Port: 9000, TCP: lines},
	}}
}

// said are the fields of an answer's head, each of which says a text.
func said(text string) string {
	return fmt.Sprintf("X-Said: %[1]s\r\nLocation: http://%[1]s\r\nServer: %[1]s\r\nSet-Cookie: said=%[1]s; Path=/\r\nContent-Type: text/html; charset=%[1]s\r\n`|!~: a name that is one to a server\r\nX-Request-Id: %[1]s\r\n", text)
}

// inHead is what of Text a proxy passes on in a head: it refuses orders to a terminal there.
var inHead = strings.NewReplacer("\x1b", "", "\a", "").Replace(Text)

// body is a Text after the other.
func body() []byte {
	return bytes.Repeat([]byte(Text), Large/len(Text)+1)[:Large]
}

// front answers by the path, byte by byte as it stands here, so that no library makes a
// proper answer of it.
func front(_ context.Context, env workload.Env) http.Handler {
	var asked atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		number := asked.Add(1)
		if r.URL.Path == "/calls" {
			call(r.Context(), env.Dial)
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		answer(buffered.Writer, r.URL.Path, number)
		// The caller may have gone; there is nobody left to tell.
		_ = buffered.Flush()
	})
}

// answer writes an answer of its path; number tells one request from the next.
func answer(w *bufio.Writer, path string, number int64) {
	head := func(status int64) {
		fmt.Fprintf(w, "HTTP/1.1 %03d %s\r\n%sConnection: close\r\n", status, Text, said(inHead))
	}
	switch path {
	case "/chunked": // with extensions of the chunks, and trailers
		head(200)
		fmt.Fprintf(w, "Transfer-Encoding: chunked\r\nTrailer: X-Trailed\r\n\r\n")
		for rest := body(); len(rest) > 0; {
			chunk := rest[:min(64<<10, len(rest))]
			rest = rest[len(chunk):]
			fmt.Fprintf(w, "%x;said=%q\r\n%s\r\n", len(chunk), "<script>", chunk)
		}
		fmt.Fprintf(w, "0\r\nX-Trailed: %s\r\nX-Further: %[1]s\r\n\r\n", inHead)
	case "/statuses": // another with each request
		head(200 + number%400)
		fmt.Fprintf(w, "Content-Length: %d\r\n\r\n%s", len(Text), Text)
	case "/short": // than it says
		head(200)
		fmt.Fprintf(w, "Content-Length: %d\r\n\r\n%s", Large, Text)
	case "/head": // that does not end for as long
		fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nX-Long: %s\r\n\r\n", bytes.ReplaceAll(body(), []byte("\x1b"), nil))
	case "/orders": // to a terminal, in fields
		fmt.Fprintf(w, "HTTP/1.1 200 OK\r\n%s\r\n", said(Text))
	case "/names": // of fields that are none
		fmt.Fprintf(w, "HTTP/1.1 200 OK\r\n%s: 1\r\n\x1b[2J: 2\r\n\r\n", Text)
	case "/nothing": // that is HTTP
		_, _ = w.Write(body())
	case "/login": // refused
		head(503)
		fmt.Fprintf(w, "Content-Length: %d\r\n\r\n%s", len(Text), Text)
	default:
		head(200)
		fmt.Fprintf(w, "Content-Length: %d\r\n\r\n%s", Large, body())
	}
}

// call calls the service behind with a method, a path, a host and fields of its own.
func call(ctx context.Context, dial workload.Dial) {
	for _, request := range []string{
		"`|<!~ /<script>alert(1)</script>%1b[2J|`%ff?<img+src=x> HTTP/1.1\r\nHost: behind:8000\r\nUser-Agent: " + Text + "\r\nX-Request-Id: " + Text + "\r\nX-Forwarded-For: " + Text,
		"GET /</script>|` HTTP/1.1\r\nHost: <script>alert(1)</script>",
		"GET /" + Text + " HTTP/1.1\r\nHost: behind:8000",
	} {
		conn, err := dial(ctx, "tcp", "behind:8000")
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, request+"\r\nConnection: close\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}
}

// lines answers each line with one of 5 MB.
func lines(ctx context.Context, l net.Listener) error {
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		go func() {
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			defer func() { _ = conn.Close() }()
			_, err := bufio.NewReader(conn).ReadString('\n')
			if err == nil {
				_, _ = conn.Write(append(body(), '\n'))
			}
		}()
	}
}
