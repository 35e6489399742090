package loadgen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"
)

// longestMessage is how much of the message of a code is kept, in bytes.
const longestMessage = 200

// grpcMethod is the method of a plan, which its connections share.
type grpcMethod struct {
	plan *GRPC
	mu   sync.Mutex
	call *call // nil: it is not known yet
}

// grpcConn makes calls on a connection of its own, one at a time. The connection is dialed
// here and given to a ClientConn of gRPC once: that neither dials by itself, nor waits after
// a failure, nor sends a call again.
type grpcConn struct {
	socket
	method  *grpcMethod
	timeout time.Duration
	match   *matcher

	watch  *fate            // over the socket
	client *grpc.ClientConn // over that; nil: none is open
	own    bool             // the calls carry ids of ours
	body   []byte
}

func newGRPCConn(plan *Plan, target string, how *encrypted, method *grpcMethod, m *matcher) *grpcConn {
	c := &grpcConn{socket: socket{target: target, tls: how}, method: method, timeout: plan.timeout(), match: m, own: true}
	for name := range plan.GRPC.Header {
		if strings.EqualFold(name, requestIDHeader) {
			c.own = false
		}
	}
	return c
}

// open implements connection: it finds out what the method takes, if nobody has.
func (c *grpcConn) open(ctx context.Context) error {
	c.method.mu.Lock()
	defer c.method.mu.Unlock()
	if c.method.call != nil {
		return nil
	}
	if file := c.method.plan.Descriptors; file != nil && file.Set == nil {
		return fmt.Errorf("the plan has no descriptors of %s, as one that stands in a record", file.File)
	}
	method, err := c.method.plan.known()
	if err != nil {
		return err
	}
	if method == nil {
		ctx, cancel := context.WithTimeout(ctx, c.timeout)
		defer cancel()
		if err := c.connect(ctx, time.Now().Add(c.timeout)); err != nil {
			return fmt.Errorf("connecting to %s: %w", c.target, err)
		}
		if method, err = reflected(c.withHeader(ctx), c.client, c.method.plan.Method); err != nil {
			return err
		}
	}
	c.method.call, err = newCall(c.method.plan, method)
	return err
}

// connect makes sure that a connection is open.
func (c *grpcConn) connect(ctx context.Context, deadline time.Time) error {
	if c.client != nil && c.watch.broken() == nil && c.client.GetState() == connectivity.Ready {
		return nil
	}
	c.close()
	if err := c.dialHTTP2(ctx, deadline); err != nil {
		return err
	}
	c.watch = newFate(c.conn, c.under)
	given, watch := new(atomic.Bool), c.watch
	client, err := grpc.NewClient("passthrough:///"+c.method.plan.Address,
		grpc.WithTransportCredentials(c.credentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			if given.Swap(true) {
				return nil, errGiven
			}
			return watch, nil
		}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: c.timeout}),
		grpc.WithStatsHandler(heard{}),
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(), grpc.WithDisableHealthCheck(), grpc.WithNoProxy(), grpc.WithIdleTimeout(0),
		grpc.WithDefaultCallOptions(grpc.MaxRetryRPCBufferSize(0), grpc.MaxCallRecvMsgSize(maxBody)),
	)
	c.client = client
	return err
}

func (c *grpcConn) credentials() credentials.TransportCredentials {
	if c.tls == nil {
		return insecure.NewCredentials()
	}
	return handed{}
}

// errGiven ends what a ClientConn tries after its connection has ended.
var errGiven = errors.New("its connection has ended")

// withHeader adds the metadata of the plan.
func (c *grpcConn) withHeader(ctx context.Context) context.Context {
	for name, value := range c.method.plan.Header {
		ctx = metadata.AppendToOutgoingContext(ctx, name, value)
	}
	return ctx
}

// errUntaken is that of a call which a server has refused.
var errUntaken = errors.New("the server has refused the stream")

// errLate is that of a call which took longer than its timeout.
var errLate = errors.New("the timeout of the call is over")

// send implements connection.
func (c *grpcConn) send(ctx context.Context, begun time.Time) (reply, int64) {
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// A deadline of the context would be told to the server, and to proxies on the way.
	late := time.AfterFunc(time.Until(begun.Add(c.timeout)), func() { cancel(errLate) })
	defer late.Stop()
	c.sentID = false
	for dialed := c.dials; ; {
		if err := c.connect(limited, begun.Add(c.timeout)); err != nil {
			return c.failed(ctx, limited, err), 0
		}
		var seen events
		err := c.exchange(limited, &seen)
		c.sentID = c.sentID && seen.sent.Load()
		if err == nil || seen.sent.Load() || c.dials > dialed || limited.Err() != nil {
			return c.reply(ctx, limited, &seen, err), 0
		}
		c.close() // The server had ended it, which was not known yet: nothing was sent.
	}
}

// exchange makes one call and reads its messages.
func (c *grpcConn) exchange(ctx context.Context, seen *events) error {
	ctx = context.WithValue(ctx, eventsKey{}, seen)
	ctx = c.withHeader(ctx)
	if c.own {
		c.giveID()
		ctx = metadata.AppendToOutgoingContext(ctx, requestIDHeader, string(c.id[:]))
	}
	call := c.method.call
	c.body = c.body[:0]
	var message []byte
	if !call.streams {
		if err := c.client.Invoke(ctx, call.path, call.request, &message, grpc.ForceCodec(asBytes{}), grpc.PerRPCCredentials(seen)); err != nil {
			return err
		}
		return c.read(message)
	}
	s, err := c.client.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, call.path, grpc.ForceCodec(asBytes{}), grpc.PerRPCCredentials(seen))
	if err != nil {
		return err
	}
	// What is wrong with sending, RecvMsg tells.
	if s.SendMsg(call.request) == nil {
		_ = s.CloseSend()
	}
	for {
		switch err := s.RecvMsg(&message); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := c.read(message); err != nil {
			return err
		}
	}
}

// read keeps a message as far as checks ask for it.
func (c *grpcConn) read(message []byte) (err error) {
	if !c.match.asks() {
		return nil
	}
	if c.body, err = c.method.call.appendJSON(c.body, message); err == nil && len(c.body) > maxBody {
		err = errLargeBody
	}
	return err
}

// reply is what became of a call.
func (c *grpcConn) reply(ctx, limited context.Context, seen *events, err error) reply {
	if err == nil {
		return c.match.searched(reply{grpc: OK}, c.body)
	}
	s, coded := grpcstatus.FromError(err)
	switch {
	case seen.untaken.Load():
		return reply{grpc: "UNAVAILABLE", message: errUntaken.Error()} // as gRPC has it of one that was refused later
	case c.isTooLarge(s):
		return c.socket.failed(ctx, err) // even if a code has come behind it
	case seen.ended.Load() && coded:
	case limited.Err() != nil:
		return c.failed(ctx, limited, err)
	case c.watch.broken() != nil:
		return c.socket.failed(ctx, c.watch.broken())
	case !seen.sent.Load(), !coded: // No server of HTTP/2; a message of another type.
		return c.socket.failed(ctx, err)
	}
	return c.match.searched(reply{grpc: codeName(s.Code()), message: shortened(s.Message())}, c.body)
}

// tooLarge is how the words of gRPC end where a message is larger than we read.
var tooLarge = fmt.Sprintf("vs. %d)", maxBody)

// isTooLarge says whether it was we who gave a call up for the size of its answer. A server
// has the same words for the size of what it is sent.
func (c *grpcConn) isTooLarge(s *grpcstatus.Status) bool {
	return s.Code() == codes.ResourceExhausted && strings.HasSuffix(s.Message(), tooLarge) && len(c.method.call.request) <= maxBody
}

// failed is the reply of a call that ended without a code, for its time was over or it could
// not be made.
func (c *grpcConn) failed(ctx, limited context.Context, err error) reply {
	if ctx.Err() == nil && errors.Is(context.Cause(limited), errLate) {
		return reply{err: ErrorTimeout}
	}
	return c.socket.failed(ctx, err)
}

// shortened is as much of a message as is kept.
func shortened(message string) string {
	message = strings.ToValidUTF8(message, string(utf8.RuneError))
	if len(message) <= longestMessage {
		return message
	}
	cut := longestMessage
	for !utf8.RuneStart(message[cut]) {
		cut--
	}
	return message[:cut] + "…"
}

// asBytes passes messages on as they are sent.
type asBytes struct{}

// Marshal implements encoding.Codec.
func (asBytes) Marshal(v any) ([]byte, error) { return v.([]byte), nil }

// Unmarshal implements encoding.Codec.
func (asBytes) Unmarshal(data []byte, v any) error {
	into := v.(*[]byte)
	*into = append((*into)[:0], data...)
	return nil
}

// Name implements encoding.Codec.
func (asBytes) Name() string { return "proto" }

// close implements connection.
func (c *grpcConn) close() {
	if c.client != nil {
		_ = c.client.Close() // Which fails only if it was closed before.
		c.client = nil
	}
	c.socket.close() // gRPC may never have taken it.
}
