package txlog

import (
	"cmp"
	"slices"

	"github.com/plinthdb/plinth/internal/raftgroup"
	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
)

// Batch returns what a record holds for tag, for a second reading of the
// records after Finish: only then is it known which entries count. ok is false
// for a record that is no batch, or one that a replica would not apply: it was
// refused, replaced, or cut by a recovery. Over all records of the log the
// versions ascend. The lists are shared with the record.
func (c *Checker) Batch(tag wire.Tag, rec wal.Record, pos wal.Position) (v wire.TaggedVersion, ok bool, err error) {
	in, err := raftgroup.Inspect(rec)
	if err != nil || !in.Entry || c.core == nil {
		return v, false, err
	}
	at, found := slices.BinarySearchFunc(c.core.items, in.Index, func(it item, index uint64) int {
		return cmp.Compare(it.index, index)
	})
	if !found || !c.core.items[at].batch || c.entries[in.Index-c.first].pos != pos {
		return v, false, nil
	}
	lists, err := listsFor(tag, in.Data)
	if err != nil {
		return v, false, wire.ErrFileCorrupt.With("log entry %d: %v", in.Index, err)
	}
	return wire.TaggedVersion{Version: c.core.items[at].after.end, Lists: lists}, true, nil
}
