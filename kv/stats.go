package kv

import (
	"maps"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// Stats is what a Database has done since it was made. Each number is exact; the
// numbers together are not one moment's, since work goes on while they are
// read. kv/metrics offers them to Prometheus.
type Stats struct {
	// Started counts the transactions that were begun, each of them once, however
	// often it is tried. It ends as one of the three that follow: it committed
	// writes; it ended in good order without any; or it failed, was cancelled
	// before its commit, or panicked. The others are open.
	Started, Committed, ReadOnly, Failed uint64
	// Failures splits Failed up by the number of the error; 0 is errors that are
	// not the store's.
	Failures map[int]uint64
	// Retries counts further tries by the number of the error that caused them.
	Retries map[int]uint64

	// Conflicts counts commits that were refused since something that they read
	// was changed, TooOld calls refused since their version was too old.
	Conflicts, TooOld uint64
	// LostAnswers counts commits that had to be looked for, see WithExactlyOnce;
	// Unknown those of which nobody knows what became.
	LostAnswers, Unknown uint64

	// KeysRead counts the keys of Get that the store was asked for, RowsRead the
	// rows of ranges that it sent, BytesRead their values, and keys of rows.
	KeysRead, RowsRead, BytesRead uint64
	// BytesWritten counts the mutations that were committed, as they are encoded.
	BytesWritten uint64

	// Calls of the store: for a version, values, a piece of a range, the key of a
	// selector, and a commit.
	ReadVersion, Get, GetRange, GetKey, Commit Latencies
	// Transaction is from the beginning, or the last Reset, to the end, all tries
	// and pauses together.
	Transaction Latencies
	// HotKeyWait is how long transactions waited for their turn at a hot key;
	// those that did not have to wait are not among them.
	HotKeyWait Latencies

	// HotKeys and Watches are how many of them there are now.
	HotKeys, Watches int
}

// latencyBuckets is the number of buckets with a bound: up to 16.8 s.
const latencyBuckets = 25

// Latencies is a histogram of durations.
type Latencies struct {
	// Counts holds in element i how many were at most LatencyBound(i) and above
	// the bound before, and in its last element those above all bounds.
	Counts [latencyBuckets + 1]uint64
	// Sum is of all of them.
	Sum time.Duration
}

// LatencyBound returns the upper bound of the i-th element of Latencies.Counts: a
// microsecond for the first, then twice as much each time. The last element has
// none.
func LatencyBound(i int) time.Duration { return time.Microsecond << i }

// Count returns how many durations there are.
func (l *Latencies) Count() (n uint64) {
	for _, c := range l.Counts {
		n += c
	}
	return n
}

// Stats returns what the database has done. It is cheap, and may be called at any
// time, also after Close.
func (db *Database) Stats() Stats {
	c := &db.counters
	s := Stats{ // ends first: then no more have ended than have begun
		Committed:    c.committed.Load(),
		ReadOnly:     c.readOnly.Load(),
		Failed:       c.failed.Load(),
		Failures:     c.failures.snapshot(),
		Retries:      c.retries.snapshot(),
		Conflicts:    c.conflicts.Load(),
		TooOld:       c.tooOld.Load(),
		LostAnswers:  c.lostAnswers.Load(),
		Unknown:      c.unknown.Load(),
		KeysRead:     c.keysRead.Load(),
		RowsRead:     c.rowsRead.Load(),
		BytesRead:    c.bytesRead.Load(),
		BytesWritten: c.bytesWritten.Load(),
		ReadVersion:  c.calls[callReadVersion].snapshot(),
		Get:          c.calls[callGet].snapshot(),
		GetRange:     c.calls[callGetRange].snapshot(),
		GetKey:       c.calls[callGetKey].snapshot(),
		Commit:       c.calls[callCommit].snapshot(),
		Transaction:  c.transaction.snapshot(),
		HotKeyWait:   c.hotKeyWait.snapshot(),
		HotKeys:      int(db.hot.count.Load()),
	}
	s.Started = c.started.Load()
	db.mu.Lock()
	defer db.mu.Unlock()
	s.Watches = db.mu.watches
	return s
}

// counters is what Stats is made of.
type counters struct {
	started, committed, readOnly, failed    atomic.Uint64
	conflicts, tooOld, lostAnswers, unknown atomic.Uint64
	keysRead, rowsRead, bytesRead           atomic.Uint64
	bytesWritten                            atomic.Uint64
	failures, retries                       errorCounts
	calls                                   [countedKinds]latencies
	transaction, hotKeyWait                 latencies
}

// latencies is Latencies as they grow.
type latencies struct {
	counts [latencyBuckets + 1]atomic.Uint64
	nanos  atomic.Int64
}

func (l *latencies) observe(d time.Duration) {
	d = max(d, 0)
	i := bits.Len64(uint64(max(d-1, 0) / time.Microsecond))
	l.counts[min(i, latencyBuckets)].Add(1)
	l.nanos.Add(int64(d))
}

func (l *latencies) snapshot() (s Latencies) {
	for i := range l.counts {
		s.Counts[i] = l.counts[i].Load()
	}
	s.Sum = time.Duration(l.nanos.Load())
	return s
}

// maxErrorNumbers bounds the numbers that are told apart; users can make up any.
const maxErrorNumbers = 128

// errorCounts counts errors by number.
type errorCounts struct {
	mu struct {
		sync.Mutex
		counts map[int]uint64
	}
}

// add counts an error with this number, under 0 if there are too many others.
func (e *errorCounts) add(number int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mu.counts == nil {
		e.mu.counts = make(map[int]uint64)
	}
	if _, ok := e.mu.counts[number]; !ok && len(e.mu.counts) >= maxErrorNumbers {
		number = 0
	}
	e.mu.counts[number]++
}

func (e *errorCounts) snapshot() map[int]uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.mu.counts)
}
