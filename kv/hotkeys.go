package kv

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

const (
	// maxHotKeys, maxHotKeyBytes and maxTickets bound the table.
	maxHotKeys     = 1024
	maxHotKeyBytes = 1024
	maxTickets     = 4096 // waiting for one key
	// hotFor is how long a key stays hot without contention.
	hotFor = time.Second
	// stalledAfter is how long a holder may keep others waiting before the
	// queue is given up.
	stalledAfter = time.Second
	// readersToCool is how many holders in a row that did not write the key
	// end its queue: readers need not line up.
	readersToCool = 8
	// comparedRanges bounds how many conflict ranges of a transaction are
	// looked at.
	comparedRanges = 1024
)

// hotKeys lets transactions of this process line up for keys on which they
// would only conflict.
//
// Of n optimistic transactions that read and then write one key, one commits in
// each cycle of read version, read and commit, and n-1 have worked in vain. So
// when a commit conflicts on a range that the transaction also writes, the
// first key of the range becomes hot for a while. Who is about to read a hot
// key and has no read version yet takes a ticket, and waits until the holders
// before it have committed or given up; only then it gets its read version,
// which thus shows their writes. The order is first come, first served.
//
// This is a courtesy, not a lock: correctness rests on the conflict check
// alone, and other processes do not take part. Hence every doubt is settled by
// going on without a ticket:
//   - a transaction has at most one ticket, so there is no cycle of waiting
//     among tickets; a cycle through user code (a transaction inside another)
//     ends when the holder has stalled for a second: then the queue is given up
//     and all go on;
//   - the table and the queues are bounded;
//   - holders that only read the key make it cool down at once.
//
// While nothing is hot all this costs one atomic load a transaction.
type hotKeys struct {
	count atomic.Int32 // of mu.keys

	mu struct {
		sync.Mutex
		keys  map[string]*hotKey
		swept time.Time
	}
}

// hotKey is the queue for one key. It is guarded by the table's mutex.
type hotKey struct {
	name      string
	holder    *ticket // nil: free
	waiting   []*ticket
	handovers int
	readers   int       // holders in a row that did not write the key
	contended time.Time // when somebody last conflicted or had to wait
	cool      bool      // no longer in the table
}

// ticket is a transaction's place in a queue.
type ticket struct {
	key  *hotKey
	turn chan struct{} // closed when the ticket's turn has come; nil if at once
}

func (t *ticket) name() string { return t.key.name }

// ticketUse says what the holder of a ticket did.
type ticketUse uint8

const (
	ticketUnused   ticketUse = iota // did not commit
	ticketOnlyRead                  // committed without writing the key
	ticketWritten                   // committed and wrote the key
)

// idle reports whether no key is hot.
func (h *hotKeys) idle() bool { return h.count.Load() == 0 }

// conflicted makes the keys hot on which a transaction with these writes has
// conflicted, and returns one of them to queue for, or nil.
func (h *hotKeys) conflicted(ranges, writes []wire.KeyRange) (wanted []byte) {
	const comparedConflicts = 8
	for _, r := range ranges[:min(len(ranges), comparedConflicts)] {
		if overlapsAny(r, writes) && h.heat(r.Begin) && wanted == nil {
			wanted = r.Begin
		}
	}
	return wanted
}

// heat makes key hot, unless it is too long or the table is full.
func (h *hotKeys) heat(key []byte) bool {
	if len(key) > maxHotKeyBytes {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if k := h.mu.keys[string(key)]; k != nil {
		k.contended = now
		return true
	}
	h.sweepLocked(now)
	if len(h.mu.keys) >= maxHotKeys {
		return false
	}
	if h.mu.keys == nil {
		h.mu.keys = make(map[string]*hotKey)
	}
	k := &hotKey{name: string(key), contended: now}
	h.mu.keys[k.name] = k
	h.count.Store(int32(len(h.mu.keys)))
	return true
}

// sweepLocked takes out the keys that nobody has contended for lately.
func (h *hotKeys) sweepLocked(now time.Time) {
	if now.Sub(h.mu.swept) < hotFor {
		return
	}
	h.mu.swept = now
	for _, k := range h.mu.keys {
		if k.holder == nil && now.Sub(k.contended) > hotFor {
			h.coolLocked(k)
		}
	}
}

// coolLocked takes k out of the table. Whoever waits for it goes on.
func (h *hotKeys) coolLocked(k *hotKey) {
	if k.cool {
		return
	}
	k.cool = true
	delete(h.mu.keys, k.name)
	h.count.Store(int32(len(h.mu.keys)))
	for _, t := range k.waiting {
		close(t.turn)
	}
	k.waiting = nil
}

// join takes a ticket for wanted or for one of anchors, whichever is hot, and
// returns it when its turn has come. It returns nil if none is hot, and an
// error if ctx ended first.
func (h *hotKeys) join(ctx context.Context, wanted []byte, anchors [][]byte) (*ticket, error) {
	h.mu.Lock()
	now := time.Now()
	h.sweepLocked(now)
	k := h.pickLocked(wanted, anchors)
	if k == nil || len(k.waiting) >= maxTickets {
		h.mu.Unlock()
		return nil, nil
	}
	if fault.Point("kv.hotKeys.giveUp") {
		h.coolLocked(k)
		h.mu.Unlock()
		return nil, nil
	}
	t := &ticket{key: k}
	if k.holder == nil {
		k.holder = t
		h.mu.Unlock()
		return t, nil
	}
	t.turn = make(chan struct{})
	k.contended = now
	k.waiting = append(k.waiting, t)
	seen := k.handovers
	h.mu.Unlock()
	if err := h.await(ctx, t, seen); err != nil {
		return nil, err
	}
	return t, nil
}

// pickLocked returns the queue to join: that of wanted if it is hot, otherwise
// that of the least hot anchor, so that transactions with the same keys meet in
// the same queue.
func (h *hotKeys) pickLocked(wanted []byte, anchors [][]byte) *hotKey {
	if k := h.mu.keys[string(wanted)]; k != nil && wanted != nil {
		return k
	}
	var least *hotKey
	for _, key := range anchors {
		if k := h.mu.keys[string(key)]; k != nil && (least == nil || k.name < least.name) {
			least = k
		}
	}
	return least
}

// await waits for the turn of t. seen is the number of handovers when t joined.
func (h *hotKeys) await(ctx context.Context, t *ticket, seen int) error {
	timer := time.NewTimer(stalledAfter)
	defer timer.Stop()
	for {
		select {
		case <-t.turn:
			return nil
		case <-ctx.Done():
			h.release(t, ticketUnused)
			return endError(ctx)
		case <-timer.C:
			seen = h.checkStalled(t.key, seen)
			timer.Reset(stalledAfter)
		}
	}
}

// checkStalled gives up the queue of k if nobody had a turn since the count was
// seen.
func (h *hotKeys) checkStalled(k *hotKey, seen int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if k.handovers == seen {
		h.coolLocked(k)
	}
	return k.handovers
}

// holds reports whether it is still the turn of t.
func (h *hotKeys) holds(t *ticket) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return t.key.holder == t && !t.key.cool
}

// release gives t back, whether or not its turn has come, and lets the next
// one in.
func (h *hotKeys) release(t *ticket, use ticketUse) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := t.key
	if k.holder != t {
		if i := slices.Index(k.waiting, t); i >= 0 {
			k.waiting = slices.Delete(k.waiting, i, i+1)
		}
		return
	}
	k.holder = nil
	switch use {
	case ticketOnlyRead:
		k.readers++
	case ticketWritten:
		k.readers = 0
	}
	if k.readers >= readersToCool {
		h.coolLocked(k)
	}
	if len(k.waiting) > 0 {
		k.holder = k.waiting[0]
		k.waiting[0] = nil
		k.waiting = k.waiting[1:]
		k.handovers++
		close(k.holder.turn)
	}
}

// overlapsAny reports whether r overlaps one of the first of ranges.
func overlapsAny(r wire.KeyRange, ranges []wire.KeyRange) bool {
	for _, other := range ranges[:min(len(ranges), comparedRanges)] {
		if r.Overlaps(other) {
			return true
		}
	}
	return false
}

// writesWhatItReads reports whether a transaction writes to a range that it
// read from anchor on.
func writesWhatItReads(request *wire.CommitRequest, anchor string) bool {
	reads := request.ReadConflicts
	for _, r := range reads[:min(len(reads), comparedRanges)] {
		if bytes.Equal(r.Begin, []byte(anchor)) && overlapsAny(r, request.WriteConflicts) {
			return true
		}
	}
	return false
}
