package workload

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// longTransactions has transactions that live as long as the store remembers
// versions, and longer. Writers add one to all counters of a set, in one
// transaction; so a version of the store has one number. Readers look at it
// again and again, in pieces and by hand-set versions of the past and of the
// future.
//
//	T1  All reads of a transaction find the same number in all counters, however
//	    long it lasts; or they fail, with an error that can be retried.
//	T2  A read at version r finds the writes with versions up to r and no later
//	    ones; this orders all reads and acknowledged writes, across all deaths of
//	    the process.
//	T3  A version that the store has not reached is waited for, or gives
//	    future_version; it is never read early.
//	T4  A transaction that read commits only within 5,000,000 versions of its
//	    read version. It does not conflict if nobody wrote what it read.
type longTransactions struct {
	counters, padBytes int
	timeline           timeline
}

const (
	// longestLife is more than the five seconds of the window.
	longestLife = 8 * time.Second
	// nearFuture and farFuture are how far ahead of the store reads are set.
	nearFuture = wire.VersionsPerSecond / 2
	farFuture  = 2 * wire.RecoveryVersionStep
)

func newLongTransactions(rng *rand.Rand) *longTransactions {
	return &longTransactions{counters: 1 + rng.IntN(1<<rng.IntN(7)), padBytes: rng.IntN(1 << rng.IntN(9))}
}

// Name implements Workload.
func (*longTransactions) Name() string { return "LongTransactions" }

func counterKey(env *Env, i int) []byte { return env.Key("counter/%03d", i) }

func (*longTransactions) all(env *Env) kv.KeyRange { return kv.PrefixRange(env.Key("counter/")) }

// set writes n into all counters.
func (l *longTransactions) set(env *Env, tx *kv.Transaction, n uint64) {
	value := append(encodeNumber(n), make([]byte, l.padBytes)...)
	for i := range l.counters {
		tx.Set(counterKey(env, i), value)
	}
}

// Setup implements Workload.
func (l *longTransactions) Setup(ctx context.Context, env *Env) error {
	return env.Setup(ctx, func(tx *kv.Transaction) error { l.set(env, tx, 0); return nil })
}

// Run implements Workload.
func (l *longTransactions) Run(ctx context.Context, env *Env) error {
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		games := [...]func(context.Context, *Client) error{l.reads, l.scan, l.past, l.future, l.late}
		if i := c.Rand().IntN(2 * len(games)); i < len(games) {
			_, err := c.Try(ctx, func(*kv.Transaction) error { return games[i](ctx, c) })
			return err
		}
		return l.increment(ctx, c)
	})
}

// increment is the writer.
func (l *longTransactions) increment(ctx context.Context, c *Client) error {
	var n uint64
	outcome, err := c.Try(ctx, func(tx *kv.Transaction) (err error) {
		if n, err = l.number(c, tx, c.Rand().IntN(l.counters)); err != nil {
			return err
		}
		n++
		l.set(c.env, tx, n)
		return nil
	})
	if err != nil || outcome != Committed {
		return err
	}
	if text := l.timeline.wrote(c.LastCommit(), n); text != "" {
		return c.Violated("T2", "%s", text)
	}
	return nil
}

// number reads one counter.
func (l *longTransactions) number(c *Client, r kv.Reader, i int) (uint64, error) {
	value, err := readSomehow(c.Rand(), r, counterKey(c.env, i))
	if err != nil {
		return 0, err
	}
	return l.decode(c, value)
}

func (l *longTransactions) decode(c *Client, value []byte) (uint64, error) {
	if len(value) != 8+l.padBytes {
		return 0, c.Violated("T1", "a counter holds %d bytes, not %d", len(value), 8+l.padBytes)
	}
	return binary.LittleEndian.Uint64(value), nil
}

// doze lets time pass in a transaction, unless the workload or the process ends.
func (c *Client) doze(ctx context.Context, mean time.Duration) {
	c.dozeFor(ctx, min(time.Duration(c.rng.ExpFloat64()*float64(mean)), longestLife))
}

func (c *Client) dozeFor(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.inc.Context(), cancel)()
	c.sleep(ctx, d)
}

// lifetime draws how long a transaction is to last: any order of magnitude up
// to the longest, but mostly not long.
func (c *Client) lifetime() time.Duration {
	return longestLife >> min(c.rng.IntN(30), 14)
}

// someReader returns the transaction or a snapshot of it.
func (c *Client) someReader(tx *kv.Transaction) kv.Reader {
	if c.rng.IntN(2) == 0 {
		return tx.Snapshot()
	}
	return tx
}

// reads reads single counters again and again in one transaction (T1).
func (l *longTransactions) reads(ctx context.Context, c *Client) error {
	return c.beside(func(tx *kv.Transaction) error {
		life, times := c.lifetime(), 2+c.Rand().IntN(8)
		var first uint64
		for i := range times {
			n, err := l.number(c, c.someReader(tx), c.Rand().IntN(l.counters))
			if err != nil {
				return err
			}
			if i == 0 {
				first = n
			}
			if n != first {
				return c.Violated("T1", "read %d of %d of a transaction finds number %d, the first one %d", i+1, times, n, first)
			}
			c.doze(ctx, life/time.Duration(times))
		}
		return l.note(c, tx, first)
	})
}

// scan reads all counters in pieces, with pauses (T1).
func (l *longTransactions) scan(ctx context.Context, c *Client) error {
	return c.beside(func(tx *kv.Transaction) error {
		pause := c.lifetime() / time.Duration(l.counters)
		var first uint64
		rows := 0
		options := kv.RangeOptions{Reverse: c.Rand().IntN(2) == 0}
		for row, err := range c.someReader(tx).Range(l.all(c.env), options).All() {
			if err != nil {
				return err
			}
			n, err := l.decode(c, row.Value)
			if err != nil {
				return err
			}
			if rows == 0 {
				first = n
			}
			if rows++; n != first {
				return c.Violated("T1", "row %d of a scan, %q, has number %d, the first one %d", rows, row.Key, n, first)
			}
			c.doze(ctx, pause)
		}
		if rows != l.counters {
			return c.Violated("T1", "a scan finds %d counters of %d", rows, l.counters)
		}
		return l.note(c, tx, first)
	})
}

// note compares what a transaction has read with all else (T2).
func (l *longTransactions) note(c *Client, tx *kv.Transaction, n uint64) error {
	version, err := tx.ReadVersion()
	if err != nil {
		return err
	}
	if text := l.timeline.read(version, n); text != "" {
		return c.Violated("T2", "%s", text)
	}
	return nil
}

// past reads at a version that was read or written before, or next to it.
func (l *longTransactions) past(_ context.Context, c *Client) error {
	version, ok := l.timeline.pick(c.Rand())
	if !ok {
		return nil
	}
	return l.readAt(c, version)
}

// readAt reads one counter at a version set by hand.
func (l *longTransactions) readAt(c *Client, version kv.Version) error {
	return c.beside(func(tx *kv.Transaction) error {
		tx.SetReadVersion(version)
		n, err := l.number(c, c.someReader(tx), c.Rand().IntN(l.counters))
		if err != nil {
			return err
		}
		return l.note(c, tx, n)
	})
}

// newest returns a read version that the store chooses.
func (c *Client) newest() (version kv.Version, err error) {
	err = c.beside(func(tx *kv.Transaction) (err error) {
		version, err = tx.ReadVersion()
		return err
	})
	return version, err
}

// future reads at a version that the store has not reached (T3): soon it may,
// and the read wait for it; then what it found counts like any other read. Far
// in the future it never will.
func (l *longTransactions) future(_ context.Context, c *Client) error {
	newest, err := c.newest()
	if err != nil {
		return err
	}
	if c.Rand().IntN(4) > 0 {
		return l.readAt(c, newest+1+kv.Version(c.Rand().Int64N(nearFuture)))
	}
	err = l.readAt(c, newest+farFuture)
	if err == nil {
		return c.Violated("T3", "a read at version %d, far above %d, found something", newest+farFuture, newest)
	}
	return err
}

// late commits after a while, having read nothing that anybody writes (T4).
func (l *longTransactions) late(ctx context.Context, c *Client) error {
	var read, committed kv.Version
	err := c.beside(func(tx *kv.Transaction) (err error) {
		if read, err = tx.ReadVersion(); err != nil {
			return err
		}
		tx.AddReadConflictKey(c.env.Key("quiet/%02d", c.ID()))
		tx.Set(c.env.Key("late/%02d", c.ID()), encodeNumber(uint64(read)))
		if c.Rand().IntN(4) == 0 {
			// Just within the window, or just beyond.
			c.dozeFor(ctx, 4500*time.Millisecond+time.Duration(c.Rand().Int64N(int64(time.Second))))
		} else {
			c.doze(ctx, c.lifetime())
		}
		committed, err = c.commitBeside(tx)
		return err
	})
	switch {
	case err == nil && committed-read > wire.WindowVersions:
		return c.Violated("T4", "a transaction that read at version %d was committed at %d, %d later", read, committed, committed-read)
	case errors.Is(err, kv.ErrNotCommitted):
		return c.Violated("T4", "a transaction that read only what nobody writes was refused: %v", err)
	}
	return err
}

// Check implements Workload.
func (l *longTransactions) Check(ctx context.Context, env *Env) error {
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	var first []byte
	counters := 0
	for _, row := range rows {
		if !l.all(env).Contains(row.Key) {
			continue
		}
		if counters++; counters == 1 {
			first = row.Value
		}
		if len(row.Value) != 8+l.padBytes || string(row.Value) != string(first) {
			return env.Violated("T1", "at version %d counter %q holds %.20x, the first one %.20x", version, row.Key, row.Value, first)
		}
	}
	if counters != l.counters {
		return env.Violated("T1", "at version %d there are %d counters of %d", version, counters, l.counters)
	}
	if text := l.timeline.read(version, binary.LittleEndian.Uint64(first)); text != "" {
		return env.Violated("T2", "%s", text)
	}
	return nil
}
