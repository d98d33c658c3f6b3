package disk

import (
	"context"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"
)

// Disk is a simulated disk. Its content outlives the processes that mount it.
type Disk struct {
	config Config
	trace  func(line []byte)

	mu struct {
		sync.Mutex
		rng    *rand.Rand
		root   *inode
		faults Faults
		stats  Stats
		// flipsBefore is stats.Flips at the last Erase.
		flipsBefore uint64
		used        int64
		capacity    int64
		// syncFailed is closed when the next sync has failed; nil if it need not.
		syncFailed chan struct{}
		mounts     []*Mount
		locks      map[string]*Mount
		line       []byte
	}
}

// New returns an empty disk. Each operation calls trace with a line that is
// valid during the call only; the disk takes all its chances from rng.
func New(config Config, rng *rand.Rand, trace func(line []byte)) *Disk {
	d := &Disk{config: config, trace: trace}
	d.mu.rng, d.mu.capacity = rng, config.CapacityBytes
	d.mu.root = &inode{dir: newDir(), links: 1}
	d.mu.locks = make(map[string]*Mount)
	return d
}

// Mount makes the disk available to a new process.
func (d *Disk) Mount() *Mount { return d.mount(&Mount{disk: d}) }

// MountSpared is Mount for somebody who looks at what is on the disk and whom
// its faults spare: Faults and FailNextSync are for others. What is wrong on the
// disk itself stays so, and its capacity.
func (d *Disk) MountSpared() *Mount { return d.mount(&Mount{disk: d, spared: true}) }

func (d *Disk) mount(m *Mount) *Mount {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.mounts = append(d.mu.mounts, m)
	return m
}

// SetFaults replaces what is wrong with the disk.
func (d *Disk) SetFaults(f Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.faults = f
	d.traceLocked("faults", "", -1, -1, nil)
}

// SetCapacity changes the capacity, 0 for none. It does not become less than
// what is used (D6).
func (d *Disk) SetCapacity(limitBytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if limitBytes > 0 {
		limitBytes = max(limitBytes, d.mu.used)
	}
	d.mu.capacity = limitBytes
	d.traceLocked("capacity", "", limitBytes, -1, nil)
}

// FailNextSync makes the next sync of a file or directory fail with EIO,
// whatever the faults are, and returns when that sync has begun. If ctx ends
// first it returns its error, and no sync fails. There may be one call at a
// time.
func (d *Disk) FailNextSync(ctx context.Context) error {
	begun := make(chan struct{})
	d.mu.Lock()
	d.mu.syncFailed = begun
	d.mu.Unlock()
	select {
	case <-begun:
		return nil
	case <-ctx.Done():
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.syncFailed = nil
	return ctx.Err()
}

// Stats returns the counts so far.
func (d *Disk) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.stats
}

// UsedBytes is the sum of the sizes of all files.
func (d *Disk) UsedBytes() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.used
}

// PowerLoss ends all mounts and loses a random part of what was not synced.
func (d *Disk) PowerLoss() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unmountLocked()
	d.mu.stats.PowerLosses++
	d.mu.root = d.afterPowerLossLocked(d.mu.root, make(map[*inode]*inode))
	d.mu.used = usedBytes(d.mu.root, make(map[*inode]bool))
	d.traceLocked("powerloss", "", d.mu.used, -1, nil)
}

// Erase ends all mounts and loses everything, as when the disk is replaced by an
// empty one.
func (d *Disk) Erase() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unmountLocked()
	d.mu.stats.Erasures++
	d.mu.flipsBefore = d.mu.stats.Flips
	d.mu.root = &inode{dir: newDir(), links: 1}
	d.mu.used = 0
	d.traceLocked("erase", "", -1, -1, nil)
}

// Flipped reports whether bits have gone wrong since the disk was new or erased.
func (d *Disk) Flipped() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.stats.Flips > d.mu.flipsBefore
}

// unmountLocked ends all mounts, and with them their locks.
func (d *Disk) unmountLocked() {
	for _, m := range d.mu.mounts {
		m.dead.Store(true)
	}
	d.mu.mounts = nil
	clear(d.mu.locks)
}

// afterPowerLossLocked copies n and what lies below it. seen maps what was
// copied already, for a file can have two names.
func (d *Disk) afterPowerLossLocked(n *inode, seen map[*inode]*inode) *inode {
	if after, ok := seen[n]; ok {
		after.links++
		return after
	}
	after := &inode{links: 1, modTime: n.modTime}
	seen[n] = after
	if n.file != nil {
		after.file = n.file.afterPowerLoss(&d.config, d.mu.rng, &d.mu.stats)
		return after
	}
	after.dir = newDir()
	after.dir.entries = n.dir.afterPowerLoss(&d.config, d.mu.rng, &d.mu.stats)
	for _, name := range after.dir.names() {
		child := d.afterPowerLossLocked(after.dir.entries[name], seen)
		after.dir.entries[name] = child
		after.dir.durable[name] = child
	}
	return after
}

func usedBytes(n *inode, seen map[*inode]bool) (sum int64) {
	if seen[n] {
		return 0
	}
	seen[n] = true
	if n.file != nil {
		return int64(len(n.file.data))
	}
	for _, child := range n.dir.entries {
		sum += usedBytes(child, seen)
	}
	return sum
}

// opKind says which latency and which faults apply to an operation.
type opKind uint8

const (
	opRead opKind = iota
	opWrite
	opSync
	opEntry // a change or look-up of directory entries: no latency
)

// faultsLocked is what is wrong with the disk for a mount.
func (d *Disk) faultsLocked(m *Mount) Faults {
	if m.spared {
		return Faults{}
	}
	return d.mu.faults
}

// drawLocked decides how long an operation of a mount takes and whether it
// fails.
func (d *Disk) drawLocked(m *Mount, kind opKind) (delay time.Duration, err error) {
	rng, f := d.mu.rng, d.faultsLocked(m)
	var errors float64
	switch kind {
	case opRead:
		delay, errors = d.config.Read.draw(rng), f.ReadErrors
		d.mu.stats.Reads++
	case opWrite:
		delay, errors = d.config.Write.draw(rng), f.WriteErrors
		d.mu.stats.Writes++
	case opSync:
		delay, errors = d.config.Sync.draw(rng), f.SyncErrors
		d.mu.stats.Syncs++
		if d.mu.stats.Syncs == uint64(d.config.NudgeSync) {
			delay += time.Microsecond
		}
		if d.mu.syncFailed != nil && !m.spared {
			close(d.mu.syncFailed)
			d.mu.syncFailed = nil
			errors = 1
		}
	case opEntry:
		errors = f.WriteErrors
	}
	if f.Slowdown > 1 {
		delay = time.Duration(float64(delay) * f.Slowdown)
	}
	if errors > 0 && rng.Float64() < errors {
		d.mu.stats.Injected++
		err = syscall.EIO
	}
	return delay, err
}

// spaceLocked returns how many of want more bytes fit for a mount.
func (d *Disk) spaceLocked(m *Mount, want int64) int64 {
	switch {
	case want <= 0:
		return want
	case d.faultsLocked(m).Full:
		return 0
	case d.mu.capacity > 0:
		return max(0, min(want, d.mu.capacity-d.mu.used))
	}
	return want
}
