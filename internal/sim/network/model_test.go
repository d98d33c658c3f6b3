package network

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model drives a fabric with its own clock and knows what each stream must
// hold.
type model struct {
	t         *rapid.T
	fabric    *fabric
	now       time.Duration
	rng       *rand.Rand
	nodes     map[string]*nodeCore
	listeners map[string]*listenerCore
	faults    []*faultCore
	ends      []*modelEnd
	byCore    map[*endpoint]*modelEnd
}

// modelEnd is one end of a connection as its program sees it.
type modelEnd struct {
	ep *endpoint
	// written was accepted from the program, taken was read by the other one.
	written []byte
	taken   int
	// wire is how much of written was ever on the wire when its process died,
	// -1 while it lives.
	wire int
	// ended says that the program has closed this direction.
	ended bool
}

var modelMachines = []string{"a", "b", "c"}

func newModel(t *rapid.T) *model {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	config := Draw(rng)
	config.SegmentBytes = rapid.IntRange(1, 1000).Draw(t, "segment")
	config.SendBufferBytes = rapid.IntRange(1, 3000).Draw(t, "send buffer")
	config.ReceiveBufferBytes = rapid.IntRange(1, 3000).Draw(t, "receive buffer")
	m := &model{
		t: t, rng: rng, fabric: newFabric(config, rng, func([]byte) {}),
		nodes: make(map[string]*nodeCore), listeners: make(map[string]*listenerCore),
		byCore: make(map[*endpoint]*modelEnd),
	}
	for _, name := range modelMachines {
		m.boot(name)
	}
	for range 4 {
		m.dial(nil)
	}
	m.now += 10 * time.Second
	m.fabric.advance(m.now)
	m.accept(nil)
	return m
}

func (m *model) boot(name string) {
	m.nodes[name] = m.fabric.newNode(name)
	l, err := m.nodes[name].listen(Addr{name, 80}, func() {})
	if err != nil {
		m.t.Fatalf("listen: %v", err)
	}
	m.listeners[name] = l
}

func (m *model) anyMachine(label string) string {
	return rapid.SampledFrom(modelMachines).Draw(m.t, label)
}

// onAnyEnd makes an action out of what is done to one end, if there is one.
func (m *model) onAnyEnd(do func(*modelEnd)) func(*rapid.T) {
	return func(*rapid.T) {
		if len(m.ends) > 0 {
			do(rapid.SampledFrom(m.ends).Draw(m.t, "end"))
		}
	}
}

func (m *model) add(ep *endpoint) {
	e := &modelEnd{ep: ep, wire: -1}
	m.ends = append(m.ends, e)
	m.byCore[ep] = e
}

func (m *model) dial(*rapid.T) {
	from, to := m.anyMachine("from"), m.anyMachine("to")
	ep, err := m.nodes[from].connect(m.now, Addr{to, 80})
	if err != nil {
		m.t.Fatalf("connect: %v", err)
	}
	m.add(ep)
}

func (m *model) accept(*rapid.T) {
	for _, name := range modelMachines {
		for ep := m.listeners[name].accept(); ep != nil; ep = m.listeners[name].accept() {
			m.add(ep)
		}
	}
}

func (m *model) write(e *modelEnd) {
	if !e.ep.established && !e.ep.gone {
		return
	}
	data := make([]byte, rapid.IntRange(1, 5000).Draw(m.t, "bytes"))
	for i := range data {
		data[i] = byte(m.rng.Uint32())
	}
	n, err := e.ep.write(m.now, data)
	if n > 0 && (err != nil || e.ended) {
		m.t.Fatalf("N7: a closed or broken connection took %d bytes (%v)", n, err)
	}
	e.written = append(e.written, data[:n]...)
}

func (m *model) read(e *modelEnd) { m.readEnd(e, rapid.IntRange(1, 5000).Draw(m.t, "bytes")) }

// readEnd reads and compares with what the other side wrote (N1, N2).
func (m *model) readEnd(e *modelEnd, limit int) (n int) {
	if e.ep.closed {
		return 0
	}
	buf := make([]byte, limit)
	n, err := e.ep.read(m.now, buf)
	if n == 0 && err == nil {
		return 0
	}
	peer := m.byCore[e.ep.peer]
	if peer == nil {
		if n > 0 || err == io.EOF {
			m.t.Fatalf("N1: %d bytes (%v) from nowhere", n, err)
		}
		return 0
	}
	if n > len(peer.written)-peer.taken || !bytes.Equal(buf[:n], peer.written[peer.taken:][:n]) {
		m.t.Fatalf("N1: what was read at %d is not what was written", peer.taken)
	}
	peer.taken += n
	if peer.wire >= 0 && peer.taken > peer.wire {
		m.t.Fatalf("N2: byte %d of a dead process arrived, which had put %d on the wire", peer.taken, peer.wire)
	}
	if err == io.EOF && (!peer.ended || peer.taken != len(peer.written)) {
		m.t.Fatalf("N1: EOF after %d of %d bytes; closed: %v", peer.taken, len(peer.written), peer.ended)
	}
	return n
}

func (m *model) closeWrite(e *modelEnd) {
	if e.ep.established && e.ep.finishWriting(m.now) == nil {
		e.ended = true
	}
}

func (m *model) close(e *modelEnd) {
	if e.ep.established {
		e.ended = true
		e.ep.close(m.now)
	}
}

func (m *model) pass(*rapid.T) {
	m.now += time.Duration(rapid.Int64Range(0, int64(200*time.Millisecond)).Draw(m.t, "time"))
	m.fabric.advance(m.now)
}

func (m *model) strike(*rapid.T) {
	direction := Direction(rapid.IntRange(0, 1).Draw(m.t, "direction"))
	m.faults = append(m.faults, m.fabric.strike([]string{m.anyMachine("from")}, nil, direction, rapid.Bool().Draw(m.t, "cut")))
}

func (m *model) heal(*rapid.T) {
	if len(m.faults) > 0 {
		m.fabric.heal(m.now, rapid.SampledFrom(m.faults).Draw(m.t, "fault"))
	}
}

func (m *model) reset(*rapid.T) {
	m.fabric.resetSome(m.now, []string{m.anyMachine("from")}, nil, 0.5)
}

// die kills a process or cuts its machine's power, and boots it again.
func (m *model) die(*rapid.T) {
	name := m.anyMachine("machine")
	for _, e := range m.ends {
		if e.ep.node == m.nodes[name] && e.wire < 0 {
			e.wire = int(e.ep.send.next)
		}
	}
	if rapid.Bool().Draw(m.t, "power") {
		m.fabric.powerLoss(m.fabric.machine(name), []*nodeCore{m.nodes[name]})
		m.pass(nil)
	} else {
		m.fabric.kill(m.now, m.nodes[name])
	}
	m.boot(name)
}

// check holds at any time.
func (m *model) check(*rapid.T) {
	f := m.fabric
	for _, ep := range f.endpoints {
		if len(ep.send.buf) > f.config.SendBufferBytes || len(ep.recv.buf) > f.config.ReceiveBufferBytes {
			m.t.Fatalf("N4: buffers hold %d and %d bytes", len(ep.send.buf), len(ep.recv.buf))
		}
		if ep.node.dead {
			m.t.Fatalf("N10: an end of a dead process is left")
		}
	}
	for _, e := range m.ends {
		if e.ep.gone && !e.ep.closed && e.ep.err == nil {
			m.t.Fatalf("N6: a connection has gone without an error")
		}
	}
}

// settle heals everything and reads until nothing happens any more (N3).
func (m *model) settle() {
	f := m.fabric
	bound, last := f.healBound(m.now), f.lastSegment
	f.healAll(m.now)
	m.now += bound
	f.advance(m.now)
	for _, e := range f.agenda.events {
		if e.segment != nil && e.segment.number <= last {
			m.t.Fatalf("N3: a %v is still under way %v after all faults were healed", e.segment.kind, bound)
		}
	}
	for end := m.now + 3*f.config.DeadAfter; m.now < end; {
		m.accept(nil)
		for _, e := range m.ends {
			if m.readEnd(e, 5000) > 0 {
				end = m.now + 3*f.config.DeadAfter
			}
		}
		at, ok := f.next()
		if !ok {
			break
		}
		m.now = max(m.now, at)
		f.advance(m.now)
	}
	for _, e := range m.ends {
		peer := m.byCore[e.ep.peer]
		if !e.ep.gone && peer != nil && !peer.ep.gone && peer.taken != len(peer.written) {
			m.t.Fatalf("N1: %d of %d bytes arrived", peer.taken, len(peer.written))
		}
		if e.ep.closed && !e.ep.gone {
			m.t.Fatalf("N10: a closed end is left")
		}
	}
}

func TestStreamsHoldWhatWasWrittenWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		actions := map[string]func(*rapid.T){
			"dial": m.dial, "accept": m.accept, "write": m.onAnyEnd(m.write), "read": m.onAnyEnd(m.read),
			"closeWrite": m.onAnyEnd(m.closeWrite), "close": m.onAnyEnd(m.close), "pass": m.pass, "write more": m.onAnyEnd(m.write),
			"strike": m.strike, "heal": m.heal, "reset": m.reset, "die": m.die, "": m.check,
		}
		for range 3 {
			t.Repeat(actions)
		}
		m.settle()
	})
}
