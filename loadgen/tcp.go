package loadgen

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"time"
)

// tcpConn sends requests each of which is a TCP connection of its own.
type tcpConn struct {
	socket
	lines   [][]byte // with their newlines
	timeout time.Duration
	match   *matcher
	reader  *bufio.Reader
	body    []byte // the answers to the last request, joined by newlines
}

func newTCPConn(plan *Plan, target string, m *matcher) *tcpConn {
	c := &tcpConn{
		socket:  socket{target: target},
		timeout: plan.timeout(), match: m,
		reader: bufio.NewReader(nil),
	}
	for _, line := range plan.TCP.Lines {
		c.lines = append(c.lines, []byte(line+"\n"))
	}
	return c
}

// open implements connection.
func (c *tcpConn) open(context.Context) error { return nil }

// send implements connection.
func (c *tcpConn) send(ctx context.Context, begun time.Time) (reply, int64) {
	defer c.close()
	deadline := begun.Add(c.timeout)
	if err := c.dial(ctx, deadline); err != nil {
		return c.failed(ctx, err), 0
	}
	if err := c.arm(ctx, deadline); err != nil {
		return c.failed(ctx, err), 0
	}
	version, err := c.talk()
	if err != nil {
		return c.failed(ctx, err), 0
	}
	return reply{checks: c.match.held(c.body), version: version}, 0
}

// talk writes each line and reads its answer. The version is Mixed unless all
// answers show the same one, or none.
func (c *tcpConn) talk() (version string, err error) {
	c.reader.Reset(c.conn)
	c.body = c.body[:0]
	for i, line := range c.lines {
		if _, err := c.conn.Write(line); err != nil {
			return "", err
		}
		if i > 0 {
			c.body = append(c.body, '\n')
		}
		answer := len(c.body)
		if err := c.readLine(); err != nil {
			return "", err
		}
		v := c.match.version(c.body[answer:])
		if i > 0 && v != version {
			v = Mixed
		}
		version = v
	}
	return version, nil
}

// readLine appends one line to c.body, without its line ending.
func (c *tcpConn) readLine() error {
	for {
		part, err := c.reader.ReadSlice('\n')
		c.body = append(c.body, part...)
		switch {
		case len(c.body) > maxBody:
			return errLargeBody
		case err == nil:
			c.body = bytes.TrimSuffix(bytes.TrimSuffix(c.body, []byte("\n")), []byte("\r"))
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}
