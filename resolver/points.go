package resolver

import "bytes"

// pointTable is a hash table with the newest point write of each key of the
// segment that is being written to: open addressing, linear probing, no
// deletion.
type pointTable struct {
	slots []slot // a power of two of them
	count int
}

// slot is empty if its version is 0.
type slot struct {
	hash    uint32
	version offset
	key     keyRef
}

const (
	slotBytes = 12
	minSlots  = 256
)

func (t *pointTable) bytes() int64 { return int64(len(t.slots)) * slotBytes }

// usedBytes is the memory that the writes need; the table may have more.
func (t *pointTable) usedBytes() int64 { return 2 * int64(t.count) * slotBytes }

// writtenAfter reports whether there is a point write to key after r.
func (t *pointTable) writtenAfter(hash uint32, key []byte, r offset, keys *arena) bool {
	if t.count == 0 {
		return false
	}
	mask := uint32(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.version == 0 {
			return false
		}
		if s.hash == hash && s.version > r && bytes.Equal(keys.key(s.key), key) {
			return true
		}
	}
}

// put records a write to key at version v, which is not below any earlier one,
// and returns the arena's copy of the key, made now if there was none.
func (t *pointTable) put(hash uint32, key []byte, v offset, keys *arena) keyRef {
	if t.count*4 >= len(t.slots)*3 {
		t.grow()
	}
	mask := uint32(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.version == 0 {
			*s = slot{hash: hash, version: v, key: keys.add(key)}
			t.count++
			return s.key
		}
		if s.hash == hash && bytes.Equal(keys.key(s.key), key) {
			s.version = v
			return s.key
		}
	}
}

func (t *pointTable) grow() {
	old := t.slots
	t.slots = make([]slot, max(minSlots, 2*len(old)))
	mask := uint32(len(t.slots) - 1)
	for _, s := range old {
		if s.version == 0 {
			continue
		}
		i := s.hash & mask
		for t.slots[i].version != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}

// reset empties the table, and halves it if it was far too large.
func (t *pointTable) reset() {
	if t.count*8 < len(t.slots) && len(t.slots) > minSlots {
		t.slots = make([]slot, len(t.slots)/2)
	} else {
		clear(t.slots)
	}
	t.count = 0
}
