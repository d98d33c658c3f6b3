package world

import (
	"context"
	"errors"
	"runtime/pprof"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/kv"
)

// Incarnation is one life of a process, from its boot to its death.
type Incarnation struct {
	process *Process
	number  int
	mount   *disk.Mount
	ctx     context.Context
	cancel  context.CancelCauseFunc
	// up, db and store are set once the store is open. up is guarded by the
	// process's lock; the others do not change any more when it is true.
	up    bool
	db    *kv.Database
	store Store
}

// DB is the store of the incarnation.
func (inc *Incarnation) DB() *kv.Database { return inc.db }

// Number counts the boots of the process from 1.
func (inc *Incarnation) Number() int { return inc.number }

// Context ends when the incarnation dies.
func (inc *Incarnation) Context() context.Context { return inc.ctx }

// Dead reports whether the incarnation has died. That begins with its disk:
// clients can meet the errors of a dead mount before Context has ended.
func (inc *Incarnation) Dead() bool { return inc.ctx.Err() != nil || inc.mount.Dead() }

// Death is the error for what the death of the incarnation ended: its cause, if
// that is known yet.
func (inc *Incarnation) Death() error {
	if cause := context.Cause(inc.ctx); cause != nil {
		return cause
	}
	return ErrKilled
}

// Abandon ends a process whose store no longer works, because of err: what a
// supervisor does who restarts it. What the store itself says of its end is the
// better reason than that it is closed.
func (inc *Incarnation) Abandon(err error) {
	if why := inc.store.Err(); why != nil && errors.Is(err, kv.ErrDatabaseClosed) {
		err = why
	}
	inc.die(err)
}

// open opens the store. Every goroutine that comes of it, directly or not, bears
// the incarnation's label.
func (inc *Incarnation) open() (db *kv.Database, store Store, err error) {
	p := inc.process
	pprof.Do(inc.ctx, pprof.Labels(incarnationLabel, inc.label()), func(context.Context) {
		db, store, err = p.driver.Open(Host{FS: inc.mount, Dir: storeDir})
	})
	return db, store, err
}

// comeUp makes the store visible to clients, unless the incarnation has died
// while it opened.
func (inc *Incarnation) comeUp(db *kv.Database, store Store) bool {
	p := inc.process
	p.mu.Lock()
	defer p.mu.Unlock()
	inc.db, inc.store = db, store
	inc.up = !inc.Dead()
	if inc.up {
		p.changedLocked()
	}
	return inc.up
}

// watch lets the process die when its store ends. It ends with the process.
func (inc *Incarnation) watch() {
	select {
	case <-inc.store.Ended():
		inc.Abandon(inc.store.Err())
	case <-inc.ctx.Done():
	}
}

// die cuts the incarnation off from its disk and its clients (W1) and reports
// whether it lived. What is left of it is closed in the background, unless it
// is still opening: then Boot does that.
func (inc *Incarnation) die(cause error) bool {
	p := inc.process
	p.mu.Lock()
	defer p.mu.Unlock()
	if inc.ctx.Err() != nil {
		return false
	}
	inc.mount.Kill()
	inc.cancel(cause)
	p.mu.living, p.mu.death = nil, cause
	p.changedLocked()
	p.world.Trace("process %s dies %d: %v", p.name, inc.number, cause)
	if inc.up {
		p.buryLocked(inc)
	}
	return true
}

// close closes the store, if it was opened.
func (inc *Incarnation) close() error {
	if inc.store == nil {
		return nil
	}
	return errors.Join(inc.db.Close(), inc.store.Close())
}
