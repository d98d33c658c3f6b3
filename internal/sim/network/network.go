package network

import (
	"math/rand/v2"
	"sync"
	"time"
)

// idleLimit is how long the loop sleeps when nothing is planned.
const idleLimit = time.Hour

// Network connects machines. Its methods are safe for concurrent use.
type Network struct {
	// began is the zero of the network's clock.
	began time.Time
	timer *time.Timer
	done  chan struct{}
	loop  sync.WaitGroup

	mu struct {
		sync.Mutex
		fabric *fabric
		nodes  map[*Node]struct{}
		closed bool
		// armed is when the timer fires.
		armed time.Duration
	}
}

// New returns a network without machines, which takes all its chances from
// rng. Each message calls trace, with a line that is valid during the call
// only; trace must not call the network. The caller closes the network.
func New(config Config, rng *rand.Rand, trace func(line []byte)) *Network {
	n := &Network{began: time.Now(), timer: time.NewTimer(idleLimit), done: make(chan struct{})}
	n.mu.fabric = newFabric(config, rng, trace)
	n.mu.nodes = make(map[*Node]struct{})
	n.mu.armed = idleLimit
	n.loop.Go(n.run)
	return n
}

// run lets events happen at their time.
func (n *Network) run() {
	for {
		select {
		case <-n.timer.C:
			n.enter()
			n.leave()
		case <-n.done:
			return
		}
	}
}

// enter takes the lock and brings the network up to date. The caller calls
// leave.
func (n *Network) enter() (now time.Duration) {
	n.mu.Lock()
	now = time.Since(n.began)
	if !n.mu.closed {
		n.mu.fabric.advance(now)
	}
	return now
}

// leave plans the next event and gives the lock back.
func (n *Network) leave() {
	defer n.mu.Unlock()
	n.rearmLocked()
}

func (n *Network) rearmLocked() {
	if n.mu.closed {
		return
	}
	now := time.Since(n.began)
	at, ok := n.mu.fabric.next()
	if !ok {
		at = now + idleLimit
	}
	if n.mu.armed <= now || at < n.mu.armed {
		n.mu.armed = at
		n.timer.Reset(max(0, at-now))
	}
}

// Close ends the network and everything in it (N8).
func (n *Network) Close() error {
	n.mu.Lock()
	closed := n.mu.closed
	n.mu.closed = true
	if !closed {
		close(n.done)
		for node := range n.mu.nodes {
			node.wakeLocked()
		}
	}
	n.mu.Unlock()
	n.timer.Stop()
	n.loop.Wait()
	return nil
}

// NewNode starts a process on the machine of that name, which it powers up if
// need be. Any number of processes can live on a machine.
func (n *Network) NewNode(machine string) *Node {
	n.enter()
	defer n.leave()
	node := &Node{network: n, core: n.mu.fabric.newNode(machine)}
	node.mu.waiters = make(map[*sync.Cond]struct{})
	node.core.wake = node.wakeLocked
	n.mu.nodes[node] = struct{}{}
	return node
}

// PowerLoss ends all processes of a machine. Their peers get no sign of it;
// until a process starts there again, nothing that is sent to it is answered.
func (n *Network) PowerLoss(machine string) {
	n.enter()
	defer n.leave()
	var nodes []*nodeCore
	for node := range n.mu.nodes {
		if node.core.machine.name == machine {
			nodes = append(nodes, node.core)
			delete(n.mu.nodes, node)
		}
	}
	n.mu.fabric.powerLoss(n.mu.fabric.machine(machine), nodes)
}

// Link returns what the link between two machines is like.
func (n *Network) Link(from, to string) LinkConfig {
	n.mu.Lock()
	defer n.mu.Unlock()
	f := n.mu.fabric
	return f.linkBetween(f.machine(from), f.machine(to)).config
}

// Stats returns the counts so far.
func (n *Network) Stats() Stats {
	n.enter()
	defer n.leave()
	s := n.mu.fabric.stats
	s.Endpoints = len(n.mu.fabric.endpoints)
	for _, m := range n.mu.fabric.machines {
		for _, l := range m.out {
			s.Held += len(l.held)
		}
	}
	return s
}

// HealBound is how long what is held up now may take to arrive if all faults
// were healed now (N3).
func (n *Network) HealBound() time.Duration {
	now := n.enter()
	defer n.leave()
	return n.mu.fabric.healBound(now)
}

// Fault is something wrong with a network until it is healed.
type Fault struct {
	network *Network
	core    *faultCore
}

// Cut begins a partition: nothing gets from one of the machines in from to one
// in to, and with BothWays not back either. Streams go on where they were when
// it is healed, after up to Config.RetransmitMax; what the kernels say only
// once (resets, probes, diallings) is lost. An empty list stands for all
// machines but those in the other list. Machines that are first named later
// are not part of it.
func (n *Network) Cut(from, to []string, direction Direction) *Fault {
	return n.strike(from, to, direction, true)
}

// Clog lets the links between the machines stand still: nothing is lost, and
// everything goes on when it is healed. The machines are given as for Cut.
func (n *Network) Clog(from, to []string, direction Direction) *Fault {
	return n.strike(from, to, direction, false)
}

func (n *Network) strike(from, to []string, direction Direction, cut bool) *Fault {
	n.enter()
	defer n.leave()
	return &Fault{network: n, core: n.mu.fabric.strike(from, to, direction, cut)}
}

// Heal ends the fault. Where others strike the same link it stays blocked.
func (f *Fault) Heal() {
	now := f.network.enter()
	defer f.network.leave()
	f.network.mu.fabric.heal(now, f.core)
}

// HealAll ends all faults.
func (n *Network) HealAll() {
	now := n.enter()
	defer n.leave()
	n.mu.fabric.healAll(now)
}

// ResetSome breaks each connection between the machines, given as for Cut,
// with the given probability, and returns how many it broke. It tells one side
// or both; a side that is not told finds out when it sends.
func (n *Network) ResetSome(from, to []string, probability float64) int {
	now := n.enter()
	defer n.leave()
	return n.mu.fabric.resetSome(now, from, to, probability)
}
