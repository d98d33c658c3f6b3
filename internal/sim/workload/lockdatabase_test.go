package workload

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

// lockStage is a stage on which LockDatabase has a client and a lock in a
// phase, which the store has too.
func lockStage(t *testing.T, phase lockPhase) (*stage, *lockDatabase, *Client) {
	t.Helper()
	s := newStage(t)
	w := newLockDatabase(rand.New(rand.NewPCG(1, 1)))
	c := &Client{env: s.env(w.Name(), 1), rng: s.world.Rand("x")}
	if phase == lockHeld {
		s.lock(t, kv.LockDatabase, w.id)
	}
	w.enter(phase)
	return s, w, c
}

// lock changes the lock behind the back of a workload.
func (s *stage) lock(t *testing.T, change func(context.Context, *kv.Database, kv.LockID) error, id kv.LockID) {
	t.Helper()
	inc, err := s.process.Wait(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := change(s.ctx, inc.DB(), id); err != nil {
		t.Fatal(err)
	}
}

// Each case changes the lock, or what is known of it, behind the back of the
// workload, which then does something.
func TestLockDatabaseFindsWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name, invariant string
		phase           lockPhase
		do              func(t *testing.T, s *stage, w *lockDatabase, c *Client) error
	}{
		{"nothing wrong while it is open", "", lockOpen, func(_ *testing.T, s *stage, w *lockDatabase, c *Client) error {
			return w.transact(s.ctx, c, senseNothing)
		}},
		{"nothing wrong while it is locked", "", lockHeld, func(_ *testing.T, s *stage, w *lockDatabase, c *Client) error {
			return w.transact(s.ctx, c, senseNothing)
		}},
		{"a lock that nobody heeds", "LK1", lockHeld, func(t *testing.T, s *stage, w *lockDatabase, c *Client) error {
			s.lock(t, kv.UnlockDatabase, w.id)
			return w.transact(s.ctx, c, senseNothing)
		}},
		{"a lock that comes from nowhere", "LK3", lockOpen, func(t *testing.T, s *stage, w *lockDatabase, c *Client) error {
			s.lock(t, kv.LockDatabase, w.id)
			return w.transact(s.ctx, c, senseNothing)
		}},
		{"a lock of somebody else", "LK4", lockOpen, func(t *testing.T, s *stage, w *lockDatabase, c *Client) error {
			s.lock(t, kv.LockDatabase, kv.LockID{})
			return w.turn(s.ctx, c)
		}},
		{"a lock that anybody can take", "LK4", lockHeld, func(t *testing.T, s *stage, w *lockDatabase, c *Client) error {
			s.lock(t, kv.UnlockDatabase, w.id)
			for range 100 {
				if err := w.meddle(s.ctx, c); err != nil {
					return err
				}
			}
			return nil
		}},
		{"a lost lock", "LK5", lockHeld, func(t *testing.T, s *stage, w *lockDatabase, c *Client) error {
			s.lock(t, kv.UnlockDatabase, w.id)
			return w.Check(s.ctx, c.env)
		}},
		{"a lock that stays", "LK5", lockOpen, func(t *testing.T, s *stage, w *lockDatabase, c *Client) error {
			s.lock(t, kv.LockDatabase, w.id)
			return w.Check(s.ctx, c.env)
		}},
		{"a lost row", "LK6", lockOpen, func(t *testing.T, s *stage, w *lockDatabase, c *Client) error {
			if err := w.transact(s.ctx, c, senseAll); err != nil {
				return err
			}
			s.tamper(t, func(tx *kv.Transaction) { tx.Clear(w.key(c.env, 0)) })
			return w.Check(s.ctx, c.env)
		}},
		{"a row of a transaction that was refused", "LK6", lockOpen, func(_ *testing.T, s *stage, w *lockDatabase, c *Client) error {
			if err := w.transact(s.ctx, c, senseAll); err != nil {
				return err
			}
			w.finish(0, 1, Aborted)
			return w.Check(s.ctx, c.env)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, w, client := lockStage(t, c.phase)
			err := c.do(t, s, w, client)
			if c.invariant != "" {
				mustHaveViolated(t, s, c.invariant)
			} else if err != nil || s.world.Violation() != nil {
				t.Errorf("error %v, violation %v", err, s.world.Violation())
			}
		})
	}
}

// What transactions may not do that began before the lock, or know of it.
func TestLockDatabaseJudgesTransactionsByWhatTheyKnow(t *testing.T) {
	open, held := lockState{lockOpen, 1}, lockState{lockHeld, 3}
	for _, c := range []struct {
		name, invariant       string
		sense                 lockSense
		before, during, after lockState
		outcome               Outcome
		err                   error
	}{
		{"refused at its commit", "", senseNothing, open, held, held, Aborted, kv.ErrDatabaseLocked},
		{"unlocked before its commit", "", senseNothing, open, held, lockState{lockOpen, 5}, Committed, nil},
		{"a commit that comes through", "LK1", senseNothing, open, held, held, Committed, nil},
		{"a reader that is refused", "LK2", senseReads, held, held, held, Aborted, kv.ErrDatabaseLocked},
		{"one that knows and is refused", "LK2", senseAll, held, held, held, Aborted, kv.ErrDatabaseLocked},
		{"one that knows", "", senseAll, held, held, held, Committed, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, w, client := lockStage(t, lockOpen)
			if err := w.transact(s.ctx, client, senseAll); err != nil { // now it knows its process
				t.Fatal(err)
			}
			err := w.judge(client, c.sense, c.before, c.during, c.after, true, c.outcome, c.err)
			if c.invariant != "" {
				mustViolate(t, err, c.invariant)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}
