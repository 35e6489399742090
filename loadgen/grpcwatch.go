package loadgen

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/stats"
)

// handed are the credentials of a connection that is encrypted already.
type handed struct{}

// ClientHandshake implements credentials.TransportCredentials.
func (handed) ClientHandshake(_ context.Context, _ string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, credentials.TLSInfo{CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}}, nil
}

// ServerHandshake implements credentials.TransportCredentials.
func (handed) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("these are a client's")
}

// Info implements credentials.TransportCredentials.
func (handed) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

// Clone implements credentials.TransportCredentials.
func (h handed) Clone() credentials.TransportCredentials { return h }

// OverrideServerName implements credentials.TransportCredentials.
func (handed) OverrideServerName(string) error { return nil }

// events are what is known of a call beside its error.
type events struct {
	sent  atomic.Bool // its head was
	ended atomic.Bool // the server has sent a code

	untaken atomic.Bool // the server has said that it did not take it
}

type eventsKey struct{}

// heard notes of calls what their errors do not tell: gRPC gives codes to failures of its
// own, as if a server had sent them.
type heard struct{}

// TagRPC implements stats.Handler.
func (heard) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC implements stats.Handler.
func (heard) HandleRPC(ctx context.Context, event stats.RPCStats) {
	a, _ := ctx.Value(eventsKey{}).(*events)
	if a == nil {
		return
	}
	switch event.(type) {
	case *stats.OutHeader:
		a.sent.Store(true)
	case *stats.InTrailer:
		a.ended.Store(true)
	}
}

// TagConn implements stats.Handler.
func (heard) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements stats.Handler.
func (heard) HandleConn(context.Context, stats.ConnStats) {}

// GetRequestMetadata implements credentials.PerRPCCredentials, whom gRPC asks each time that it
// is about to send a call: whatever its options say, it would send again one that the server
// has refused before its message was on its way.
func (a *events) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	if !a.sent.Load() {
		return nil, nil
	}
	a.untaken.Store(true)
	return nil, errUntaken
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (*events) RequireTransportSecurity() bool { return false }
