package disk

import (
	"path"
	"slices"
)

// flipReadLocked makes a bit of what a read is about to return wrong, by
// chance (D8). The read after it is right, so that reading twice helps.
func (d *Disk) flipReadLocked(f *file, p []byte, off int64) {
	rate, again := d.faultsLocked(f.mount).ReadFlips, f.node.flipped
	f.node.flipped = false
	if rate <= 0 || len(p) == 0 || again || d.mu.rng.Float64() >= rate {
		return
	}
	f.node.flipped = true
	at := d.mu.rng.IntN(len(p))
	p[at] ^= 1 << d.mu.rng.IntN(8)
	d.mu.stats.Flips++
	d.traceLocked("flip", f.name, off+int64(at), -1, nil)
}

// Rot makes one bit wrong where it is stored; it stays so until it is
// written again (D8). Only what is on the disk can rot, not what waits in the
// operating system's cache to be written. Every file is equally likely, for a
// small one can matter as much as a large one; but every third time it is the
// newest log, by name, if there is one: what stands in the others is mostly
// elsewhere as well.
//
// isLog names the files that are logs. The end of a log that rots looks like
// one that a crash tore, as long as nothing behind it was synced later; so in
// these files only blocks can rot that are older than the file's last sync. The
// result says whether there was anything that could rot.
func (d *Disk) Rot(isLog func(name string) bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	var places []rotPlace
	collectRot(d.mu.root, "/", isLog, &places)
	if len(places) == 0 {
		return false
	}
	p := places[d.mu.rng.IntN(len(places))]
	if logs := slices.DeleteFunc(places, func(p rotPlace) bool { return !isLog(p.name) }); len(logs) > 0 && d.mu.rng.IntN(3) == 0 {
		p = logs[len(logs)-1]
	}
	block := p.blocks[d.mu.rng.IntN(len(p.blocks))]
	off := block*blockBytes + d.mu.rng.IntN(len(p.file.block(block)))
	mask := byte(1) << d.mu.rng.IntN(8)
	p.file.data[off] ^= mask
	if off < len(p.file.durable) {
		p.file.durable[off] ^= mask
	}
	d.mu.stats.Flips++
	d.traceLocked("rot", p.name, int64(off), -1, nil)
	return true
}

// rotPlace is a file and those of its blocks that can rot.
type rotPlace struct {
	name   string
	file   *fileData
	blocks []int
}

// collectRot adds the files below n that can rot to places, in order. A file with
// two names is there twice.
func collectRot(n *inode, name string, isLog func(string) bool, places *[]rotPlace) {
	if n.dir != nil {
		for _, child := range n.dir.names() {
			collectRot(n.dir.entries[child], path.Join(name, child), isLog, places)
		}
		return
	}
	p := rotPlace{name: name, file: n.file}
	log := isLog(name)
	for b, dirty := range n.file.dirty {
		if dirty == 0 && !(log && n.file.settled[b] == n.file.syncs) {
			p.blocks = append(p.blocks, b)
		}
	}
	if len(p.blocks) > 0 {
		*places = append(*places, p)
	}
}

// settledAfter is settled for the content that a loss of power left, of so
// many blocks.
func settledAfter(f *fileData, blocks int) []uint64 {
	settled := slices.Clone(f.settled[:min(blocks, len(f.settled))])
	return append(settled, make([]uint64, blocks-len(settled))...)
}
