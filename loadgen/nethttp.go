package loadgen

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

const (
	// maxBody is the largest body of an answer that is read.
	maxBody = 8 << 20
	// largeRequest is more than every kernel buffers for a peer that does not
	// read.
	largeRequest = 32 << 10
)

var errLargeBody = errors.New("the body of the answer is above 8 MiB")

// httpConn sends the requests of one connection with net/http's own writer and
// reader of messages. It sends each once. A connection that was seen to be
// closed while idle is replaced before the next request is sent, as every
// client does; nothing of a request is lost by that.
type httpConn struct {
	socket
	plan    *HTTP
	url     *url.URL
	timeout time.Duration
	match   *matcher
	request *http.Request // what the answer's reader has to know
	wire    []byte        // the request as it is sent
	idPlace []byte        // the part of wire that is its id; nil: the plan sets that itself
	id      requestID     // of the last request, if sentID
	sentID  bool
	jar     http.CookieJar
	cookies string // in wire, of the jar
	reader  *bufio.Reader
	body    []byte // of the last answer
}

func newHTTPConn(plan *Plan, target string, m *matcher) (*httpConn, error) {
	u, err := url.Parse(plan.HTTP.URL)
	if err != nil {
		return nil, err
	}
	c := &httpConn{
		socket: socket{target: target},
		plan:   plan.HTTP, url: u, timeout: plan.timeout(), match: m,
		reader: bufio.NewReader(nil),
	}
	if plan.HTTP.Login != nil {
		if c.jar, err = cookiejar.New(nil); err != nil {
			return nil, err
		}
	}
	return c, c.write()
}

// write makes the bytes of the measured request.
func (c *httpConn) write() error {
	var body io.Reader = http.NoBody
	if c.plan.Body != "" {
		body = strings.NewReader(c.plan.Body)
	}
	req, err := http.NewRequest(c.plan.Method, c.plan.URL, body)
	if err != nil {
		return err
	}
	setHeader(req, c.plan.Header)
	if c.cookies != "" {
		joined := c.cookies
		if own := req.Header.Get("Cookie"); own != "" {
			joined = own + "; " + joined
		}
		req.Header.Set("Cookie", joined)
	}
	ours := setRequestID(req)
	c.request = req
	if c.wire, err = wireOf(req); err != nil {
		return err
	}
	c.idPlace = nil
	if ours {
		c.idPlace = requestIDIn(c.wire)
	}
	return nil
}

// setHost sets the host to that of a plan's header, as with curl, if it has one.
func setHost(req *http.Request, header map[string]string) {
	for name, value := range header {
		if isHost(name) {
			req.Host = value
		}
	}
}

// setHeader sets the header fields of a plan.
func setHeader(req *http.Request, header map[string]string) {
	setHost(req, header)
	for name, value := range header {
		if !isHost(name) {
			req.Header.Set(name, value)
		}
	}
}

func isHost(field string) bool { return strings.EqualFold(field, "Host") }

func wireOf(req *http.Request) ([]byte, error) {
	var wire bytes.Buffer
	err := req.Write(&wire)
	return wire.Bytes(), err
}

// send implements connection.
func (c *httpConn) send(ctx context.Context, begun time.Time) (reply, int64) {
	c.sentID = false
	if err := c.renewCookies(); err != nil {
		return failed(ctx, err), 0
	}
	if err := c.connect(ctx, begun.Add(c.timeout)); err != nil {
		return failed(ctx, err), 0
	}
	if c.idPlace != nil {
		c.id, c.sentID = newRequestID(), true
		copy(c.idPlace, c.id[:])
	}
	got, err := c.exchange(c.request, c.wire)
	if err != nil {
		return failed(ctx, err), 0
	}
	return reply{
		status:  got.code,
		checks:  c.match.held(c.body),
		version: c.match.version(c.body),
	}, 0
}

// requestID implements connection.
func (c *httpConn) requestID() (id *requestID, from string) {
	if !c.sentID {
		return nil, ""
	}
	return &c.id, c.local
}

// renewCookies brings the request up to what the jar holds now.
func (c *httpConn) renewCookies() error {
	if c.jar == nil {
		return nil
	}
	var pairs []string
	for _, cookie := range c.jar.Cookies(c.url) {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	if now := strings.Join(pairs, "; "); now != c.cookies {
		c.cookies = now
		return c.write()
	}
	return nil
}

// status is what heads an answer, and whether it is the connection's last.
type status struct {
	code int
	text string
	last bool
}

// exchange sends one request on the open connection and reads its whole answer.
// The connection stays open whatever the status, unless the server closes it.
func (c *httpConn) exchange(req *http.Request, wire []byte) (status, error) {
	written := c.transmit(wire)
	got, err := c.receive(req)
	// A failed write shows in what is read, if it matters: a server may answer
	// without having read the whole request.
	if writeErr := written(); err != nil || writeErr != nil || got.last || c.reader.Buffered() > 0 {
		c.close()
	}
	return got, err
}

// connect makes sure that an open connection is there.
func (c *httpConn) connect(ctx context.Context, deadline time.Time) (err error) {
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.conn != nil {
		if err := c.arm(ctx, deadline); err != nil {
			return err
		}
		if c.alive() {
			return nil
		}
		c.close()
	}
	if err := c.dial(ctx, deadline); err != nil {
		return err
	}
	c.reader.Reset(c.conn)
	return c.arm(ctx, deadline)
}

// transmit writes a request. A large one is written while its answer is read:
// a server that answers as it reads would else wait for us, and we for it.
func (c *httpConn) transmit(wire []byte) (written func() error) {
	if len(wire) <= largeRequest {
		if _, err := c.conn.Write(wire); err != nil {
			return func() error { return err }
		}
		return noError
	}
	conn, done := c.conn, make(chan error, 1)
	go func() {
		_, err := conn.Write(wire)
		done <- err
	}()
	return func() error {
		// The answer is there, so whatever is still unwritten is not wanted.
		_ = conn.SetWriteDeadline(longAgo)
		return <-done
	}
}

func noError() error { return nil }

// receive reads the final answer, and its body into c.body.
func (c *httpConn) receive(req *http.Request) (status, error) {
	resp, err := http.ReadResponse(c.reader, req)
	for err == nil && resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
		_ = resp.Body.Close() // there is none
		resp, err = http.ReadResponse(c.reader, req)
	}
	if err != nil {
		return status{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if c.body, err = readBody(resp.Body, c.body[:0]); err != nil {
		c.close() // else the body, when closed, would be read to its end
		return status{}, err
	}
	if c.jar != nil {
		c.jar.SetCookies(c.url, resp.Cookies())
	}
	return status{code: resp.StatusCode, text: resp.Status, last: resp.Close}, nil
}

// readBody reads to the end, into buf as far as it suffices.
func readBody(r io.Reader, buf []byte) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case len(buf) > maxBody:
			return buf, errLargeBody
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		}
	}
}
