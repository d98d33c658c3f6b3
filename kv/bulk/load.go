package bulk

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/plinthdb/plinth/kv"
)

// LoadError says with which rows a load has failed.
type LoadError struct {
	// First is the number of the first row that was not written, counted from 0,
	// and Count how many rows the failed transaction had from there on: 1 if the
	// row itself is the cause.
	First, Count int64
	// Err is the cause.
	Err error
}

// Error names the rows.
func (e *LoadError) Error() string {
	if e.Count == 1 {
		return fmt.Sprintf("bulk: row %d: %v", e.First, e.Err)
	}
	return fmt.Sprintf("bulk: rows %d to %d: %v", e.First, e.First+e.Count-1, e.Err)
}

// Unwrap returns Err.
func (e *LoadError) Unwrap() error { return e.Err }

// Load sets rows, which need not be sorted. It copies them, so the iterator may
// reuse its memory. An error of the iterator ends the load, after what came
// before it has been written, and is returned as it is; other errors are
// *LoadError. The progress is right in any case; after an error it is where to
// go on.
func Load(ctx context.Context, db *kv.Database, rows iter.Seq2[kv.KeyValue, error], options LoadOptions) (Progress, error) {
	l, err := newLoader(ctx, db, options, func(tx *kv.Transaction, row kv.KeyValue) error {
		tx.Set(row.Key, row.Value)
		return nil
	})
	if err != nil {
		return Progress{}, err
	}
	seed := maphash.MakeSeed()
	return l.run(func() error {
		var b batch[kv.KeyValue]
		for row, err := range rows {
			if err != nil {
				l.dispatch(b)
				return err
			}
			row.Key, row.Value = b.copy(row.Key), b.copy(row.Value)
			b.items = append(b.items, row)
			b.hashes = append(b.hashes, maphash.Bytes(seed, row.Key))
			// A conflict range holds the key twice.
			b.weight += 3*len(row.Key) + len(row.Value) + rowOverheadBytes
			b.bytes += int64(len(row.Key) + len(row.Value))
			if l.ended(len(b.items)) {
				return nil
			}
			if b.weight >= l.options.TransactionBytes {
				if !l.dispatch(b) {
					return nil
				}
				b = batch[kv.KeyValue]{}
			}
		}
		l.dispatch(b)
		return nil
	})
}

// rowOverheadBytes is about what a row costs in a transaction besides its bytes.
const rowOverheadBytes = 16

// itemsOfBatch is how many items of unknown size Write gives to a worker.
const itemsOfBatch = 256

// Write calls write for each item, in transactions of many items: as many as fit
// Options.TransactionBytes. Errors are as with Load; one of write is a *LoadError
// that names the item.
//
// Transactions run side by side, so items are not written in their order, and
// write may be called again for an item. If one item depends on another, or two
// write the same key, set the concurrency to 1.
func Write[T any](ctx context.Context, db *kv.Database, items iter.Seq2[T, error], write func(tx *kv.Transaction, item T) error, options LoadOptions) (Progress, error) {
	l, err := newLoader(ctx, db, options, write)
	if err != nil {
		return Progress{}, err
	}
	return l.run(func() error {
		var b batch[T]
		for item, err := range items {
			if err != nil {
				l.dispatch(b)
				return err
			}
			b.items = append(b.items, item)
			if l.ended(len(b.items)) {
				return nil
			}
			if len(b.items) == itemsOfBatch {
				if !l.dispatch(b) {
					return nil
				}
				b = batch[T]{}
			}
		}
		l.dispatch(b)
		return nil
	})
}

// batch is the items that a worker writes.
type batch[T any] struct {
	items  []T
	hashes []uint64 // of the keys, if they are known
	memory []byte   // of keys and values
	weight int      // about the size of the transaction
	bytes  int64    // keys and values
}

// copy returns a copy of p in the batch's memory.
func (b *batch[T]) copy(p []byte) []byte {
	if cap(b.memory)-len(b.memory) < len(p) {
		b.memory = make([]byte, 0, max(len(p), memoryBytes))
	}
	at := len(b.memory)
	b.memory = append(b.memory, p...)
	return b.memory[at:len(b.memory):len(b.memory)]
}

// memoryBytes is the size of a piece of a batch's memory.
const memoryBytes = 64 << 10

// loader writes batches side by side and keeps track of them.
type loader[T any] struct {
	ctx     context.Context
	db      *kv.Database
	options LoadOptions
	write   func(*kv.Transaction, T) error
	group   *errgroup.Group
	begun   int   // batches dispatched
	stopped error // why one was not
	first   int64 // number of the first item that was not dispatched

	mu struct {
		sync.Mutex
		running  int
		idle     sync.Cond      // running is 0
		keys     map[uint64]int // hashes of the keys that are being written
		finished map[int]Progress
		next     int // first batch that is not finished
		progress Progress
	}
}

func newLoader[T any](ctx context.Context, db *kv.Database, options LoadOptions, write func(*kv.Transaction, T) error) (*loader[T], error) {
	options, err := options.resolved()
	if err != nil {
		return nil, err
	}
	l := &loader[T]{db: db, options: options, write: write}
	l.group, l.ctx = errgroup.WithContext(ctx)
	l.group.SetLimit(options.Concurrency)
	l.mu.idle.L = &l.mu
	l.mu.keys = map[uint64]int{}
	l.mu.finished = map[int]Progress{}
	return l, nil
}

// run lets feed dispatch all batches, and waits for them.
func (l *loader[T]) run(feed func() error) (Progress, error) {
	feedErr := feed()
	err := l.group.Wait()
	if err == nil {
		err = l.stopped
	}
	if err == nil {
		err = feedErr
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.progress, err
}

// dispatch gives a batch to a worker, once there is one, and reports whether to
// go on.
func (l *loader[T]) dispatch(b batch[T]) bool {
	if len(b.items) == 0 {
		return true
	}
	if l.ended(len(b.items)) {
		return false
	}
	l.claim(b.hashes)
	number, first := l.begun, l.first
	l.begun++
	l.first += int64(len(b.items))
	l.group.Go(func() error {
		transactions, err := l.commit(b.items, first)
		l.finish(number, b, transactions, err)
		return err
	})
	return true
}

// ended reports whether the context has ended, by a worker's error perhaps, so that
// the next items, of which the caller holds some, are not dispatched any more. An
// iterator that is slow is thus left with the next item that it brings.
func (l *loader[T]) ended(items int) bool {
	if l.ctx.Err() == nil {
		return false
	}
	l.stopped = failure(l.first, int64(items), context.Cause(l.ctx))
	return true
}

// claim notes the keys of a batch. If one of them is being written, the batch has
// to wait, lest the earlier row be the one that wins (L2).
func (l *loader[T]) claim(hashes []uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range hashes {
		if l.mu.keys[h] > 0 {
			for l.mu.running > 0 {
				l.mu.idle.Wait()
			}
			break
		}
	}
	for _, h := range hashes {
		l.mu.keys[h]++
	}
	l.mu.running++
}

// finish notes that a batch was written, or has failed.
func (l *loader[T]) finish(number int, b batch[T], transactions int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range b.hashes {
		if l.mu.keys[h]--; l.mu.keys[h] == 0 {
			delete(l.mu.keys, h)
		}
	}
	if l.mu.running--; l.mu.running == 0 {
		l.mu.idle.Broadcast()
	}
	if err != nil {
		return // what comes after it is not without a gap any more
	}
	l.mu.finished[number] = Progress{Rows: int64(len(b.items)), Bytes: b.bytes, Transactions: transactions}
	before := l.mu.next
	for {
		p, ok := l.mu.finished[l.mu.next]
		if !ok {
			break
		}
		delete(l.mu.finished, l.mu.next)
		l.mu.next++
		l.mu.progress.Rows += p.Rows
		l.mu.progress.Bytes += p.Bytes
		l.mu.progress.Transactions += p.Transactions
	}
	if l.mu.next > before && l.options.Progress != nil {
		l.options.Progress(l.mu.progress)
	}
}

// commit writes items, of which the first has the given number, with as many
// transactions as it takes.
func (l *loader[T]) commit(items []T, first int64) (transactions int64, err error) {
	for len(items) > 0 {
		n, err := kv.Transact(l.ctx, l.db, func(tx *kv.Transaction) (int, error) {
			for i, item := range items {
				if err := l.write(tx, item); err != nil {
					return 0, l.itemError(first+int64(i), err)
				}
				if tx.ApproximateSize() >= l.options.TransactionBytes {
					return i + 1, nil
				}
			}
			return len(items), nil
		}, l.options.Transaction...)
		if err != nil {
			return transactions, failure(first, int64(len(items)), err)
		}
		transactions++
		first += int64(n)
		items = items[n:]
	}
	return transactions, nil
}

// itemError names the item, unless Transact is to try again.
func (l *loader[T]) itemError(number int64, err error) error {
	if kv.Retryable(err) {
		return err
	}
	return &LoadError{First: number, Count: 1, Err: err}
}

// failure names the items of a transaction that failed.
func failure(first, count int64, err error) error {
	if named, ok := err.(*LoadError); ok {
		return named
	}
	return &LoadError{First: first, Count: count, Err: err}
}
