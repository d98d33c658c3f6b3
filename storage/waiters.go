package storage

import (
	"container/heap"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

// waiters holds the reads whose version has not arrived yet, the lowest
// version first.
type waiters struct {
	limit int
	// least is the lowest version that somebody waits for, MaxVersion if
	// nobody does: publishing a version looks no further in the common case.
	least atomic.Int64
	mu    struct {
		sync.Mutex
		queue waiterHeap
	}
}

type waiter struct {
	version wire.Version
	arrived chan struct{}
	index   int // in the heap, -1 once taken out
}

func newWaiters(limit int) *waiters {
	w := &waiters{limit: limit}
	w.least.Store(int64(wire.MaxVersion))
	return w
}

// wake lets the reads at or below version go on.
func (w *waiters) wake(version wire.Version) {
	if w.least.Load() > int64(version) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.mu.queue) > 0 && w.mu.queue[0].version <= version {
		close(heap.Pop(&w.mu.queue).(*waiter).arrived)
	}
	w.noteLeastLocked()
}

func (w *waiters) noteLeastLocked() {
	least := wire.MaxVersion
	if len(w.mu.queue) > 0 {
		least = w.mu.queue[0].version
	}
	w.least.Store(int64(least))
}

// add queues a wait, nil if there are too many.
func (w *waiters) add(version wire.Version) *waiter {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.mu.queue) >= w.limit {
		return nil
	}
	q := &waiter{version: version, arrived: make(chan struct{})}
	heap.Push(&w.mu.queue, q)
	w.noteLeastLocked()
	return q
}

// remove takes out a wait that was given up.
func (w *waiters) remove(q *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if q.index >= 0 {
		heap.Remove(&w.mu.queue, q.index)
		w.noteLeastLocked()
	}
}

func (w *waiters) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.mu.queue)
}

// await waits until version can be read. It returns ErrTransactionTooOld if
// the window no longer reaches back to it, ErrFutureVersion if it does not
// arrive in time, ErrProcessBehind if too many wait already.
func (s *Server) await(ctx context.Context, version wire.Version) error {
	if version < 0 {
		return wire.ErrVersionInvalid
	}
	if version < s.advancing.load() {
		return wire.ErrTransactionTooOld
	}
	if version <= s.applied.load() {
		return nil
	}
	if fault.Point("storage.read.giveUpEarly") {
		return wire.ErrFutureVersion
	}
	q := s.waiting.add(version)
	if q == nil {
		return wire.ErrProcessBehind.With("%d reads wait for their version at the storage server; run the transaction again", s.cfg.MaxWaitingReads)
	}
	defer s.waiting.remove(q)
	// The version may have been published between the look and the queueing.
	if version <= s.applied.load() {
		return nil
	}
	timer := time.NewTimer(s.cfg.ReadWait)
	defer timer.Stop()
	select {
	case <-q.arrived:
		return nil
	case <-timer.C:
		return wire.ErrFutureVersion
	case <-ctx.Done():
		return ctx.Err()
	case <-s.failed:
		return s.failure.err
	case <-s.closing:
		return wire.ErrDatabaseClosed
	}
}

type waiterHeap []*waiter

func (h waiterHeap) Len() int           { return len(h) }
func (h waiterHeap) Less(i, j int) bool { return h[i].version < h[j].version }
func (h waiterHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is heap.Interface's.
func (h *waiterHeap) Push(x any) {
	q := x.(*waiter)
	q.index = len(*h)
	*h = append(*h, q)
}

// Pop is heap.Interface's.
func (h *waiterHeap) Pop() any {
	last := len(*h) - 1
	q := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	q.index = -1
	return q
}
