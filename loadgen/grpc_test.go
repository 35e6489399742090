package loadgen

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/stats"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// calls are those of a server of grpc.health.v1.
type calls struct {
	healthpb.UnimplementedHealthServer
	count  atomic.Int64
	conns  atomic.Int64
	answer func(ctx context.Context, n int64) error // the n-th, from 1 on
	opts   []grpc.ServerOption
}

func (c *calls) Check(ctx context.Context, _ *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	if err := c.answer(ctx, c.count.Add(1)); err != nil {
		return nil, err
	}
	return &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING}, nil
}

// Watch answers with three messages, and then ends as Check does.
func (c *calls) Watch(_ *healthpb.HealthCheckRequest, s healthpb.Health_WatchServer) error {
	for i := range 3 {
		if err := s.Send(&healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_ServingStatus(i)}); err != nil {
			return err
		}
	}
	return c.answer(s.Context(), c.count.Add(1))
}

// counting counts the connections that it takes.
type counting struct {
	net.Listener
	taken *atomic.Int64
}

func (l counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.taken.Add(1)
	}
	return c, err
}

func (c *calls) serve(t *testing.T) (address string, server *grpc.Server) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server = grpc.NewServer(append(c.opts, grpc.WaitForHandlers(true))...)
	healthpb.RegisterHealthServer(server, c)
	served := make(chan error, 1)
	go func() { served <- server.Serve(counting{l, &c.conns}) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	return l.Addr().String(), server
}

func well(context.Context, int64) error { return nil }

const (
	checkMethod = "grpc.health.v1.Health/Check"
	watchMethod = "grpc.health.v1.Health/Watch"
)

func grpcPlan(address, method string, connections int, requests int64) Plan {
	return Plan{GRPC: &GRPC{Address: address, Method: method}, Connections: connections, Requests: requests}
}

// endedBy is how many requests ended in each way, by code or error.
func endedBy(r *Result) map[string]int64 {
	all := map[string]int64{}
	for _, o := range r.Outcomes {
		all[strings.TrimSpace(o.GRPC+o.Error+" "+o.Message)] += o.Count
	}
	return all
}

func wantEnds(t *testing.T, r *Result, want map[string]int64) {
	t.Helper()
	if r.Failure != "" {
		t.Fatal(r.Failure)
	}
	if got := endedBy(r); !maps.Equal(got, want) {
		t.Errorf("they ended as %v, want %v", got, want)
	}
}

func TestCallsAreCountedByCodeAndMessage(t *testing.T) {
	c := &calls{answer: func(_ context.Context, n int64) error {
		switch n % 10 {
		case 0:
			return grpcstatus.Error(codes.Unavailable, "gone")
		case 1:
			return grpcstatus.Error(codes.Code(99), "")
		}
		return nil
	}}
	address, _ := c.serve(t)
	r := run(t, grpcPlan(address, checkMethod, 4, 100))
	wantEnds(t, r, map[string]int64{"OK": 80, "UNAVAILABLE gone": 10, "CODE_99": 10})
	if r.Engine != EngineGRPC || r.Sent != 100 || c.count.Load() != 100 {
		t.Errorf("engine %s sent %d, of which the server has %d", r.Engine, r.Sent, c.count.Load())
	}
	if r.Dialed != 4 || r.Used != 4 || c.conns.Load() != 4 {
		t.Errorf("dialed %d, used %d, the server took %d; want 4 each", r.Dialed, r.Used, c.conns.Load())
	}
	for _, o := range r.Outcomes {
		if o.Slowest == nil || o.Slowest.RequestID == "" || o.Slowest.From == "" {
			t.Errorf("of %s there is no example", o.Words())
		}
	}
}

func TestALoadOfWhichTheFirstCallFailsSaysByWhichCode(t *testing.T) {
	address, _ := (&calls{answer: func(context.Context, int64) error { return grpcstatus.Error(codes.Unavailable, "") }}).serve(t)
	plan := grpcPlan(address, checkMethod, 2, 4)
	plan.Prime = true
	r, err := runUntil(t.Context(), plan)
	if err != nil || r.Sent != 0 || !strings.Contains(r.Failure, "code UNAVAILABLE") {
		t.Errorf("%v, %d sent, %q", err, r.Sent, r.Failure)
	}
}

func TestOf32MessagesEachIsToldApart(t *testing.T) {
	c := &calls{answer: func(_ context.Context, n int64) error {
		return grpcstatus.Error(codes.Aborted, fmt.Sprintf("%d %s", n, strings.Repeat("ü", 200)))
	}}
	address, _ := c.serve(t)
	r := run(t, grpcPlan(address, checkMethod, 1, 100))
	ends := endedBy(r)
	if len(ends) != 33 || ends["ABORTED"] != 68 {
		t.Errorf("%d ways to end, of which %d are of other messages; want 33 and 68", len(ends), ends["ABORTED"])
	}
	for _, o := range r.Outcomes {
		if len(o.Message) > 204 {
			t.Errorf("a message of %d bytes is kept", len(o.Message))
		}
	}
}

func TestMessagesAreCheckedAsJSON(t *testing.T) {
	c := &calls{answer: well}
	address, _ := c.serve(t)
	for method, want := range map[string]string{checkMethod: "[serving]", watchMethod: "[lines serving]"} {
		p := grpcPlan(address, method, 1, 5)
		p.Checks = []Check{{Name: "serving", Match: `"status": ?"SERVING"`}, {Name: "lines", Match: `\}\n\{`}, {Name: "never", Body: "NOT_SERVING x"}}
		r := run(t, p)
		if len(r.Outcomes) != 1 || fmt.Sprint(r.Outcomes[0].Checks) != want || r.Outcomes[0].GRPC != OK {
			t.Errorf("%s: outcomes %+v, want %s", method, r.Outcomes, want)
		}
	}
}

// Checks are of all messages of a stream together, which are no more than a body may have.
func TestAStreamWithoutEndIsGivenUp(t *testing.T) {
	m, err := newMatcher(&Plan{Checks: []Check{{Name: "any", Body: "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	method, err := methodIn(protoregistry.GlobalFiles, watchMethod)
	if err != nil {
		t.Fatal(err)
	}
	called, err := newCall(&GRPC{Method: watchMethod}, method)
	if err != nil {
		t.Fatal(err)
	}
	c := &grpcConn{method: &grpcMethod{call: called}, match: m, body: make([]byte, maxBody-len("\n{}"))}
	for i, want := range []error{nil, errLargeBody} {
		if err := c.read(nil); !errors.Is(err, want) {
			t.Errorf("message %d, after which it is %d bytes: %v, want %v", i, len(c.body), err, want)
		}
	}
}

func TestAStreamEndsWithItsCode(t *testing.T) {
	c := &calls{answer: func(_ context.Context, n int64) error {
		if n%2 == 0 {
			return grpcstatus.Error(codes.DataLoss, "half")
		}
		return nil
	}}
	address, _ := c.serve(t)
	wantEnds(t, run(t, grpcPlan(address, watchMethod, 1, 10)), map[string]int64{"OK": 5, "DATA_LOSS half": 5})
}

func TestWhoeverDoesNotListenRefusesCalls(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	r := run(t, grpcPlan(address, checkMethod, 2, 10))
	wantEnds(t, r, map[string]int64{ErrorRefused: 10})
	if r.Dialed != 10 || r.Used != 10 {
		t.Errorf("dialed %d and used %d, want 10 each", r.Dialed, r.Used)
	}
}

func TestACallThatTakesTooLongIsATimeoutAndTheConnectionStays(t *testing.T) {
	t.Parallel()
	c := &calls{answer: func(ctx context.Context, n int64) error {
		if in, _ := metadata.FromIncomingContext(ctx); len(in["grpc-timeout"]) > 0 {
			t.Errorf("the server was told %v", in["grpc-timeout"])
		}
		if _, told := ctx.Deadline(); told {
			t.Error("the server was told a deadline")
		}
		if n%2 == 1 {
			<-ctx.Done()
		}
		return nil
	}}
	address, _ := c.serve(t)
	p := grpcPlan(address, checkMethod, 1, 4)
	p.Timeout.Duration = 2 * time.Second
	r := run(t, p)
	wantEnds(t, r, map[string]int64{"OK": 2, ErrorTimeout: 2})
	if r.Dialed != 1 {
		t.Errorf("dialed %d, want 1", r.Dialed)
	}
}

// TestWhoSpeaksNoHTTP2AnswersNoCall: neither a server of HTTP/1 nor one that says nothing.
func TestWhoSpeaksNoHTTP2AnswersNoCall(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	r := run(t, grpcPlan(server.Listener.Addr().String(), checkMethod, 1, 3))
	if ends := endedBy(r); ends["OK"] != 0 || r.Sent != 3 || ends["UNAVAILABLE"] != 0 || r.Dialed != 3 {
		t.Errorf("they ended as %v over %d connections", ends, r.Dialed)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	p := grpcPlan(silent.Addr().String(), checkMethod, 1, 2)
	p.Timeout.Duration = 100 * time.Millisecond
	wantEnds(t, run(t, p), map[string]int64{ErrorTimeout: 2})
}

func TestAServerThatIsCutOffEndsItsCallsAsSuch(t *testing.T) {
	var server *grpc.Server
	arrived := make(chan struct{})
	c := &calls{answer: func(ctx context.Context, _ int64) error {
		close(arrived)
		<-ctx.Done()
		return ctx.Err()
	}}
	address, server := c.serve(t)
	go func() {
		<-arrived
		server.Stop()
	}()
	r := run(t, grpcPlan(address, checkMethod, 1, 3))
	ends := endedBy(r)
	if ends[ErrorEOF]+ends[ErrorReset] != 1 || ends[ErrorRefused] != 2 {
		t.Errorf("they ended as %v, want one cut off and two refused", ends)
	}
}

// TestAConnectionThatIsEndedInOrderIsMadeAnew: the server says beforehand that it goes.
func TestAConnectionThatIsEndedInOrderIsMadeAnew(t *testing.T) {
	c := &calls{answer: well}
	address, server := c.serve(t)
	p := grpcPlan(address, checkMethod, 1, 200)
	c.answer = func(_ context.Context, n int64) error {
		if n == 100 {
			go server.GracefulStop()
		}
		return nil
	}
	r := run(t, p)
	ends := endedBy(r)
	if ends["OK"] < 100 || ends["OK"]+ends[ErrorRefused] != 200 {
		t.Errorf("they ended as %v, want OK and then refused", ends)
	}
}

// A call that was not sent has no id, and not that of the one before it.
func TestACallThatWasNotSentIsNoExample(t *testing.T) {
	c := &calls{}
	address, server := c.serve(t)
	c.answer = func(ctx context.Context, n int64) error {
		go server.Stop() // which waits for the call
		if n > 1 {
			<-ctx.Done() // until it is stopped
		}
		return nil
	}
	r := run(t, grpcPlan(address, checkMethod, 1, 20))
	refused := int64(0)
	for _, o := range r.Outcomes {
		if o.Error == ErrorRefused {
			refused += o.Count
		}
		if (o.Slowest != nil) == (o.Error == ErrorRefused) {
			t.Errorf("%d ended with %s, and the example is %+v", o.Count, o.Words(), o.Slowest)
		}
	}
	if refused < 15 {
		t.Errorf("%d were refused: %+v", refused, r.Outcomes)
	}
}

// TestNoCallIsSentAgain: a server that refuses streams sees each once.
func TestNoCallIsSentAgain(t *testing.T) {
	var streams atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		streams.Add(1)
		panic(http.ErrAbortHandler) // RST_STREAM
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	r := run(t, grpcPlan(server.Listener.Addr().String(), checkMethod, 2, 20))
	if r.Sent != 20 || streams.Load() != 20 {
		t.Errorf("sent %d, and the server saw %d", r.Sent, streams.Load())
	}
	if ends := endedBy(r); ends["OK"] != 0 || r.Dialed != 2 {
		t.Errorf("they ended as %v over %d connections", ends, r.Dialed)
	}
}

// message writes one of gRPC that says it is so long.
func (s *stream2) message(long int, text string) {
	_ = s.WriteData(s.id, false, append(binary.BigEndian.AppendUint32([]byte{0}, uint32(long)), text...))
}

// answerCall answers a call of Check.
func (s *stream2) answerCall() {
	s.head(false, ":status", "200", "content-type", "application/grpc")
	s.message(2, "\x08\x01")
	s.head(true, "grpc-status", "0")
}

// A call that its server has not taken is not sent again, and what a server has not said is no
// code: whatever gRPC makes of it.
func TestWhatEndsACallWithoutACodeIsAnError(t *testing.T) {
	ok := act2{do: func(s *stream2) bool { s.answerCall(); return true }}
	for _, tt := range []struct {
		act2
		dialed int64
	}{
		{act2{name: "GOAWAY that leaves it out", want: eof, do: func(s *stream2) bool { return s.WriteGoAway(s.id-2, http2.ErrCodeNo, nil) == nil }}, 4},
		{act2{name: "GOAWAY, and the answer", want: Outcome{GRPC: OK}, do: func(s *stream2) bool {
			_ = s.WriteGoAway(s.id, http2.ErrCodeNo, nil)
			s.answerCall()
			return true
		}}, 4},
		{act2{name: "a frame that must not be", want: eof, do: func(s *stream2) bool {
			s.AllowIllegalWrites = true
			return s.WriteData(0, false, nil) == nil
		}}, 4},
		{act2{name: "a message too large, and OK", want: other, do: func(s *stream2) bool {
			s.head(false, ":status", "200", "content-type", "application/grpc")
			s.message(maxBody+1, "\x08\x01")
			s.head(true, "grpc-status", "0")
			return true
		}}, 1},
		{act2{name: "a code in these words", want: Outcome{GRPC: "RESOURCE_EXHAUSTED"}, do: func(s *stream2) bool {
			s.head(true, ":status", "200", "content-type", "application/grpc", "grpc-status", "8", "grpc-message", "grpc: received message larger than max (5 vs. 4)")
			return true
		}}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := startScript2(t, nil, ok, tt.act2, ok)
			r := run(t, grpcPlan(server.address, checkMethod, 1, 9))
			as := func(o Outcome) bool { return o.GRPC == tt.want.GRPC && o.Error == tt.want.Error }
			if n := r.Count(as); n != 3 && n != 9 || n == 9 && tt.want.GRPC != OK || r.Count(Outcome.Failed) > 3 {
				t.Errorf("%d are %s, of 3: %v", n, tt.want.Words(), r.Outcomes)
			}
			if server.read.Load() != 9 || r.Dialed != tt.dialed {
				t.Errorf("the server read %d of 9, over %d connections, want %d", server.read.Load(), r.Dialed, tt.dialed)
			}
		})
	}
}

// waiting holds a call up behind its head, until its server has refused it.
type waiting struct {
	heard
	refused <-chan struct{}
}

func (w waiting) HandleRPC(ctx context.Context, event stats.RPCStats) {
	w.heard.HandleRPC(ctx, event)
	if _, head := event.(*stats.OutHeader); head {
		<-w.refused
	}
}

// A server that refuses a stream before its message has come sees no other in its place, as
// gRPC would have it even where it is to try nothing again.
func TestACallThatIsRefusedAtOnceIsNotSentAgain(t *testing.T) {
	var read atomic.Int64
	refused := make(chan struct{})
	address := startTCP(t, func(conn net.Conn) {
		if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		framer := http2.NewFramer(conn, conn)
		_ = framer.WriteSettings()
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return
			}
			switch f := frame.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					_ = framer.WriteSettingsAck()
				}
			case *http2.PingFrame: // which says that what came before was read
				if f.IsAck() && read.Load() == 1 {
					close(refused)
				}
			case *http2.HeadersFrame:
				read.Add(1)
				_ = framer.WriteRSTStream(f.StreamID, http2.ErrCodeRefusedStream)
				_ = framer.WritePing(false, [8]byte{})
			}
		}
	})
	client, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStatsHandler(waiting{refused: refused}), grpc.WithDisableRetry())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	plan := grpcPlan(address, checkMethod, 1, 1)
	method, err := plan.GRPC.known()
	if err != nil {
		t.Fatal(err)
	}
	made, err := newCall(plan.GRPC, method)
	if err != nil {
		t.Fatal(err)
	}
	var seen events
	c := &grpcConn{method: &grpcMethod{plan: plan.GRPC, call: made}, client: client}
	err = c.exchange(t.Context(), &seen)
	if got := c.reply(t.Context(), t.Context(), &seen, err); got.grpc != "UNAVAILABLE" || read.Load() != 1 {
		t.Errorf("%v came to %+v, and the server has read %d", err, got, read.Load())
	}
}

func TestAnAnswerOfHTTPIsTheCodeThatGRPCMakesOfIt(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "overflow", http.StatusServiceUnavailable)
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	r := run(t, grpcPlan(server.Listener.Addr().String(), checkMethod, 1, 5))
	for _, o := range r.Outcomes {
		if o.GRPC != "UNAVAILABLE" || !strings.Contains(o.Message, "503") || o.Count != 5 {
			t.Errorf("outcome %+v", o)
		}
	}
}

// A server has the same words for a message of ours that is larger than it takes, and those
// are its answer.
func TestItIsWeWhoGaveUpAnAnswerThatIsTooLarge(t *testing.T) {
	words := fmt.Sprintf("grpc: received message larger than max (%d vs. %d)", maxBody+1, maxBody)
	for _, tt := range []struct {
		code codes.Code
		sent int
		want bool
	}{
		{codes.ResourceExhausted, 10, true},
		{codes.ResourceExhausted, maxBody + 1, false},
		{codes.Internal, 10, false},
	} {
		c := &grpcConn{method: &grpcMethod{call: &call{request: make([]byte, tt.sent)}}}
		if got := c.isTooLarge(grpcstatus.New(tt.code, words)); got != tt.want {
			t.Errorf("%v of a call with %d bytes: it was we: %t", tt.code, tt.sent, got)
		}
	}
}

func TestCallsInFlightAreCanceledWithTheLoad(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := &calls{answer: func(ctx context.Context, _ int64) error {
		cancel()
		<-ctx.Done()
		return nil
	}}
	address, _ := c.serve(t)
	results, err := RunGroup(ctx, map[string]Plan{"c": grpcPlan(address, checkMethod, 1, 5)}, Bounds{}, nil, nil)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	wantEnds(t, results["c"], map[string]int64{ErrorCanceled: 1})
}

// echoFile is a file that this program does not know, of a service that answers with what
// it gets.
func echoFile(t *testing.T) *descriptorpb.FileDescriptorProto {
	t.Helper()
	message := func(name, field, of string) *descriptorpb.DescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: &field, JsonName: &field, Number: proto.Int32(1), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum()}
		if of != "" {
			f.Type, f.TypeName = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), &of
		}
		return &descriptorpb.DescriptorProto{Name: &name, Field: []*descriptorpb.FieldDescriptorProto{f}}
	}
	method := func(name string, client bool) *descriptorpb.MethodDescriptorProto {
		return &descriptorpb.MethodDescriptorProto{Name: &name, InputType: proto.String(".test.Wrapped"), OutputType: proto.String(".test.Wrapped"), ClientStreaming: &client}
	}
	return &descriptorpb.FileDescriptorProto{
		Name: proto.String("test.proto"), Package: proto.String("test"), Syntax: proto.String("proto3"),
		Dependency:  []string{"google/protobuf/wrappers.proto"},
		MessageType: []*descriptorpb.DescriptorProto{message("Wrapped", "value", ".google.protobuf.StringValue")},
		Service:     []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Echo"), Method: []*descriptorpb.MethodDescriptorProto{method("Say", false), method("Collect", true)}}},
	}
}

// echoServer serves it, with reflection if that is asked for.
func echoServer(t *testing.T, reflects bool) string {
	t.Helper()
	file, err := protodesc.NewFile(echoFile(t), protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	var files protoregistry.Files
	for _, f := range []protoreflect.FileDescriptor{file, wrapperspb.File_google_protobuf_wrappers_proto} {
		if err := files.RegisterFile(f); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
		if method, _ := grpc.MethodFromServerStream(s); method != "/test.Echo/Say" {
			return grpcstatus.Error(codes.Unimplemented, method)
		}
		m := dynamicpb.NewMessage(file.Messages().ByName("Wrapped"))
		if err := s.RecvMsg(m); err != nil {
			return err
		}
		return s.SendMsg(m)
	}))
	if reflects {
		reflectionpb.RegisterServerReflectionServer(server, reflection.NewServerV1(reflection.ServerOptions{Services: server, DescriptorResolver: &files}))
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	return l.Addr().String()
}

// sayHello calls it, and wants to be answered with what it says.
func sayHello(address string, descriptors []byte) Plan {
	p := grpcPlan(address, "test.Echo/Say", 2, 6)
	p.GRPC.Body = `{"value": "hello"}`
	if descriptors != nil {
		p.GRPC.Descriptors = &Descriptors{File: "echo.pb", Set: descriptors}
	}
	p.Checks = []Check{{Name: "hello", Match: `^\{"value": ?"hello"\}$`}}
	return p
}

func TestAServerTellsWhatAMethodTakes(t *testing.T) {
	r := run(t, sayHello(echoServer(t, true), nil))
	wantEnds(t, r, map[string]int64{"OK": 6})
	if len(r.Outcomes) != 1 || len(r.Outcomes[0].Checks) != 1 {
		t.Errorf("outcomes %+v, want all answered with hello", r.Outcomes)
	}
}

func TestDescriptorsTellWhatAMethodTakes(t *testing.T) {
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(wrapperspb.File_google_protobuf_wrappers_proto), echoFile(t)}}
	text, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, sayHello(echoServer(t, false), text))
	wantEnds(t, r, map[string]int64{"OK": 6})
	if len(r.Outcomes) != 1 || len(r.Outcomes[0].Checks) != 1 {
		t.Errorf("outcomes %+v, want all answered with hello", r.Outcomes)
	}
	recorded := sayHello(echoServer(t, true), text).AsRecorded()
	if err := recorded.Validate(); err != nil {
		t.Errorf("the plan of a record is %v", err)
	}
	if got := failureOf(t, recorded); !strings.Contains(got, "the plan has no descriptors of echo.pb") {
		t.Errorf("the failure is %q", got)
	}
}

func TestALoadThatCannotFindOutWhatAMethodTakesSaysSo(t *testing.T) {
	tells, silent := echoServer(t, true), echoServer(t, false)
	for want, p := range map[string]Plan{
		"asking the server what test.Echo/Say takes: it has no reflection (UNIMPLEMENTED); give descriptors": sayHello(silent, nil),
		"or call grpc.health.v1.Health/Check, which needs none":                                              sayHello(silent, nil),
		"test.Other":                            grpcPlan(tells, "test.Other/Say", 1, 1),
		"has no such method":                    grpcPlan(tells, "test.Echo/Shout", 1, 1),
		"whose client streams":                  grpcPlan(tells, "test.Echo/Collect", 1, 1),
		"connecting to 127.0.0.1:1: dial tcp 1": grpcPlan("127.0.0.1:1", "test.Echo/Say", 1, 1),
	} {
		if got := failureOf(t, p); !strings.Contains(got, want) {
			t.Errorf("the failure is %q, want %q", got, want)
		}
	}
	p := sayHello(tells, nil)
	p.GRPC.Body = `{"text": "hello"}`
	if got := failureOf(t, p); !strings.Contains(got, "grpc.body is no test.Wrapped in JSON") {
		t.Errorf("the failure is %q", got)
	}
}

// failureOf is why a load could not be carried out.
func failureOf(t *testing.T, p Plan) string {
	t.Helper()
	r, err := runUntil(t.Context(), p)
	if err != nil || r.Sent > 0 {
		t.Fatalf("%d requests were sent: %v", r.Sent, err)
	}
	return r.Failure
}

func TestPlansOfGRPCAreHeldAgainstWhatIsKnown(t *testing.T) {
	for want, change := range map[string]func(*Plan){
		"grpc.address is missing":        func(p *Plan) { p.GRPC.Address = "" },
		"grpc.address is \"web\"":        func(p *Plan) { p.GRPC.Address = "web" },
		"grpc.address has port 70000":    func(p *Plan) { p.GRPC.Address = "web:70000" },
		"it must be package.Service":     func(p *Plan) { p.GRPC.Method = "Check" },
		"no such method; did you mean":   func(p *Plan) { p.GRPC.Method = "grpc.health.v1.Health/Chek" },
		"one of Check, List, Watch":      func(p *Plan) { p.GRPC.Method = "grpc.health.v1.Health/Ping" },
		"is no service":                  func(p *Plan) { p.GRPC.Method = "grpc.health.v1.HealthCheckRequest/Check" },
		"is no grpc.health.v1":           func(p *Plan) { p.GRPC.Body = `{"servce": "x"}` },
		"grpc.header has Grpc-Timeout":   func(p *Plan) { p.GRPC.Header = map[string]string{"Grpc-Timeout": "1S"} },
		"whose value would be bytes":     func(p *Plan) { p.GRPC.Header = map[string]string{"x-bin": "1"} },
		"grpc.header x is":               func(p *Plan) { p.GRPC.Header = map[string]string{"x": "\n"} },
		"grpc.descriptors is no":         func(p *Plan) { p.GRPC.Descriptors = &Descriptors{Set: []byte("x")} },
		"engine is \"epoll\"":            func(p *Plan) { p.Engine = EngineEpoll },
		"exactly one of http, grpc, tcp": func(p *Plan) { p.TCP = &TCP{} },
		"makes calls of gRPC alone":      func(p *Plan) { p.GRPC, p.TCP, p.Engine = nil, &TCP{}, EngineGRPC },
		"grpc.descriptors has no service ": func(p *Plan) {
			p.GRPC.Descriptors = new(Descriptors)
			p.GRPC.Descriptors.Set, _ = proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{Name: proto.String("x")}}})
		},
	} {
		p := grpcPlan("web:7070", checkMethod, 1, 1)
		change(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("it is %v, want %q", err, want)
		}
	}
}

func TestTheMetadataOfACall(t *testing.T) {
	c := &calls{answer: func(ctx context.Context, _ int64) error {
		in, _ := metadata.FromIncomingContext(ctx)
		return grpcstatus.Error(codes.Aborted, fmt.Sprint(in["end-user"], len(in["x-request-id"]), in[":authority"], in["content-type"]))
	}}
	address, _ := c.serve(t)
	p := grpcPlan("web:7070", checkMethod, 1, 1).Through(address)
	p.GRPC.Header = map[string]string{"End-User": "jason"}
	wantEnds(t, run(t, p), map[string]int64{"ABORTED [jason] 1 [web:7070] [application/grpc+proto]": 1})
	p.GRPC.Header["X-Request-Id"] = "mine"
	r := run(t, p)
	wantEnds(t, r, map[string]int64{"ABORTED [jason] 1 [web:7070] [application/grpc+proto]": 1})
	if r.Outcomes[0].Slowest != nil {
		t.Errorf("a call with an id of the plan's own is an example: %+v", r.Outcomes[0].Slowest)
	}
}

// startSecureCalls serves grpc.health.v1 as startSecure does, and returns calls of it.
func startSecureCalls(t *testing.T, c *calls, set func(*authority, *tls.Config)) (*secure, func(TLS) Plan) {
	t.Helper()
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, c)
	t.Cleanup(server.Stop)
	s := startSecure(t, time.Now().Add(time.Hour), set, server.ServeHTTP)
	return s, func(own TLS) Plan {
		p := s.plan(true, own)
		p.GRPC, p.HTTP = &GRPC{Address: shopHost + ":443", Method: checkMethod, Connect: p.HTTP.Connect}, nil
		return p
	}
}

func TestCallsGoOverTLS(t *testing.T) {
	c := &calls{answer: well}
	s, plan := startSecureCalls(t, c, nil)
	r := run(t, plan(TLS{}))
	wantEnds(t, r, map[string]int64{"OK": 8})
	if r.Dialed != 2 || r.Used != 2 || c.count.Load() != 8 {
		t.Errorf("dialed %d, used %d, the server answered %d", r.Dialed, r.Used, c.count.Load())
	}
	if got := <-s.names; got != shopHost {
		t.Errorf("SNI is %q", got)
	}
	if slowest := r.Outcomes[0].Slowest; slowest == nil || slowest.From == "" {
		t.Errorf("the slowest is %+v", slowest)
	}
}

func TestWhoIsNotTrustedIsCalledByNobody(t *testing.T) {
	elsewhere := newAuthority(t, "somebody else's")
	asks := func(a *authority, c *tls.Config) {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, a.pool()
	}
	for name, tt := range map[string]struct {
		set  func(*authority, *tls.Config)
		own  TLS
		want string
	}{
		"another authority":            {nil, TLS{CACertificates: elsewhere.pem}, RefusedUntrusted},
		"no certificate of the client": {asks, TLS{}, RefusedClient},
		"HTTP/1.1 alone":               {func(_ *authority, c *tls.Config) { c.NextProtos = []string{"http/1.1"} }, TLS{}, RefusedProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			c := &calls{answer: well}
			_, plan := startSecureCalls(t, c, tt.set)
			r := run(t, plan(tt.own))
			wantEnds(t, r, map[string]int64{ErrorTLS: 8})
			if r.Refusal == nil || r.Refusal.Kind != tt.want {
				t.Errorf("the refusal is %+v, want %s", r.Refusal, tt.want)
			}
			if c.count.Load() != 0 || r.Dialed != 8 {
				t.Errorf("dialed %d, the server answered %d", r.Dialed, c.count.Load())
			}
		})
	}
	c := &calls{answer: well}
	s, plan := startSecureCalls(t, c, asks)
	certificate, key := s.authority.issue(t, "jason", time.Now().Add(time.Hour))
	wantEnds(t, run(t, plan(TLS{ClientCertificate: certificate, PrivateKey: key})), map[string]int64{"OK": 8})
}
