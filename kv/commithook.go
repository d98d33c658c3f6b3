package kv

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"github.com/plinthdb/plinth/internal/atomicop"
	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wire"
)

// WithCommitHook has f called for every transaction of this Database that commits
// writes, or write conflicts alone, with what it changed: for caches, metrics or an
// audit trail in one process. Given several times, each f is called, in the order
// of the options.
//
// f is called once the commit is known to have succeeded and before Commit, and
// so Transact, returns: after the commit shows to others, before the functions
// that the transaction left with OnCommit, on the same goroutine and without any
// lock. A try that does not commit calls nothing, nor does a transaction that only
// reads. Each committed transaction calls f once, also if the answer was lost and
// the client found out (WithExactlyOnce). If the outcome stays unknown
// (MaybeCommitted), f is not called although the transaction may have been
// committed; and not if the process dies in between. What must not be missed has
// to be written in the transaction, or read again from time to time.
//
// It hears of this Database only, not of others on the same store and not of other
// processes. For those, watch a key, or read MetadataVersionKey.
//
// Calls for several transactions come at the same time and in any order: sort by
// Stamp, which is the order of the commits. Every Commit waits for f, so it ought
// to take microseconds and hand on what takes longer. It may begin transactions of
// its own; what they commit calls f again. ctx is the context of the transaction,
// with its span; it may have ended. If f panics the other functions still run;
// then the panic goes on to the caller of Commit, and the transaction stays
// committed.
//
// With WithIdempotencyID, whoever finds that another transaction of the same id was
// committed calls f too, with its own mutations and the other's version and stamp.
//
// A call costs some 100 bytes of memory; nothing is copied until the event is asked
// for its mutations. Without a hook there is no cost.
func WithCommitHook(f func(ctx context.Context, event CommitEvent)) DatabaseOption {
	return func(o *databaseOptions) {
		if f == nil {
			o.transaction.fail(wire.ErrClientInvalidOperation.With("function to call at commits is nil"))
			return
		}
		o.commitHooks = append(o.commitHooks, f)
	}
}

// CommitEvent is a transaction that was committed, as WithCommitHook tells it. It
// may be kept; it then keeps the transaction's mutations in memory.
type CommitEvent struct {
	// Version is that of the commit. Transactions that committed together have the
	// same.
	Version Version
	// Stamp is unique, and sorts events in the order of their commits.
	Stamp Stamp
	// ReadVersion is the one at which the transaction read; if it read nothing, any
	// one from before the commit.
	ReadVersion Version
	// DebugID and Tags are those of WithDebugID and WithTag.
	DebugID string
	Tags    []string
	// HasVersionstamps says that the stamp was written into a key or a value.
	HasVersionstamps bool

	mutations []byte
}

// Mutation is one change to the store.
type Mutation struct {
	// Type is MutationSet, MutationClearRange, or an atomic operation.
	Type MutationType
	// Key is the key, or the first of a range that was cleared.
	Key []byte
	// Param is the value, the operand, or the end of a range that was cleared.
	Param []byte
}

// Mutations returns what the transaction changed, in the order in which it was
// told to: later ones may undo earlier ones. They are those that were sent, with
// versionstamps filled in, so a versionstamped operation shows as MutationSet.
// Those on keys of the system are among them, but not the row that WithExactlyOnce
// leaves. A transaction with write conflicts only has none.
//
// Each iteration copies the mutations as it goes; the slices are the caller's.
func (e CommitEvent) Mutations() iter.Seq[Mutation] {
	return func(yield func(Mutation) bool) {
		for list := wire.ReadMutations(e.mutations); ; {
			m, ok, err := list.Next()
			if invariants.Enabled {
				invariants.Assert(err == nil, "K6: mutation list: %v", err)
			}
			if !ok || err != nil || !yield(e.copyMutation(m)) {
				return
			}
		}
	}
}

// copyMutation returns m with the stamp filled in, in memory of its own.
func (e *CommitEvent) copyMutation(m wire.Mutation) Mutation {
	key, param := bytes.Clone(m.Param1), bytes.Clone(m.Param2)
	switch m.Type {
	case wire.SetVersionstampedKey:
		return Mutation{Type: MutationSet, Key: e.stamped(key), Param: param}
	case wire.SetVersionstampedValue:
		return Mutation{Type: MutationSet, Key: key, Param: e.stamped(param)}
	}
	return Mutation{Type: m.Type, Key: key, Param: param}
}

// stamped fills the stamp into param and returns what is stored of it.
func (e *CommitEvent) stamped(param []byte) []byte {
	content, offset, ok := wire.SplitStampOffset(param)
	if invariants.Enabled {
		invariants.Assert(ok, "K6: no room for a stamp in %q", param)
	}
	copy(content[offset:], e.Stamp[:])
	return content
}

// Written returns the keys that the transaction wrote as ranges, in order and
// apart, whether or not their values have changed by it.
func (e CommitEvent) Written() []KeyRange {
	var ranges []KeyRange
	for m := range e.Mutations() {
		if r := m.Range(); !r.Empty() {
			ranges = append(ranges, r)
		}
	}
	return mergeRanges(ranges)
}

// Range returns the keys that the mutation writes: one, or those that it clears.
func (m Mutation) Range() KeyRange {
	if m.Type == MutationClearRange {
		return KeyRange{Begin: m.Key, End: m.Param}
	}
	return wire.SingleKey(m.Key)
}

// Apply returns what a key of the mutation's range holds after it, if it held value
// before; nil is an absent key. The result may share memory with both.
func (m Mutation) Apply(value []byte) []byte {
	switch {
	case m.Type == MutationClearRange:
		return nil
	case m.Type.IsAtomic():
		result, present := atomicop.Apply(m.Type, value, value != nil, m.Param)
		if !present {
			return nil
		}
		return result
	}
	return append([]byte{}, m.Param...)
}

// afterCommit runs the hooks of the database and then those of the attempt, after
// the commit of request.
func (a *attempt) afterCommit(reply wire.CommitReply, request *wire.CommitRequest) {
	if len(a.db.options.commitHooks) == 0 {
		a.runHooks(reply.Version)
		return
	}
	a.mu.Lock()
	rare, own := a.mu.options.rarelyUsed(), a.mu.hooks
	a.mu.hooks = nil
	a.mu.Unlock()
	event := CommitEvent{
		Version:          reply.Version,
		Stamp:            reply.Stamp,
		ReadVersion:      request.ReadVersion,
		DebugID:          rare.debugID,
		Tags:             slices.Clone(rare.tags),
		HasVersionstamps: request.HasVersionstamps,
		mutations:        request.Mutations,
	}
	hooks := make([]func(wire.Version), 0, len(a.db.options.commitHooks)+len(own))
	for _, f := range a.db.options.commitHooks {
		hooks = append(hooks, func(wire.Version) { f(a.tx.context(), event) })
	}
	runAll(append(hooks, own...), reply.Version)
}
