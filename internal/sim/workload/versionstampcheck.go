package workload

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/plinthdb/plinth/kv"
)

// stampedRows is what a check of VersionStamp has read at one version.
type stampedRows struct {
	version kv.Version
	// places are the keys of each transaction, stamps its stamp; owners is stamps
	// the other way round.
	places map[uint64][]stampedPlace
	stamps map[uint64]kv.Stamp
	owners map[kv.Stamp]uint64
	slots  map[int]stampedSlot
}

type stampedSlot struct {
	id    uint64
	stamp kv.Stamp
}

// Check implements Workload.
func (s *versionStamp) Check(ctx context.Context, env *Env) error {
	acknowledged, trims := s.known()
	rows, version, err := env.ReadAll(ctx)
	if err != nil {
		return err
	}
	found, err := s.decode(env, rows, version)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(found.stamps)) {
		if err := s.checkFoundLocked(env, found, id, trims); err != nil {
			return err
		}
	}
	for _, id := range acknowledged {
		if err := s.checkWholeLocked(env, found, id); err != nil {
			return err
		}
	}
	return s.checkSlotsLocked(env, found, acknowledged)
}

// known returns the transactions that are acknowledged by now, and the trims.
func (s *versionStamp) known() (acknowledged []uint64, trims map[int]trim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, r := range s.mu.records {
		if r.outcome == Committed {
			acknowledged = append(acknowledged, id)
		}
	}
	slices.Sort(acknowledged)
	return acknowledged, maps.Clone(s.mu.trims)
}

// decode reads the rows; a transaction has one stamp in all its keys (V1), and
// no other has it (V2).
func (s *versionStamp) decode(env *Env, rows []kv.KeyValue, version kv.Version) (*stampedRows, error) {
	found := &stampedRows{
		version: version, places: make(map[uint64][]stampedPlace), stamps: make(map[uint64]kv.Stamp),
		owners: make(map[kv.Stamp]uint64), slots: make(map[int]stampedSlot),
	}
	for _, row := range rows {
		var slot int
		if _, err := fmt.Sscanf(string(row.Key), env.name+"/slot/%d", &slot); err == nil {
			id, stamp, err := decodeStamped(row.Value)
			if err != nil {
				return nil, env.Violated("V1", "at version %d slot %d: %v", version, slot, err)
			}
			found.slots[slot] = stampedSlot{id, stamp}
			continue
		}
		id, at, stamp, err := s.decodeKey(env, row)
		if err != nil {
			return nil, env.Violated("V1", "at version %d: %v", version, err)
		}
		if other, ok := found.stamps[id]; ok && other != stamp {
			return nil, env.Violated("V1", "at version %d transaction %d has keys with the stamps %x and %x", version, id, other, stamp)
		}
		if other, ok := found.owners[stamp]; ok && other != id {
			return nil, env.Violated("V2", "transactions %d and %d both have stamp %x", other, id, stamp)
		}
		found.stamps[id], found.owners[stamp] = stamp, id
		found.places[id] = append(found.places[id], at)
	}
	return found, nil
}

func (s *versionStamp) decodeKey(env *Env, row kv.KeyValue) (id uint64, at stampedPlace, stamp kv.Stamp, err error) {
	for at.partition = range s.partitions {
		rest, ok := bytes.CutPrefix(row.Key, partitionPrefix(env, at.partition))
		if !ok {
			continue
		}
		if len(rest) != len(stamp)+2 || len(row.Value) != 8 {
			break
		}
		copy(stamp[:], rest)
		at.order = binary.BigEndian.Uint16(rest[len(stamp):])
		return binary.BigEndian.Uint64(row.Value), at, stamp, nil
	}
	return 0, at, stamp, fmt.Errorf("there is a row %q=%q, which nobody wrote", row.Key, row.Value)
}

// checkFoundLocked checks a transaction of which there are keys.
func (s *versionStamp) checkFoundLocked(env *Env, found *stampedRows, id uint64, trims map[int]trim) error {
	stamp, r := found.stamps[id], s.mu.records[id]
	switch {
	case r == nil || r.outcome == Aborted:
		return env.Violated("V4", "at version %d there are keys of transaction %d, stamp %x, which was not committed", found.version, id, stamp)
	case r.outcome == Committed && r.stamp != stamp:
		return env.Violated("V1", "transaction %d was told stamp %x, its keys have %x", id, r.stamp, stamp)
	case bytes.Compare(stamp[:], r.floor[:]) <= 0:
		return env.Violated("V3", "transaction %d has stamp %x, %x was acknowledged before it began", id, stamp, r.floor)
	case stampVersion(stamp[:]) > found.version:
		return env.Violated("V3", "a read at version %d finds stamp %x", found.version, stamp)
	}
	for _, at := range found.places[id] {
		certain := trims[at.partition].certain
		if !slices.Contains(r.keys, at) || bytes.Compare(stamp[:], certain[:]) < 0 {
			return env.Violated("V4", "at version %d there is a key of transaction %d at %+v, stamp %x: it was not written, or cleared", found.version, id, at, stamp)
		}
	}
	return s.checkWholeLocked(env, found, id)
}

// checkWholeLocked checks that all keys of a committed transaction are there,
// but for those that may be cleared.
func (s *versionStamp) checkWholeLocked(env *Env, found *stampedRows, id uint64) error {
	r := s.mu.records[id]
	stamp := r.stamp
	if r.outcome != Committed {
		stamp = found.stamps[id]
	}
	for _, at := range r.keys {
		perhaps := s.mu.trims[at.partition].perhaps
		if bytes.Compare(stamp[:], perhaps[:]) >= 0 && !slices.Contains(found.places[id], at) {
			return env.Violated("V4", "at version %d transaction %d, stamp %x, lacks its key at %+v", found.version, id, stamp, at)
		}
	}
	return nil
}

// checkSlotsLocked checks that slots hold the greatest stamp (V5).
func (s *versionStamp) checkSlotsLocked(env *Env, found *stampedRows, acknowledged []uint64) error {
	for slot, got := range found.slots {
		r := s.mu.records[got.id]
		switch {
		case r == nil || r.outcome == Aborted || !slices.Contains(r.slots, slot):
			return env.Violated("V4", "at version %d slot %d was written by transaction %d, stamp %x, which did not", found.version, slot, got.id, got.stamp)
		case r.outcome == Committed && r.stamp != got.stamp:
			return env.Violated("V1", "transaction %d was told stamp %x, slot %d has %x", got.id, r.stamp, slot, got.stamp)
		}
		if stamp, ok := found.stamps[got.id]; ok && stamp != got.stamp {
			return env.Violated("V1", "transaction %d has stamp %x in its keys, slot %d has %x", got.id, stamp, slot, got.stamp)
		}
	}
	greatest := make(map[int]kv.Stamp)
	note := func(id uint64, stamp kv.Stamp) {
		for _, slot := range s.mu.records[id].slots {
			if g := greatest[slot]; bytes.Compare(g[:], stamp[:]) < 0 {
				greatest[slot] = stamp
			}
		}
	}
	for _, id := range acknowledged {
		note(id, s.mu.records[id].stamp)
	}
	for id, stamp := range found.stamps {
		note(id, stamp)
	}
	for slot := range s.slots {
		want, got := greatest[slot], found.slots[slot].stamp
		if bytes.Compare(got[:], want[:]) < 0 {
			return env.Violated("V5", "at version %d slot %d has stamp %x, %x wrote it later", found.version, slot, got, want)
		}
	}
	return nil
}
