package kv

import (
	"bytes"
	"cmp"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

// maxBatchKeys bounds the keys of one GetValues call.
const maxBatchKeys = 1024

// getOp is one Get, from its call to its value.
type getOp struct {
	attempt *attempt
	key     []byte
	ops     []pendingOp // own atomic operations over the stored value
	batch   *getBatch   // nil until sent
	done    bool
	value   []byte
	err     error
}

// getBatch is a set of Gets that travel together.
type getBatch struct {
	ops     []*getOp
	request wire.GetValuesRequest
	flight  flight
}

// getAny issues a Get of any key, a special one too.
func (a *attempt) getAny(key []byte, snapshot bool) source[[]byte] {
	if !isSpecial(key) {
		return a.get(key, snapshot)
	}
	key = bytes.Clone(key)
	return &lazy[[]byte]{attempt: a, run: func() ([]byte, error) { return a.specialGet(key) }}
}

// get issues a Get. With snapshot it adds no read conflict.
func (a *attempt) get(key []byte, snapshot bool) *getOp { return a.getBelow(key, snapshot, "") }

// getBelow is get for keys below end; "" is what the options allow.
func (a *attempt) getBelow(key []byte, snapshot bool, end string) *getOp {
	a.mu.Lock()
	defer a.mu.Unlock()
	o := a.newGetLocked()
	a.mu.hasRead = true
	if err := a.usableLocked(); err != nil {
		return o.finish(nil, err)
	}
	if err := checkReadKey(key, cmp.Or(end, a.mu.options.readEnd())); err != nil {
		return o.finish(nil, err)
	}
	if a.seesOwnWritesLocked(snapshot) {
		a.indexLocked()
		switch s, e := a.mu.writes.lookup(key); s {
		case written:
			return o.finish(append([]byte{}, e.value...), nil)
		case cleared:
			return o.finish(nil, nil)
		case unreadable:
			return o.finish(nil, unreadableError(key))
		case dependent:
			o.ops = e.ops
		}
	}
	self := a.mu.arena.singleKey(key)
	o.key = self.Begin
	if !snapshot {
		a.addReadConflictLocked(self)
	}
	if a.mu.metadataKnown && string(key) == wire.MetadataVersionKey && len(o.ops) == 0 {
		return o.finish(bytes.Clone(a.mu.metadataVersion), nil)
	}
	if a.mu.queue == nil {
		a.mu.queue = a.mu.queueSpace[:0]
	}
	a.mu.queue = append(a.mu.queue, o)
	return o
}

// indexLocked brings the write map up to date.
func (a *attempt) indexLocked() {
	if bypass := a.mu.options.bypassUnreadable; a.mu.writes.bypass != bypass {
		a.mu.writes = writeMap{bypass: bypass}
	}
	a.mu.writes.index(a.mu.mutations, a.mu.version)
}

// seesOwnWritesLocked reports whether a read has own writes to merge.
func (a *attempt) seesOwnWritesLocked(snapshot bool) bool {
	o := &a.mu.options
	return len(a.mu.mutations) > 0 && !o.noReadYourWrites && (!snapshot || !o.noSnapshotRYW)
}

// newGetLocked returns a getOp out of a block of them.
func (a *attempt) newGetLocked() *getOp {
	if len(a.mu.getSpace) == cap(a.mu.getSpace) {
		a.mu.getSpace = make([]getOp, 0, min(max(1, 2*cap(a.mu.getSpace)), 16))
	}
	a.mu.getSpace = append(a.mu.getSpace, getOp{attempt: a})
	return &a.mu.getSpace[len(a.mu.getSpace)-1]
}

func (o *getOp) finish(value []byte, err error) *getOp {
	o.done, o.value, o.err = true, value, err
	return o
}

// wait implements source. Whoever waits first sends all that is queued.
func (o *getOp) wait() ([]byte, error) {
	a := o.attempt
	a.mu.Lock()
	defer a.mu.Unlock()
	for !o.done {
		if o.batch != nil {
			a.joinLocked(&o.batch.flight)
			continue
		}
		if err := a.usableLocked(); err != nil {
			return nil, err
		}
		a.sendQueueLocked()
	}
	return o.value, o.err
}

// sendQueueLocked sends the oldest queued Gets as one message, waits for the
// reply without the lock, and finishes them.
func (a *attempt) sendQueueLocked() {
	b := a.takeQueueLocked()
	ctx := a.contextLocked()
	a.mu.Unlock()

	var reply wire.GetValuesReply
	version, err := a.readVersion(b.request.Keys)
	if err == nil && ctx.Err() != nil {
		err = endError(ctx)
	}
	if err == nil {
		b.request.Version = version
		reply, err = a.calls().GetValues(ctx, &b.request)
		if err != nil {
			err = callError(ctx, err)
		} else if len(reply.Values) != len(b.ops) {
			err = wire.ErrInternal.With("store answered %d values for %d keys", len(reply.Values), len(b.ops))
		}
	}
	a.mu.Lock()
	b.finish(reply.Values, err)
	a.landLocked(&b.flight)
}

// finish gives every Get its value, copied into one piece of memory for the
// user, since the store shares its own. Absent ones stay nil.
func (b *getBatch) finish(shared [][]byte, err error) {
	if err != nil {
		for _, o := range b.ops {
			o.finish(nil, err)
		}
		return
	}
	buf := make([]byte, 0, valuesBytes(shared))
	for i, o := range b.ops {
		value := shared[i]
		if len(o.ops) > 0 {
			value = applyOps(o.ops, value)
		} else if value != nil {
			value, buf = appendClone(buf, value)
		}
		o.finish(value, nil)
	}
}

func valuesBytes(values [][]byte) (n int) {
	for _, v := range values {
		n += len(v)
	}
	return n
}

func (a *attempt) takeQueueLocked() *getBatch {
	n := min(len(a.mu.queue), maxBatchKeys)
	if fault.Point("kv.get.shortBatch") {
		n = min(n, 1)
	}
	b := &getBatch{ops: a.mu.queue[:n:n]}
	b.flight.running = true
	a.mu.queue = a.mu.queue[n:] // the batch keeps the front of the array
	b.request.Keys = make([][]byte, n)
	for i, o := range b.ops {
		o.batch = b
		b.request.Keys[i] = o.key
	}
	return b
}

// appendClone copies b to the end of buf, which has room for it, and returns
// the copy, which has no spare capacity and is not nil.
func appendClone(buf, b []byte) (clone, rest []byte) {
	at := len(buf)
	buf = append(buf, b...)
	return buf[at:len(buf):len(buf)], buf
}

// checkReadKey returns why key cannot be read by who may read the keys below
// end. The metadata version is everybody's.
func checkReadKey(key []byte, end string) error {
	if string(key) >= end && string(key) != wire.MetadataVersionKey {
		return outsideError("key", key, end)
	}
	if len(key) > MaxKeyBytes {
		return wire.ErrKeyTooLarge.With("key %s is longer than the limit of %d bytes", printable(key), MaxKeyBytes)
	}
	return nil
}

// outsideError returns that key is not among the keys below end.
func outsideError(what string, key []byte, end string) error {
	if end == wire.SystemPrefix {
		return wire.ErrKeyOutsideLegalRange.With("%s %s belongs to the system; user keys are below \"\\xff\"", what, printable(key))
	}
	return wire.ErrKeyOutsideLegalRange.With("%s %s is above the keys of the system, which are below \"\\xff\\xff\"", what, printable(key))
}

func unreadableError(key []byte) error {
	return wire.ErrAccessedUnreadable.With("key %s was written by a versionstamped operation: it cannot be read before the commit", printable(key))
}
