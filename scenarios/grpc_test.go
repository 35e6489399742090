package scenarios

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/meshchaos/meshchaos/loadgen"
)

func TestALoadCallsAMethod(t *testing.T) {
	s, err := read(called(`grpc: "productpage:7070/proto.EchoTestService/Echo", headers: {a: b}, body: '{"message": "x"}'`))
	if err != nil {
		t.Fatal(err)
	}
	want := loadgen.Plan{GRPC: &loadgen.GRPC{Address: "productpage:7070", Method: "proto.EchoTestService/Echo", Header: map[string]string{"a": "b"}, Body: `{"message": "x"}`}}
	got := s.Steps[0].Cohorts[1].Plan
	if diff := cmp.Diff(want, loadgen.Plan{HTTP: got.HTTP, GRPC: got.GRPC, TLS: got.TLS}); diff != "" {
		t.Error(diff)
	}
}

func TestCallsFromOutsideAreEncryptedIfTheLoadSaysSo(t *testing.T) {
	certificate, _ := pair(t)
	folder := inFolder(t, map[string]string{"ca.crt": certificate})
	const call = `grpc: "productpage:443/grpc.health.v1.Health/Check", from: gateway`
	for how, want := range map[string]*loadgen.TLS{
		call:                                     nil,
		call + `, tls: {caCertificates: ca.crt}`: {CACertificates: certificate},
		call + `, tls: {sni: a.example.com}`:     {SNI: "a.example.com"},
	} {
		s, err := parse("t.yaml", called(how), nil, openBeside(folder))
		if err != nil {
			t.Errorf("%s: %v", how, err)
			continue
		}
		plan := s.Steps[0].Cohorts[1].Plan
		if diff := cmp.Diff(want, plan.TLS); diff != "" || plan.Encrypted() != (want != nil) {
			t.Errorf("%s: encrypted is %t (-want +got):\n%s", how, plan.Encrypted(), diff)
		}
	}
}

// shopSet is what protoc writes of a file of a service shop.Orders.
func shopSet(t *testing.T) string {
	t.Helper()
	message := ".google.protobuf.StringValue"
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(wrapperspb.File_google_protobuf_wrappers_proto),
		{
			Name: proto.String("shop.proto"), Package: proto.String("shop"), Syntax: proto.String("proto3"), Dependency: []string{"google/protobuf/wrappers.proto"},
			Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Orders"), Method: []*descriptorpb.MethodDescriptorProto{
				{Name: proto.String("Place"), InputType: &message, OutputType: &message},
			}}},
		},
	}}
	text, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAFileSaysWhatAMethodTakes(t *testing.T) {
	set := shopSet(t)
	folder := inFolder(t, map[string]string{"shop.binpb": set})
	s, err := parse("t.yaml", called(`grpc: "productpage:7070/shop.Orders/Place", descriptors: shop.binpb, body: '"book"'`), nil, openBeside(folder))
	if err != nil {
		t.Fatal(err)
	}
	want := &loadgen.Descriptors{File: "shop.binpb", Digest: digest(set), Set: []byte(set)}
	if diff := cmp.Diff(want, s.Steps[0].Cohorts[1].Plan.GRPC.Descriptors); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, err := OfRecord(s.Recorded())
	if err != nil {
		t.Fatal(err)
	}
	want.Set = nil
	if diff := cmp.Diff(want, again.Steps[0].Cohorts[1].Plan.GRPC.Descriptors); diff != "" {
		t.Errorf("of the record (-want +got):\n%s", diff)
	}
}

func TestWhatIsWrongWithAFileOfDescriptorsIsPlacedAndExplained(t *testing.T) {
	folder := inFolder(t, map[string]string{"shop.binpb": shopSet(t), "shop.proto": "syntax = \"proto3\";", "large": strings.Repeat("x", maxDescriptors+1)})
	for how, want := range map[string]string{
		`grpc: "productpage:7070/shop.Orders/Place", descriptors: none`:                          `t.yaml:21:58: reading "`,
		`grpc: "productpage:7070/shop.Orders/Place", descriptors: shop.proto`:                    "t.yaml:21:58: grpc.descriptors is no FileDescriptorSet",
		`grpc: "productpage:7070/shop.Orders/Place", descriptors: large`:                         "t.yaml:21:58: large is larger than 1024 KiB",
		`grpc: "productpage:7070/shop.Basket/Place", descriptors: shop.binpb`:                    "t.yaml:21:58: grpc.descriptors has no service shop.Basket",
		`grpc: "productpage:7070/shop.Orders/Cancel", descriptors: shop.binpb`:                   "t.yaml:21:14: grpc.method is \"shop.Orders/Cancel\", and the service shop.Orders has no such method; one of Place",
		`grpc: "productpage:7070/shop.Orders/Place", body: "{}", descriptors: shop.binpb`:        "t.yaml:21:58: grpc.body is no google.protobuf.StringValue in JSON",
		`get: "http://productpage:9080/productpage", descriptors: shop.binpb`:                    "descriptors is not for get",
		`send: [{name: a, get: "http://productpage:9080/productpage"}], descriptors: shop.binpb`: "descriptors is not for send",
	} {
		_, err := parse("t.yaml", called(how), nil, openBeside(folder))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is\n%v\nwithout\n%s", how, err, want)
		}
	}
}

func TestWhatIsWrongWithACallIsPlacedAndExplained(t *testing.T) {
	folder := inFolder(t, map[string]string{"users.csv": "user\nann\n"})
	for how, want := range map[string]string{
		`grpc: "productpage:7070"`:                                                          `t.yaml:21:14: "productpage:7070" is no method of a service in the mesh; write service:port/package.Service/Method`,
		`grpc: "grpc://productpage:7070/p.S/Echo"`:                                          `"grpc://productpage:7070/p.S/Echo" is no method of a service in the mesh; write service:port/package.Service/Method`,
		`grpc: "productpage:7070/Echo"`:                                                     `t.yaml:21:14: grpc.method is "Echo"; it must be package.Service/Method`,
		`grpc: "productpage:7070/grpc.health.v1.Health/Check", body: '{"x": 1}'`:            "t.yaml:21:68: grpc.body is no grpc.health.v1.HealthCheckRequest in JSON",
		`grpc: "productpage:7070/grpc.health.v1.Health/Check", headers: {te: a}`:            "t.yaml:21:78: grpc.header has te, which gRPC sets itself",
		`grpc: "productpage:7070/grpc.health.v1.Health/Check", as: jason`:                   "t.yaml:21:68: as is not for grpc",
		`grpc: "productpage:7070/grpc.health.v1.Health/Check", lines: [a]`:                  "t.yaml:21:68: lines is not for grpc",
		`grpc: "productpage:7070/grpc.health.v1.Health/Check", http2: true`:                 "t.yaml:21:68: http2 is not for grpc",
		`grpc: "productpage:7070/grpc.health.v1.Health/Check", values: users.csv`:           "t.yaml:21:68: values stand in requests of HTTP, and this is a load of gRPC",
		`grpc: "productpage:7070/grpc.health.v1.Health/Check", send: [{name: a, get: "x"}]`: "a cohort has one of get, post, grpc, tcp, ws and send, not 2",
		`grpc: "productpage:7070/grpc.health.v1.Health/Check", tls: {sni: a}`:               "a sidecar cannot tell requests that are encrypted",
		`send: [{name: a, grpc: "productpage:7070/grpc.health.v1.Health/Check"}]`:           `unknown key "grpc"`,
		`get: "http://productpage:9080/productpage", values: users.csv, grpc: "a:1/b.C/D"`:  "a cohort has one of get, post, grpc, tcp, ws and send, not 2",
	} {
		_, err := parse("t.yaml", called(how), nil, openBeside(folder))
		if err == nil {
			t.Errorf("%s was read without an error", how)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is\n%v\nwithout\n%s", how, err, want)
		}
	}
}

func TestWhatIsWrongWithAnAbortByACodeIsPlacedAndExplained(t *testing.T) {
	for how, want := range map[string]string{
		"grpcStatus: UNAVAILABL":              "did you mean UNAVAILABLE?",
		"grpcStatus: 14":                      "grpcStatus takes the name of a code of gRPC, not its number 14; write UNAVAILABLE",
		"grpcStatus: \"14\"":                  "write UNAVAILABLE",
		"grpcStatus: 17":                      "grpcStatus takes a text, and \"17\" is none to YAML",
		"abort: 503, grpcStatus: UNAVAILABLE": "both with a status and with a code of gRPC",
	} {
		_, err := read(strings.Replace(good, "delay: 7s", how, 1))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, without %q", how, err, want)
		}
	}
}

// A call ends by a code, and what is none by a status: a line that asks for the other could
// never be judged.
func TestALineAsksOfALoadWhatItsRequestsEndBy(t *testing.T) {
	for line, want := range map[string]string{
		"calls.grpc[UNAVAILABLE] > 0":                       "",
		"baseline.calls.share(OK) == 100%":                  "",
		"pages.share(503) > 0%":                             "",
		"buyers.order.status[503] > 0":                      "",
		"calls.status[503] > 0":                             "t.yaml:14:20: calls makes calls of gRPC, which end by a code and have no status; write grpc[UNAVAILABLE]",
		"calls.share(503) > 0%":                             "t.yaml:14:19: calls makes calls of gRPC",
		"recovery.calls.status[200] == recovery.calls.sent": "t.yaml:14:29: recovery.calls makes calls of gRPC",
		"pages.grpc[OK] > 0":                                "t.yaml:14:18: pages makes no calls of gRPC, and its requests end by no code; write status[503]",
		"pages.share(UNAVAILABLE) > 0%":                     "t.yaml:14:19: pages makes no calls of gRPC",
		"buyers.order.grpc[OK] > 0":                         "t.yaml:14:25: buyers makes no calls of gRPC",
	} {
		_, err := read(`apiVersion: meshchaos/v1alpha1
kind: Scenario
metadata: {name: t}
spec:
  app: grpc-echo
  apply:
    - fault: {service: echo, abort: 503, percent: 50%}
  load:
    calls: {grpc: "echo:7070/grpc.health.v1.Health/Check", requests: 20}
    pages: {get: "http://echo:7070/", requests: 20}
    buyers: {send: [{name: order, get: "http://echo:7070/"}], requests: 20}
  expect:
    - pages.errors < 3
    - ` + line + "\n")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v; want %s", line, err, want)
		}
	}
}
