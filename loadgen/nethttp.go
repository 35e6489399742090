package loadgen

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// maxBody is the largest body of an answer of which something is asked: it is kept whole.
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
//
// What is encrypted is read and written as what is not.
type httpConn struct {
	socket
	session
	timeout time.Duration
	match   *matcher
	wire    []byte // of a request of which something varies
	source  source
	reader  *bufio.Reader // of source
	body    []byte        // of the last answer
}

// source is what a connection's answers are read from. It keeps why nothing more comes:
// net/http calls a head malformed that has been cut off.
type source struct {
	io.Reader
	err error // nil: there may be more
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (n int, err error) {
	n, err = s.Reader.Read(p)
	s.err = err
	return n, err
}

func newHTTPConn(plan *Plan, target string, how *encrypted, u *user, m *matcher) (*httpConn, error) {
	s, err := newSession(plan, u)
	c := &httpConn{
		socket:  socket{target: target, tls: how},
		session: s, timeout: plan.timeout(), match: m,
		reader: bufio.NewReader(nil),
	}
	return c, err
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
	got, err := c.carryOut(ctx, begun)
	if err != nil {
		return c.ended(c.failed(ctx, err), nil), 0
	}
	return c.ended(c.match.searched(reply{status: got.code}, c.body), c.body), 0
}

// carryOut sends the user's request and reads its answer.
func (c *httpConn) carryOut(ctx context.Context, begun time.Time) (status, error) {
	if err := c.renewCookies(); err != nil {
		return status{}, err
	}
	if err := c.connect(ctx, begun.Add(c.timeout)); err != nil {
		return status{}, err
	}
	wire, idAt := c.user.wire(&c.wire)
	if idAt >= 0 {
		c.giveID()
		copy(wire[idAt:], c.id[:])
	}
	return c.exchange(c.user.now.asked, wire)
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
	if writeErr := written(); err != nil || writeErr != nil || got.last || req.Close || c.plan.first().Close || c.reader.Buffered() > 0 {
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
		if c.alive(ctx, deadline) {
			return nil
		}
		c.close()
	}
	if err := c.dial(ctx, deadline); err != nil {
		return err
	}
	c.source = source{Reader: c.conn}
	c.reader.Reset(&c.source)
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
		return status{}, cmp.Or(c.source.err, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if c.body, err = readAsked(resp.Body, c.body[:0], c.match.asks() || c.user.takes()); err != nil {
		c.close() // else the body, when closed, would be read to its end
		return status{}, err
	}
	// RFC 9112, 9.8: what only the end of the connection ends.
	if c.beneath != nil && c.beneath.ended && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0 {
		return status{}, io.ErrUnexpectedEOF
	}
	c.keep(resp)
	return status{code: resp.StatusCode, text: resp.Status, last: resp.Close}, nil
}

// readAsked reads to the end, and keeps what is read in buf if something is asked of it.
func readAsked(r io.Reader, buf []byte, asked bool) ([]byte, error) {
	if asked {
		return readBody(r, buf)
	}
	_, err := io.Copy(io.Discard, r)
	return buf, err
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
