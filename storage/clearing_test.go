package storage

import (
	"bytes"
	"testing"

	"github.com/plinthdb/plinth/internal/wire"
	"pgregory.net/rapid"
)

func TestMergedRangesCoverTheSameKeysOnce(t *testing.T) {
	key := rapid.SliceOfN(rapid.SampledFrom([]byte("abc")), 0, 2)
	drawn := rapid.Custom(func(t *rapid.T) wire.KeyRange {
		r := wire.KeyRange{Begin: key.Draw(t, "begin"), End: append(key.Draw(t, "end"), 'd')}
		if r.Empty() {
			r.Begin, r.End = r.End, append(r.Begin, 'e')
		}
		return r
	}).Filter(func(r wire.KeyRange) bool { return !r.Empty() })
	rapid.Check(t, func(t *rapid.T) {
		ranges := rapid.SliceOfN(drawn, 0, 6).Draw(t, "ranges")
		merged := mergeRanges(ranges)
		for i, r := range merged {
			if r.Empty() || i > 0 && bytes.Compare(merged[i-1].End, r.Begin) >= 0 {
				t.Fatalf("not disjoint, sorted and apart: %q", merged)
			}
		}
		probe := key.Draw(t, "probe")
		covers := func(list []wire.KeyRange) bool {
			for _, r := range list {
				if r.Contains(probe) {
					return true
				}
			}
			return false
		}
		if covers(ranges) != covers(merged) {
			t.Fatalf("key %q: ranges %q, merged %q", probe, ranges, merged)
		}
	})
}
