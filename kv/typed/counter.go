package typed

import (
	"encoding/binary"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
)

// Counters is a map from keys to numbers that many transactions can add to at
// once without conflicts. A counter that was never set counts as zero: Get then
// says that it was not found. Numbers wrap around at 64 bits.
type Counters[K any] struct{ m *Map[K, int64] }

// NewCounters returns the counters in a subspace, which must hold nothing else.
func NewCounters[K any](space subspace.Subspace, keys KeyCodec[K]) *Counters[K] {
	return &Counters[K]{NewMap(space, keys, Int64[int64]())}
}

// Add adds n, which may be negative, to a counter. It reads nothing. The error
// is an *EncodeError.
func (c *Counters[K]) Add(tx *kv.Transaction, key K, n int64) error {
	buf := c.m.takeBuffer()
	defer c.m.giveBack(buf)
	packed, err := c.m.wholeKey(*buf, key)
	if err != nil {
		return err
	}
	*buf = binary.LittleEndian.AppendUint64(packed, uint64(n))
	tx.Add((*buf)[:len(packed)], (*buf)[len(packed):])
	return nil
}

// Map returns the counters as a map, for everything else: Get, Set, Delete,
// Range and Page. It cannot have indexes, since Add would not know them.
func (c *Counters[K]) Map() *Map[K, int64] {
	return &Map[K, int64]{table: c.m.table, values: c.m.values}
}

// Get is Map.Get.
func (c *Counters[K]) Get(r kv.Reader, key K) Future[K, int64] { return c.m.Get(r, key) }

// Counter is one number that many transactions can add to at once without
// conflicts.
type Counter struct{ all *Counters[struct{}] }

// NewCounter returns the counter whose key is the prefix of the subspace.
func NewCounter(space subspace.Subspace) Counter {
	return Counter{NewCounters[struct{}](space, noKey{})}
}

// Add adds n, which may be negative. It reads nothing.
func (c Counter) Add(tx *kv.Transaction, n int64) {
	_ = c.all.Add(tx, struct{}{}, n) // no key that could fail to be encoded
}

// Get returns the number. Outside of a snapshot it conflicts with every Add of
// others.
func (c Counter) Get(r kv.Reader) (int64, error) {
	n, _, err := c.all.Get(r, struct{}{}).Wait()
	return n, err
}
