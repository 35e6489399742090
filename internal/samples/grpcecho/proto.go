package grpcecho

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// The methods. The first is that of Istio's application; the second answers with several
// messages, as that of gRPC's own example does.
const (
	methodEcho   = "proto.EchoTestService/Echo"
	methodStream = "grpc.examples.echo.Echo/ServerStreamingEcho"
)

// streamed is how many messages a stream has.
const streamed = 10

// The descriptors of what the services take and give, each with the text message alone.
var (
	istiosFile   = file("echo.proto", "proto", "EchoTestService", "Echo", false)
	examplesFile = file("grpc/examples/echo/echo.proto", "grpc.examples.echo", "Echo", "ServerStreamingEcho", true)

	requestType  = istiosFile.Messages().ByName("EchoRequest")
	responseType = istiosFile.Messages().ByName("EchoResponse")
)

// file is a file of protocol buffers with one method of one service. It is kept where the
// reflection of a server finds it.
func file(path, pkg, service, method string, stream bool) protoreflect.FileDescriptor {
	text := func(name string) *descriptorpb.DescriptorProto {
		return &descriptorpb.DescriptorProto{Name: &name, Field: []*descriptorpb.FieldDescriptorProto{{
			Name: proto.String("message"), JsonName: proto.String("message"), Number: proto.Int32(1),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
		}}}
	}
	made, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: &path, Package: &pkg, Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{text("EchoRequest"), text("EchoResponse")},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: &service, Method: []*descriptorpb.MethodDescriptorProto{{
			Name: &method, ServerStreaming: &stream,
			InputType: proto.String("." + pkg + ".EchoRequest"), OutputType: proto.String("." + pkg + ".EchoResponse"),
		}}}},
	}, nil)
	if err == nil {
		err = protoregistry.GlobalFiles.RegisterFile(made)
	}
	if err != nil {
		panic(err) // All of it is constant.
	}
	return made
}

func newMessage(of protoreflect.MessageDescriptor, text string) *dynamicpb.Message {
	m := dynamicpb.NewMessage(of)
	if text != "" {
		m.Set(of.Fields().ByName("message"), protoreflect.ValueOfString(text))
	}
	return m
}

func messageOf(m *dynamicpb.Message) string {
	return m.Get(m.Descriptor().Fields().ByName("message")).String()
}

// register adds both services to a server.
func register(to grpc.ServiceRegistrar, answer answerer) {
	to.RegisterService(&grpc.ServiceDesc{
		ServiceName: "proto.EchoTestService", HandlerType: (*any)(nil), Metadata: istiosFile.Path(),
		Methods: []grpc.MethodDesc{{MethodName: "Echo", Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			request := newMessage(requestType, "")
			if err := decode(request); err != nil {
				return nil, err
			}
			text, err := answer(ctx, messageOf(request))
			if err != nil {
				return nil, err
			}
			return newMessage(responseType, text), nil
		}}},
	}, nil)
	to.RegisterService(&grpc.ServiceDesc{
		ServiceName: "grpc.examples.echo.Echo", HandlerType: (*any)(nil), Metadata: examplesFile.Path(),
		Streams: []grpc.StreamDesc{{StreamName: "ServerStreamingEcho", ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			return stream(s, answer)
		}}},
	}, nil)
}

// stream answers one message with several.
func stream(s grpc.ServerStream, answer answerer) error {
	messages := examplesFile.Messages()
	request := newMessage(messages.ByName("EchoRequest"), "")
	if err := s.RecvMsg(request); err != nil {
		return err
	}
	for range streamed {
		text, err := answer(s.Context(), messageOf(request))
		if err != nil {
			return err
		}
		if err := s.SendMsg(newMessage(messages.ByName("EchoResponse"), text)); err != nil {
			return err
		}
	}
	return nil
}
