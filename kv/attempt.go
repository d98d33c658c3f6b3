package kv

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

// attempt is one try of a transaction: from a Reset or the beginning to the
// next Reset, the commit or the end. Futures and range reads belong to the
// attempt that made them, so that they cannot slip into the next one.
type attempt struct {
	db *Database
	tx *Transaction
	// again says that there was a try before.
	again bool

	mu struct {
		sync.Mutex
		options attemptOptions
		// ended says why nothing more can be issued; nil while open.
		ended error
		// cause is why the attempt was ended from outside; ctx has ended then.
		cause error
		// invalid is the first invalid operation (K2).
		invalid error

		ctx    context.Context // nil until first needed
		cancel context.CancelCauseFunc

		arena arena

		version       wire.Version // read version, once versionFlight has landed
		versionErr    error
		versionFlight flight
		// metadataVersion is the value of the metadata version key, if the read
		// version came with it.
		metadataVersion []byte
		metadataKnown   bool

		hasRead    bool     // a read was issued
		queue      []*getOp // issued, not sent yet
		queueSpace [4]*getOp
		getSpace   []getOp

		mutations []byte
		stamped   bool
		// lockWrite is what becomes of the lock of the database, nil: nothing.
		lockWrite *lockWrite
		// bySpecial are options that special keys have switched on, whatever
		// SetOptions says later.
		bySpecial struct{ lockAware, systemKeys bool }
		// system says that system keys are written.
		system bool
		// nextWithoutConflict says that the next write adds no write conflict.
		nextWithoutConflict bool

		writeConflicts []wire.KeyRange
		writes         writeMap

		readConflicts []wire.KeyRange
		scans         []*scan
		conflictBytes int
		// stampedKeys are the parameters of SetVersionstampedKey, sub-slices of
		// a mutation list: their conflict ranges are made at the commit.
		stampedKeys [][]byte

		watches []*Watch
		hooks   []func(wire.Version) // see OnCommit

		// committing says that a commit is under way, which settles the attempt
		// whatever ends it meanwhile.
		committing bool
		// unsettled says that the commit's outcome will stay unknown.
		unsettled bool
		// settled says that reply and settleErr tell how the attempt ended.
		settled   bool
		settleErr error
		reply     wire.CommitReply
		outcome   chan struct{} // closed when settled; nil until first needed
	}
}

// flight is a piece of work that several goroutines may want and one does. It
// is guarded by the attempt's mutex.
type flight struct {
	running, finished bool
	done              chan struct{} // nil until somebody waits
}

// joinLocked returns true if the caller has to do the work, and false once
// somebody else has. It gives up the lock while it waits.
func (a *attempt) joinLocked(f *flight) (leader bool) {
	for {
		if f.finished {
			return false
		}
		if !f.running {
			f.running = true
			return true
		}
		if f.done == nil {
			f.done = make(chan struct{})
		}
		done := f.done
		a.mu.Unlock()
		<-done // the leader's own calls end with the context
		a.mu.Lock()
	}
}

// landLocked tells everyone that the work is done.
func (a *attempt) landLocked(f *flight) {
	f.finished = true
	if f.done != nil {
		close(f.done)
	}
}

// contextLocked returns the context of the attempt's calls.
func (a *attempt) contextLocked() context.Context {
	if a.mu.ctx == nil {
		a.mu.ctx, a.mu.cancel = context.WithCancelCause(a.tx.context())
		if a.mu.cause != nil {
			a.mu.cancel(a.mu.cause)
		}
	}
	return a.mu.ctx
}

// end ends the attempt from outside: what is under way is interrupted, what
// follows fails with cause. A committed attempt only frees its resources; how one
// ends that is committing, its commit says. It reports whether somebody else
// counts the transaction out: a commit that is under way or has succeeded, or the
// first call of end.
func (a *attempt) end(cause error) (counted bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.cause != nil {
		return true
	}
	if a.mu.settled {
		counted = a.mu.settleErr == nil
	} else {
		counted = a.mu.committing
	}
	a.mu.cause = cause
	if !a.mu.settled || a.mu.settleErr != nil {
		a.mu.ended = cause
	}
	if a.mu.cancel != nil {
		a.mu.cancel(cause)
	}
	if !a.mu.committing {
		a.settleLocked(wire.CommitReply{}, cause)
	}
	return counted
}

// settleLocked says how the attempt has ended, unless it already has.
func (a *attempt) settleLocked(reply wire.CommitReply, err error) {
	if a.mu.settled {
		return
	}
	a.mu.settled, a.mu.committing, a.mu.reply, a.mu.settleErr = true, false, reply, err
	if a.mu.outcome != nil {
		close(a.mu.outcome)
	}
	for _, w := range a.mu.watches {
		if err != nil {
			w.finish(err)
		}
	}
}

// usableLocked returns why no operation can be issued any more.
func (a *attempt) usableLocked() error {
	if a.mu.ended != nil {
		return a.mu.ended
	}
	return a.mu.invalid
}

// invalidateLocked remembers the first invalid operation.
func (a *attempt) invalidateLocked(err error) {
	if a.mu.invalid == nil {
		a.mu.invalid = err
	}
}

// readVersion returns the read version and asks for it if it is not known.
// anchors are the keys that the caller is about to read: if one of them is
// hot, the transaction first waits for its turn (see hotKeys).
func (a *attempt) readVersion(anchors [][]byte) (wire.Version, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.joinLocked(&a.mu.versionFlight) {
		ctx := a.contextLocked()
		options := a.mu.options
		a.mu.Unlock()
		reply, known, err := a.fetchVersion(ctx, &options, anchors)
		a.mu.Lock()
		a.mu.version, a.mu.versionErr = reply.Version, err
		a.mu.metadataVersion, a.mu.metadataKnown = reply.MetadataVersion, known
		a.landLocked(&a.mu.versionFlight)
	}
	return a.mu.version, a.mu.versionErr
}

// fetchVersion asks for a read version, or takes one that was seen lately if
// the options allow that. full says that the reply is a whole one.
func (a *attempt) fetchVersion(ctx context.Context, o *attemptOptions, anchors [][]byte) (reply wire.ReadVersionReply, full bool, err error) {
	if err := a.db.usable(); err != nil {
		return reply, false, err
	}
	if err := a.tx.queueForHotKey(ctx, anchors); err != nil {
		return reply, false, err
	}
	if ctx.Err() != nil {
		return reply, false, endError(ctx)
	}
	if fault.Point("kv.readVersion.behind") {
		return reply, false, wire.ErrProcessBehind
	}
	rare := o.rarelyUsed()
	if rare.maxVersionAge > 0 && !a.again && !o.givesWay() {
		if v, ok := a.db.versionWithin(rare.maxVersionAge); ok {
			a.calls().log.cachedVersion(ctx, v)
			return wire.ReadVersionReply{Version: v}, false, nil
		}
	}
	reply, err = a.calls().ReadVersion(ctx, wire.ReadVersionRequest{Priority: o.priority, Tags: rare.tags})
	if err != nil {
		return reply, false, callError(ctx, err)
	}
	if reply.Locked && !o.lockAware {
		return wire.ReadVersionReply{}, false, wire.ErrDatabaseLocked
	}
	a.db.noteVersion(reply.Version)
	return reply, true, nil
}

// setReadVersion is Transaction.SetReadVersion.
func (a *attempt) setReadVersion(v wire.Version) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.mu.ended != nil:
	case v <= 0:
		a.invalidateLocked(wire.ErrVersionInvalid.With("read version %d is not positive", v))
	case a.mu.versionFlight.running:
		a.invalidateLocked(wire.ErrReadVersionAlreadySet)
	default:
		a.mu.version = v
		a.mu.versionFlight = flight{running: true, finished: true}
	}
}

// callError returns the error of a call on the back-end: the reason why ctx
// has ended, if that is what made it fail.
func callError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return endError(ctx)
	}
	return err
}

// endError returns why ctx has ended, as one of the client's own errors.
func endError(ctx context.Context) error {
	cause := context.Cause(ctx)
	var own *wire.Error
	if errors.As(cause, &own) {
		return cause
	}
	return wire.ErrTransactionCancelled.Because(cause)
}

// printable returns key as error messages show it.
func printable(key []byte) string {
	const shownBytes = 64
	if len(key) > shownBytes {
		return fmt.Sprintf("%q... (%d bytes)", key[:shownBytes], len(key))
	}
	return fmt.Sprintf("%q", key)
}

// usable returns why no operation can be issued any more.
func (a *attempt) usable() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.usableLocked()
}

// callContext returns the context of a call on the back-end, or why there can
// be no call any more.
func (a *attempt) callContext() (context.Context, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.ended != nil {
		return nil, a.mu.ended
	}
	ctx := a.contextLocked()
	if ctx.Err() != nil {
		return nil, endError(ctx)
	}
	return ctx, nil
}
