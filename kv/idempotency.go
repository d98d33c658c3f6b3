package kv

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"

	"github.com/plinthdb/plinth/internal/wire"
)

// exactlyOnce says whether unknown outcomes of commits are found out.
type exactlyOnce uint8

const (
	exactlyOnceByDefault exactlyOnce = iota // in Transact, and not after Begin
	exactlyOnceOn
	exactlyOnceOff
)

// idempotency is what a transaction's options say about its idempotency id.
type idempotency struct {
	exactlyOnce exactlyOnce
	id          []byte // nil: one is drawn for each commit
}

// WithExactlyOnce says whether the client finds out what became of a commit
// when the answer is lost, instead of returning ErrCommitUnknownResult: Commit
// then returns nil if it was committed, and if not it makes sure that it never
// will be before it says so with ErrNotCommitted. It is on by default in
// Transact, and off in transactions that begin with Begin.
//
// It costs one conflict key and about 20 bytes on disk for each commit, which
// are cleared after a minute; transactions that only read pay nothing. When the
// answer is lost, it costs a read version, a read, and if there was no commit
// an empty commit.
//
// FoundationDB's name for it is automatic_idempotency.
func WithExactlyOnce(on bool) TransactionOption {
	return func(o *transactionOptions) {
		o.attempt.idempotency.exactlyOnce = exactlyOnceOff
		if on {
			o.attempt.idempotency.exactlyOnce = exactlyOnceOn
		}
	}
}

// WithIdempotencyID is WithExactlyOnce(true) with an id of the caller's own, of
// 16 to 255 bytes, instead of a random one. The id must stand for this
// transaction alone: of two transactions under way at the same time that have
// the same id, one is committed, and both are told that they are. It is not a
// lasting record. To recognize a request that may come again after minutes,
// write a key of your own in the same transaction.
//
// FoundationDB's name for it is idempotency_id.
func WithIdempotencyID(id []byte) TransactionOption {
	id = bytes.Clone(id)
	return func(o *transactionOptions) {
		if n := len(id); n < wire.MinIdempotencyIDBytes || n > wire.MaxIdempotencyIDBytes {
			o.invalid("idempotency id of %d bytes is not between %d and %d", n, wire.MinIdempotencyIDBytes, wire.MaxIdempotencyIDBytes)
			return
		}
		o.attempt.idempotency = idempotency{exactlyOnceOn, id}
	}
}

// wants reports whether commits get an id.
func (o *idempotency) wants(managed bool) bool {
	return o.exactlyOnce == exactlyOnceOn || o.exactlyOnce == exactlyOnceByDefault && managed
}

// addIDLocked gives a commit its idempotency id and the conflict ranges of it,
// if it is to have one. They do not count against the limit of the
// transaction's size.
//
// Each try has an id of its own: what became of a try is known before the next
// begins. So an id that is found says that it was this try that committed,
// whose result the caller holds.
func (a *attempt) addIDLocked(request *wire.CommitRequest) {
	o := &a.mu.options.idempotency
	if !o.wants(a.tx.managed) {
		return
	}
	first := len(wire.IdempotencyIDPrefix)
	last := first + max(len(o.id), wire.MinIdempotencyIDBytes)
	key := a.mu.arena.alloc(last + 1)
	copy(key, wire.IdempotencyIDPrefix)
	if o.id != nil {
		copy(key[first:], o.id)
	} else {
		binary.LittleEndian.PutUint64(key[first:], rand.Uint64())
		binary.LittleEndian.PutUint64(key[first+8:], rand.Uint64())
	}
	key[last] = 0
	r := wire.KeyRange{Begin: key[:last:last], End: key}
	request.IdempotencyID = key[first:last:last]
	request.ReadConflicts = append(request.ReadConflicts, r)
	request.WriteConflicts = append(request.WriteConflicts, r)
	request.ReportConflicts = true // a conflict with a copy of itself is none
}
