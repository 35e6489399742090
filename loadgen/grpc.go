package loadgen

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/health/grpc_health_v1" // so that its methods are known
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/meshchaos/meshchaos/internal/nearest"
)

// GRPC is one call of gRPC, made again and again on connections that stay open: of a unary
// method, or of one whose server streams. A request is a call, and lasts until its code
// has come. Checks and Versions are of its messages as JSON, one a line.
//
// What the method takes and gives is known from Descriptors or, of grpc.health.v1 and of
// what else is linked into the program, from that. Else each load asks the server once, by
// its reflection, before it begins.
type GRPC struct {
	Address     string            `json:"address"`          // host:port, which is the authority too
	Method      string            `json:"method"`           // package.Service/Method
	Header      map[string]string `json:"header,omitempty"` // the metadata of the call
	Body        string            `json:"body,omitempty"`   // the message, as protocol buffers have it in JSON; empty: {}
	Descriptors *Descriptors      `json:"descriptors,omitempty"`
	Connect     string            `json:"connect,omitempty"`
}

// Descriptors are those of a file: a FileDescriptorSet, as protoc writes it.
type Descriptors struct {
	File   string `json:"file"`          // as it was named
	Digest string `json:"digest"`        // of it as it was read: sha256:…
	Set    []byte `json:"set,omitempty"` // nil: it was left out, as of a record, and nothing can be sent
}

// OK is the code of gRPC by which a call ends well.
const OK = "OK"

// grpcCodes are the names of gRPC's codes, each in the place of its number.
var grpcCodes = []string{
	OK, "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// Codes returns the names of gRPC's codes, as Outcome.GRPC has them.
func Codes() []string { return slices.Clone(grpcCodes) }

// codeName is the name of a code; of one that gRPC does not have, its number.
func codeName(c codes.Code) string {
	if int(c) < len(grpcCodes) {
		return grpcCodes[c]
	}
	return fmt.Sprintf("CODE_%d", c)
}

func validateGRPC(p *Plan) error {
	g := p.GRPC
	if p.Engine != "" && p.Engine != EngineGRPC {
		return wrong("engine", "engine is %q, which makes no calls of gRPC; leave it out", p.Engine)
	}
	if g.Address == "" {
		return wrong("grpc.address", "grpc.address is missing; set host:port")
	}
	if err := validateConnect("grpc.address", g.Address); err != nil {
		return err
	}
	if err := validateMethod(g.Method); err != nil {
		return err
	}
	if err := validateMetadata(g.Header); err != nil {
		return err
	}
	if method, err := g.known(); err != nil {
		return err
	} else if method != nil {
		if _, err := newCall(g, method); err != nil {
			return err
		}
	}
	return validateConnect("grpc.connect", g.Connect)
}

func validateMethod(text string) error {
	service, method, _ := strings.Cut(text, "/")
	if !protoreflect.FullName(service).IsValid() || !protoreflect.Name(method).IsValid() {
		return wrong("grpc.method", "grpc.method is %q; it must be package.Service/Method", text)
	}
	return nil
}

// validateMetadata refuses what gRPC itself writes into the head of a call.
func validateMetadata(header map[string]string) error {
	for name, value := range header {
		lower := strings.ToLower(name)
		switch {
		case strings.HasPrefix(lower, "grpc-"), slices.Contains([]string{"te", "content-type", "user-agent", "host"}, lower):
			return wrong("grpc.header."+name, "grpc.header has %s, which gRPC sets itself; leave it out", name)
		case strings.HasSuffix(lower, "-bin"):
			return wrong("grpc.header."+name, "grpc.header has %s, whose value would be bytes; leave it out", name)
		}
		if err := validateField("grpc.header", name, value); err != nil {
			return err
		}
	}
	return nil
}

// known is the method as the descriptors, or this program, have it; nil: the server is to
// be asked, or the descriptors were left out.
func (g *GRPC) known() (protoreflect.MethodDescriptor, error) {
	switch {
	case g.Descriptors == nil:
		return methodIn(protoregistry.GlobalFiles, g.Method)
	case g.Descriptors.Set == nil:
		return nil, nil
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(g.Descriptors.Set, &set); err != nil {
		return nil, wrong("grpc.descriptors", "grpc.descriptors is no FileDescriptorSet, as protoc --include_imports --descriptor_set_out writes it: %w", err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		return nil, wrong("grpc.descriptors", "grpc.descriptors does not hold together; have protoc write it with --include_imports: %w", err)
	}
	method, err := methodIn(files, g.Method)
	if method == nil && err == nil {
		service, _, _ := strings.Cut(g.Method, "/")
		return nil, wrong("grpc.descriptors", "grpc.descriptors has no service %s", service)
	}
	return method, err
}

// methodIn finds a method among files; nil: they do not have its service.
func methodIn(files *protoregistry.Files, text string) (protoreflect.MethodDescriptor, error) {
	service, name, _ := strings.Cut(text, "/")
	found, err := files.FindDescriptorByName(protoreflect.FullName(service))
	if errors.Is(err, protoregistry.NotFound) {
		return nil, nil
	}
	described, is := found.(protoreflect.ServiceDescriptor)
	if err != nil || !is {
		return nil, wrong("grpc.method", "grpc.method is %q, and %s is no service", text, service)
	}
	method := described.Methods().ByName(protoreflect.Name(name))
	if method == nil {
		return nil, wrong("grpc.method", "grpc.method is %q, and the service %s has no such method; %s", text, service, nearest.Hint(name, methodsOf(described)))
	}
	return method, nil
}

func methodsOf(service protoreflect.ServiceDescriptor) (names []string) {
	for i := range service.Methods().Len() {
		names = append(names, string(service.Methods().Get(i).Name()))
	}
	return names
}

// call is what each request of a plan is.
type call struct {
	path    string // /package.Service/Method
	request []byte
	answer  protoreflect.MessageDescriptor
	streams bool // its server does
}

// newCall makes the call of a method that is known.
func newCall(g *GRPC, method protoreflect.MethodDescriptor) (*call, error) {
	if method.IsStreamingClient() {
		return nil, wrong("grpc.method", "grpc.method is %q, whose client streams; a load calls methods that take one message", g.Method)
	}
	message := dynamicpb.NewMessage(method.Input())
	if g.Body != "" {
		if err := protojson.Unmarshal([]byte(g.Body), message); err != nil {
			return nil, wrong("grpc.body", "grpc.body is no %s in JSON: %w", method.Input().FullName(), err)
		}
	}
	request, err := proto.Marshal(message)
	if err != nil {
		return nil, wrong("grpc.body", "grpc.body cannot be sent as %s: %w", method.Input().FullName(), err)
	}
	return &call{path: "/" + g.Method, request: request, answer: method.Output(), streams: method.IsStreamingServer()}, nil
}

// appendJSON appends a message of the answer, as JSON, to those before it.
func (c *call) appendJSON(to, message []byte) ([]byte, error) {
	m := dynamicpb.NewMessage(c.answer)
	if err := proto.Unmarshal(message, m); err != nil {
		return to, fmt.Errorf("reading a %s: %w", c.answer.FullName(), err)
	}
	text, err := protojson.Marshal(m)
	if err != nil {
		return to, fmt.Errorf("writing a %s as JSON: %w", c.answer.FullName(), err)
	}
	if len(to) > 0 {
		to = append(to, '\n')
	}
	return append(to, text...), nil
}
