package kv

// Exclusively runs f while no other call of Exclusively on this transaction
// runs, and returns its error. Libraries use it for steps that must follow one
// another even if several goroutines share the transaction, such as reading a
// key and then taking it. It holds up nothing else: other operations of the
// transaction go on. It must not be called from within f.
func (tx *Transaction) Exclusively(f func() error) error {
	tx.exclusive.Lock()
	defer tx.exclusive.Unlock()
	return f()
}

// ClearRangeWithoutConflict is NextWriteWithoutConflict and ClearRange in one
// step: no write of another goroutine can come between them and lose its
// conflict instead.
func (tx *Transaction) ClearRangeWithoutConflict(r KeyRange) {
	tx.current.Load().clearRange(r, false)
}
