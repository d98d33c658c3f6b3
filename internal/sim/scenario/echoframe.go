package scenario

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// EchoFrames is a transport without a protocol library: each request and each
// answer is a frame, its length in four bytes and then its bytes.
type EchoFrames struct{}

// Serve implements EchoTransport.
func (EchoFrames) Serve(l net.Listener, answer func([]byte) []byte) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() { answerFrames(ctx, conn, answer) })
		}
	})
	return func() {
		cancel()
		_ = l.Close() // of a dead process it fails, and Accept has ended
		work.Wait()
	}
}

// answerFrames serves one connection until it ends or ctx does.
func answerFrames(ctx context.Context, conn net.Conn, answer func([]byte) []byte) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	r := bufio.NewReader(conn)
	for {
		request, err := readFrame(r)
		if err != nil || writeFrame(conn, answer(request)) != nil {
			return
		}
	}
}

// Connect implements EchoTransport.
func (EchoFrames) Connect(ctx context.Context, dial func(context.Context, string) (net.Conn, error), address string) (EchoConn, error) {
	conn, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = conn.Close()
	})
	return &frameConn{conn: conn, reader: bufio.NewReader(conn), stop: stop, closed: closed}, nil
}

// frameConn implements EchoConn.
type frameConn struct {
	conn   net.Conn
	reader *bufio.Reader
	// stop keeps the end of the context from closing the connection; closed is
	// closed when that has happened.
	stop   func() bool
	closed chan struct{}
}

// Send implements EchoConn.
func (c *frameConn) Send(request []byte) error { return writeFrame(c.conn, request) }

// Receive implements EchoConn.
func (c *frameConn) Receive() ([]byte, error) { return readFrame(c.reader) }

// Close implements EchoConn.
func (c *frameConn) Close() {
	if !c.stop() {
		<-c.closed
	}
	_ = c.conn.Close() // it may be broken or closed already
}

func writeFrame(w io.Writer, p []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(p))), p...))
	return err
}

func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > echoRequestLimitBytes {
		return nil, fmt.Errorf("a frame of %d bytes is larger than %d", size, echoRequestLimitBytes)
	}
	p := make([]byte, size)
	_, err := io.ReadFull(r, p)
	return p, err
}
