package txlog

import (
	"cmp"
	"maps"
	"slices"

	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wire"
)

// Core is the state machine of a log group. Every replica applies the same
// entries to it and gets the same answers. It holds where batches are (their
// Raft index), never the batches themselves. It is not safe for concurrent use.
type Core struct {
	state  state
	popped map[wire.Tag]wire.Version
	// forgotten is the end of the log where it was last cut: of the batches up
	// to there only that they were part of the chain is known.
	forgotten wire.Version
	// items holds what was applied since the log was last cut and is not
	// popped yet, in index order: appends (by ascending version), locks and
	// begins. A begin may have removed appends from the middle.
	items []item
}

// state is what the applied log amounts to, apart from the batches and pops.
type state struct {
	// locked is the newest generation that locked the group, begun the newest
	// that began.
	locked, begun wire.Generation
	// end is the version that the next append must name as its predecessor.
	end wire.Version
	// recovery is the recovery version of the generation that has begun.
	recovery wire.Version
	// knownCommitted is the highest version that this replica knows to be
	// durable on every log group. It is a hint of this replica's, not
	// replicated: what a restart forgets, the next Begin says anew.
	knownCommitted wire.Version
}

// item is one applied entry, and the state right after it (L6).
type item struct {
	index uint64
	batch bool
	tags  []wire.Tag
	after state
}

// NewCore returns the state machine of an empty log.
func NewCore() *Core {
	return &Core{popped: make(map[wire.Tag]wire.Version)}
}

// Append applies a batch that stands at a Raft index. tags are all the tags
// in its body, without repeats; the core keeps the slice.
//
// It returns nil also for a repeat of a batch that was applied before,
// ErrGenerationEnded for a generation that is locked out or has not begun, and
// ErrChainBroken for one whose predecessor is not the end of the log.
func (c *Core) Append(index uint64, req *wire.AppendRequest, tags []wire.Tag) error {
	switch {
	case !c.Live(req.Generation): // L2
		return wire.ErrGenerationEnded.With("batch of generation %d, but generation %d has locked the log and %d has begun",
			req.Generation, c.state.locked, c.state.begun)
	case c.applied(req): // L1: a repeat
		return nil
	case req.Prev != c.state.end || req.Version <= req.Prev:
		return wire.ErrChainBroken.With("batch %d follows %d, but the log ends at %d", req.Version, req.Prev, c.state.end)
	}
	c.state.end = req.Version
	c.state.knownCommitted = max(c.state.knownCommitted, min(req.KnownCommitted, req.Prev))
	for _, tag := range tags {
		if _, known := c.popped[tag]; !known {
			// A tag pins the log from the first batch that names it.
			c.popped[tag] = 0
		}
	}
	c.items = append(c.items, item{index: index, batch: true, tags: tags, after: c.state})
	return nil
}

// applied reports whether this very batch was applied by the generation that has
// begun. Where the log was cut that cannot be looked up any more, and need not
// be: the sequencer hands each version of a generation to one proxy, once, and
// they form one chain, so a version below the end of the log is in the log.
func (c *Core) applied(req *wire.AppendRequest) bool {
	switch {
	case req.Version <= c.state.recovery || req.Version > c.state.end:
		return false
	case req.Version <= c.forgotten:
		return true
	}
	i, found := slices.BinarySearchFunc(c.items, req.Version, func(it item, v wire.Version) int { return cmp.Compare(it.after.end, v) })
	if !found || !c.items[i].batch {
		return false
	}
	if i == 0 {
		return req.Prev == c.forgotten
	}
	return req.Prev == c.items[i-1].after.end
}

// Lock shuts out every generation before generation and returns the end of the
// log. It returns ErrGenerationEnded if a newer one has locked it, or if this
// one has begun already.
func (c *Core) Lock(index uint64, generation wire.Generation) (end wire.Version, err error) {
	if generation < c.state.locked || generation <= c.state.begun {
		return 0, wire.ErrGenerationEnded.With("lock for generation %d, but generation %d has locked the log and %d has begun",
			generation, c.state.locked, c.state.begun)
	}
	if generation > c.state.locked {
		c.state.locked = generation
		c.items = append(c.items, item{index: index, after: c.state})
	}
	return c.state.end, nil
}

// Begin starts a generation: batches above recovery are removed, and the first
// new one must name first as its predecessor. It returns ErrGenerationEnded
// unless the log is locked at exactly this generation; a repeat succeeds.
func (c *Core) Begin(index uint64, generation wire.Generation, recovery, first wire.Version) error {
	if generation == c.state.begun && generation == c.state.locked && recovery == c.state.recovery {
		return nil
	}
	if generation != c.state.locked || generation <= c.state.begun { // L3
		return wire.ErrGenerationEnded.With("begin of generation %d, but generation %d has locked the log and %d has begun",
			generation, c.state.locked, c.state.begun)
	}
	// Today only entries move knownCommitted, so every replica answers alike. What
	// a replica learns by other ways must not decide here.
	if recovery > c.state.end || recovery < c.state.knownCommitted || first <= c.state.end {
		return wire.ErrInternal.With("begin of generation %d at recovery version %d and first version %d does not fit a log that ends at %d with %d known committed",
			generation, recovery, first, c.state.end, c.state.knownCommitted)
	}
	c.items = slices.DeleteFunc(c.items, func(it item) bool { return it.batch && it.after.end > recovery })
	c.state.begun, c.state.recovery = generation, recovery
	c.state.end, c.state.knownCommitted = first, first
	c.items = append(c.items, item{index: index, after: c.state})
	return nil
}

// Pop notes that the storage server of tag has everything at or below version
// on its disk.
func (c *Core) Pop(tag wire.Tag, version wire.Version) {
	c.popped[tag] = max(c.popped[tag], min(version, c.state.end))
}

// KnownCommitted returns the highest version that may be shown to storage
// servers (L4).
func (c *Core) KnownCommitted() wire.Version { return c.state.knownCommitted }

// LearnCommitted notes that version is durable on every log group. A replica
// that is behind only believes it as far as it has applied.
func (c *Core) LearnCommitted(generation wire.Generation, version wire.Version) {
	if generation == c.state.begun {
		c.state.knownCommitted = max(c.state.knownCommitted, min(version, c.state.end))
	}
}

// End returns the version that the next append must name.
func (c *Core) End() wire.Version { return c.state.end }

// Locked returns the generation that has locked the log last.
func (c *Core) Locked() wire.Generation { return c.state.locked }

// Live reports whether appends of generation are accepted. Generations count
// from 1.
func (c *Core) Live(generation wire.Generation) bool {
	return generation != 0 && generation == c.state.locked && generation == c.state.begun
}

// Popped returns the version up to which tag has popped the log, and whether
// the tag is known at all.
func (c *Core) Popped(tag wire.Tag) (wire.Version, bool) {
	v, ok := c.popped[tag]
	return v, ok
}

// Batch is where a batch is: its Raft index and version.
type Batch struct {
	Index   uint64
	Version wire.Version
}

// BatchesAfter appends to dst up to limit batches that hold tag, with versions
// above after and at or below the known-committed version, oldest first.
// through is the version up to which the answer is complete.
func (c *Core) BatchesAfter(dst []Batch, tag wire.Tag, after wire.Version, limit int) (batches []Batch, through wire.Version) {
	through = c.state.knownCommitted
	first, _ := slices.BinarySearchFunc(c.items, after, func(it item, v wire.Version) int {
		if it.after.end <= v {
			return -1
		}
		return 1
	})
	for _, it := range c.items[first:] {
		if it.after.end > through {
			break
		}
		if !it.batch || !slices.Contains(it.tags, tag) {
			continue
		}
		if len(dst) == limit {
			return dst, dst[limit-1].Version
		}
		dst = append(dst, Batch{Index: it.index, Version: it.after.end})
	}
	return dst, through
}

// Cut forgets what every tag has popped and returns the index up to which the
// Raft log is not needed any more, with the encoded state at that index. With
// ok false there is nothing to forget.
func (c *Core) Cut() (index uint64, snapshot []byte, ok bool) {
	keep := 0
	for keep < len(c.items) && !c.needed(c.items[keep]) {
		keep++
	}
	if keep == 0 {
		return 0, nil, false
	}
	last := c.items[keep-1]
	c.items = append(c.items[:0:0], c.items[keep:]...)
	c.forgotten = last.after.end
	return last.index, encodeSnapshot(last.after, c.popped), true
}

// Forgettable returns the index up to which Cut would go; 0 if nowhere.
func (c *Core) Forgettable() (index uint64) {
	for _, it := range c.items {
		if c.needed(it) {
			break
		}
		index = it.index
	}
	return index
}

// needed reports whether some tag in the item has not popped it (L5).
func (c *Core) needed(it item) bool {
	for _, tag := range it.tags {
		if c.popped[tag] < it.after.end {
			return true
		}
	}
	return false
}

// Restore replaces the state by a snapshot that Cut returned.
func (c *Core) Restore(snapshot []byte) error {
	state, popped, err := decodeSnapshot(snapshot)
	if err != nil {
		return err
	}
	c.state, c.popped, c.items, c.forgotten = state, popped, nil, state.end
	return nil
}

// Tags returns the tags that pin the log, with the version each has popped.
func (c *Core) Tags() map[wire.Tag]wire.Version { return maps.Clone(c.popped) }

// checkOrder asserts that items ascend.
func (c *Core) checkOrder() {
	if !invariants.Enabled {
		return
	}
	for i := 1; i < len(c.items); i++ {
		a, b := c.items[i-1], c.items[i]
		invariants.Assert(a.index < b.index && a.after.end <= b.after.end, "L1: item %d (index %d, end %d) before index %d, end %d",
			i, a.index, a.after.end, b.index, b.after.end)
	}
}
