package network

import (
	"context"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Node is one life of a process, with what it uses of the network.
type Node struct {
	network *Network
	core    *nodeCore
	// mu is guarded by the network's lock.
	mu struct {
		// waiters are the conditions on which somebody of the process waits.
		waiters map[*sync.Cond]struct{}
	}
}

// wakeLocked lets everybody look again whether they must go on waiting.
func (n *Node) wakeLocked() {
	for c := range n.mu.waiters {
		c.Broadcast()
	}
}

// newCondLocked returns a condition that is also signalled when the process
// dies or the network is closed. The caller forgets it when nobody can wait
// for it any more.
func (n *Node) newCondLocked() *sync.Cond {
	c := sync.NewCond(&n.network.mu)
	n.mu.waiters[c] = struct{}{}
	return c
}

// waitLocked plans what comes next and waits.
func (n *Node) waitLocked(c *sync.Cond) {
	n.network.rearmLocked()
	c.Wait()
}

// endLocked returns the reason why nothing works any more, if there is one.
func (n *Node) endLocked() error {
	switch {
	case n.core.dead:
		return ErrDead
	case n.network.mu.closed:
		return net.ErrClosed
	}
	return nil
}

// Machine is the name of the machine that the process runs on.
func (n *Node) Machine() string { return n.core.machine.name }

// Kill ends the process: from now on everything fails with ErrDead (N7). Its
// machine resets its connections.
func (n *Node) Kill() {
	now := n.network.enter()
	defer n.network.leave()
	delete(n.network.mu.nodes, n)
	n.network.mu.fabric.kill(now, n.core)
}

// Listen opens a port, given as "host:port" or ":port"; port 0 is any. Errors
// wrap ErrDead, net.ErrClosed, syscall.EADDRINUSE or EADDRNOTAVAIL.
func (n *Node) Listen(address string) (net.Listener, error) {
	addr, err := parseAddr(address, n.Machine())
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: err}
	}
	n.network.enter()
	defer n.network.leave()
	l := &listener{node: n}
	if err = n.endLocked(); err == nil {
		l.changed = n.newCondLocked()
		l.core, err = n.core.listen(addr, l.changed.Broadcast)
	}
	if err != nil {
		delete(n.mu.waiters, l.changed)
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: addr, Err: systemError("bind", err)}
	}
	return l, nil
}

// Dial connects to "host:port". Errors wrap ErrDead, net.ErrClosed, the error
// of ctx, syscall.ECONNREFUSED if nobody listens there, ETIMEDOUT if nobody
// answers within Config.DialLimit, or EMFILE beyond Config.MaxConns.
func (n *Node) Dial(ctx context.Context, address string) (net.Conn, error) {
	addr, err := parseAddr(address, n.Machine())
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	c, err := n.dial(ctx, addr)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: addr, Err: systemError("connect", err)}
	}
	return c, nil
}

func (n *Node) dial(ctx context.Context, addr Addr) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := n.network.enter()
	defer n.network.leave()
	if err := n.endLocked(); err != nil {
		return nil, err
	}
	ep, err := n.core.connect(now, addr)
	if err != nil {
		return nil, err
	}
	c := newConnLocked(n, ep)
	stop := context.AfterFunc(ctx, func() {
		n.network.mu.Lock()
		defer n.network.mu.Unlock()
		c.changed.Broadcast()
	})
	defer stop()
	for {
		switch err := n.endLocked(); {
		case err != nil:
			return nil, c.abandonLocked(err)
		case ep.err != nil:
			return nil, c.abandonLocked(ep.err)
		case ctx.Err() != nil:
			return nil, c.abandonLocked(ctx.Err())
		case ep.established:
			return c, nil
		}
		n.waitLocked(c.changed)
	}
}

// systemError gives errors of the kernel the form that package net gives them.
func systemError(call string, err error) error {
	if _, ok := err.(syscall.Errno); ok {
		return os.NewSyscallError(call, err)
	}
	return err
}

// listener implements net.Listener.
type listener struct {
	node    *Node
	core    *listenerCore
	changed *sync.Cond
	// closed is guarded by the network's lock.
	closed bool
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	l.node.network.enter()
	defer l.node.network.leave()
	for {
		if err := l.errLocked(); err != nil {
			return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.core.addr, Err: err}
		}
		if ep := l.core.accept(); ep != nil {
			return newConnLocked(l.node, ep), nil
		}
		l.node.waitLocked(l.changed)
	}
}

func (l *listener) errLocked() error {
	if err := l.node.endLocked(); err != nil {
		return err
	}
	if l.closed {
		return net.ErrClosed
	}
	return nil
}

// Close implements net.Listener. Connections that nobody has accepted are
// reset.
func (l *listener) Close() error {
	now := l.node.network.enter()
	defer l.node.network.leave()
	if err := l.errLocked(); err != nil {
		return &net.OpError{Op: "close", Net: "tcp", Addr: l.core.addr, Err: err}
	}
	l.closed = true
	l.core.close(now)
	delete(l.node.mu.waiters, l.changed)
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.core.addr }

// deadline is when operations of one direction give up.
type deadline struct {
	at    time.Duration
	set   bool
	event *event
}

func (d *deadline) expired(now time.Duration) bool { return d.set && now >= d.at }
