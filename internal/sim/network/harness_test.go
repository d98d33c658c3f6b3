package network

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// harness is a network with a client and a server machine in a bubble, in
// which time passes only when everybody waits.
type harness struct {
	*testing.T
	*Network
	client, server *Node
	listener       net.Listener
	trace          []string
}

// onNetwork runs test in a bubble. The network is closed at its end, and the
// bubble fails the test if that leaves a goroutine (N8).
func onNetwork(t *testing.T, config Config, test func(h *harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &harness{T: t}
		h.Network = New(config, rand.New(rand.NewPCG(1, 2)), func(line []byte) { h.trace = append(h.trace, string(line)) })
		defer h.Network.Close()
		h.client, h.server = h.NewNode("c"), h.NewNode("s")
		h.listener = h.listen(h.server, ":80")
		test(h)
	})
}

func (h *harness) listen(n *Node, address string) net.Listener {
	h.Helper()
	l, err := n.Listen(address)
	if err != nil {
		h.Fatal(err)
	}
	return l
}

// pair returns a connection's ends at the client and at the server.
func (h *harness) pair() (client, server *Conn) {
	h.Helper()
	c, err := h.client.Dial(h.Context(), "s:80")
	if err != nil {
		h.Fatal(err)
	}
	s, err := h.listener.Accept()
	if err != nil {
		h.Fatal(err)
	}
	return c.(*Conn), s.(*Conn)
}

func (h *harness) mustWrite(c net.Conn, s string) {
	h.Helper()
	if n, err := c.Write([]byte(s)); n != len(s) || err != nil {
		h.Fatalf("write: %d, %v", n, err)
	}
}

func (h *harness) mustRead(c net.Conn, want string) {
	h.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		h.Fatalf("read %q (%v), want %q", got, err, want)
	}
}

// wantError reads from c until that fails, as it must with want.
func (h *harness) wantError(c net.Conn, want error) {
	h.Helper()
	if _, err := io.Copy(io.Discard, c); !errors.Is(err, want) {
		h.Fatalf("reading ended with %v, want %v", err, want)
	}
}

// wantTime checks how much virtual time has passed since began.
func (h *harness) wantTime(began time.Time, low, high time.Duration) {
	h.Helper()
	if took := time.Since(began); took < low || took > high {
		h.Errorf("it took %v, want %v to %v", took, low, high)
	}
}

// hangs checks that nothing comes from c within d.
func (h *harness) hangs(c net.Conn, d time.Duration) {
	h.Helper()
	if err := c.SetReadDeadline(time.Now().Add(d)); err != nil {
		h.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		h.Fatalf("read %d bytes (%v), want silence", n, err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		h.Fatal(err)
	}
}

// wait lets virtual time pass.
func (h *harness) wait(d time.Duration) {
	ctx, cancel := context.WithTimeout(h.Context(), d)
	defer cancel()
	<-ctx.Done()
}
