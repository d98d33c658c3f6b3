package kv

// Exclusively runs f while no other call of Exclusively on this transaction
// runs, and returns its error. Libraries use it for steps that must follow one
// another even if several goroutines share the transaction, such as reading a
// key and then taking it. It holds up nothing else: other operations of the
// transaction go on. It must not be called from within f.
//
// The transaction's end, by its context, its time-out, Cancel or a Reset, ends the
// wait for another call, with an error that wraps the cause; f is not run then.
func (tx *Transaction) Exclusively(f func() error) error {
	turn := tx.turn()
	select {
	case turn <- struct{}{}:
	default:
		if err := tx.awaitTurn(turn); err != nil {
			return err
		}
	}
	defer func() { <-turn }()
	return f()
}

// turn returns the channel that holds an element while a call of Exclusively runs.
func (tx *Transaction) turn() chan struct{} {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.mu.exclusive == nil {
		tx.mu.exclusive = make(chan struct{}, 1)
	}
	return tx.mu.exclusive
}

// awaitTurn waits until it is the caller's turn.
func (tx *Transaction) awaitTurn(turn chan<- struct{}) error {
	a := tx.current.Load()
	a.mu.Lock()
	ctx := a.contextLocked()
	a.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return endError(ctx)
	}
}

// ClearRangeWithoutConflict is NextWriteWithoutConflict and ClearRange in one
// step: no write of another goroutine can come between them and lose its
// conflict instead.
func (tx *Transaction) ClearRangeWithoutConflict(r KeyRange) {
	tx.current.Load().clearRange(r, false)
}
