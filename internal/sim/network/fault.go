package network

import (
	"maps"
	"slices"
	"time"
)

// Direction says which way a fault strikes.
type Direction int

// The directions.
const (
	// OneWay strikes what goes from the first machines to the second ones.
	OneWay Direction = iota
	// BothWays strikes what goes the other way too.
	BothWays
)

// String names the direction for the trace.
func (d Direction) String() string {
	if d == OneWay {
		return ">"
	}
	return "<>"
}

// faultCore is a fault that lasts until it is healed.
type faultCore struct {
	links []*link
	cut   bool
	ended bool
}

// pairs calls visit for each link from a machine of from to one of to; an
// empty list stands for all machines that the other does not name.
func (f *fabric) pairs(from, to []string, direction Direction, visit func(*link)) {
	from, to = f.others(from, to), f.others(to, from)
	for _, a := range from {
		for _, b := range to {
			if a == b {
				continue
			}
			visit(f.linkBetween(f.machine(a), f.machine(b)))
			if direction == BothWays {
				visit(f.linkBetween(f.machine(b), f.machine(a)))
			}
		}
	}
}

func (f *fabric) others(names, than []string) []string {
	if len(names) > 0 {
		return names
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(f.machines)), func(name string) bool {
		return slices.Contains(than, name)
	})
}

// strike blocks links: by a partition if cut is set, else by clogging.
func (f *fabric) strike(from, to []string, direction Direction, cut bool) *faultCore {
	what := "clog"
	if cut {
		what = "cut"
	}
	f.tracef("%s %v%v%v", what, from, direction, to)
	fault := &faultCore{cut: cut}
	f.pairs(from, to, direction, func(l *link) {
		if !slices.Contains(fault.links, l) {
			fault.links = append(fault.links, l)
			f.block(l, cut)
		}
	})
	f.faults = append(f.faults, fault)
	return fault
}

// heal ends a fault.
func (f *fabric) heal(now time.Duration, fault *faultCore) {
	if fault.ended {
		return
	}
	fault.ended = true
	f.faults = slices.DeleteFunc(f.faults, func(other *faultCore) bool { return other == fault })
	f.tracef("heal %d links, cut: %v", len(fault.links), fault.cut)
	for _, l := range fault.links {
		f.unblock(now, l, fault.cut)
	}
}

func (f *fabric) healAll(now time.Duration) {
	for _, fault := range slices.Clone(f.faults) {
		f.heal(now, fault)
	}
}

// resetSome lets something between the machines forget connections, each with
// the given probability: a middlebox that is restarted. It tells one side or
// both; a side that is not told finds out when it sends.
func (f *fabric) resetSome(now time.Duration, from, to []string, probability float64) (count int) {
	from, to = f.others(from, to), f.others(to, from)
	between := f.sortedEndpoints(func(ep *endpoint) bool {
		return ep.peer != nil && ep.established && slices.Contains(from, ep.local.Host) && slices.Contains(to, ep.remote.Host)
	})
	for _, ep := range between {
		peer := ep.peer
		if ep.gone || f.rng.Float64() >= probability {
			continue
		}
		count++
		f.tracef("reset %v<>%v", ep.local, ep.remote)
		told := f.rng.IntN(3)
		if told != 0 {
			f.send(now, &segment{kind: kindReset, link: peer.out, target: ep, local: peer.local, remote: ep.local})
		}
		if told != 1 {
			f.send(now, &segment{kind: kindReset, link: ep.out, target: peer, local: ep.local, remote: peer.local})
		}
	}
	return count
}
