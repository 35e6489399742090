package loadgen

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http2"
)

// http2Conn sends the requests of one connection by HTTP/2, one stream after the other,
// with golang.org/x/net's own connection: its transport would send again what was not
// answered. A request that is late is reset, and its connection goes on. A connection that
// the server has given up (GOAWAY), or that is closed, is replaced before the next request.
type http2Conn struct {
	socket
	session
	timeout time.Duration
	match   *matcher
	client  *http2.ClientConn //nolint:staticcheck // over the socket; nil: there is none. http.ClientConn, which is newer, does not tell that the server gives it up
	fate    *fate             // of the same
	body    []byte            // of the last answer
}

// transport2 makes connections, and asks for no compression, which plans do not either.
var transport2 = &http2.Transport{DisableCompression: true} //nolint:staticcheck // see http2Conn.client

func newHTTP2Conn(plan *Plan, target string, how *encrypted, u *user, m *matcher) (*http2Conn, error) {
	s, err := newSession(plan, u)
	return &http2Conn{socket: socket{target: target, tls: how}, session: s, timeout: plan.timeout(), match: m}, err
}

// open implements connection.
func (c *http2Conn) open(ctx context.Context) error {
	return c.login(func(req *http.Request) (status, error) {
		return c.exchange(ctx, req, time.Now().Add(c.timeout))
	})
}

// send implements connection.
func (c *http2Conn) send(ctx context.Context, begun time.Time) (reply, int64) {
	c.sentID = false
	got, err := c.carryOut(ctx, begun)
	if err != nil {
		return c.ended(c.failed(ctx, err), nil), 0
	}
	return c.ended(c.match.searched(reply{status: got.code}, c.body), c.body), 0
}

// errStatus is of an answer whose status is none, as by HTTP/1.1 it would be none either
// (RFC 9110, 15: three digits, the first of which is no 0).
var errStatus = errors.New("the status of the answer is not three digits from 100 on")

// carryOut sends the user's request and reads its answer.
func (c *http2Conn) carryOut(ctx context.Context, begun time.Time) (status, error) {
	if err := c.renewCookies(); err != nil {
		return status{}, err
	}
	req, ours, err := c.user.request()
	if err != nil {
		return status{}, err
	}
	req = req.Clone(ctx) // the last one may still be read by who was to write it
	if ours {
		c.giveID()
		req.Header.Set(requestIDHeader, string(c.id[:]))
	}
	return c.exchange(ctx, req, begun.Add(c.timeout))
}

// exchange sends a request on a stream of its own, and reads its whole answer.
func (c *http2Conn) exchange(ctx context.Context, req *http.Request, deadline time.Time) (status, error) {
	if err := c.connect(ctx, deadline); err != nil {
		c.close()
		return status{}, err
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	sent := req.WithContext(ctx)
	if req.GetBody != nil {
		var err error
		if sent.Body, err = req.GetBody(); err != nil {
			return status{}, err
		}
	}
	resp, err := c.client.RoundTrip(sent)
	if err != nil {
		return status{}, c.reason(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if c.body, err = readAsked(resp.Body, c.body[:0], c.match.asks() || c.user.takes()); err != nil {
		return status{}, c.reason(err)
	}
	if code, _, _ := strings.Cut(resp.Status, " "); len(code) != 3 || resp.StatusCode < 100 {
		return status{}, errStatus
	}
	c.keep(resp)
	return status{code: resp.StatusCode, text: resp.Status}, nil
}

// connect makes sure that there is a connection which takes one more stream.
func (c *http2Conn) connect(ctx context.Context, deadline time.Time) error {
	// One that has ended before its first request says that it takes it.
	if c.client != nil && !c.client.State().Closed && c.client.CanTakeNewRequest() {
		return ctx.Err()
	}
	c.close()
	if err := c.dialHTTP2(ctx, deadline); err != nil {
		return err
	}
	c.fate = newFate(c.conn, c.under)
	var err error
	c.client, err = transport2.NewClientConn(c.fate) //nolint:staticcheck // see http2Conn.client
	return err
}

// reason is why a stream ended without a whole answer. What fails to be written shows in what
// is read, for which fate has waited.
func (c *http2Conn) reason(err error) error {
	var late net.Error
	var stream http2.StreamError
	switch read := c.fate.reason(); {
	case errors.As(err, &late) && late.Timeout(), errors.Is(err, context.Canceled), errors.Is(err, errLargeBody):
		return err
	case errors.As(err, &stream):
		return &resetError{stream}
	case c.client.State().Closing: // and then it is we who close it
		return &goneError{err}
	case read != nil:
		return read
	default:
		return err
	}
}

// resetError is of a stream that one side has reset.
type resetError struct{ http2.StreamError }

// Is says that it is as if the connection had been reset.
func (*resetError) Is(target error) bool { return target == syscall.ECONNRESET }

// goneError is of a stream that a server has not taken, since it gives the connection up.
type goneError struct{ err error }

// Error implements error.
func (e *goneError) Error() string { return e.err.Error() }

// Is says that it is as if the connection had been closed.
func (*goneError) Is(target error) bool { return target == io.EOF }

// close implements connection.
func (c *http2Conn) close() {
	if c.client != nil {
		_ = c.client.Close()
		c.client = nil
	}
	c.socket.close()
}
