package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/kv"
)

// CloseLimit is how long what is left of a dead process may take to end, and
// how long an orderly Close may take on a healthy disk.
const CloseLimit = 30 * time.Second

// ErrKilled is the cause of the end of a dead process's context.
var ErrKilled = errors.New("simulated process was killed")

// Host is what a store gets from the process that it runs in.
type Host struct {
	// FS is the process's disk.
	FS vfs.FS
	// Dir is the store's directory on it.
	Dir string
	// Fatal ends the process because of err, as a failed sync must. The
	// goroutine that calls it goes on; it must not touch the disk any more.
	Fatal func(err error)
}

// Open opens a store in a process. The context is that of the call only.
type Open func(ctx context.Context, host Host) (*kv.Database, io.Closer, error)

// Process is a store with its clients on a disk of its own.
type Process struct {
	world *World
	name  string
	disk  *disk.Disk
	open  Open
	// closing counts dead incarnations whose goroutines have not ended yet.
	closing sync.WaitGroup

	mu struct {
		sync.Mutex
		current *Incarnation
		// changed is closed whenever current changes.
		changed chan struct{}
		boots   int
	}
}

// Incarnation is one life of a process, from its boot to its death.
type Incarnation struct {
	process *Process
	number  int
	mount   *disk.Mount
	ctx     context.Context
	cancel  context.CancelCauseFunc
	// db and store are set before the incarnation can be seen by others.
	db    *kv.Database
	store io.Closer
}

// NewProcess returns a process that is not running.
func (w *World) NewProcess(name string, d *disk.Disk, open Open) *Process {
	p := &Process{world: w, name: name, disk: d, open: open}
	p.mu.changed = make(chan struct{})
	return p
}

// Boot starts the process, whose death must be over. An error of the store is
// returned: the process is then not running, as if it had died at once.
func (p *Process) Boot(ctx context.Context) error {
	p.mu.Lock()
	if p.mu.current != nil {
		p.mu.Unlock()
		return fmt.Errorf("process %s runs already", p.name)
	}
	p.mu.boots++
	inc := &Incarnation{process: p, number: p.mu.boots, mount: p.disk.Mount()}
	inc.ctx, inc.cancel = context.WithCancelCause(context.Background())
	p.mu.Unlock()

	p.world.Count(func(r *report.Report) { r.Boots++ })
	p.world.Trace("process %s boot %d", p.name, inc.number)
	host := Host{FS: inc.mount, Dir: "/store", Fatal: inc.fatal}
	db, store, err := p.open(ctx, host)
	if err != nil {
		inc.die(err)
		p.world.Trace("process %s boot %d failed: %v", p.name, inc.number, err)
		return fmt.Errorf("process %s: opening the store: %w", p.name, err)
	}
	inc.db, inc.store = db, store
	return p.started(inc)
}

// started makes inc the living incarnation unless it died while it opened.
func (p *Process) started(inc *Incarnation) error {
	p.mu.Lock()
	dead := inc.Dead()
	if !dead {
		p.setCurrentLocked(inc)
	}
	p.mu.Unlock()
	if dead {
		p.bury(inc)
		return fmt.Errorf("process %s died while it opened the store: %w", p.name, context.Cause(inc.ctx))
	}
	p.world.Trace("process %s up %d", p.name, inc.number)
	return nil
}

func (p *Process) setCurrentLocked(inc *Incarnation) {
	p.mu.current = inc
	close(p.mu.changed)
	p.mu.changed = make(chan struct{})
}

// Current returns the living incarnation, or nil.
func (p *Process) Current() *Incarnation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.current
}

// Wait returns the living incarnation, once there is one.
func (p *Process) Wait(ctx context.Context) (*Incarnation, error) {
	for {
		p.mu.Lock()
		current, changed := p.mu.current, p.mu.changed
		p.mu.Unlock()
		if current != nil {
			return current, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Kill ends the process at once; its machine, and so everything it wrote,
// stays.
func (p *Process) Kill() {
	if inc := p.Current(); inc != nil && inc.die(ErrKilled) {
		p.world.Count(func(r *report.Report) { r.Kills++ })
	}
}

// PowerLoss ends the process and loses a random part of what it did not sync.
// A process that does not run can lose what its last life left unsynced.
func (p *Process) PowerLoss() {
	p.disk.PowerLoss()
	p.world.Count(func(r *report.Report) { r.PowerLosses++ })
	if inc := p.Current(); inc != nil {
		inc.die(ErrKilled)
	}
}

// Shutdown closes the process in an orderly way.
func (p *Process) Shutdown(ctx context.Context) error {
	inc := p.Current()
	if inc == nil {
		return fmt.Errorf("process %s does not run", p.name)
	}
	err := p.closeWithin(ctx, inc)
	p.remove(inc)
	inc.mount.Kill()
	inc.cancel(ErrKilled)
	if err != nil {
		return fmt.Errorf("process %s: closing the store: %w", p.name, err)
	}
	p.world.Trace("process %s closed %d", p.name, inc.number)
	return nil
}

func (p *Process) closeWithin(ctx context.Context, inc *Incarnation) error {
	done := make(chan error, 1)
	go func() { done <- inc.close() }()
	timer := time.NewTimer(CloseLimit)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return p.world.Violated("world", "W2", "process %s did not close within %v", p.name, CloseLimit)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// remove makes inc no longer the living incarnation. It reports whether it
// was.
func (p *Process) remove(inc *Incarnation) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.current != inc {
		return false
	}
	p.setCurrentLocked(nil)
	return true
}

// bury closes the rest of a dead incarnation in the background (W2).
func (p *Process) bury(inc *Incarnation) {
	p.closing.Add(1)
	timer := time.AfterFunc(CloseLimit, func() {
		p.world.Violated("world", "W2", "the goroutines of process %s, boot %d, did not end within %v of its death",
			p.name, inc.number, CloseLimit)
	})
	go func() {
		defer p.closing.Done()
		defer timer.Stop()
		err := inc.close() // of a store without a disk: it may say anything
		p.world.Trace("process %s buried %d: %v", p.name, inc.number, err)
	}()
}

// AwaitBurials returns when the goroutines of all dead incarnations have ended.
func (p *Process) AwaitBurials() { p.closing.Wait() }

// DB is the store of the incarnation.
func (inc *Incarnation) DB() *kv.Database { return inc.db }

// Number counts the boots of the process from 1.
func (inc *Incarnation) Number() int { return inc.number }

// Context ends when the incarnation dies.
func (inc *Incarnation) Context() context.Context { return inc.ctx }

// Dead reports whether the incarnation has died.
func (inc *Incarnation) Dead() bool { return inc.ctx.Err() != nil }

func (inc *Incarnation) close() error {
	var err error
	if inc.db != nil {
		err = inc.db.Close()
	}
	if inc.store != nil {
		err = errors.Join(err, inc.store.Close())
	}
	return err
}

// Abandon ends a process whose store no longer works, because of err: what a
// supervisor does who restarts it.
func (inc *Incarnation) Abandon(err error) { inc.die(err) }

// fatal is Host.Fatal.
func (inc *Incarnation) fatal(err error) { inc.die(err) }

// die cuts the incarnation off from its disk and its clients (W1) and reports
// whether it lived. What is left of it is closed in the background, unless it
// is still opening: then Boot does that.
func (inc *Incarnation) die(cause error) bool {
	p := inc.process
	p.mu.Lock()
	if inc.Dead() {
		p.mu.Unlock()
		return false
	}
	inc.mount.Kill()
	inc.cancel(cause)
	p.mu.Unlock()
	p.world.Trace("process %s dies %d: %v", p.name, inc.number, cause)
	if p.remove(inc) {
		p.bury(inc)
	}
	return true
}
