package cluster

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestSplitPointsMakeChunksOfAboutTheSizeAskedFor splits random keys of random
// sizes, with exact estimates.
func TestSplitPointsMakeChunksOfAboutTheSizeAskedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "a long prefix that all the keys share ", "\x00", "\xff"}).Draw(t, "prefix")
		sizes := rapid.MapOfN(rapid.StringMatching(`[\x00a-c]{0,6}`), rapid.Int64Range(1, 50), 0, 60).Draw(t, "rows")
		var keys []string
		for k := range sizes {
			keys = append(keys, prefix+k)
		}
		slices.Sort(keys)
		size := func(begin, end string) (n int64) {
			for _, k := range keys {
				if begin <= k && k < end {
					n += sizes[k[len(prefix):]]
				}
			}
			return n
		}
		s := splitter{
			estimate: func(begin, end []byte) (int64, error) { return size(string(begin), string(end)), nil },
			next: func(_ context.Context, begin, end []byte) ([]byte, error) {
				i, _ := slices.BinarySearch(keys, string(begin))
				if i < len(keys) && keys[i] < string(end) {
					return []byte(keys[i]), nil
				}
				return nil, nil
			},
		}
		chunk := rapid.Int64Range(1, 400).Draw(t, "chunk")
		points, err := s.split(context.Background(), []byte(prefix), []byte("\xff\xff"), chunk)
		if err != nil {
			t.Fatal(err)
		}
		checkChunks(t, prefix, points, keys, chunk, size)
	})
}

// checkChunks checks that the points are keys in order, and that no chunk is
// off by more than an eighth and one row, of 50 bytes at most.
func checkChunks(t *rapid.T, begin string, points [][]byte, keys []string, chunk int64, size func(begin, end string) int64) {
	last := begin
	for _, p := range points {
		if string(p) <= last || !slices.Contains(keys, string(p)) {
			t.Fatalf("point %q after %q", p, last)
		}
		if n := size(last, string(p)); n < chunk-chunk/8 || n > chunk+chunk/8+50 {
			t.Fatalf("chunk of %d bytes, asked for %d", n, chunk)
		}
		last = string(p)
	}
	if n := size(last, "\xff\xff"); n > chunk+chunk/8+50 {
		t.Fatalf("last chunk of %d bytes, asked for %d", n, chunk)
	}
}

func TestBetweenLiesBetween(t *testing.T) {
	for _, c := range [][2]string{{"", "\xff"}, {"a", "b"}, {"a", "a\x00\x01"}, {"a\xff\xff\xff\xff\xff\xff\xff\xff\xff", "b"}, {"abc", "abd"}} {
		low, high := []byte(c[0]), []byte(c[1])
		if m := between(low, high); m == nil || bytes.Compare(low, m) >= 0 || bytes.Compare(m, high) >= 0 {
			t.Errorf("between %q and %q: %q", low, high, m)
		}
	}
	for _, c := range [][2]string{{"a", "a"}, {"a", "a\x00"}, {"b", "a"}} {
		if m := between([]byte(c[0]), []byte(c[1])); m != nil {
			t.Errorf("between %q and %q: %q", c[0], c[1], m)
		}
	}
}
