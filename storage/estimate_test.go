package storage_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
)

// estimate returns the estimate of a range that must have one.
func estimate(t testing.TB, s *storage.Server, begin, end string) int64 {
	t.Helper()
	n, err := s.EstimateBytes([]byte(begin), []byte(end))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEstimateCountsTheWindowAndTheEngine(t *testing.T) {
	const rows, rowBytes = 4000, 1000
	l, fs := newFakeLog(), vfs.NewMem()
	s := open(t, fs, l, quickFlush)
	random, value := rand.NewChaCha8([32]byte{}), make([]byte, rowBytes)
	var list []wire.Mutation
	for i := range rows {
		random.Read(value)
		list = append(list, set(fmt.Sprintf("k%04d", i), string(value)))
	}
	check := func(part string) {
		t.Helper()
		for _, c := range []struct {
			begin, end string
			want       int64
		}{
			{"", "\xff", rows * rowBytes}, {"k0000", "k2000", rows * rowBytes / 2}, {"k1000", "k2000", rows * rowBytes / 4}, {"l", "m", 0},
		} {
			if got := estimate(t, s, c.begin, c.end); got < c.want*8/10 || got > c.want*12/10 {
				t.Errorf("%s: estimate of %q to %q is %d, want about %d", part, c.begin, c.end, got, c.want)
			}
		}
	}
	l.append(1_000_000, list...)
	get(t, s, 1_000_000, "k")
	check("window")

	l.reach(9_000_000)
	l.awaitPop(1_000_000)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, fs, l, nil)
	if keys := s.Stats().WindowKeys; keys != 0 {
		t.Fatalf("the window has %d keys", keys)
	}
	check("engine")
}

func TestEstimateRefusesInvertedRangesAndClosedServers(t *testing.T) {
	s := open(t, vfs.NewMem(), newFakeLog(), nil)
	if n := estimate(t, s, "a", "a"); n != 0 {
		t.Errorf("an empty range has %d bytes", n)
	}
	if _, err := s.EstimateBytes([]byte("b"), []byte("a")); !errors.Is(err, wire.ErrInvertedRange) {
		t.Errorf("inverted range: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EstimateBytes(nil, []byte("a")); !errors.Is(err, wire.ErrDatabaseClosed) {
		t.Errorf("closed: %v", err)
	}
}
