package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/kv"
)

// storeDir is the store's directory on the disk of its process.
const storeDir = "/store"

// ErrKilled is the cause of the end of a dead process's context.
var ErrKilled = errors.New("simulated process was killed")

// Host is what a store gets from the process that it runs in.
type Host struct {
	// FS is the process's disk.
	FS vfs.FS
	// Dir is the store's directory on it.
	Dir string
}

// Store is what runs in a process.
type Store interface {
	io.Closer
	// Ended is closed when the store serves nothing any more; Err then says
	// why. A process whose store has ended of itself dies of it.
	Ended() <-chan struct{}
	// Err is nil while the store serves.
	Err() error
}

// Driver is what a process can do with a store.
type Driver struct {
	// Open opens the store.
	Open func(host Host) (*kv.Database, Store, error)
	// Check verifies the directory of a store that is not open and returns an
	// error if anything is wrong with it. It also sums up the rows that the
	// store holds at its end, and at the versions at as far as it can.
	Check func(ctx context.Context, host Host, at []kv.Version) (States, error)
}

// States holds the sums (internal/rowsum) of all rows of users in a directory.
type States struct {
	// End is the sum at the end of the log, empty if it is not known.
	End string
	// At are those of other versions.
	At map[kv.Version]string
}

// Process is a store with its clients on a disk of its own.
type Process struct {
	world  *World
	name   string
	disk   *disk.Disk
	driver Driver
	// booting is held while an incarnation boots: one that dies meanwhile is
	// over when it is given up.
	booting sync.Mutex

	mu struct {
		sync.Mutex
		// living is the incarnation that opens its store or has it open.
		living *Incarnation
		// closing counts dead incarnations whose goroutines have not ended yet.
		closing int
		// changed is closed whenever an incarnation comes up, dies or is buried.
		changed chan struct{}
		boots   int
		// death is why the last incarnation died.
		death error
	}
}

// NewProcess returns a process that is not running.
func (w *World) NewProcess(name string, d *disk.Disk, driver Driver) *Process {
	p := &Process{world: w, name: name, disk: d, driver: driver}
	p.mu.changed = make(chan struct{})
	return p
}

// Boot starts the process, which must not be running, and returns when its
// store is open. It begins when nothing of the last incarnation is left (W2). If
// opening fails the process is dead and the error is returned, with ErrKilled in
// it if the process was killed meanwhile.
func (p *Process) Boot() error {
	p.booting.Lock()
	defer p.booting.Unlock()
	p.AwaitBurials()
	inc, err := p.begin()
	if err != nil {
		return err
	}
	db, store, err := inc.open()
	if err != nil {
		// A loss of power cuts the disk off before it comes to the process.
		cut := inc.mount.Dead()
		if !inc.die(err) {
			err = errors.Join(err, context.Cause(inc.ctx))
		} else if cut {
			err = errors.Join(err, ErrKilled)
		}
		p.world.Trace("process %s boot %d failed: %v", p.name, inc.number, err)
		p.bury(inc)
		return fmt.Errorf("process %s: opening the store: %w", p.name, err)
	}
	if !inc.comeUp(db, store) {
		p.bury(inc)
		return fmt.Errorf("process %s died while it opened the store: %w", p.name, context.Cause(inc.ctx))
	}
	p.world.Trace("process %s up %d", p.name, inc.number)
	go inc.watch()
	return nil
}

// Check verifies the store of a process that is dead, and stays so meanwhile,
// and sums up its rows. The check is about what the disk holds: faults that it
// has at the moment are not for it. A loss of power during the check ends it
// without a finding.
func (p *Process) Check(ctx context.Context, at ...kv.Version) (States, error) {
	mount := p.disk.MountSpared()
	defer mount.Kill()
	states, err := p.driver.Check(ctx, Host{FS: mount, Dir: storeDir}, at)
	p.world.Trace("process %s checked: %v, rows %s", p.name, err, states.End)
	if mount.Dead() {
		return States{}, nil
	}
	return states, err
}

func (p *Process) begin() (*Incarnation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.living != nil {
		return nil, fmt.Errorf("process %s runs already", p.name)
	}
	p.mu.boots++
	inc := &Incarnation{process: p, number: p.mu.boots, mount: p.disk.Mount()}
	inc.ctx, inc.cancel = context.WithCancelCause(context.Background())
	p.mu.living = inc
	p.world.Count(func(r *report.Report) { r.Boots++ })
	p.world.Trace("process %s boot %d", p.name, inc.number)
	return inc, nil
}

func (p *Process) changedLocked() {
	close(p.mu.changed)
	p.mu.changed = make(chan struct{})
}

// look returns the incarnation that is up, if there is one, whether one is
// living at all, and a channel that is closed when that changes.
func (p *Process) look() (up *Incarnation, living bool, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if inc := p.mu.living; inc != nil && inc.up {
		up = inc
	}
	return up, p.mu.living != nil, p.mu.changed
}

// Wait returns the incarnation that is up, once there is one.
func (p *Process) Wait(ctx context.Context) (*Incarnation, error) {
	for {
		up, _, changed := p.look()
		if up != nil {
			return up, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// WaitDead returns when no incarnation lives.
func (p *Process) WaitDead(ctx context.Context) error {
	for {
		_, living, changed := p.look()
		if !living {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// CauseOfDeath says why the last incarnation died; nil if none has died yet. An
// orderly end is no death.
func (p *Process) CauseOfDeath() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.death
}

// Boots counts the incarnations so far.
func (p *Process) Boots() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.boots
}

// Kill ends the process at once, even while it opens its store; its machine,
// and so everything it wrote, stays.
func (p *Process) Kill() {
	if p.dieLiving(ErrKilled) {
		p.world.Count(func(r *report.Report) { r.Kills++ })
	}
}

// PowerLoss ends the process and loses a random part of what it did not sync.
// A process that does not run can lose what its last life left unsynced.
func (p *Process) PowerLoss() {
	p.disk.PowerLoss()
	p.world.Count(func(r *report.Report) { r.PowerLosses++ })
	p.dieLiving(ErrKilled)
}

// LoseDisk ends the process at once and loses everything on its disk: the next
// incarnation finds an empty one.
func (p *Process) LoseDisk() {
	p.disk.Erase()
	p.world.Count(func(r *report.Report) { r.LostDisks++ })
	p.dieLiving(ErrKilled)
}

// Flipped reports whether bits of the disk have gone wrong since it was new.
func (p *Process) Flipped() bool { return p.disk.Flipped() }

func (p *Process) dieLiving(cause error) bool {
	p.mu.Lock()
	inc := p.mu.living
	p.mu.Unlock()
	return inc != nil && inc.die(cause)
}

// Shutdown closes the process, which must be up, in an orderly way.
func (p *Process) Shutdown(ctx context.Context) error {
	inc, _, _ := p.look()
	if inc == nil {
		return fmt.Errorf("process %s is not up", p.name)
	}
	// Its end is now expected: it is no longer living, but its disk works.
	p.mu.Lock()
	p.mu.living = nil
	p.changedLocked()
	p.mu.Unlock()
	inc.cancel(ErrKilled)
	err := p.closeWithin(ctx, inc)
	inc.mount.Kill()
	err = errors.Join(err, p.awaitEnd(ctx, inc))
	p.world.Trace("process %s closed %d: %v", p.name, inc.number, err)
	if err != nil {
		return fmt.Errorf("process %s: closing the store: %w", p.name, err)
	}
	return nil
}
