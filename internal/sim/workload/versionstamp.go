package workload

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/plinthdb/plinth/kv"
)

// versionStamp is FoundationDB's VersionStamp: a transaction writes its stamp
// into some keys of some partitions, and into the values of some slots, and
// remembers what Versionstamp returned. Several keys of one transaction differ
// in two bytes behind the stamp. Now and then a transaction clears the oldest
// keys of a partition, by a range that ends at a stamp.
//
//	V1  The stamps of a transaction are the same in all its keys and values,
//	    and those that Versionstamp returned; their version is that of the commit.
//	V2  No two transactions have the same stamp.
//	V3  A stamp is above all that were acknowledged before its transaction
//	    began, across all deaths of the process.
//	V4  The keys are those of what was acknowledged before the read, perhaps of
//	    what has an unknown outcome, whole; nothing of what was aborted.
//	V5  A slot holds the greatest stamp of those that wrote it: stamps are in the
//	    order in which the writes were applied.
//	V6  Versionstamp returns an error if the transaction was not committed, and
//	    the own stamp cannot be read before.
type versionStamp struct {
	partitions, slots int

	mu struct {
		sync.Mutex
		next    uint64
		records map[uint64]*stampRecord
		// newest is the greatest stamp acknowledged.
		newest kv.Stamp
		// trims holds, by partition, below which stamp keys were cleared.
		trims map[int]trim
		// trimmed is how many transactions had begun at the last trim.
		trimmed uint64
	}
}

// stampRecord is what is known of a transaction.
type stampRecord struct {
	floor   kv.Stamp // the greatest stamp acknowledged before it began
	asked   bool     // for its stamp
	keys    []stampedPlace
	slots   []int
	outcome Outcome // Unknown until it is over
	stamp   kv.Stamp
}

// stampedPlace says where a transaction wrote a key.
type stampedPlace struct {
	partition int
	order     uint16
}

// trim is how far a partition may be cleared, and how far it is for certain.
type trim struct{ perhaps, certain kv.Stamp }

// trimEvery is how many transactions there are between two trims.
const trimEvery = 100

func newVersionStamp(rng *rand.Rand) *versionStamp {
	s := &versionStamp{partitions: 1 + rng.IntN(4), slots: 1 + rng.IntN(4)}
	s.mu.records = make(map[uint64]*stampRecord)
	s.mu.trims = make(map[int]trim)
	return s
}

// Name implements Workload.
func (*versionStamp) Name() string { return "VersionStamp" }

// Setup implements Workload. There are no rows at first.
func (*versionStamp) Setup(context.Context, *Env) error { return nil }

func partitionPrefix(env *Env, partition int) []byte { return env.Key("key/%d/", partition) }

func (s *versionStamp) slotKey(env *Env, slot int) []byte { return env.Key("slot/%d", slot) }

// Run implements Workload.
func (s *versionStamp) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		if c.Rand().IntN(10) == 0 {
			if partition, stamp, ok := s.trimmable(c.Rand()); ok {
				return s.trim(ctx, c, partition, stamp)
			}
		}
		return s.write(ctx, c)
	})
}

// begin notes a new transaction.
func (s *versionStamp) begin(rng *rand.Rand) (id uint64, r *stampRecord) {
	r = &stampRecord{outcome: Unknown}
	for order := range 1 + rng.IntN(3) {
		r.keys = append(r.keys, stampedPlace{rng.IntN(s.partitions), uint16(order)})
	}
	for slot := range s.slots {
		if rng.IntN(2) == 0 {
			r.slots = append(r.slots, slot)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.next++
	r.floor = s.mu.newest
	s.mu.records[s.mu.next] = r
	return s.mu.next, r
}

// write is one transaction.
func (s *versionStamp) write(ctx context.Context, c *Client) error {
	id, r := s.begin(c.Rand())
	var future kv.Future[kv.Stamp]
	early := c.Rand().IntN(2) == 0
	outcome, err := c.Try(ctx, func(tx *kv.Transaction) error {
		if early {
			future, r.asked = tx.Versionstamp(), true
		}
		for _, at := range r.keys {
			key := binary.BigEndian.AppendUint16(append(partitionPrefix(c.env, at.partition), make([]byte, len(kv.Stamp{}))...), at.order)
			key = binary.LittleEndian.AppendUint32(key, uint32(len(partitionPrefix(c.env, at.partition))))
			tx.SetVersionstampedKey(key, binary.BigEndian.AppendUint64(nil, id))
		}
		for _, slot := range r.slots {
			tx.SetVersionstampedValue(s.slotKey(c.env, slot), stampedKey(binary.BigEndian.AppendUint64(nil, id)))
		}
		if !early {
			future, r.asked = tx.Versionstamp(), true
		}
		if len(r.slots) > 0 && c.Rand().IntN(4) == 0 {
			if _, err := tx.Get(s.slotKey(c.env, r.slots[0])).Wait(); !errors.Is(err, kv.ErrAccessedUnreadable) {
				return c.Violated("V6", "transaction %d reads its own stamp before the commit: %v", id, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.finish(c, id, r, outcome, future)
}

// finish compares what the transaction was told (V1, V3, V6).
func (s *versionStamp) finish(c *Client, id uint64, r *stampRecord, outcome Outcome, future kv.Future[kv.Stamp]) error {
	var stamp kv.Stamp
	if outcome == Committed {
		var err error
		if stamp, err = future.Wait(); err != nil || stampVersion(stamp[:]) != c.LastCommit() {
			return c.Violated("V1", "transaction %d, committed at version %d, is told stamp %x (error %v)", id, c.LastCommit(), stamp, err)
		}
		if bytes.Compare(stamp[:], r.floor[:]) <= 0 {
			return c.Violated("V3", "transaction %d has stamp %x, %x was acknowledged before it began", id, stamp, r.floor)
		}
	}
	if outcome == Aborted && r.asked {
		if stamp, err := future.Wait(); err == nil {
			return c.Violated("V6", "transaction %d was not committed and is told stamp %x", id, stamp)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.outcome, r.stamp = outcome, stamp
	if outcome == Committed && bytes.Compare(stamp[:], s.mu.newest[:]) > 0 {
		s.mu.newest = stamp
	}
	return nil
}

// trimmable picks a partition, and a stamp below which it has old keys.
func (s *versionStamp) trimmable(rng *rand.Rand) (partition int, stamp kv.Stamp, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.next < s.mu.trimmed+trimEvery {
		return 0, stamp, false
	}
	s.mu.trimmed = s.mu.next
	var stamps []kv.Stamp
	for _, r := range s.mu.records {
		if r.outcome == Committed {
			stamps = append(stamps, r.stamp)
		}
	}
	if len(stamps) == 0 {
		return 0, stamp, false
	}
	slices.SortFunc(stamps, func(a, b kv.Stamp) int { return bytes.Compare(a[:], b[:]) })
	return rng.IntN(s.partitions), stamps[len(stamps)/2], true
}

// trim clears the keys of a partition below a stamp.
func (s *versionStamp) trim(ctx context.Context, c *Client, partition int, below kv.Stamp) error {
	s.noteTrim(partition, func(t *trim) *kv.Stamp { return &t.perhaps }, below)
	prefix := partitionPrefix(c.env, partition)
	outcome, err := c.TryAlone(ctx, func(tx *kv.Transaction) error {
		tx.ClearRange(kv.KeyRange{Begin: prefix, End: append(bytes.Clone(prefix), below[:]...)})
		return nil
	})
	if err == nil && outcome == Committed {
		s.noteTrim(partition, func(t *trim) *kv.Stamp { return &t.certain }, below)
	}
	return err
}

func (s *versionStamp) noteTrim(partition int, which func(*trim) *kv.Stamp, below kv.Stamp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.mu.trims[partition]
	if at := which(&t); bytes.Compare(at[:], below[:]) < 0 {
		*at = below
	}
	s.mu.trims[partition] = t
}
