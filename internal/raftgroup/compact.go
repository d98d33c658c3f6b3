package raftgroup

import (
	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
)

// Compact gives up the entries through index, which must be applied: snapshot
// is the state machine's state right there. It returns at once; the log is cut
// when the checkpoint is on disk (G4). An index that is not above that of an
// earlier call changes nothing.
func (g *Group) Compact(index uint64, snapshot []byte) error {
	g.mu.Lock()
	defer g.unlock()
	if g.mu.failed != nil {
		return g.mu.failed
	}
	if index > g.mu.applied {
		return wire.ErrInternal.With("compaction through entry %d, but only %d is applied", index, g.mu.applied)
	}
	if index <= g.mu.checkpointed {
		return nil // the newest checkpoint in the log must be the one that counts
	}
	term, err := g.store.Term(index)
	if err != nil {
		return err
	}
	_, conf, _ := g.store.InitialState()
	b := base{index: index, term: term, conf: conf, snapshot: snapshot}
	payload, err := encodeCheckpoint(b)
	if err != nil {
		return err
	}
	// The hard state is written anew: its last record may be in the part that
	// is given up.
	records := []wal.Record{
		{Group: g.config.Group, Kind: recordCheckpoint, Index: index, Payload: payload},
		g.hardStateRecord(g.mu.hardState),
	}
	g.mu.checkpointed = index
	return g.writeStatesLocked(records, &b)
}

// freeReplayed gives up what stands in the log before start, the checkpoint that
// the replica starts from: the life before may have ended before it did so. It
// may even have ended between the two records of its compaction, so that the
// newest hard state is in the part to be given up. Therefore that is written
// anew first.
func (g *Group) freeReplayed(start base) error {
	g.mu.Lock()
	defer g.unlock()
	return g.writeStatesLocked([]wal.Record{g.hardStateRecord(g.mu.hardState)}, &start)
}

// writeStatesLocked writes records none of which is an entry, and has the log
// cut at b when they are on disk (G4). If b has no position yet, the first of
// them is its checkpoint.
func (g *Group) writeStatesLocked(records []wal.Record, b *base) (err error) {
	w := &write{states: len(records), base: b}
	if w.positions, err = g.config.Log.Append(nil, records, func(err error) { g.written(w, err) }); err != nil {
		g.failLocked(err)
	}
	return err
}

// cutLocked cuts the log at a checkpoint that is on disk, and says from where
// on the group still needs the write-ahead log.
func (g *Group) cutLocked(b base) {
	g.store.cut(b)
	keep := b.pos
	if pos, ok := g.store.firstPosition(); ok && pos.Compare(keep) < 0 {
		keep = pos
	}
	if g.config.Retain != nil {
		g.config.Retain(keep)
	}
}
