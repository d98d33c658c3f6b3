package workload

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// ownKey is the key that only one client writes to. After an unknown outcome it
// is another one: the transaction might still be under way.
func (m *watcher) ownKey(c *Client) []byte { return c.env.Key("own/%02d/%d", c.ID(), m.epoch) }

// try is Client.TryAlone for transactions on the own key.
func (m *watcher) try(ctx context.Context, c *Client, f func(tx *kv.Transaction) error) (Outcome, error) {
	outcome, err := c.TryAlone(ctx, f)
	if outcome == Unknown {
		m.epoch++
	}
	return outcome, err
}

// commit is Client.commitBeside for transactions on the own key.
func (m *watcher) commit(c *Client, tx *kv.Transaction) error {
	_, err := c.commitBeside(tx)
	if c.unresolved(err) {
		m.epoch++
	}
	return err
}

// play does one game with watches on the client's own key.
func (m *watcher) play(ctx context.Context, c *Client) error {
	switch c.Rand().IntN(8) {
	case 0:
		return m.playLate(ctx, c)
	case 1:
		return m.playConflict(ctx, c)
	case 2:
		return m.playLimit(ctx, c)
	}
	return m.playChange(ctx, c)
}

// fresh returns a value that the client has not written yet.
func (m *watcher) fresh(c *Client) []byte {
	m.next++
	return encodeNumber(m.next<<8 | uint64(c.ID()))
}

// playChange arms a watch, writes the same value again, another one and the
// first again, as chance has it, and at last a new one.
func (m *watcher) playChange(ctx context.Context, c *Client) error {
	key, value := m.ownKey(c), m.fresh(c)
	var w armed
	outcome, err := m.try(ctx, c, func(tx *kv.Transaction) (err error) {
		switch c.Rand().IntN(3) {
		case 0:
			value, err = tx.Get(key).Wait() // of whatever there is
		case 1:
			tx.Clear(key)
			value = nil
		default:
			tx.Set(key, value)
		}
		w = armed{tx.Watch(key), c.inc}
		return err
	})
	if err != nil || w.Watch == nil {
		return err
	}
	defer w.Cancel()
	if outcome != Committed {
		return c.expectFails(w, outcome)
	}
	if errors.Is(w.Err(), kv.ErrTooManyWatches) {
		return nil
	}
	if c.Rand().IntN(2) == 0 {
		if ok, err := m.rewrite(ctx, c, w, key, value); err != nil || !ok {
			return err
		}
	}
	if c.Rand().IntN(4) == 0 {
		return m.cancelled(c, w)
	}
	return m.change(ctx, c, w, key, value)
}

// rewrite writes the value that the watch saw. ok is false if the game is over.
func (m *watcher) rewrite(ctx context.Context, c *Client, w armed, key, value []byte) (ok bool, err error) {
	if _, err := m.try(ctx, c, func(tx *kv.Transaction) error {
		if value == nil {
			tx.ClearRange(kv.SingleKey(key))
		} else {
			tx.Set(key, value)
		}
		return nil
	}); err != nil {
		return false, err
	}
	c.sleep(ctx, time.Duration(c.Rand().ExpFloat64()*float64(5*time.Millisecond)))
	return c.inc == w.inc && !w.ended(), c.expectPending(w, "the same value was written")
}

// cancelled ends the watch, which has not fired and now never will.
func (m *watcher) cancelled(c *Client, w armed) error {
	if err := c.expectPending(w, "nothing was written"); err != nil || w.ended() {
		return err
	}
	w.Cancel()
	if err := c.expectEnds(w); err != nil {
		return err
	}
	if w.Err() == nil && w.lives() {
		return c.env.Violated("W3", "client %d: a watch was cancelled and has no error", c.id)
	}
	return nil
}

// change writes another value, once or, to come back to it, several times.
func (m *watcher) change(ctx context.Context, c *Client, w armed, key, value []byte) error {
	back := value != nil && c.Rand().IntN(4) == 0
	if back {
		for _, v := range [][]byte{m.fresh(c), value} {
			if outcome, err := m.try(ctx, c, func(tx *kv.Transaction) error { tx.Set(key, v); return nil }); err != nil || outcome != Committed {
				return err
			}
		}
	} else if err := c.expectPending(w, "nothing else was written"); err != nil || w.ended() {
		return err
	}
	outcome, err := m.try(ctx, c, func(tx *kv.Transaction) error { m.write(c, tx, key, value); return nil })
	if err != nil {
		return err
	}
	switch {
	case c.inc != w.inc:
		return c.expectEnds(w)
	case outcome == Committed:
		return c.expectFires(w, "another value was written")
	case outcome == Aborted && !back:
		return c.expectPending(w, "a change was aborted")
	}
	return nil
}

// write gives key another value than the present one, by any mutation.
func (m *watcher) write(c *Client, tx *kv.Transaction, key, present []byte) {
	switch kind := c.Rand().IntN(6); {
	case kind == 0 && present != nil:
		tx.Clear(key)
	case kind == 1 && present != nil:
		// A range that begins at the key itself looks like a clear of that key.
		tx.ClearRange(kv.KeyRange{Begin: justBelow(key), End: kv.PrefixRange(key).End})
	case kind == 2:
		tx.Add(key, encodeNumber(1<<40))
	case kind == 3:
		tx.SetVersionstampedValue(key, stampedKey(encodeNumber(m.next)))
	case kind == 4 && len(present) > 0:
		tx.AppendIfFits(key, []byte{1})
	default:
		tx.Set(key, m.fresh(c))
	}
}

// justBelow returns a key below key with no key of the ring or of a client
// between the two.
func justBelow(key []byte) []byte {
	last := len(key) - 1
	return append(bytes.Clone(key[:last]), key[last]-1, 0xff)
}

// playLate reads and watches, lets the value change, and only then commits: the
// watch is late and must fire at once.
func (m *watcher) playLate(ctx context.Context, c *Client) error {
	var w armed
	_, err := c.Try(ctx, func(*kv.Transaction) error {
		return c.beside(func(tx *kv.Transaction) error {
			w = armed{tx.Watch(m.ownKey(c)), c.inc}
			value, err := tx.Snapshot().Get(m.ownKey(c)).Wait()
			if err != nil {
				return err
			}
			if err := m.commitChange(c, value); err != nil {
				return err
			}
			return m.commit(c, tx)
		})
	})
	if err != nil || w.Watch == nil {
		return err
	}
	defer w.Cancel()
	switch {
	case errors.Is(w.Err(), kv.ErrTooManyWatches):
		return nil
	case w.lives() && w.ended() && w.Err() != nil:
		return nil // the transaction did not come to its commit
	}
	return c.expectFires(w, "the value had changed before it was armed")
}

// commitChange gives the own key another value than the present one.
func (m *watcher) commitChange(c *Client, present []byte) error {
	return c.beside(func(tx *kv.Transaction) error {
		m.write(c, tx, m.ownKey(c), present)
		err := m.commit(c, tx)
		if violation := c.expectUnopposed(err); violation != nil {
			return violation
		}
		return err
	})
}

// playConflict watches in a transaction that cannot be committed.
func (m *watcher) playConflict(ctx context.Context, c *Client) error {
	var w armed
	ended := Unknown
	_, err := c.Try(ctx, func(*kv.Transaction) error {
		return c.beside(func(tx *kv.Transaction) error {
			value, err := tx.Get(m.ownKey(c)).Wait()
			if err != nil {
				return err
			}
			tx.AddWriteConflictKey(m.ownKey(c))
			w = armed{tx.Watch(m.ownKey(c)), c.inc}
			if err := m.commitChange(c, value); err != nil {
				return err
			}
			err = m.commit(c, tx)
			if err != nil && !c.unresolved(err) {
				ended = Aborted
			}
			return err
		})
	})
	if err != nil || w.Watch == nil {
		return err
	}
	return c.expectFails(w, ended)
}

// playLimit asks for watches until there are too many (W5). One client does so
// at a time.
func (m *watcher) playLimit(ctx context.Context, c *Client) error {
	if c.env.maxWatches == 0 || !c.env.shared.watching.TryLock() {
		return nil
	}
	defer c.env.shared.watching.Unlock()
	_, err := c.Try(ctx, func(*kv.Transaction) error {
		return c.beside(func(tx *kv.Transaction) error { return m.countWatches(c, tx) })
	})
	return err
}

func (m *watcher) countWatches(c *Client, tx *kv.Transaction) error {
	limit, got := c.env.maxWatches, 0
	var err error
	for got <= limit && err == nil {
		if err = tx.Watch(m.ownKey(c)).Err(); err == nil {
			got++
		}
	}
	if err != nil && !errors.Is(err, kv.ErrTooManyWatches) {
		return err
	}
	others := watchesPerClient * (c.env.clients - 1)
	if got > limit || got < limit-others {
		return c.Violated("W5", "client %d got %d watches of %d, others have at most %d", c.id, got, limit, others)
	}
	return nil
}
