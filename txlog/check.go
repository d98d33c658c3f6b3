package txlog

import (
	"errors"
	"fmt"

	"github.com/plinthdb/plinth/internal/raftgroup"
	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
)

// Checker reads the records of a log group, without running it, and verifies
// that they make sense: that every entry and every mutation in it can be read,
// that keys and values keep the limits, and that the batches form one chain
// (L1). Feed it every record of the group in the order of the log, then call
// Finish.
type Checker struct {
	// found says that there was a checkpoint, base and snapshot are the newest
	// one's.
	found    bool
	base     uint64
	snapshot []byte
	// first is the index of entries[0].
	first   uint64
	entries []checkedEntry
	// core is the state machine after all entries, nil before Finish.
	core   *Core
	report CheckReport
}

// checkedEntry is an entry without the mutations.
type checkedEntry struct {
	// own says that the entry is Raft's own and has no command.
	own     bool
	command command
	tags    []wire.Tag
	pos     wal.Position
}

// CheckReport is what a Checker has seen.
type CheckReport struct {
	// Entries and Batches count what the log keeps, Mutations what was in the
	// batches.
	Entries   int   `json:"entries"`
	Batches   int   `json:"batches"`
	Mutations int64 `json:"mutations"`
	// Locked and Begun are the newest generations that locked the log and that
	// began.
	Locked wire.Generation `json:"locked"`
	Begun  wire.Generation `json:"begun"`
	// End is the version at which the log ends, Recovery the recovery version of
	// the generation that has begun.
	End      wire.Version `json:"end"`
	Recovery wire.Version `json:"recovery"`
	// Popped is the version that each tag has popped.
	Popped map[wire.Tag]wire.Version `json:"popped"`
}

// Record takes the next record. It returns ErrFileCorrupt if the record cannot
// be read or does not follow from those before it.
func (c *Checker) Record(rec wal.Record, pos wal.Position) error {
	in, err := raftgroup.Inspect(rec)
	switch {
	case err != nil:
		return err
	case in.Checkpoint:
		c.found, c.base, c.snapshot = true, in.Index, append([]byte(nil), in.Data...)
		c.dropThrough(in.Index)
	case in.Entry && !(c.found && in.Index <= c.base):
		return c.entry(in, pos)
	}
	return nil
}

func (c *Checker) dropThrough(index uint64) {
	if len(c.entries) == 0 || index < c.first {
		return
	}
	n := min(index-c.first+1, uint64(len(c.entries)))
	c.entries = append([]checkedEntry(nil), c.entries[n:]...)
	c.first += n
}

func (c *Checker) entry(in raftgroup.Inspection, pos wal.Position) error {
	e := checkedEntry{own: len(in.Data) == 0, pos: pos}
	if !e.own {
		var err error
		if e.command, err = decodeCommand(in.Data); err == nil {
			e.tags, err = tagsOf(e.command.body)
		}
		if err == nil {
			err = c.mutations(e.command.body)
		}
		if err != nil {
			return wire.ErrFileCorrupt.With("log entry %d of version %d: %v", in.Index, e.command.version, err)
		}
		e.command.body = nil
	}
	if len(c.entries) == 0 || in.Index < c.first {
		c.first, c.entries = in.Index, c.entries[:0]
	}
	at := in.Index - c.first
	if at > uint64(len(c.entries)) {
		return wire.ErrFileCorrupt.With("log entry %d follows entry %d", in.Index, c.first+uint64(len(c.entries))-1)
	}
	c.entries = append(c.entries[:at], e)
	return nil
}

// mutations reads all mutations of a batch.
func (c *Checker) mutations(body []byte) error {
	runs := wire.ReadRuns(body)
	for {
		_, list, ok, err := runs.Next()
		if err != nil || !ok {
			return err
		}
		mutations := wire.ReadMutations(list)
		for {
			m, ok, err := mutations.Next()
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			c.report.Mutations++
			if err := checkLimits(m); err != nil {
				return err
			}
		}
	}
}

// checkLimits returns why a mutation that went through the commit proxy could
// not have.
func checkLimits(m wire.Mutation) error {
	key, value := wire.MaxKeyBytes, wire.MaxValueBytes
	if m.Type == wire.ClearRange {
		// The ends of a range may be the first key after one of the longest.
		key, value = wire.MaxKeyBytes+1, wire.MaxKeyBytes+1
	}
	switch {
	case m.Type.IsVersionstamped():
		return fmt.Errorf("a versionstamped mutation whose stamp was not filled in")
	case len(m.Param1) > key:
		return fmt.Errorf("a key of %d bytes, the limit is %d", len(m.Param1), key)
	case len(m.Param2) > value:
		return fmt.Errorf("a value of %d bytes, the limit is %d", len(m.Param2), value)
	}
	return nil
}

// Finish replays what the log keeps on an empty state machine. found is false
// if there was nothing of the group at all. It returns ErrFileCorrupt if the
// beginning is missing, the checkpoint cannot be read, or the chain of versions
// is broken.
func (c *Checker) Finish() (report CheckReport, found bool, err error) {
	if !c.found && len(c.entries) == 0 {
		return c.report, false, nil
	}
	if !c.found {
		return c.report, true, wire.ErrFileCorrupt.With("the log holds entries from %d on, but no checkpoint that says what was before: its first files are missing; restore them, or the store from a backup", c.first)
	}
	if len(c.entries) > 0 && c.first != c.base+1 {
		return c.report, true, wire.ErrFileCorrupt.With("log entries begin at %d, but the checkpoint ends at %d", c.first, c.base)
	}
	core := NewCore()
	if len(c.snapshot) > 0 {
		if err := core.Restore(c.snapshot); err != nil {
			return c.report, true, wire.ErrFileCorrupt.With("checkpoint of the log at entry %d: %v", c.base, err)
		}
	}
	for i, e := range c.entries {
		if err := e.apply(core, c.first+uint64(i)); err != nil {
			return c.report, true, wire.ErrFileCorrupt.With("log entry %d, in segment %d at offset %d: %v", c.first+uint64(i), e.pos.Segment, e.pos.Offset, err)
		}
		if !e.own && e.command.kind == commandAppend {
			c.report.Batches++
		}
	}
	core.checkOrder()
	c.core = core
	c.report.Entries = len(c.entries)
	c.report.Locked, c.report.Begun = core.state.locked, core.state.begun
	c.report.End, c.report.Recovery = core.state.end, core.state.recovery
	c.report.Popped = core.Tags()
	return c.report, true, nil
}

// apply applies the entry as a replica does. An entry that comes from an ended
// generation is refused there too, which is no damage; every other refusal is.
func (e *checkedEntry) apply(core *Core, index uint64) error {
	if e.own {
		return nil
	}
	_, err := e.command.apply(core, index, e.tags)
	if errors.Is(err, wire.ErrGenerationEnded) {
		return nil
	}
	return err
}
