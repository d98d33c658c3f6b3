package simrpc

import (
	"context"
	"fmt"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	"github.com/plinthdb/plinth/internal/sim/scenario"
)

// method is the service's only one, a stream of requests and of answers.
const method = "/plinth.Echo/Echo"

// Transport implements scenario.EchoTransport with one gRPC stream for each
// connection.
type Transport struct{}

// Serve implements scenario.EchoTransport.
func (Transport) Serve(l net.Listener, answer func([]byte) []byte) (stop func()) {
	handler := func(_ any, stream grpc.ServerStream) error {
		for {
			var request []byte
			if err := stream.RecvMsg(&request); err != nil {
				return err
			}
			if err := stream.SendMsg(answer(request)); err != nil {
				return err
			}
		}
	}
	server := grpc.NewServer(grpc.ForceServerCodecV2(rawCodec{}))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "plinth.Echo",
		HandlerType: (*any)(nil),
		Streams:     []grpc.StreamDesc{{StreamName: "Echo", Handler: handler, ServerStreams: true, ClientStreams: true}},
	}, nil)
	var work sync.WaitGroup
	work.Go(func() { _ = server.Serve(l) }) // it ends when the server is stopped or the process dies
	return func() {
		server.Stop()
		work.Wait()
	}
}

// Connect implements scenario.EchoTransport.
func (Transport) Connect(ctx context.Context, dial func(context.Context, string) (net.Conn, error), address string) (scenario.EchoConn, error) {
	client, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{})))
	if err != nil {
		return nil, err
	}
	desc := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	stream, err := client.NewStream(ctx, desc, method)
	if err != nil {
		_ = client.Close()
		return nil, err
	}
	return &conn{client: client, stream: stream}, nil
}

// conn implements scenario.EchoConn.
type conn struct {
	client *grpc.ClientConn
	stream grpc.ClientStream
}

// Send implements scenario.EchoConn.
func (c *conn) Send(request []byte) error { return c.stream.SendMsg(request) }

// Receive implements scenario.EchoConn.
func (c *conn) Receive() (answer []byte, err error) {
	err = c.stream.RecvMsg(&answer)
	return answer, err
}

// Close implements scenario.EchoConn.
func (c *conn) Close() { _ = c.client.Close() }

// rawCodec sends bytes as they are.
type rawCodec struct{}

var _ encoding.CodecV2 = rawCodec{}

// Marshal implements encoding.CodecV2 for []byte.
func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	p, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("the raw codec sends []byte, not %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(p)}, nil
}

// Unmarshal implements encoding.CodecV2 for *[]byte.
func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	p, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("the raw codec receives into *[]byte, not %T", v)
	}
	*p = data.Materialize()
	return nil
}

// Name implements encoding.CodecV2.
func (rawCodec) Name() string { return "raw" }
