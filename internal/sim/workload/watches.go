package workload

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/kv"
)

// watches is FoundationDB's Watches: the clients form a ring, in which each
// copies the number of the one before it, and the first adds one when the
// number has come round. Who has nothing to do waits with a watch, so the ring
// stands still when one is lost. In between each client plays with watches on a
// key that nobody else writes to, where it knows exactly what must happen.
//
//	W1  A watch fires soon after the value is not what its transaction saw,
//	    however the change and the arming of the watch are interleaved.
//	W2  It does not fire while all values since were the one that was seen,
//	    though that be written again.
//	W3  A watch whose transaction is not committed ends with an error; so does
//	    one that is cancelled before it fired. When its process dies it ends.
//	W4  No number in the ring is above the one before it, and all differ by one
//	    at most.
//	W5  A database has as many outstanding watches as its limit allows, and no
//	    more.
type watches struct{}

const (
	// watchLimit is how long a watch may take to fire or to end: longer than
	// any read takes on the slowest disk.
	watchLimit = 15 * time.Second
	// watchAudit is how often a client that waits looks for itself.
	watchAudit = 2 * time.Second
	// watchesPerClient is how many watches a client has at most, but for those
	// of the search for the limit.
	watchesPerClient = 1
)

func newWatches(*rand.Rand) *watches { return &watches{} }

// Name implements Workload.
func (*watches) Name() string { return "Watches" }

// Setup implements Workload.
func (w *watches) Setup(ctx context.Context, env *Env) error {
	return env.Setup(ctx, func(tx *kv.Transaction) error {
		for id := range env.clients {
			tx.Set(w.ringKey(env, id), encodeNumber(0))
		}
		return nil
	})
}

func (*watches) ringKey(env *Env, id int) []byte { return env.Key("ring/%02d", id) }

func encodeNumber(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

func decodeNumber(value []byte) (uint64, error) {
	if len(value) != 8 {
		return 0, fmt.Errorf("a number has %d bytes, not 8", len(value))
	}
	return binary.LittleEndian.Uint64(value), nil
}

// Run implements Workload.
func (w *watches) Run(ctx context.Context, env *Env) error {
	members := make([]*watcher, env.clients) // each is used by one client only
	for id := range members {
		members[id] = &watcher{watches: w}
	}
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		member := members[c.ID()]
		if env.clients == 1 || c.Rand().IntN(4) == 0 {
			return member.play(ctx, c)
		}
		return member.move(ctx, c)
	})
}

// watcher is what a client knows from one step to the next.
type watcher struct {
	*watches
	// above is the number that the predecessor has left behind for certain.
	above uint64
	fired bool // above counts

	// next makes the values that the client writes to its own key, epoch says
	// which one that is.
	next, epoch uint64
}

// armed is a watch and what is known of it.
type armed struct {
	*kv.Watch
	inc *world.Incarnation
}

// move does the client's turn in the ring, or waits for it.
func (m *watcher) move(ctx context.Context, c *Client) error {
	var w armed
	var seen uint64
	wrote := false
	outcome, err := c.Try(ctx, func(tx *kv.Transaction) (err error) {
		wrote = false
		if seen, wrote, err = m.turn(c, tx); err == nil && !wrote {
			w = armed{tx.Watch(m.ringKey(c.env, c.before())), c.inc}
		}
		return err
	})
	if err != nil || w.Watch == nil {
		return err
	}
	if outcome != Committed {
		return c.expectFails(w, outcome)
	}
	return m.await(ctx, c, w, seen)
}

// before is the client before this one in a ring.
func (c *Client) before() int { return (c.id + c.env.clients - 1) % c.env.clients }

// turn reads the number of the predecessor and passes it on if it is the
// client's turn.
func (m *watcher) turn(c *Client, tx *kv.Transaction) (seen uint64, wrote bool, err error) {
	if seen, err = m.readNumber(c, tx, c.before()); err != nil {
		return 0, false, err
	}
	own, err := m.readNumber(c, tx, c.ID())
	if err != nil {
		return 0, false, err
	}
	if m.fired && seen <= m.above {
		return 0, false, c.Violated("W2", "client %d: a watch on number %d fired, a later read finds %d", c.ID(), m.above, seen)
	}
	next := seen
	if c.ID() == 0 {
		next = own + 1
	}
	if c.ID() == 0 && seen != own || c.ID() > 0 && seen == own {
		return seen, false, nil
	}
	tx.Set(m.ringKey(c.env, c.ID()), encodeNumber(next))
	return seen, true, nil
}

func (m *watcher) readNumber(c *Client, tx *kv.Transaction, id int) (uint64, error) {
	value, err := tx.Get(m.ringKey(c.env, id)).Wait()
	if err != nil {
		return 0, err
	}
	n, err := decodeNumber(value)
	if err != nil {
		return 0, c.Violated("W4", "client %d: %v", id, err)
	}
	return n, nil
}

// await waits until the watch on the predecessor fires. Now and then it looks
// for itself: a watch must not stay behind what everybody can read (W1).
func (m *watcher) await(ctx context.Context, c *Client, w armed, seen uint64) error {
	ticker := time.NewTicker(watchAudit)
	defer ticker.Stop()
	defer w.Cancel()
	for {
		select {
		case <-w.Done():
			return m.fire(c, w, seen)
		case <-w.inc.Context().Done():
			return c.expectEnds(w)
		case <-ctx.Done():
			w.Cancel()
			return c.expectEnds(w)
		case <-ticker.C:
		}
		var now uint64
		outcome, err := c.Try(ctx, func(tx *kv.Transaction) (err error) {
			now, err = m.readNumber(c, tx, c.before())
			return err
		})
		if err != nil {
			return err
		}
		if outcome == Committed && now != seen {
			if err := c.expectFires(w, "the number of the client before went on"); err != nil || w.Err() != nil {
				return err
			}
		}
	}
}

// fire notes that the watch on the predecessor has ended.
func (m *watcher) fire(c *Client, w armed, seen uint64) error {
	switch err := w.Err(); {
	case err == nil:
		m.above, m.fired = seen, true
	case !errors.Is(err, kv.ErrTooManyWatches):
		return c.expectNoError(w)
	}
	return nil
}

// expectFires waits until a watch fires, as the value has changed (W1).
func (c *Client) expectFires(w armed, why string) error {
	timer := time.NewTimer(watchLimit)
	defer timer.Stop()
	select {
	case <-w.Done():
	case <-w.inc.Context().Done():
	case <-timer.C:
		if w.lives() && !w.ended() {
			return c.env.Violated("W1", "client %d: a watch did not fire within %v, though %s", c.id, watchLimit, why)
		}
	}
	return c.expectNoError(w)
}

// expectPending checks that a watch has not fired, as the value has not changed
// (W2).
func (c *Client) expectPending(w armed, why string) error {
	if w.ended() && w.Err() == nil && w.lives() {
		return c.env.Violated("W2", "client %d: a watch fired, though %s", c.id, why)
	}
	return c.expectNoError(w)
}

// expectNoError checks that a watch has not failed, but by the death of its
// process, or by what may befall any call.
func (c *Client) expectNoError(w armed) error {
	if !w.lives() {
		return c.expectEnds(w)
	}
	if w.ended() && w.Err() != nil {
		return c.judge(w.inc, w.Err())
	}
	return nil
}

// expectEnds waits for the end of a watch that cannot go on: its process has
// died, its transaction was not committed, or it was cancelled (W3).
func (c *Client) expectEnds(w armed) error {
	timer := time.NewTimer(world.CloseLimit)
	defer timer.Stop()
	select {
	case <-w.Done():
		return nil
	case <-timer.C:
		return c.env.Violated("W3", "client %d: a watch goes on %v after the end of what it belongs to", c.id, world.CloseLimit)
	}
}

// expectFails waits for the end of a watch whose transaction had another outcome
// than Committed. If it was not committed the watch has an error (W3).
func (c *Client) expectFails(w armed, outcome Outcome) error {
	if err := c.expectEnds(w); err != nil {
		return err
	}
	if outcome == Aborted && w.Err() == nil && w.lives() {
		return c.env.Violated("W3", "client %d: a watch fired whose transaction was not committed", c.id)
	}
	return nil
}

// lives reports whether the process of the watch lives.
func (w armed) lives() bool { return !w.inc.Dead() }

// ended reports whether the watch has fired or failed.
func (w armed) ended() bool {
	select {
	case <-w.Done():
		return true
	default:
		return false
	}
}

// Check implements Workload.
func (w *watches) Check(ctx context.Context, env *Env) error {
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	numbers := make(map[string]uint64)
	for _, row := range rows {
		if n, err := decodeNumber(row.Value); err == nil {
			numbers[string(row.Key)] = n
		}
	}
	first := numbers[string(w.ringKey(env, 0))]
	last := first
	for id := range env.clients {
		n, ok := numbers[string(w.ringKey(env, id))]
		if !ok || n > last || n+1 < first {
			return env.Violated("W4", "at version %d client %d has number %d (%v), the one before it %d, the first %d", version, id, n, ok, last, first)
		}
		last = n
	}
	return nil
}
