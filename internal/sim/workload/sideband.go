package workload

import (
	"bytes"
	"context"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// sideband is FoundationDB's Sideband: a mutator commits and tells a checker so
// by a channel beside the store. What the checker then begins must see the
// write, whoever reads it and how: causality does not end at the store's edge.
// Mutators write the stamp of their commit, so that a checker knows whether it
// sees that write, an older or a newer one.
//
//	S1  A transaction that begins after a commit was acknowledged sees it or a
//	    later write of the key, by plain and by snapshot reads, of keys, ranges
//	    and selectors, also in a later life of the process.
//	S2  A transaction whose read version is set to the version of the commit
//	    sees exactly the writes up to it; one that reads at the version before
//	    sees nothing of it.
//	S3  A key holds what a mutator wrote, with the stamp that its commit returned.
type sideband struct {
	slots int
	mail  chan sidebandMessage

	mu struct {
		sync.Mutex
		next uint64
		// newest is the newest acknowledged stamp of each slot.
		newest map[int]kv.Stamp
	}
}

// sidebandMessage tells of a commit.
type sidebandMessage struct {
	slot    int
	id      uint64
	stamp   kv.Stamp
	version kv.Version
}

const (
	// sidebandMail is how many messages wait at most; a mutator checks itself
	// what does not fit.
	sidebandMail = 16
	// sidebandPatience is how long a checker waits for a message before it
	// mutates something itself.
	sidebandPatience = 100 * time.Millisecond
)

func newSideband(rng *rand.Rand) *sideband {
	s := &sideband{slots: 1 + rng.IntN(1<<rng.IntN(5)), mail: make(chan sidebandMessage, sidebandMail)}
	s.mu.newest = make(map[int]kv.Stamp)
	return s
}

// Name implements Workload.
func (*sideband) Name() string { return "Sideband" }

// Setup implements Workload. All keys are absent at first.
func (*sideband) Setup(context.Context, *Env) error { return nil }

func (s *sideband) key(env *Env, slot int) []byte { return env.Key("%02d", slot) }

// Run implements Workload. Clients with odd numbers prefer to check.
func (s *sideband) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		if c.ID()%2 == 1 {
			if m, ok := s.receive(ctx); ok {
				return s.verify(ctx, c, m)
			}
		}
		m, ok, err := s.mutate(ctx, c)
		if err != nil || !ok {
			return err
		}
		select {
		case s.mail <- m:
			return nil
		default:
			return s.verify(ctx, c, m)
		}
	})
}

func (s *sideband) receive(ctx context.Context) (m sidebandMessage, ok bool) {
	timer := time.NewTimer(sidebandPatience)
	defer timer.Stop()
	select {
	case m = <-s.mail:
		return m, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return m, false
}

func (s *sideband) newID() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.next++
	return s.mu.next
}

// mutate writes one key; ok is false if that was not acknowledged. A lone
// client also checks what it wrote, with every other mutation.
func (s *sideband) mutate(ctx context.Context, c *Client) (m sidebandMessage, ok bool, err error) {
	m = sidebandMessage{slot: c.Rand().IntN(s.slots), id: s.newID()}
	var stamp kv.Future[kv.Stamp]
	try, reads := c.TryAlone, c.Rand().IntN(4) == 0
	if reads {
		try = c.Try
	}
	outcome, err := try(ctx, func(tx *kv.Transaction) error {
		if reads {
			if _, err := tx.Get(s.key(c.env, m.slot)).Wait(); err != nil {
				return err
			}
		}
		tx.SetVersionstampedValue(s.key(c.env, m.slot), stampedKey(binary.BigEndian.AppendUint64(nil, m.id)))
		stamp = tx.Versionstamp()
		return nil
	})
	if err != nil || outcome != Committed {
		return m, false, err
	}
	m.version = c.LastCommit()
	if m.stamp, err = stamp.Wait(); err != nil || stampVersion(m.stamp[:]) != m.version {
		return m, false, c.Violated("S3", "commit at version %d has stamp %x (error %v)", m.version, m.stamp, err)
	}
	s.mu.Lock()
	if newest := s.mu.newest[m.slot]; bytes.Compare(newest[:], m.stamp[:]) < 0 {
		s.mu.newest[m.slot] = m.stamp
	}
	s.mu.Unlock()
	if c.env.clients == 1 && c.Rand().IntN(2) == 0 {
		return m, false, s.verify(ctx, c, m)
	}
	return m, true, nil
}

// verify reads the key of a message in one of many ways. The violation does
// not count if the process dies meanwhile.
func (s *sideband) verify(ctx context.Context, c *Client, m sidebandMessage) error {
	form := c.Rand().IntN(6)
	_, err := c.Try(ctx, func(tx *kv.Transaction) error {
		switch form {
		case 0:
			return s.expectFresh(c, tx, m)
		case 1:
			return s.expectFresh(c, tx.Snapshot(), m)
		case 2:
			return c.beside(func(tx *kv.Transaction) error { return s.expectFresh(c, tx, m) })
		case 3:
			_, err := kv.ReadTransact(c.inc.Context(), c.inc.DB(), func(r kv.Reader) (struct{}, error) {
				return struct{}{}, s.expectFresh(c, r, m)
			}, kv.WithRetryLimit(2))
			return err
		case 4:
			return c.beside(func(tx *kv.Transaction) error { return s.expectAt(c, tx, m) })
		}
		return c.beside(func(tx *kv.Transaction) error { return s.expectBefore(c, tx, m) })
	})
	return err
}

// expectFresh reads at a version of the store's choice (S1).
func (s *sideband) expectFresh(c *Client, r kv.Reader, m sidebandMessage) error {
	id, stamp, found, err := s.read(c, r, m.slot)
	if err != nil {
		return err
	}
	if !found || bytes.Compare(stamp[:], m.stamp[:]) < 0 {
		return c.Violated("S1", "slot %d: version %d was acknowledged, a later read finds stamp %x (%v)", m.slot, m.version, stamp, found)
	}
	return s.expectSame(c, m, id, stamp)
}

// expectAt reads at the version of the commit itself (S2).
func (s *sideband) expectAt(c *Client, tx *kv.Transaction, m sidebandMessage) error {
	tx.SetReadVersion(m.version)
	id, stamp, found, err := s.read(c, tx, m.slot)
	if err != nil {
		return err
	}
	if !found || stampVersion(stamp[:]) != m.version || bytes.Compare(stamp[:], m.stamp[:]) < 0 {
		return c.Violated("S2", "slot %d: a read at version %d, which wrote it, finds stamp %x (%v)", m.slot, m.version, stamp, found)
	}
	return s.expectSame(c, m, id, stamp)
}

// expectBefore reads at the version before the commit (S2).
func (s *sideband) expectBefore(c *Client, tx *kv.Transaction, m sidebandMessage) error {
	tx.SetReadVersion(m.version - 1)
	_, stamp, found, err := s.read(c, tx, m.slot)
	if err != nil {
		return err
	}
	if found && stampVersion(stamp[:]) >= m.version {
		return c.Violated("S2", "slot %d: a read at version %d finds stamp %x", m.slot, m.version-1, stamp)
	}
	return nil
}

// expectSame compares the mutator of a stamp (S3).
func (s *sideband) expectSame(c *Client, m sidebandMessage, id uint64, stamp kv.Stamp) error {
	if stamp == m.stamp && id != m.id {
		return c.Violated("S3", "slot %d: stamp %x was given to mutation %d, and is found on %d", m.slot, stamp, m.id, id)
	}
	return nil
}

// read reads a slot by a random kind of read.
func (s *sideband) read(c *Client, r kv.Reader, slot int) (id uint64, stamp kv.Stamp, found bool, err error) {
	value, err := readSomehow(c.Rand(), r, s.key(c.env, slot))
	if err != nil || value == nil {
		return 0, stamp, false, err
	}
	if id, stamp, err = decodeStamped(value); err != nil {
		return 0, stamp, false, c.Violated("S3", "slot %d: %v", slot, err)
	}
	return id, stamp, true, nil
}

// readSomehow returns the value of key, nil if it is absent, by one of the ways
// to read it.
func readSomehow(rng *rand.Rand, r kv.Reader, key []byte) ([]byte, error) {
	options := kv.RangeOptions{Reverse: rng.IntN(2) == 0, Limit: rng.IntN(3)}
	var rows []kv.KeyValue
	var err error
	switch rng.IntN(5) {
	case 0:
		selected, err := r.GetKey(kv.FirstGreaterOrEqual(key)).Wait()
		if err != nil || !bytes.Equal(selected, key) {
			return nil, err
		}
		return r.Get(key).Wait()
	case 1:
		rows, err = r.Range(kv.SingleKey(key), options).Slice()
	case 2:
		rows, err = r.RangeSelectors(kv.FirstGreaterOrEqual(key), kv.FirstGreaterThan(key), options).Slice()
	default:
		return r.Get(key).Wait()
	}
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0].Value, nil
}

// Check implements Workload.
func (s *sideband) Check(ctx context.Context, env *Env) error {
	s.mu.Lock()
	before := maps.Clone(s.mu.newest)
	s.mu.Unlock()
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	found := make(map[string]kv.Stamp)
	for _, row := range rows {
		_, stamp, err := decodeStamped(row.Value)
		if err != nil {
			return env.Violated("S3", "at version %d: %v", version, err)
		}
		found[string(row.Key)] = stamp
	}
	for slot := range s.slots {
		want, stamp := before[slot], found[string(s.key(env, slot))]
		if bytes.Compare(stamp[:], want[:]) < 0 {
			return env.Violated("S1", "at version %d slot %d has stamp %x, %x was acknowledged before", version, slot, stamp, want)
		}
	}
	return nil
}
