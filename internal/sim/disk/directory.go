package disk

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// dirData is a directory: its entries as processes see them, those that surely
// survive a loss of power, and the changes in between, oldest first.
type dirData struct {
	entries map[string]*inode
	durable map[string]*inode
	changes []dirChange
	// dropped counts the changes that left the front of changes, so that a
	// Sync in progress knows which of them it covers.
	dropped int
}

// dirChange is one atomic change of entries: a nil inode is a removal. A
// rename within a directory is one change of two names (D5).
type dirChange struct {
	names  []string
	inodes []*inode
}

func newDir() *dirData {
	return &dirData{entries: make(map[string]*inode), durable: make(map[string]*inode)}
}

func (d *dirData) apply(c dirChange) {
	c.applyTo(d.entries)
	d.changes = append(d.changes, c)
}

func (c dirChange) applyTo(entries map[string]*inode) {
	for i, name := range c.names {
		if c.inodes[i] == nil {
			delete(entries, name)
		} else {
			entries[name] = c.inodes[i]
		}
	}
}

// beginSync returns the number of the last change that a Sync starting now
// covers.
func (d *dirData) beginSync() int { return d.dropped + len(d.changes) }

// finishSync makes all changes up to number covered durable.
func (d *dirData) finishSync(covered int) {
	for d.dropped < covered {
		d.changes[0].applyTo(d.durable)
		d.changes = d.changes[1:]
		d.dropped++
	}
}

// afterPowerLoss returns the entries that the next process finds. A change is
// kept or not by chance, but never without an earlier one of the same name.
func (d *dirData) afterPowerLoss(config *Config, rng *rand.Rand, stats *Stats) map[string]*inode {
	after := maps.Clone(d.durable)
	lost := make(map[string]bool)
	for _, c := range d.changes {
		blocked := slices.ContainsFunc(c.names, func(name string) bool { return lost[name] })
		if !blocked && rng.Float64() < config.KeepProbability {
			c.applyTo(after)
			continue
		}
		stats.LostEntries++
		for _, name := range c.names {
			lost[name] = true
		}
	}
	return after
}

// names returns the entries in order, so that a run can be repeated.
func (d *dirData) names() []string { return slices.Sorted(maps.Keys(d.entries)) }
