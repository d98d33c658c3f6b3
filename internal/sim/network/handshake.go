package network

import (
	"slices"
	"syscall"
	"time"
)

// dialing is the state of an end that waits for an answer.
type dialing struct {
	timer        *event
	retry, limit time.Duration
}

// connect begins to dial remote.
func (n *nodeCore) connect(now time.Duration, remote Addr) (*endpoint, error) {
	f := n.fabric
	if len(f.endpoints) >= f.config.MaxConns {
		return nil, syscall.EMFILE
	}
	port := n.machine.freePort()
	if port == 0 {
		return nil, syscall.EADDRNOTAVAIL
	}
	ep := f.newEndpoint(n, Addr{n.machine.name, port}, remote)
	ep.ephemeral = true
	n.machine.ports[port]++
	ep.dial.retry = f.config.DialRetry
	ep.dial.limit = now + f.config.DialLimit
	ep.knock(now)
	return ep, nil
}

// knock sends a dialling and plans the next one.
func (ep *endpoint) knock(now time.Duration) {
	ep.fabric.send(now, ep.segment(kindSyn))
	ep.fabric.agenda.set(ep.dial.timer, min(now+ep.dial.retry, ep.dial.limit))
	ep.dial.retry *= 2
}

// redial repeats a dialling, or gives up.
func (ep *endpoint) redial(now time.Duration) {
	switch {
	case ep.established || ep.gone:
	case now >= ep.dial.limit:
		ep.fabric.tracef("%v>%v gives up dialling", ep.local, ep.remote)
		ep.vanish(syscall.ETIMEDOUT)
	default:
		ep.knock(now)
	}
}

// arriveSyn gives a dialling to its listener.
func (f *fabric) arriveSyn(now time.Duration, s *segment) {
	m := s.link.to
	l := m.listeners[s.remote.Port]
	switch {
	case s.sender.gone || s.sender.peer != nil && !s.sender.peer.gone:
		// Nobody waits for the answer any more, or it is on its way.
		f.lose(s, "superseded")
	case l == nil || s.sender.peer != nil:
		f.lose(s, "refused")
		f.reset(now, s.remote, s.sender, s.link)
	case len(l.waiting) >= f.config.Backlog || len(f.endpoints) >= f.config.MaxConns:
		f.lose(s, "backlog is full")
	default:
		f.stats.Arrived++
		f.traceSegment(s, "")
		l.welcome(now, s)
	}
}

// welcome makes the listener's end of a connection.
func (l *listenerCore) welcome(now time.Duration, s *segment) {
	f := l.node.fabric
	ep := f.newEndpoint(l.node, s.remote, s.local)
	ep.peer, s.sender.peer = s.sender, ep
	ep.established, ep.heardAt = true, now
	ep.listener = l
	l.waiting = append(l.waiting, ep)
	f.stats.Connections++
	f.send(now, ep.segment(kindSynAck))
	ep.arm(now)
	l.wake()
}

// onSynAck completes a dialling.
func (ep *endpoint) onSynAck(now time.Duration, s *segment) {
	if ep.established {
		return
	}
	ep.established = true
	ep.peer = s.sender
	ep.fabric.agenda.drop(ep.dial.timer)
	ep.arm(now)
}

// listenerCore is a port that processes can dial.
type listenerCore struct {
	node *nodeCore
	addr Addr
	// waiting are the ends that nobody has accepted, oldest first.
	waiting []*endpoint
	wake    func()
}

// listen opens a port, an ephemeral one for 0.
func (n *nodeCore) listen(addr Addr, wake func()) (*listenerCore, error) {
	m := n.machine
	if addr.Host != m.name {
		return nil, syscall.EADDRNOTAVAIL
	}
	if addr.Port == 0 {
		addr.Port = m.freePort()
	}
	if addr.Port == 0 || m.listeners[addr.Port] != nil || m.ports[addr.Port] > 0 {
		return nil, syscall.EADDRINUSE
	}
	l := &listenerCore{node: n, addr: addr, wake: wake}
	m.listeners[addr.Port] = l
	n.fabric.tracef("%v listens", addr)
	return l, nil
}

// accept returns the oldest connection that waits, or nil.
func (l *listenerCore) accept() *endpoint {
	if len(l.waiting) == 0 {
		return nil
	}
	ep := l.waiting[0]
	l.waiting = l.waiting[1:]
	ep.listener = nil
	return ep
}

func (l *listenerCore) remove(ep *endpoint) {
	l.waiting = slices.DeleteFunc(l.waiting, func(w *endpoint) bool { return w == ep })
}

// close closes the port; who waits is reset.
func (l *listenerCore) close(now time.Duration) {
	if l.node.machine.listeners[l.addr.Port] == l {
		delete(l.node.machine.listeners, l.addr.Port)
	}
	for _, ep := range slices.Clone(l.waiting) {
		ep.breakOff(now, nil)
	}
	l.wake()
}
