package storage_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/plinthdb/plinth/internal/wire"
)

// fakeLog is a log in memory that keeps what is not popped.
type fakeLog struct {
	mu struct {
		sync.Mutex
		versions []wire.TaggedVersion
		through  wire.Version
		popped   wire.Version
		frozen   bool // pops are refused
		changed  chan struct{}
		err      error // what Peek fails with
	}
}

func newFakeLog() *fakeLog {
	l := &fakeLog{}
	l.mu.changed = make(chan struct{})
	return l
}

// mutations encodes a mutation list.
func mutations(list ...wire.Mutation) []byte {
	var buf []byte
	for _, m := range list {
		buf = wire.AppendMutation(buf, m)
	}
	return buf
}

func set(key, value string) wire.Mutation {
	return wire.Mutation{Type: wire.SetValue, Param1: []byte(key), Param2: []byte(value)}
}

func clearKey(key string) wire.Mutation { return clearRange(key, key+"\x00") }

func clearRange(begin, end string) wire.Mutation {
	return wire.Mutation{Type: wire.ClearRange, Param1: []byte(begin), Param2: []byte(end)}
}

func atomicOp(typ wire.MutationType, key, operand string) wire.Mutation {
	return wire.Mutation{Type: typ, Param1: []byte(key), Param2: []byte(operand)}
}

// append adds a version with its mutations.
func (l *fakeLog) append(version wire.Version, list ...wire.Mutation) {
	l.appendLists(version, mutations(list...))
}

func (l *fakeLog) appendLists(version wire.Version, lists ...[]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.versions = append(l.mu.versions, wire.TaggedVersion{Version: version, Lists: lists})
	l.mu.through = version
	l.changeLocked()
}

// reach says that the tag has nothing up to version.
func (l *fakeLog) reach(version wire.Version) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.through = version
	l.changeLocked()
}

// fail makes every Peek fail until err is nil again.
func (l *fakeLog) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.err = err
	l.changeLocked()
}

// freeze makes every Pop fail, or ends that.
func (l *fakeLog) freeze(frozen bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.frozen = frozen
}

func (l *fakeLog) changeLocked() {
	close(l.mu.changed)
	l.mu.changed = make(chan struct{})
}

func (l *fakeLog) popped() wire.Version {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.popped
}

// awaitPop waits until the log was popped up to version.
func (l *fakeLog) awaitPop(version wire.Version) {
	for {
		l.mu.Lock()
		done, changed := l.mu.popped >= version, l.mu.changed
		l.mu.Unlock()
		if done {
			return
		}
		<-changed
	}
}

func (l *fakeLog) Peek(ctx context.Context, req wire.PeekRequest) (wire.PeekReply, error) {
	for {
		l.mu.Lock()
		reply, changed, err := l.replyLocked(req), l.mu.changed, l.mu.err
		l.mu.Unlock()
		if err != nil || reply.Through > req.After {
			return reply, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return wire.PeekReply{}, ctx.Err()
		}
	}
}

func (l *fakeLog) replyLocked(req wire.PeekRequest) wire.PeekReply {
	if req.After < l.mu.popped {
		panic("peek below what was popped")
	}
	from, found := slices.BinarySearchFunc(l.mu.versions, req.After, func(v wire.TaggedVersion, after wire.Version) int { return int(v.Version - after) })
	if found {
		from++
	}
	size := 0
	for i := from; i < len(l.mu.versions); i++ {
		for _, list := range l.mu.versions[i].Lists {
			size += len(list)
		}
		if req.LimitBytes > 0 && size >= req.LimitBytes {
			return wire.PeekReply{Versions: slices.Clone(l.mu.versions[from : i+1]), Through: l.mu.versions[i].Version}
		}
	}
	return wire.PeekReply{Versions: slices.Clone(l.mu.versions[from:]), Through: l.mu.through}
}

func (l *fakeLog) Pop(_ context.Context, _ wire.Tag, upTo wire.Version) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.frozen {
		return errors.New("log: no pops now")
	}
	l.mu.popped = max(l.mu.popped, upTo)
	for len(l.mu.versions) > 0 && l.mu.versions[0].Version <= upTo {
		l.mu.versions = l.mu.versions[1:]
	}
	l.changeLocked()
	return nil
}
