package fdb

import (
	"sync/atomic"

	"github.com/plinthdb/plinth/kv"
)

// Future is a value or error that is on its way. It may be copied and used by
// several goroutines.
type Future interface {
	// BlockUntilReady waits until the value or the error is there.
	BlockUntilReady()

	// IsReady reports whether the value or the error is there. If it is not, it
	// sees to it that it comes: a program may poll.
	IsReady() bool

	// Cancel makes Get fail with operation_cancelled (1101), unless the future
	// is ready.
	Cancel()
}

// FutureByteSlice is the Future of a value.
type FutureByteSlice interface {
	// Get waits for the value, which is nil if the key is absent.
	Get() ([]byte, error)

	// MustGet is Get, but panics with its error.
	MustGet() []byte

	Future
}

// FutureKey is the Future of a key.
type FutureKey interface {
	// Get waits for the key.
	Get() (Key, error)

	// MustGet is Get, but panics with its error.
	MustGet() Key

	Future
}

// FutureNil is the Future of something that has no value, but may fail.
type FutureNil interface {
	// Get waits for the end and returns its error.
	Get() error

	// MustGet is Get, but panics with its error.
	MustGet()

	Future
}

// FutureInt64 is the Future of a number.
type FutureInt64 interface {
	// Get waits for the number.
	Get() (int64, error)

	// MustGet is Get, but panics with its error.
	MustGet() int64

	Future
}

// FutureKeyArray is the Future of some keys.
type FutureKeyArray interface {
	// Get waits for the keys.
	Get() ([]Key, error)

	// MustGet is Get, but panics with its error.
	MustGet() []Key
}

// FutureStringSlice is the Future of some strings.
type FutureStringSlice interface {
	// Get waits for the strings.
	Get() ([]string, error)

	// MustGet is Get, but panics with its error.
	MustGet() []string

	Future
}

// readiness is the state of a future. Its zero value is one that nobody has
// waited for.
type readiness struct{ state atomic.Uint32 }

const (
	unknown   = iota
	polled    // somebody waits in the background
	ready     // what comes of it is certain
	cancelled // in time
)

// carriedOut implements pendingRead.
func (r *readiness) carriedOut() bool { return r.state.Load() >= ready }

// settle notes that the future is ready. It reports false if it was cancelled
// before.
func (r *readiness) settle() bool {
	for {
		switch state := r.state.Load(); state {
		case ready:
			return true
		case cancelled:
			return false
		default:
			if r.state.CompareAndSwap(state, ready) {
				return true
			}
		}
	}
}

// cancel reports whether it came in time.
func (r *readiness) cancel() bool {
	for {
		state := r.state.Load()
		if state >= ready {
			return false
		}
		if r.state.CompareAndSwap(state, cancelled) {
			return true
		}
	}
}

// isReady reports the state. The first time that it is not ready it lets block
// run in the background.
func (r *readiness) isReady(tx *kv.Transaction, s *store, block func()) bool {
	if r.state.Load() >= ready {
		return true
	}
	if r.state.CompareAndSwap(unknown, polled) && !s.background(tx, block) {
		tx.Cancel() // the store is closed: nothing must wait any more
		block()
	}
	return r.state.Load() >= ready
}

// byteSlice is the future of a Get.
type byteSlice struct {
	readiness
	future kv.Future[[]byte]
	tx     *kv.Transaction
	store  *store
}

// Get implements FutureByteSlice.
func (f *byteSlice) Get() ([]byte, error) {
	if f.state.Load() == cancelled {
		return nil, errOperationCancelled
	}
	value, err := f.future.Wait()
	if !f.settle() {
		return nil, errOperationCancelled
	}
	return value, bare(err)
}

// MustGet implements FutureByteSlice.
func (f *byteSlice) MustGet() []byte {
	value, err := f.Get()
	must(err)
	return value
}

// BlockUntilReady implements Future.
func (f *byteSlice) BlockUntilReady() { f.Get() }

// IsReady implements Future.
func (f *byteSlice) IsReady() bool { return f.isReady(f.tx, f.store, f.BlockUntilReady) }

// Cancel implements Future.
func (f *byteSlice) Cancel() { f.cancel() }

// future is the future of anything else.
type future[T any] struct {
	readiness
	wait  func() (T, error) // once
	stop  func()            // makes wait return soon; nil if it needs nothing
	tx    *kv.Transaction
	store *store
}

// newFuture returns a future of what wait returns. Nobody calls wait before
// somebody wants to know.
func newFuture[T any](t *transaction, wait func() (T, error)) *future[T] {
	return &future[T]{wait: once(wait), tx: t.current(), store: t.handle.store}
}

// once returns f, but run by its first caller alone; the others wait for it. They
// do so at a channel, unlike those of sync.Once, so that a test in a bubble of
// testing/synctest may wait for what needs time.
func once[T any](f func() (T, error)) func() (T, error) {
	var called atomic.Bool
	var value T
	var err error
	done := make(chan struct{})
	return func() (T, error) {
		if called.Swap(true) {
			<-done
			return value, err
		}
		defer close(done)
		value, err = f()
		return value, err
	}
}

// noted returns a future of a read, which a commit carries out if nobody has
// waited for it until then.
func noted[T any](t *transaction, wait func() (T, error)) *future[T] {
	f := newFuture(t, wait)
	t.noteRead(f)
	return f
}

// Get implements the kinds of futures.
func (f *future[T]) Get() (T, error) {
	var none T
	if f.state.Load() == cancelled {
		return none, errOperationCancelled
	}
	value, err := f.wait()
	if !f.settle() {
		return none, errOperationCancelled
	}
	return value, bare(err)
}

// MustGet implements the kinds of futures.
func (f *future[T]) MustGet() T {
	value, err := f.Get()
	must(err)
	return value
}

// BlockUntilReady implements Future.
func (f *future[T]) BlockUntilReady() { f.Get() }

// carryOut implements pendingRead.
func (f *future[T]) carryOut() { f.Get() }

// IsReady implements Future.
func (f *future[T]) IsReady() bool { return f.isReady(f.tx, f.store, f.BlockUntilReady) }

// Cancel implements Future.
func (f *future[T]) Cancel() {
	if f.cancel() && f.stop != nil {
		f.stop()
	}
}

// futureNil is a future without a value.
type futureNil struct{ *future[struct{}] }

func newFutureNil(t *transaction, wait func() error) futureNil {
	return futureNil{newFuture(t, func() (struct{}, error) { return struct{}{}, wait() })}
}

// Get implements FutureNil.
func (f futureNil) Get() error {
	_, err := f.future.Get()
	return err
}

// MustGet implements FutureNil.
func (f futureNil) MustGet() { must(f.Get()) }
