package loadgen

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// reflections are the methods by which servers tell what they serve, the later first. Their
// messages are the same.
var reflections = []string{
	"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
	"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
}

// withoutReflection is what can be done about a server that does not tell what it serves.
const withoutReflection = "give descriptors, as protoc writes them, or call grpc.health.v1.Health/Check, which needs none"

// reflected asks a server for a method.
func reflected(ctx context.Context, conn *grpc.ClientConn, method string) (protoreflect.MethodDescriptor, error) {
	var files *protoregistry.Files
	var err error
	for _, path := range reflections {
		if files, err = reflectedFiles(ctx, conn, path, method); grpcstatus.Code(err) != codes.Unimplemented {
			break
		}
	}
	service, _, _ := strings.Cut(method, "/")
	if grpcstatus.Code(err) == codes.Unimplemented {
		return nil, fmt.Errorf("asking the server what %s takes: it has no reflection (%s); %s", method, codeName(codes.Unimplemented), withoutReflection)
	}
	if err != nil {
		return nil, fmt.Errorf("asking the server what %s takes, by reflection: %w; %s", method, err, withoutReflection)
	}
	found, err := methodIn(files, method)
	if found == nil && err == nil {
		err = fmt.Errorf("asking the server what %s takes, by reflection: it tells of no service %s; %s", method, service, withoutReflection)
	}
	return found, err
}

// reflectedFiles are those that a method's service needs.
func reflectedFiles(ctx context.Context, conn *grpc.ClientConn, path, method string) (*protoregistry.Files, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, path)
	if err != nil {
		return nil, err
	}
	service, _, _ := strings.Cut(method, "/")
	set := map[string]*descriptorpb.FileDescriptorProto{}
	ask := &reflection.ServerReflectionRequest{MessageRequest: &reflection.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service}}
	for ask != nil {
		if err := reflectOnce(s, ask, set); err != nil {
			return nil, err
		}
		ask = nil
		if missing := missingIn(set); missing != "" {
			ask = &reflection.ServerReflectionRequest{MessageRequest: &reflection.ServerReflectionRequest_FileByFilename{FileByFilename: missing}}
		}
	}
	var all descriptorpb.FileDescriptorSet
	for _, file := range set {
		all.File = append(all.File, file)
	}
	return protodesc.NewFiles(&all)
}

// reflectOnce adds to a set the files that a server answers with. One that answers with
// none that is new would be asked for ever.
func reflectOnce(s grpc.ClientStream, ask *reflection.ServerReflectionRequest, set map[string]*descriptorpb.FileDescriptorProto) error {
	if err := s.SendMsg(ask); err != nil {
		return s.RecvMsg(new(reflection.ServerReflectionResponse)) // Which has why.
	}
	var answer reflection.ServerReflectionResponse
	if err := s.RecvMsg(&answer); err != nil {
		return err
	}
	if e := answer.GetErrorResponse(); e != nil {
		return fmt.Errorf("it answers with %s: %s", codeName(codes.Code(e.GetErrorCode())), e.GetErrorMessage())
	}
	before := len(set)
	for _, text := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
		var file descriptorpb.FileDescriptorProto
		if err := proto.Unmarshal(text, &file); err != nil {
			return fmt.Errorf("reading a file that it answers with: %w", err)
		}
		set[file.GetName()] = &file
	}
	if len(set) == before {
		return fmt.Errorf("it answers with no file for %v", ask.GetMessageRequest())
	}
	return nil
}

// missingIn is a file that one of a set needs and the set lacks; empty: it is whole.
func missingIn(set map[string]*descriptorpb.FileDescriptorProto) string {
	for _, file := range set {
		for _, name := range file.GetDependency() {
			if set[name] == nil {
				return name
			}
		}
	}
	return ""
}
