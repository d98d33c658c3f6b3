package workload

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// lockDatabase is FoundationDB's LockDatabase: one client locks and unlocks the
// database in turn, the others go on with transactions that know of locks, only
// read in spite of them, or do not know. It disturbs everybody on the store, so
// it never runs together with other workloads.
//
//	LK1  While the database is locked, no other transaction begins or commits,
//	     not even one that began before, or that began after the process died.
//	LK2  Those that know of locks are never refused for one; those that only
//	     read in spite of them can read.
//	LK3  While it is not locked, nobody is refused for a lock.
//	LK4  With another id nobody can lock a locked database or unlock it; to lock
//	     it with the same id again changes nothing.
//	LK5  The key of the lock is there while the database is locked, with its id,
//	     and else it is not.
//	LK6  What was refused is not there; what was acknowledged is.
type lockDatabase struct {
	id kv.LockID
	// hold is the longest wait of a transaction before it commits, in average
	// pauses between two of them.
	hold int
	// unlocking is what the change under way does; only client 0 uses it.
	unlocking bool

	mu struct {
		sync.Mutex
		state lockState
		books map[int]*lockBook
	}
}

// lockState is what is known of the lock. It is comparable: if a transaction
// finds the same state before and after a step it was so in between.
type lockState struct {
	phase lockPhase
	turn  uint64 // counts the changes
}

// lockPhase says whether the database is locked.
type lockPhase uint8

const (
	lockOpen     lockPhase = iota // surely not locked
	lockChanging                  // nobody knows
	lockHeld                      // surely locked
)

// lockBook is what is known of the row of one client, which holds the number of
// a transaction.
type lockBook struct {
	begun, settled uint64
	aborted        map[uint64]bool
}

// lockSense is what a transaction knows of locks.
type lockSense uint8

const (
	senseNothing lockSense = iota
	senseReads
	senseAll
)

// options are those of transactions of that sense.
func (s lockSense) options() []kv.TransactionOption {
	switch s {
	case senseReads:
		return []kv.TransactionOption{kv.WithReadLockAware(true)}
	case senseAll:
		return []kv.TransactionOption{kv.WithLockAware(true)}
	}
	return nil
}

func newLockDatabase(rng *rand.Rand) *lockDatabase {
	w := &lockDatabase{hold: 1 + rng.IntN(4)}
	w.mu.books = make(map[int]*lockBook)
	for i := range w.id {
		w.id[i] = byte(rng.IntN(256))
	}
	return w
}

// Name implements Workload.
func (*lockDatabase) Name() string { return "LockDatabase" }

// Setup implements Workload. There are no rows at first.
func (*lockDatabase) Setup(context.Context, *Env) error { return nil }

// Run implements Workload.
func (w *lockDatabase) Run(ctx context.Context, env *Env) error {
	env.habits.PadProbability = 0 // some transactions must not write
	return env.Clients(ctx, func(ctx context.Context, c *Client) error {
		if c.ID() == 0 {
			if err := w.turn(ctx, c); err != nil {
				return err
			}
			return w.transact(ctx, c, senseAll)
		}
		return w.transact(ctx, c, lockSense(c.Rand().IntN(3)))
	})
}

func (w *lockDatabase) state() lockState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.state
}

func (w *lockDatabase) enter(phase lockPhase) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.state = lockState{phase, w.mu.state.turn + 1}
}

// turn locks the database or unlocks it. A change that failed, or has an unknown
// outcome, is made again: it may still be under way, and would conflict with the
// second one.
func (w *lockDatabase) turn(ctx context.Context, c *Client) error {
	state := w.state()
	if state.phase == lockHeld && c.Rand().IntN(2) == 0 {
		return w.meddle(ctx, c)
	}
	if state.phase != lockChanging {
		w.unlocking = state.phase == lockHeld
		w.enter(lockChanging)
	}
	change, then := kv.LockDatabase, lockHeld
	if w.unlocking {
		change, then = kv.UnlockDatabase, lockOpen
	}
	inc, err := w.call(ctx, c, change, w.id)
	switch {
	case inc == nil:
		return err
	case inc.Dead():
		return nil
	case err == nil:
		w.enter(then)
	case errors.Is(err, kv.ErrDatabaseLocked):
		return c.env.Violated("LK4", "the change to phase %d was refused: %v", then, err)
	}
	return w.judgeCall(c, inc, err)
}

// judgeCall returns a violation if err is none that a call may end with.
func (w *lockDatabase) judgeCall(c *Client, inc *world.Incarnation, err error) error {
	if errors.Is(err, kv.ErrCommitResultExpired) {
		return nil
	}
	return c.judge(inc, err)
}

// meddle tries what must not change the lock (LK4).
func (w *lockDatabase) meddle(ctx context.Context, c *Client) error {
	id, change, refused := w.id, kv.LockDatabase, c.Rand().IntN(3) > 0
	if refused {
		id[c.Rand().IntN(len(id))]++
		if c.Rand().IntN(2) == 0 {
			change = kv.UnlockDatabase
		}
	}
	inc, err := w.call(ctx, c, change, id)
	locked := errors.Is(err, kv.ErrDatabaseLocked)
	switch {
	case inc == nil:
		return err
	case inc.Dead():
		return nil
	case (err == nil || locked) && locked != refused:
		return c.env.Violated("LK4", "the lock is held by %x: a change with id %x ended with %v", w.id, id, err)
	}
	return w.judgeCall(c, inc, err)
}

// call changes the lock, in a life of the process that it returns, nil if ctx
// has ended before.
func (w *lockDatabase) call(ctx context.Context, c *Client,
	change func(context.Context, *kv.Database, kv.LockID) error, id kv.LockID) (*world.Incarnation, error) {
	inc, err := c.env.process.Wait(ctx)
	if err != nil {
		return nil, err
	}
	callCtx, cancel := context.WithTimeout(inc.Context(), tryLimit)
	defer cancel()
	err = change(callCtx, inc.DB(), id)
	c.env.Trace("c%d change of the lock: %v", c.id, err)
	return inc, err
}

// transact runs one transaction of a client.
func (w *lockDatabase) transact(ctx context.Context, c *Client, sense lockSense) error {
	a, err := c.attempt(ctx)
	if err != nil {
		return err
	}
	txCtx, cancel := context.WithTimeout(a.inc.Context(), tryLimit)
	defer cancel()
	tx := a.inc.DB().Begin(txCtx, sense.options()...)
	defer tx.Cancel()

	var number uint64
	before := w.state()
	during, read := before, false
	committing, err := a.run(tx, func(tx *kv.Transaction) error {
		if _, err := tx.Get(w.key(c.env, c.ID())).Wait(); err != nil {
			return err
		}
		read = true
		if sense != senseReads {
			number = w.begin(c.ID())
			tx.Set(w.key(c.env, c.ID()), encodeNumber(number))
		}
		c.sleep(a.inc.Context(), time.Duration(c.rng.Float64()*float64(w.hold)*float64(c.env.pause)))
		during = w.state()
		return nil
	})
	after := w.state()
	outcome := a.conclude("lock", committing, err)
	w.finish(c.ID(), number, outcome)
	if err := w.judge(c, sense, before, during, after, read, outcome, err); err != nil {
		return err
	}
	return a.verdict(outcome, err)
}

// judge says whether a transaction ended as its sense and the lock wanted it.
func (w *lockDatabase) judge(c *Client, sense lockSense, before, during, after lockState, read bool, outcome Outcome, err error) error {
	refused := errors.Is(err, kv.ErrDatabaseLocked)
	switch {
	case c.inc.Dead():
		return nil
	case sense != senseNothing && refused:
		return c.env.Violated("LK2", "client %d: refused in spite of its options: %v", c.ID(), err)
	case refused && before == after && before.phase == lockOpen:
		return c.env.Violated("LK3", "client %d: refused while the database was not locked: %v", c.ID(), err)
	case sense == senseNothing && read && before.phase == lockHeld && before == during:
		return c.env.Violated("LK1", "client %d: began while the database was locked", c.ID())
	case sense == senseNothing && outcome == Committed && during.phase == lockHeld && during == after:
		return c.env.Violated("LK1", "client %d: committed while the database was locked", c.ID())
	}
	return nil
}

func (w *lockDatabase) key(env *Env, client int) []byte { return env.Key("%02d", client) }

// begin numbers a transaction that writes.
func (w *lockDatabase) begin(client int) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.bookLocked(client)
	b.begun++
	return b.begun
}

func (w *lockDatabase) bookLocked(client int) *lockBook {
	if w.mu.books[client] == nil {
		w.mu.books[client] = &lockBook{aborted: make(map[uint64]bool)}
	}
	return w.mu.books[client]
}

// finish notes the outcome of a transaction, 0 of none that writes.
func (w *lockDatabase) finish(client int, number uint64, outcome Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch b := w.bookLocked(client); {
	case number == 0:
	case outcome == Aborted:
		b.aborted[number] = true
	case outcome == Committed:
		b.settled = number
	}
}

// Check implements Workload.
func (w *lockDatabase) Check(ctx context.Context, env *Env) error {
	if err := w.checkKey(ctx, env); err != nil {
		return err
	}
	settled := make([]uint64, env.clients)
	w.mu.Lock()
	for client := range settled {
		settled[client] = w.bookLocked(client).settled
	}
	w.mu.Unlock()
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	found := make(map[string][]byte)
	for _, row := range rows {
		found[string(row.Key)] = row.Value
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for client := range settled {
		var number uint64
		if value := found[string(w.key(env, client))]; value != nil {
			if number, err = decodeNumber(value); err != nil {
				return env.Violated("LK6", "client %d at version %d: %v", client, version, err)
			}
		}
		if b := w.bookLocked(client); number < settled[client] || number > b.begun || b.aborted[number] {
			return env.Violated("LK6", "client %d at version %d: its row is of transaction %d, %d was committed before, %d begun, refused: %v",
				client, version, number, settled[client], b.begun, b.aborted[number])
		}
	}
	return nil
}

// checkKey reads the key of the lock (LK5).
func (w *lockDatabase) checkKey(ctx context.Context, env *Env) error {
	inc, err := env.process.Wait(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(inc.Context(), cancel)()
	before := w.state()
	value, err := kv.ReadTransact(ctx, inc.DB(), func(r kv.Reader) ([]byte, error) {
		return r.Get([]byte(kv.DatabaseLockedKey)).Wait()
	}, append(Unlimited(), kv.WithReadSystemKeys(true))...)
	switch after := w.state(); {
	case inc.Dead():
		return ErrDied
	case err != nil || before != after || before.phase == lockChanging:
		return err
	case before.phase == lockOpen && value == nil:
		return nil
	case before.phase == lockHeld && value != nil && bytes.Equal(value[min(wire.StampBytes, len(value)):], w.id[:]):
		return nil
	}
	return env.Violated("LK5", "phase %d: the key of the lock holds %x, its id is %x", before.phase, value, w.id)
}
