package network

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// fabric is the network without clock and goroutines: whoever calls it says
// what time it is. Times are durations since the network began.
type fabric struct {
	config   Config
	rng      *rand.Rand
	trace    func(line []byte)
	agenda   agenda
	machines map[string]*machine
	// endpoints are the ends of connections that are not gone, by number.
	endpoints    map[uint64]*endpoint
	lastEndpoint uint64
	lastSegment  uint64
	faults       []*faultCore
	stats        Stats
	line         []byte
}

func newFabric(config Config, rng *rand.Rand, trace func([]byte)) *fabric {
	config.setDefaults()
	return &fabric{
		config: config, rng: rng, trace: trace,
		machines: make(map[string]*machine), endpoints: make(map[uint64]*endpoint),
	}
}

// advance lets everything happen that is due at now.
func (f *fabric) advance(now time.Duration) {
	for e := f.agenda.due(now); e != nil; e = f.agenda.due(now) {
		if e.segment != nil {
			f.arrive(e.at, e.segment)
		} else {
			e.fire(e.at)
		}
	}
}

// next returns when something will happen.
func (f *fabric) next() (at time.Duration, ok bool) {
	if len(f.agenda.events) == 0 {
		return 0, false
	}
	return f.agenda.events[0].at, true
}

func (f *fabric) machine(name string) *machine {
	m := f.machines[name]
	if m == nil {
		m = &machine{
			name: name, out: make(map[string]*link), listeners: make(map[int]*listenerCore),
			nextPort: firstEphemeralPort, ports: make(map[int]int),
		}
		f.machines[name] = m
	}
	return m
}

// linkBetween returns the link, which is made at its first use.
func (f *fabric) linkBetween(from, to *machine) *link {
	l := from.out[to.name]
	if l == nil {
		l = &link{from: from, to: to, config: f.config.drawLink(f.rng)}
		if from == to {
			l.config = LinkConfig{Latency: Latency{Min: time.Microsecond}}
		}
		from.out[to.name] = l
	}
	return l
}

// send puts a segment on its link, or lets it wait for the end of a fault.
func (f *fabric) send(now time.Duration, s *segment) {
	f.lastSegment++
	s.number = f.lastSegment
	f.stats.Sent++
	f.stats.BytesSent += uint64(len(s.data))
	if s.link.blocked() {
		f.hold(s)
		return
	}
	f.launch(now, s, 0)
}

// launch puts a segment on the wire: behind all others of the link, and never
// overtaking one of the same connection.
func (f *fabric) launch(now time.Duration, s *segment, delay time.Duration) {
	l := s.link
	l.freeAt = max(now, l.freeAt) + l.transmission(s.bytes())
	at := l.freeAt + delay + l.config.Latency.draw(f.rng)
	if s.sender != nil {
		at = max(at, s.sender.lastArrival)
		s.sender.lastArrival = at
	}
	f.agenda.set(&event{index: -1, segment: s}, at)
}

// hold keeps a segment until the faults of its link end, if it survives them.
func (f *fabric) hold(s *segment) {
	l := s.link
	if l.cuts > 0 && !s.kind.resent() {
		f.lose(s, "partition")
		return
	}
	if s.kind.single() {
		l.held = slices.DeleteFunc(l.held, func(h *segment) bool {
			return h.kind == s.kind && h.sender == s.sender && h.target == s.target
		})
	}
	l.held = append(l.held, s)
}

// block adds a fault to a link. What is under way waits too, or is lost.
func (f *fabric) block(l *link, cut bool) {
	if cut {
		l.cuts++
		l.wasCut = true
	} else {
		l.clogs++
	}
	waiting := append(l.held, f.agenda.take(func(s *segment) bool { return s.link == l })...)
	slices.SortFunc(waiting, func(s, t *segment) int { return cmp.Compare(s.number, t.number) })
	l.held = nil
	for _, s := range waiting {
		f.hold(s)
	}
}

// unblock takes a fault from a link. With the last one, what waited goes on:
// after a partition at the next repetition of its sender.
func (f *fabric) unblock(now time.Duration, l *link, cut bool) {
	if cut {
		l.cuts--
	} else {
		l.clogs--
	}
	if l.blocked() {
		return
	}
	held := l.held
	l.held = nil
	delays := make(map[*endpoint]time.Duration)
	for _, s := range held {
		delay, drawn := delays[s.sender]
		if l.wasCut && !drawn {
			delay = time.Duration(f.rng.Int64N(int64(f.config.RetransmitMax)))
			delays[s.sender] = delay
		}
		f.launch(now, s, delay)
	}
	l.wasCut = false
}

// healBound is N3's: nothing that was held up takes longer from now on.
func (f *fabric) healBound(now time.Duration) time.Duration {
	bound := time.Duration(0)
	for _, m := range f.machines {
		for _, l := range m.out {
			var waiting int64
			for _, s := range l.held {
				waiting += s.bytes()
			}
			bound = max(bound, max(0, l.freeAt-now)+l.transmission(waiting)+l.config.Latency.max())
		}
	}
	return bound + f.config.RetransmitMax
}

// arrive hands a segment to the machine that it was sent to.
func (f *fabric) arrive(now time.Duration, s *segment) {
	if !s.link.to.up {
		f.lose(s, "machine is down")
		return
	}
	if s.kind == kindSyn {
		f.arriveSyn(now, s)
		return
	}
	if t := s.target; t != nil && !t.gone {
		f.stats.Arrived++
		f.traceSegment(s, "")
		t.arrive(now, s)
		return
	}
	f.lose(s, "no connection")
	// A kernel answers so to what it does not know. It harms nobody whose
	// connection has ended as it should: both directions are complete then.
	if s.kind == kindData || s.kind == kindProbe || s.kind == kindSynAck {
		f.reset(now, s.remote, s.sender, s.link)
	}
}

// reset tells an end, from an end that is gone and whose address was from,
// that the connection is no more. in is the link that led there.
func (f *fabric) reset(now time.Duration, from Addr, target *endpoint, in *link) {
	back := f.linkBetween(in.to, in.from)
	f.send(now, &segment{kind: kindReset, link: back, target: target, local: from, remote: target.local})
}

func (f *fabric) lose(s *segment, why string) {
	f.stats.Lost++
	f.traceSegment(s, why)
}

// sortedEndpoints returns those that match, oldest first: the order of a map
// would be another chance.
func (f *fabric) sortedEndpoints(match func(*endpoint) bool) []*endpoint {
	var all []*endpoint
	for _, number := range slices.Sorted(maps.Keys(f.endpoints)) {
		if ep := f.endpoints[number]; match(ep) {
			all = append(all, ep)
		}
	}
	return all
}
