package resolver

// filter tells for most keys that a segment has no point write to them: a
// Bloom filter whose bits for one key all lie in one word (Putze, Sanders,
// Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007), so that a
// look costs one cache line at most. About one key in fifty passes wrongly.
type filter struct {
	words []uint64
}

// filterKeysPerWord gives each key ten bits.
const filterKeysPerWord = 6

func (f *filter) bytes() int64 { return int64(cap(f.words)) * 8 }

// build makes the filter of the keys in t.
func (f *filter) build(t *pointTable) {
	n := t.count/filterKeysPerWord + 1
	if cap(f.words) < n {
		f.words = make([]uint64, n)
	}
	f.words = f.words[:n]
	clear(f.words)
	for i := range t.slots {
		if s := &t.slots[i]; s.version != 0 {
			f.words[f.word(s.hash)] |= bitsOf(s.hash)
		}
	}
}

// mayHold reports whether a key with this hash may be in the filter.
func (f *filter) mayHold(hash uint32) bool {
	bits := bitsOf(hash)
	return f.words[f.word(hash)]&bits == bits
}

// word is chosen by the upper bits of the hash, bitsOf by the lower ones.
func (f *filter) word(hash uint32) uint64 { return uint64(hash) * uint64(len(f.words)) >> 32 }

func bitsOf(hash uint32) uint64 {
	return 1<<(hash&63) | 1<<(hash>>6&63) | 1<<(hash>>12&63)
}
