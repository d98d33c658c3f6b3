package generate

import (
	"fmt"
	"strings"
)

// Threads returns a program of some machines that run at once. Their keys and
// transactions are their own, so what they do cannot depend on one another, but
// for the main one: it waits until all others are done, and reads what they
// have written.
func Threads(seed uint64, machines, steps int) *Program {
	p := &Program{Kind: "threads", Seed: seed}
	p.Threads = threads(kindThreads, seed, machines, func(b *builder) {
		t := &threadBuilder{apiBuilder{b, fmt.Sprintf("keys of %s ", b.thread.Prefix)}}
		t.fresh("NEW_TRANSACTION")
		t.end()
		ways := t.ways()
		for range steps {
			b.choose(ways)
		}
		t.commit()
		t.end()
		b.logStack()
	})
	return p
}

// busyPrefix is what the keys begin with that stand for running machines.
const busyPrefix = "busy "

// threads returns the main thread, and others with the steps that fill makes.
func threads(kind, seed uint64, machines int, fill func(*builder)) []Thread {
	main := newBuilder(kind, seed, "main")
	all := make([]Thread, 1, 1+machines)
	for i := range machines {
		b := newBuilder(kind, seed<<8|uint64(i+1), fmt.Sprintf("thread-%d", i))
		fill(b)
		b.call("CLEAR_DATABASE", fmt.Appendf(nil, "%s%d", busyPrefix, i))
		b.end()
		all = append(all, b.thread)
		main.call("SET_DATABASE", fmt.Appendf(nil, "%s%d", busyPrefix, i), []byte{})
	}
	main.end()
	for _, t := range all[1:] {
		main.call("START_THREAD", t.Prefix)
		main.end()
	}
	main.call("WAIT_EMPTY", []byte(busyPrefix))
	main.call("GET_RANGE_STARTS_WITH_DATABASE", []byte("keys of "), int64(0), int64(0), int64(-1))
	main.end()
	main.logStack()
	all[0] = main.thread
	return all
}

// Alone returns the program of one thread: what it leaves behind does not depend
// on the others.
func (p *Program) Alone(thread int) *Program {
	alone := *p
	alone.Threads = p.Threads[thread : thread+1]
	return &alone
}

// Owns reports whether a key is one that a thread alone writes. The main one
// owns what it logs; nobody owns the keys that stand for running machines.
func (p *Program) Owns(thread int, key string) bool {
	if thread == 0 {
		return strings.HasPrefix(key, fmt.Sprintf("%s/%s/", LogPrefix, p.Threads[0].Prefix))
	}
	return strings.Contains(key, string(p.Threads[thread].Prefix))
}

// threadBuilder makes steps that never look beyond the keys of their thread.
type threadBuilder struct{ apiBuilder }

func (t *threadBuilder) ways() []weighted {
	return []weighted{
		{10, t.gets}, {5, t.getRange}, {4, t.getRangeStartsWith},
		{10, t.set}, {3, t.clear}, {3, t.clearRange}, {2, t.clearRangeStartsWith}, {8, t.atomic},
		{3, t.conflict}, {2, func() { t.op("DISABLE_WRITE_CONFLICT"); t.set() }},
		{6, t.commitAndRetry}, {2, t.onError}, {2, t.data}, {1, t.logStack},
	}
}

// commitAndRetry commits, and goes on with a new attempt.
func (t *threadBuilder) commitAndRetry() {
	t.commit()
	t.fresh(pick(t.builder, "RESET", "NEW_TRANSACTION"))
}
