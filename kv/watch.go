package kv

import "context"

// Watch tells when the value of one key changes from what a transaction saw.
// It is armed by the transaction's successful commit and outlives it.
type Watch struct {
}

// Watch returns a watch on key, relative to the value that a Get at this place
// would return. If the transaction does not commit, the watch fails with the
// transaction's end. The reading adds no conflict.
//
// A database has a limit of outstanding watches; beyond it the watch fails
// with ErrTooManyWatches. Cancel a watch that is not needed any more.
func (tx *Transaction) Watch(key []byte) *Watch { return &Watch{} }

// Wait returns nil once the value has changed, or the error that ended the
// watch. The value may have changed back since.
func (w *Watch) Wait(ctx context.Context) error { return errUnfinished }

// Done returns a channel that is closed when the watch has fired or failed.
func (w *Watch) Done() <-chan struct{} { return nil }

// Err returns nil while Done is open and if the watch fired, otherwise the
// error that ended it.
func (w *Watch) Err() error { return errUnfinished }

// Cancel ends the watch with ErrTransactionCancelled, unless it has fired.
func (w *Watch) Cancel() {}
