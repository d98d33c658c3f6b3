package kv

import (
	"context"
	"errors"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wire"
)

// What is said to operations after a commit; made once, since every commit needs
// one. Treat them as constants.
var (
	errUsedAfterCommit  = wire.ErrUsedDuringCommit.With("transaction was used after its commit")
	errUsedAfterFailure = wire.ErrUsedDuringCommit.With("transaction was used after its commit failed; OnError or Reset readies it for another try")
)

// Commit makes the writes visible and durable. A transaction without writes or
// write conflicts sends nothing. After ErrNotCommitted and every other error
// that is not MaybeCommitted, nothing of it will ever be visible. What was left
// with OnCommit, or given to WithCommitHook, runs before Commit returns.
//
// Afterwards only Reset, or OnError after an error, makes the transaction
// usable again. If the context ends, or Cancel is called, while the commit is under way, the
// error is ErrCommitUnknownResult and wraps the cause.
func (tx *Transaction) Commit() error {
	a := tx.current.Load()
	if err := a.readWatched(); err != nil {
		return err
	}
	if err := a.commitSpecial(); err != nil {
		return err
	}
	ctx, readOnly, err := a.closeForCommit()
	if err != nil {
		return err
	}
	if readOnly {
		a.concludeReadOnly()
		a.runHooks(0)
		return nil
	}
	request, err := a.commitRequest()
	if err == nil {
		var reply wire.CommitReply
		reply, err = a.calls().Commit(ctx, request)
		if err == nil && fault.Point("kv.commit.loseReply") {
			err = wire.ErrCommitUnknownResult
		}
		if err != nil {
			reply, err = a.settle(ctx, request, commitError(ctx, err))
		}
		if err == nil {
			a.conclude(reply, request)
			a.afterCommit(reply, request)
			return nil
		}
	}
	a.concludeFailed(err, request)
	return err
}

// closeForCommit lets no operation in any more. A transaction without writes
// is committed by that.
func (a *attempt) closeForCommit() (ctx context.Context, readOnly bool, err error) {
	if err := a.db.usable(); err != nil {
		return nil, false, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.usableLocked(); err != nil {
		return nil, false, err
	}
	if a.tx.parent.Err() != nil {
		return nil, false, endError(a.tx.parent)
	}
	if len(a.mu.mutations) == 0 && len(a.mu.writeConflicts) == 0 {
		a.mu.ended = errUsedAfterCommit
		return nil, true, nil
	}
	if a.mu.options.readOnly {
		return nil, false, wire.ErrTransactionReadOnly.With("transaction reads a locked database and must not write; WithLockAware allows both")
	}
	a.mu.ended, a.mu.committing = wire.ErrUsedDuringCommit, true
	return a.contextLocked(), false, nil
}

// commitRequest puts together what the commit proxy gets.
func (a *attempt) commitRequest() (*wire.CommitRequest, error) {
	version, err := a.commitReadVersion()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	request := &wire.CommitRequest{
		ReadVersion:      version,
		ReadConflicts:    a.takeReadConflictsLocked(),
		WriteConflicts:   a.takeWriteConflictsLocked(version),
		Mutations:        a.mu.mutations,
		HasVersionstamps: a.mu.stamped,
		ReportConflicts:  a.mu.options.reportConflicts || a.tx.managed && a.db.options.hotKeyQueue,
		HasSystemKeys:    a.mu.system,
		LockAware:        a.mu.options.lockAware,
		FirstInBatch:     a.mu.options.firstInBatch,
	}
	if size, limit := request.Bytes(), a.mu.options.sizeLimitBytes; size > limit {
		return nil, wire.ErrTransactionTooLarge.With(
			"transaction of %d bytes exceeds the limit of %d; split it into smaller ones", size, limit)
	}
	a.addIDLocked(request)
	if invariants.Enabled {
		checkRequest(request)
	}
	return request, nil
}

// checkRequest asserts what every commit proxy may rely on.
func checkRequest(r *wire.CommitRequest) {
	for _, ranges := range [2][]wire.KeyRange{r.ReadConflicts, r.WriteConflicts} {
		for _, c := range ranges {
			invariants.Assert(!c.Empty(), "K4, K5: conflict range %q is empty", c)
		}
	}
	list := wire.ReadMutations(r.Mutations)
	for ok := true; ok; {
		var err error
		_, ok, err = list.Next()
		invariants.Assert(err == nil, "K6: mutation list: %v", err)
	}
}

// commitReadVersion returns the version since which the read conflicts must
// not have changed. For a blind write any recent version will do, unless the
// store is to have its say on when such a transaction may start.
func (a *attempt) commitReadVersion() (wire.Version, error) {
	a.mu.Lock()
	blind := !a.mu.versionFlight.running && len(a.mu.readConflicts) == 0 && len(a.mu.scans) == 0 && !a.mu.options.givesWay()
	a.mu.Unlock()
	if blind {
		if v, ok := a.db.recentVersion(); ok {
			return v, nil
		}
	}
	return a.readVersion(nil)
}

// commitError returns the error of a commit that the back-end answered with
// err. If the context interrupted it nobody knows the outcome.
func commitError(ctx context.Context, err error) error {
	var numbered *wire.Error
	if ctx.Err() == nil || errors.As(err, &numbered) {
		return err
	}
	return interrupted(ctx)
}

// interrupted returns the error of a commit of unknown outcome whose context
// has ended.
func interrupted(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, wire.ErrTransactionTimedOut) {
		return cause
	}
	return wire.ErrCommitUnknownResult.Because(cause)
}

// conclude notes a successful commit.
func (a *attempt) conclude(reply wire.CommitReply, request *wire.CommitRequest) {
	a.db.noteVersion(reply.Version)
	a.tx.releaseTicket(request)
	a.mu.Lock()
	a.mu.ended = errUsedAfterCommit
	a.settleLocked(reply, nil)
	watches := a.mu.watches
	a.mu.Unlock()
	a.db.counters.bytesWritten.Add(uint64(len(request.Mutations)))
	a.tx.finish(reply.Version, nil)
	for _, w := range watches {
		w.arm(reply.Version)
	}
}

// concludeReadOnly notes the commit of a transaction that wrote nothing.
func (a *attempt) concludeReadOnly() {
	a.tx.releaseTicket(&wire.CommitRequest{})
	a.mu.Lock()
	a.settleLocked(wire.CommitReply{}, nil)
	watches, version := a.mu.watches, a.mu.version
	a.mu.Unlock()
	a.tx.finish(0, nil)
	for _, w := range watches {
		w.arm(version)
	}
}

// concludeFailed notes a commit that failed. request is nil if it was never
// sent.
func (a *attempt) concludeFailed(err error, request *wire.CommitRequest) {
	a.mu.Lock()
	a.mu.ended = errUsedAfterFailure
	a.settleLocked(wire.CommitReply{}, err)
	report, cancelled := a.mu.options.reportConflicts, a.mu.cause != nil
	a.mu.Unlock()
	if cancelled {
		a.tx.finish(0, err)
	}
	if errors.Is(err, wire.ErrTransactionTooOld) {
		a.db.distrustVersion()
	}
	if wire.MaybeCommitted(err) {
		a.db.counters.unknown.Add(1)
	}
	var conflict *wire.ConflictError
	isConflict := errors.As(err, &conflict)
	if report {
		a.tx.noteConflicting(conflict)
	}
	if request != nil && isConflict {
		a.tx.noteConflict(conflict.Ranges, request.WriteConflicts)
	}
}

// releaseTicket gives up the place at a hot key after the commit of request.
func (tx *Transaction) releaseTicket(request *wire.CommitRequest) {
	tx.mu.Lock()
	t := tx.mu.ticket
	tx.mu.ticket = nil
	tx.mu.Unlock()
	if t == nil {
		return
	}
	use := ticketOnlyRead
	if writesWhatItReads(request, t.name()) {
		use = ticketWritten
	}
	tx.db.hot.release(t, use)
}

// noteConflict remembers for the next attempt what this one lost on.
func (tx *Transaction) noteConflict(ranges, writes []wire.KeyRange) {
	if !tx.managed || !tx.db.options.hotKeyQueue {
		return
	}
	wanted := tx.db.hot.conflicted(ranges, writes)
	tx.mu.Lock()
	tx.mu.wanted = wanted
	t := tx.mu.ticket
	defer tx.mu.Unlock()
	if t == nil || string(wanted) == t.name() && tx.db.hot.holds(t) {
		return // keeps its place
	}
	tx.mu.ticket = nil
	tx.db.hot.release(t, ticketUnused)
}

// queueForHotKey waits until it is the transaction's turn, if one of the keys
// that it is about to read, or the one that its last attempt lost on, is hot.
func (tx *Transaction) queueForHotKey(ctx context.Context, anchors [][]byte) error {
	if !tx.managed || tx.db.hot.idle() {
		return nil
	}
	tx.mu.Lock()
	waits := tx.mu.ticket == nil && tx.mu.ended == nil
	wanted := tx.mu.wanted
	tx.mu.Unlock()
	if !waits {
		return nil
	}
	began := tx.db.clock()
	t, err := tx.db.hot.join(ctx, wanted, anchors)
	if err != nil || t != nil && t.turn != nil {
		tx.db.counters.hotKeyWait.observe(tx.db.clock() - began)
	}
	if t == nil {
		return err
	}
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.mu.ended != nil {
		tx.db.hot.release(t, ticketUnused)
		return tx.mu.ended
	}
	tx.mu.ticket = t
	return nil
}
