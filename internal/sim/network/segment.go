package network

import "time"

// kind is what a segment says.
type kind uint8

const (
	kindSyn    kind = iota // asks a listener for a connection
	kindSynAck             // says that there is one now
	kindData
	kindFin // nothing follows
	kindAck // says what arrived and how much more may be sent
	kindProbe
	kindReset
)

func (k kind) String() string {
	return [...]string{"syn", "synack", "data", "fin", "ack", "probe", "reset"}[k]
}

// resent reports whether the sender repeats a segment that is lost, so that a
// partition only holds it up. Diallings and probes are repeated by timers of
// their own, and a reset is sent once.
func (k kind) resent() bool {
	return k == kindSynAck || k == kindData || k == kindFin || k == kindAck
}

// single reports whether a later segment of the same kind makes an earlier one
// that is held up worthless.
func (k kind) single() bool { return k == kindSyn || k == kindAck || k == kindProbe || k == kindReset }

// headerBytes is what a segment takes on the link besides its data, as much as
// the headers of IP and TCP.
const headerBytes = 40

// segment is a message between the two ends of a connection.
type segment struct {
	kind kind
	link *link
	// sender and target are the ends. The target of a kindSyn is a listener,
	// by its address.
	sender, target *endpoint
	local, remote  Addr
	// position is the place of data in the stream; data is never changed.
	position uint64
	data     []byte
	// acked and edge are what kindAck says: all before acked has arrived, and
	// what lies before edge may be sent.
	acked, edge uint64
	// number orders the segments of the network.
	number uint64
}

func (s *segment) bytes() int64 { return int64(headerBytes + len(s.data)) }

// link carries the segments from one machine to another.
type link struct {
	from, to *machine
	config   LinkConfig
	// freeAt is when the last segment so far will have been put on the wire.
	freeAt time.Duration
	// cuts and clogs count the faults that block the link; wasCut is set if
	// any of those since it last was free was a cut.
	cuts, clogs int
	wasCut      bool
	// held is what waits for the end of the faults, in the order sent.
	held []*segment
}

func (l *link) blocked() bool { return l.cuts+l.clogs > 0 }

// transmission is how long n bytes occupy the link.
func (l *link) transmission(n int64) time.Duration {
	if l.config.BytesPerSecond <= 0 {
		return 0
	}
	return time.Duration(float64(n) / float64(l.config.BytesPerSecond) * float64(time.Second))
}

// machine is a computer: processes come and go on it, and its kernel answers
// for dead ones as long as it has power.
type machine struct {
	name string
	up   bool
	// out maps the machines that something was sent to, by name.
	out       map[string]*link
	listeners map[int]*listenerCore
	nextPort  int
	// ports counts the ends of connections that use an ephemeral port.
	ports map[int]int
}

// freePort returns an ephemeral port that nobody uses, or 0.
func (m *machine) freePort() int {
	for range lastPort - firstEphemeralPort + 1 {
		port := m.nextPort
		m.nextPort++
		if m.nextPort > lastPort {
			m.nextPort = firstEphemeralPort
		}
		if m.ports[port] == 0 && m.listeners[port] == nil {
			return port
		}
	}
	return 0
}
