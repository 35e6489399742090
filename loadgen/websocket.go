package loadgen

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// wsConn sends requests each of which is a WebSocket on a connection of its own: it is
// opened by HTTP/1.1, each message is answered by one, and then both sides close it.
type wsConn struct {
	socket
	session
	timeout time.Duration
	match   *matcher
	body    []byte    // the answers to the last request, joined by newlines; or that by which it was not opened
	unread  error     // why that was not read to its end
	heard   time.Time // when the last answer had come; zero: the request ended otherwise
}

// answeredAt implements lingering.
func (c *wsConn) answeredAt() time.Time { return c.heard }

func newWSConn(plan *Plan, target string, how *encrypted, u *user, m *matcher) (*wsConn, error) {
	s, err := newSession(plan, u)
	return &wsConn{socket: socket{target: target, tls: how}, session: s, timeout: plan.timeout(), match: m}, err
}

// open implements connection.
func (*wsConn) open(context.Context) error { return nil }

// send implements connection.
func (c *wsConn) send(ctx context.Context, begun time.Time) (reply, int64) {
	defer c.close()
	c.sentID, c.heard = false, time.Time{}
	deadline := begun.Add(c.timeout)
	if err := c.dial(ctx, deadline); err != nil {
		return c.failed(ctx, err), 0
	}
	if err := c.arm(ctx, deadline); err != nil {
		return c.failed(ctx, err), 0
	}
	limited, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	got, err := c.talk(limited)
	var gone websocket.CloseError
	switch {
	case err == nil:
		return got, 0
	case ctx.Err() == nil && limited.Err() != nil:
		return reply{err: ErrorTimeout}, 0
	case errors.As(err, &gone):
		err = &goneError{err}
	}
	return c.failed(ctx, err), 0
}

// talk opens the WebSocket and sends the messages. An answer by which it was not opened is
// a reply like any other.
func (c *wsConn) talk(ctx context.Context) (reply, error) {
	conn, resp, err := websocket.Dial(ctx, c.user.now.stands.URL, c.options()) //nolint:bodyclose // nobody ever has to, as it says
	if err != nil && resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		if c.unread != nil {
			return reply{}, c.unread
		}
		return c.match.searched(reply{status: resp.StatusCode}, c.body), nil
	}
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxBody)
	version, err := c.exchange(ctx, conn)
	if err != nil {
		return reply{}, err
	}
	// Whether and when the server closes its side, too, is no part of what it was asked.
	c.heard = time.Now()
	_ = conn.Close(websocket.StatusNormalClosure, "")
	return reply{status: resp.StatusCode, checks: c.match.held(c.body), version: version}, nil
}

// exchange sends each message and reads its answer. The version is Mixed unless all answers
// show the same one, or none.
func (c *wsConn) exchange(ctx context.Context, conn *websocket.Conn) (version string, err error) {
	c.body = c.body[:0]
	for i, message := range c.plan.HTTP.Messages {
		if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			return "", err
		}
		_, answer, err := conn.Read(ctx)
		if err != nil {
			return "", err
		}
		if i > 0 {
			c.body = append(c.body, '\n')
		}
		c.body = append(c.body, answer...)
		v := c.match.version(answer)
		if i > 0 && v != version {
			v = Mixed
		}
		version = v
	}
	return version, nil
}

// options have the library send the plan's header on the connection that is open.
func (c *wsConn) options() *websocket.DialOptions {
	conn := func(context.Context, string, string) (net.Conn, error) { return c.conn, nil }
	whole := reading{c, &http.Transport{DialContext: conn, DialTLSContext: conn, DisableCompression: true}}
	request := &http.Request{Header: http.Header{}}
	setHeader(request, c.user.now.stands.Header)
	if _, own := request.Header[requestIDHeader]; !own {
		c.giveID()
		request.Header.Set(requestIDHeader, string(c.id[:]))
	}
	return &websocket.DialOptions{
		HTTPClient: &http.Client{
			Transport:     whole,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		HTTPHeader: request.Header, Host: request.Host,
	}
}

// reading keeps the whole of an answer by which a WebSocket was not opened: the library leaves
// 1 KiB of it, and does not tell whether there was more.
type reading struct {
	conn      *wsConn
	transport *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (r reading) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.transport.RoundTrip(req)
	if err != nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, err
	}
	r.conn.body, r.conn.unread = readBody(resp.Body, r.conn.body[:0])
	_ = resp.Body.Close()
	resp.Body = http.NoBody
	return resp, nil
}
