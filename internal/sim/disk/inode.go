package disk

import (
	"io/fs"
	"math/rand/v2"
	"slices"
	"time"
)

// inode is a file or a directory, reachable by any number of names.
type inode struct {
	file *fileData
	dir  *dirData
	// links counts the entries that name the inode; its bytes are used space
	// as long as it has one.
	links   int
	modTime time.Time
	// flipped says that the last read returned a wrong bit.
	flipped bool
}

// fileData is the content of a file twice: as processes see it, and as it
// surely survives a loss of power. Files never shrink, as vfs.FS cannot
// truncate.
type fileData struct {
	data    []byte
	durable []byte
	// dirty[i] is 0 if block i of data is durable, else the number of the
	// write that last touched it.
	dirty []uint64
	// synced[i] is the number of the write whose content of block i is in
	// durable: of two syncs at a time the older one may end last.
	synced []uint64
	writes uint64
	// syncs counts the successful syncs; settled[i] is the last one that put
	// block i on the disk, 0 if none did in this life of the machine.
	syncs   uint64
	settled []uint64
}

// writeAt stores p at off; a gap before it reads as zeros.
func (f *fileData) writeAt(p []byte, off int64) {
	end := int(off) + len(p)
	if len(p) == 0 {
		return
	}
	first := min(int(off), len(f.data)) / blockBytes
	if end > len(f.data) {
		f.data = slices.Grow(f.data, end-len(f.data))
		clear(f.data[len(f.data):end])
		f.data = f.data[:end]
	}
	copy(f.data[off:], p)
	f.writes++
	for last := (end - 1) / blockBytes; len(f.dirty) <= last; {
		f.dirty = append(f.dirty, 0)
		f.synced = append(f.synced, 0)
		f.settled = append(f.settled, 0)
	}
	for b := first; b <= (end-1)/blockBytes; b++ {
		f.dirty[b] = f.writes
	}
}

// block returns the bytes of block b of data.
func (f *fileData) block(b int) []byte {
	return f.data[b*blockBytes : min((b+1)*blockBytes, len(f.data))]
}

// pendingSync is what one Sync covers: the content at its start (D1).
type pendingSync struct {
	blocks []pendingBlock
}

type pendingBlock struct {
	index int
	dirty uint64
	data  []byte
}

func (f *fileData) beginSync() pendingSync {
	var p pendingSync
	for b, d := range f.dirty {
		if d != 0 {
			p.blocks = append(p.blocks, pendingBlock{b, d, slices.Clone(f.block(b))})
		}
	}
	return p
}

// finishSync makes durable what p holds. Blocks written meanwhile stay dirty.
func (f *fileData) finishSync(p pendingSync) {
	if len(p.blocks) > 0 {
		f.syncs++
	}
	for _, b := range p.blocks {
		f.settled[b.index] = f.syncs
		if b.dirty > f.synced[b.index] {
			f.durable = overwrite(f.durable, b.index*blockBytes, b.data)
			f.synced[b.index] = b.dirty
		}
	}
	f.clean(p)
}

// failSync forgets that what p holds needs to be written: the operating system
// reports a failed write-back once and then takes its pages for clean.
func (f *fileData) failSync(p pendingSync) { f.clean(p) }

func (f *fileData) clean(p pendingSync) {
	for _, b := range p.blocks {
		if f.dirty[b.index] == b.dirty {
			f.dirty[b.index] = 0
		}
	}
}

// afterPowerLoss returns the content that the next process finds (D4).
func (f *fileData) afterPowerLoss(config *Config, rng *rand.Rand, stats *Stats) *fileData {
	after := slices.Clone(f.durable)
	for b, d := range f.dirty {
		if d == 0 {
			continue
		}
		block := f.block(b)
		keep := len(block)
		if rng.Float64() >= config.KeepProbability {
			keep = 0
			if rng.Float64() < config.TearProbability {
				keep = rng.IntN(len(block)/sectorBytes+1) * sectorBytes
			}
		}
		switch {
		case keep == 0:
			stats.LostBlocks++
		case keep < len(block):
			stats.TornBlocks++
		}
		after = overwrite(after, b*blockBytes, block[:keep])
	}
	// The size of a file can reach the disk before its data.
	if grown := len(f.data) - len(after); grown > 0 && rng.Float64() < config.KeepProbability {
		after = append(after, make([]byte, grown)...)
	}
	blocks := (len(after) + blockBytes - 1) / blockBytes
	return &fileData{
		data:    after,
		durable: slices.Clone(after),
		dirty:   make([]uint64, blocks),
		synced:  make([]uint64, blocks),
		settled: settledAfter(f, blocks),
		syncs:   f.syncs,
	}
}

// overwrite puts p at off of content, which it extends with zeros if need be.
func overwrite(content []byte, off int, p []byte) []byte {
	if len(p) == 0 {
		return content
	}
	if grow := off + len(p) - len(content); grow > 0 {
		content = append(content, make([]byte, grow)...)
	}
	copy(content[off:], p)
	return content
}

// info implements vfs.FileInfo for an inode at one moment.
type info struct {
	name    string
	size    int64
	dir     bool
	modTime time.Time
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.size }
func (i *info) ModTime() time.Time { return i.modTime }
func (i *info) IsDir() bool        { return i.dir }
func (i *info) Sys() any           { return nil }

func (i *info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}
