package network

import (
	"io"
	"slices"
	"syscall"
	"time"
)

// endpoint is one end of a connection. Positions count the bytes of a
// direction from 0; the end of a stream takes a position too when it is
// acknowledged.
type endpoint struct {
	fabric        *fabric
	node          *nodeCore
	number        uint64
	local, remote Addr
	out           *link
	// peer is the other end, nil until it is known.
	peer *endpoint
	// listener is where the end waits to be accepted.
	listener *listenerCore
	// wake tells whoever waits for the end that something has changed.
	wake func()
	// established is true from the answer to the dialling on; gone once
	// nothing more happens, with err as the reason for the program.
	established, gone bool
	err               error
	// closed is set when the program has closed the connection.
	closed bool
	// ephemeral says that the local port is used up while the end exists.
	ephemeral bool

	send sending
	recv receiving

	// lastArrival is when the last segment sent arrives; none overtakes it.
	lastArrival time.Duration
	// heardAt is when the last segment came, askedAt since when an answer to
	// data is expected.
	heardAt, askedAt time.Duration
	// timer probes; closeTimer ends an end that lingers; dial repeats.
	timer, closeTimer *event
	dial              dialing
}

// sending is the outgoing direction.
type sending struct {
	// buf is what the other side has not acknowledged, from position acked;
	// what lies before next was sent, what lies before edge may be.
	buf                []byte
	acked, next, edge  uint64
	fin, finSent, done bool
}

func (s *sending) end() uint64 { return s.acked + uint64(len(s.buf)) }

// receiving is the incoming direction.
type receiving struct {
	// buf is what the program has not read, up to position arrived.
	buf     []byte
	arrived uint64
	// edge is what the other side was told it may send.
	edge uint64
	eof  bool
}

// newEndpoint makes an end; the caller has checked that there is room.
func (f *fabric) newEndpoint(node *nodeCore, local, remote Addr) *endpoint {
	f.lastEndpoint++
	ep := &endpoint{
		fabric: f, node: node, number: f.lastEndpoint, local: local, remote: remote,
		out:  f.linkBetween(node.machine, f.machine(remote.Host)),
		wake: func() {},
	}
	ep.send.edge = uint64(f.config.ReceiveBufferBytes)
	ep.recv.edge = ep.send.edge
	ep.timer = &event{index: -1, fire: ep.onTimer}
	ep.closeTimer = &event{index: -1, fire: ep.onCloseTimer}
	ep.dial.timer = &event{index: -1, fire: ep.redial}
	f.endpoints[ep.number] = ep
	return ep
}

func (ep *endpoint) segment(k kind) *segment {
	return &segment{kind: k, link: ep.out, sender: ep, target: ep.peer, local: ep.local, remote: ep.remote}
}

// write takes as much of p as there is room for.
func (ep *endpoint) write(now time.Duration, p []byte) (n int, err error) {
	switch {
	case ep.err != nil:
		return 0, ep.err
	case ep.closed || ep.send.fin:
		return 0, syscall.EPIPE
	}
	s := &ep.send
	n = min(len(p), ep.fabric.config.SendBufferBytes-len(s.buf))
	if n > 0 {
		ep.ask(now)
		s.buf = append(s.buf, p[:n]...)
		ep.transmit(now)
	}
	return n, nil
}

// transmit sends what the window permits.
func (ep *endpoint) transmit(now time.Duration) {
	s, f := &ep.send, ep.fabric
	if !ep.established || ep.gone {
		return
	}
	for s.next < s.end() && s.next < s.edge {
		size := min(s.end()-s.next, s.edge-s.next, uint64(f.config.SegmentBytes))
		if f.rng.IntN(8) == 0 {
			// No program may rely on how a stream is cut into messages.
			size = 1 + f.rng.Uint64N(size)
		}
		m := ep.segment(kindData)
		m.position = s.next
		m.data = s.buf[s.next-s.acked:][:size:size]
		s.next += size
		f.send(now, m)
	}
	if s.fin && !s.finSent && s.next == s.end() {
		m := ep.segment(kindFin)
		m.position = s.next
		s.finSent = true
		f.send(now, m)
	}
	ep.arm(now)
}

// read takes what has arrived. It returns 0 and no error if nothing has.
func (ep *endpoint) read(now time.Duration, p []byte) (n int, err error) {
	r := &ep.recv
	if len(r.buf) > 0 {
		n = copy(p, r.buf)
		r.buf = r.buf[n:]
		// A larger window is worth a message when it has grown by half.
		if edge := ep.window(); !ep.gone && edge-r.edge >= uint64(ep.fabric.config.ReceiveBufferBytes+1)/2 {
			ep.acknowledge(now)
		}
		return n, nil
	}
	switch {
	case r.eof:
		return 0, io.EOF
	case ep.err != nil:
		return 0, ep.err
	}
	return 0, nil
}

// window is what the other side may send.
func (ep *endpoint) window() uint64 {
	r := &ep.recv
	return r.arrived - uint64(len(r.buf)) + uint64(ep.fabric.config.ReceiveBufferBytes)
}

func (ep *endpoint) acknowledge(now time.Duration) {
	m := ep.segment(kindAck)
	m.acked = ep.recv.arrived
	if ep.recv.eof {
		m.acked++
	}
	ep.recv.edge = ep.window()
	m.edge = ep.recv.edge
	ep.fabric.send(now, m)
}

// arrive takes a segment from the other side.
func (ep *endpoint) arrive(now time.Duration, s *segment) {
	ep.heardAt = now
	switch s.kind {
	case kindReset:
		ep.onReset(now)
	case kindSynAck:
		ep.onSynAck(now, s)
	case kindData:
		ep.onData(now, s)
	case kindFin:
		ep.recv.eof = true
		ep.acknowledge(now)
	case kindAck:
		ep.onAck(now, s)
	case kindProbe:
		ep.acknowledge(now)
	}
	ep.wake()
	ep.finish()
}

func (ep *endpoint) onData(now time.Duration, s *segment) {
	if ep.closed {
		// Nobody will read this: the kernel says so.
		ep.breakOff(now, nil)
		return
	}
	ep.recv.buf = append(ep.recv.buf, s.data...)
	ep.recv.arrived += uint64(len(s.data))
	ep.fabric.stats.BytesArrived += uint64(len(s.data))
	ep.acknowledge(now)
}

func (ep *endpoint) onAck(now time.Duration, m *segment) {
	s := &ep.send
	if m.acked > s.acked {
		n := min(m.acked-s.acked, uint64(len(s.buf)))
		s.done = s.done || m.acked > s.end()
		s.buf = s.buf[n:]
		s.acked += n
		ep.askedAt = now
	}
	s.edge = max(s.edge, m.edge)
	ep.transmit(now)
}

// onReset ends the connection because the other side says so. Systems differ
// in whether what has arrived of an unfinished stream can still be read then;
// so does chance here.
func (ep *endpoint) onReset(now time.Duration) {
	if !ep.established {
		ep.vanish(syscall.ECONNREFUSED)
		return
	}
	ep.vanish(syscall.ECONNRESET)
	if !ep.recv.eof && ep.fabric.rng.IntN(2) == 0 {
		ep.recv.buf = nil
	}
}

// finishWriting is CloseWrite: the other side reads to the end and then io.EOF.
func (ep *endpoint) finishWriting(now time.Duration) error {
	switch {
	case ep.err != nil:
		return ep.err
	case ep.closed:
		return syscall.EPIPE
	}
	ep.ask(now)
	ep.send.fin = true
	ep.transmit(now)
	return nil
}

// close ends the connection for the program. What it wrote is still sent,
// unless something is unread: then the other side is told that this was lost.
func (ep *endpoint) close(now time.Duration) {
	if ep.closed {
		return
	}
	ep.closed = true
	if ep.gone {
		return
	}
	if len(ep.recv.buf) > 0 {
		ep.breakOff(now, nil)
		return
	}
	ep.ask(now)
	ep.send.fin = true
	ep.fabric.agenda.set(ep.closeTimer, now+ep.fabric.config.DeadAfter)
	ep.transmit(now)
	ep.finish()
}

// onCloseTimer gives up an end that nobody holds any more (N10).
func (ep *endpoint) onCloseTimer(now time.Duration) { ep.breakOff(now, syscall.ETIMEDOUT) }

// finish forgets a connection that both sides have closed.
func (ep *endpoint) finish() {
	if ep.closed && ep.send.done && ep.recv.eof {
		ep.vanish(nil)
	}
}

// breakOff ends the connection and tells the other side.
func (ep *endpoint) breakOff(now time.Duration, err error) {
	if !ep.gone && ep.peer != nil {
		ep.fabric.send(now, ep.segment(kindReset))
	}
	ep.vanish(err)
}

// vanish ends the end without a word. err is what the program gets to see.
func (ep *endpoint) vanish(err error) {
	if ep.gone {
		return
	}
	f := ep.fabric
	ep.gone, ep.err = true, err
	ep.send.buf = nil
	if ep.out.wasCut {
		// What a partition holds up is what the kernel would repeat.
		ep.out.held = slices.DeleteFunc(ep.out.held, func(s *segment) bool { return s.sender == ep && s.kind.resent() })
	}
	for _, e := range []*event{ep.timer, ep.closeTimer, ep.dial.timer} {
		f.agenda.drop(e)
	}
	delete(f.endpoints, ep.number)
	if ep.ephemeral {
		ep.node.machine.releasePort(ep.local.Port)
	}
	if ep.listener != nil {
		ep.listener.remove(ep)
	}
	ep.wake()
}
