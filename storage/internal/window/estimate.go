package window

import "bytes"

// estimateSample is how many keys an estimate looks at: enough for an error of
// a few hundredths of the whole window, few enough not to be felt by writers.
const estimateSample = 1024

// EstimateBytes returns about how many bytes the keys with begin <= key < end
// and their newest values have, without what the window itself needs for them.
// It is exact for a window of few keys.
func (w *Window) EstimateBytes(begin, end []byte) int64 {
	var seen, found int64
	// The map's order is that of hashes, which says nothing of keys: whatever
	// comes first is a fair sample.
	for _, first := range w.byHash {
		for e := first; e != nil; e = e.sameHash {
			seen++
			if e.value != nil && bytes.Compare(begin, e.key) <= 0 && bytes.Compare(e.key, end) < 0 {
				found += int64(len(e.key) + len(e.value))
			}
		}
		if seen >= estimateSample {
			break
		}
	}
	if seen == 0 {
		return 0
	}
	return found * int64(w.Len()) / seen
}
