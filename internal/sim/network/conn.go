package network

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Conn is a connection. It implements net.Conn; Node.Dial and a listener's
// Accept return it.
type Conn struct {
	node    *Node
	ep      *endpoint
	changed *sync.Cond
	// The rest is guarded by the network's lock.
	closed      bool
	writing     bool
	read, write deadline
}

func newConnLocked(n *Node, ep *endpoint) *Conn {
	c := &Conn{node: n, ep: ep, changed: n.newCondLocked()}
	ep.wake = c.changed.Broadcast
	c.read.event = &event{index: -1, fire: func(time.Duration) { c.changed.Broadcast() }}
	c.write.event = &event{index: -1, fire: func(time.Duration) { c.changed.Broadcast() }}
	return c
}

// abandonLocked forgets a connection that did not come about, because of err.
func (c *Conn) abandonLocked(err error) error {
	delete(c.node.mu.waiters, c.changed)
	c.ep.vanish(err)
	return err
}

// errLocked returns why neither Read nor Write may go on, if so.
func (c *Conn) errLocked(d *deadline) error {
	if err := c.node.endLocked(); err != nil {
		return err
	}
	switch {
	case c.closed:
		return net.ErrClosed
	case d != nil && d.expired(time.Since(c.node.network.began)):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// Read implements net.Conn. Besides io.EOF its errors wrap
// os.ErrDeadlineExceeded, net.ErrClosed, ErrDead, syscall.ECONNRESET or
// syscall.ETIMEDOUT.
func (c *Conn) Read(p []byte) (int, error) {
	now := c.node.network.enter()
	defer c.node.network.leave()
	for {
		if err := c.errLocked(&c.read); err != nil {
			return 0, c.wrap("read", err)
		}
		n, err := c.ep.read(now, p)
		if n > 0 || err != nil || len(p) == 0 {
			return n, c.wrap("read", err)
		}
		c.node.waitLocked(c.changed)
		now = time.Since(c.node.network.began)
	}
}

// Write implements net.Conn. It returns when all of p is in the send buffer.
// Its errors are those of Read but io.EOF, and syscall.EPIPE after CloseWrite.
func (c *Conn) Write(p []byte) (written int, err error) {
	now := c.node.network.enter()
	defer c.node.network.leave()
	// Concurrent writes do not mix.
	for c.writing {
		if err := c.errLocked(&c.write); err != nil {
			return 0, c.wrap("write", err)
		}
		c.node.waitLocked(c.changed)
	}
	c.writing = true
	defer func() {
		c.writing = false
		c.changed.Broadcast()
	}()
	for {
		if err := c.errLocked(&c.write); err != nil {
			return written, c.wrap("write", err)
		}
		n, err := c.ep.write(now, p[written:])
		written += n
		if err != nil || written == len(p) {
			return written, c.wrap("write", err)
		}
		c.node.waitLocked(c.changed)
		now = time.Since(c.node.network.began)
	}
}

// wrap gives an error the form that package net gives it.
func (c *Conn) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.ep.local, Addr: c.ep.remote, Err: systemError(op, err)}
}

// CloseWrite ends the outgoing direction: the other side reads what was
// written and then io.EOF. Reading goes on.
func (c *Conn) CloseWrite() error {
	now := c.node.network.enter()
	defer c.node.network.leave()
	if err := c.errLocked(nil); err != nil {
		return c.wrap("close", err)
	}
	return c.wrap("close", c.ep.finishWriting(now))
}

// Close implements net.Conn. What was written is still sent, unless something
// that has arrived was not read: then the connection is reset, as with TCP.
func (c *Conn) Close() error {
	now := c.node.network.enter()
	defer c.node.network.leave()
	if err := c.errLocked(nil); err != nil {
		return c.wrap("close", err)
	}
	c.closed = true
	delete(c.node.mu.waiters, c.changed)
	c.node.network.mu.fabric.agenda.drop(c.read.event)
	c.node.network.mu.fabric.agenda.drop(c.write.event)
	c.ep.close(now)
	c.changed.Broadcast()
	return nil
}

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.ep.local }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.ep.remote }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error { return c.setDeadlines(t, &c.read, &c.write) }

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadlines(t, &c.read) }

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadlines(t, &c.write) }

func (c *Conn) setDeadlines(t time.Time, deadlines ...*deadline) error {
	now := c.node.network.enter()
	defer c.node.network.leave()
	if err := c.errLocked(nil); err != nil {
		return c.wrap("set", err)
	}
	agenda := &c.node.network.mu.fabric.agenda
	for _, d := range deadlines {
		agenda.drop(d.event)
		d.set, d.at = !t.IsZero(), t.Sub(c.node.network.began)
		if d.set && d.at > now {
			agenda.set(d.event, d.at)
		}
	}
	c.changed.Broadcast()
	return nil
}
