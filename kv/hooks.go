package kv

import "github.com/plinthdb/plinth/internal/wire"

// maxCommitHooks bounds the functions that one try of a transaction leaves with
// OnCommit.
const maxCommitHooks = 1000

// OnCommit has f run once the transaction is known to be committed: to drop what
// a cache holds, wake somebody, count an event. It is given the version of the
// commit, or 0 if the transaction wrote nothing.
//
// A function belongs to the try of the transaction in which it was left: a try
// that does not commit takes its own with it, so Transact runs those of the try
// that was committed and no others, once, also when the answer to the commit was
// lost and had to be found out. None runs if the outcome stays unknown, or after
// any other error.
//
// The functions run one after the other, in the order of the calls, on the
// goroutine that called Commit or Transact and before these return. A
// transaction of their own, in which the commit shows, is fine; whatever
// is done to this one comes too late. If one panics the others still
// run; then the panic goes on to the caller, and the transaction stays
// committed. A process that dies in between runs none: what must not be missed
// belongs into the transaction. WithCommitHook is for all transactions of a
// database.
//
// A try takes up to a thousand functions. One more, or nil, makes the
// transaction fail with ErrClientInvalidOperation, like an invalid write.
func (tx *Transaction) OnCommit(f func(version Version)) {
	a := tx.current.Load()
	a.mu.Lock()
	defer a.mu.Unlock()
	var err error
	switch {
	case f == nil:
		err = wire.ErrClientInvalidOperation.With("function to run after the commit is nil")
	case len(a.mu.hooks) >= maxCommitHooks:
		err = wire.ErrClientInvalidOperation.With("more than %d functions are to run after the commit", maxCommitHooks)
	}
	if a.acceptLocked(err) {
		a.mu.hooks = append(a.mu.hooks, f)
	}
}

// runHooks runs what was left with OnCommit, after a commit at version. Nothing
// is left any more once the commit has begun.
func (a *attempt) runHooks(version wire.Version) {
	a.mu.Lock()
	hooks := a.mu.hooks
	a.mu.hooks = nil
	a.mu.Unlock()
	runAll(hooks, version)
}

// runAll runs hooks in order, the later ones even if one does not return.
func runAll(hooks []func(wire.Version), version wire.Version) {
	for i, f := range hooks {
		returned := false
		func() {
			defer func() {
				if !returned {
					runAll(hooks[i+1:], version)
				}
			}()
			f(version)
			returned = true
		}()
	}
}
