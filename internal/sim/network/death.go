package network

import (
	"errors"
	"time"
)

// ErrDead is what a node answers after its process was killed.
var ErrDead = errors.New("simulated network: the process is dead")

// nodeCore is one life of a process on its machine.
type nodeCore struct {
	fabric  *fabric
	machine *machine
	dead    bool
	// wake wakes whoever waits for something of the process.
	wake func()
}

// newNode starts a process, and its machine if that is down.
func (f *fabric) newNode(name string) *nodeCore {
	m := f.machine(name)
	if !m.up {
		f.tracef("%s up", name)
	}
	m.up = true
	return &nodeCore{fabric: f, machine: m, wake: func() {}}
}

func (m *machine) releasePort(port int) {
	if m.ports[port]--; m.ports[port] <= 0 {
		delete(m.ports, port)
	}
}

// kill ends a process whose machine lives on: its kernel resets every
// connection (N2).
func (f *fabric) kill(now time.Duration, n *nodeCore) {
	if !n.dead {
		f.tracef("%s killed", n.machine.name)
		f.bury(n, func(ep *endpoint) { ep.breakOff(now, ErrDead) })
	}
}

// powerLoss ends all processes of a machine, and nobody tells their peers.
func (f *fabric) powerLoss(m *machine, nodes []*nodeCore) {
	f.tracef("%s down", m.name)
	m.up = false
	for _, n := range nodes {
		f.bury(n, func(ep *endpoint) { ep.vanish(ErrDead) })
	}
}

// bury ends a process, each of its connections with end. What it has not put
// on the wire is lost with it.
func (f *fabric) bury(n *nodeCore, end func(*endpoint)) {
	if n.dead {
		return
	}
	n.dead = true
	for port, l := range n.machine.listeners {
		if l.node == n {
			delete(n.machine.listeners, port)
		}
	}
	for _, ep := range f.sortedEndpoints(func(ep *endpoint) bool { return ep.node == n }) {
		end(ep)
		ep.recv = receiving{}
	}
	n.wake()
}
