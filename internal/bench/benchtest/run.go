package benchtest

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"testing"

	"github.com/plinthdb/plinth/internal/bench"
)

// Run tests the driver on stores in temporary directories, for a second or
// two.
func Run(t *testing.T, d bench.Driver) {
	k := kit{d}
	t.Run("LoadWritesEveryRecordOnce", k.load)
	t.Run("EveryWorkloadThatTheStoreCanRuns", k.workloads)
	t.Run("AMeasuredRunCountsTheCommitsOfAllPhases", k.measured)
	t.Run("ReadsRefuseMissingKeysAndWrongValues", k.refusals)
	t.Run("WhatIsWrittenIsThereAfterReopening", k.reopening)
}

// kit is the tests of one driver.
type kit struct{ driver bench.Driver }

// tiny is big enough for every workload.
func tiny(clients int) bench.Settings {
	return bench.Settings{Records: 1000, CacheBytes: 4 << 20, Clients: clients, Seconds: 0.01}
}

// open opens a store that the end of the test closes.
func (k kit) open(t *testing.T, clients int) *bench.Session {
	t.Helper()
	s, err := bench.Open(k.driver, t.TempDir(), tiny(clients))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (k kit) load(t *testing.T) {
	s := k.open(t, 3)
	keys := s.Records().Keys()
	if err := s.Store().Read(t.Context(), keys); err != nil {
		t.Error(err)
	}
	// All records and, behind them, the hot key.
	rows, err := s.Store().Scan(t.Context(), keys[0], 10*len(keys))
	if err != nil || rows != len(keys)+1 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func (k kit) workloads(t *testing.T) {
	s := k.open(t, 4)
	for _, w := range bench.Workloads() {
		if w.Isolated && !k.driver.Isolated {
			continue
		}
		var commits atomic.Uint64
		err := s.Each(func(_ int, c *bench.Client) error {
			for range 20 {
				if _, err := w.Once(t.Context(), s.Store(), c); err != nil {
					return err
				}
				commits.Add(1)
			}
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", w.Name, err)
		}
		if w.Check == nil {
			continue
		}
		if err := w.Check(t.Context(), s.Store(), commits.Load()); err != nil {
			t.Errorf("%s: %v", w.Name, err)
		}
		if err := w.Check(t.Context(), s.Store(), commits.Load()+1); err == nil {
			t.Errorf("%s: the check did not notice a lost update", w.Name)
		}
	}
}

func (k kit) measured(t *testing.T) {
	if !k.driver.Isolated {
		return
	}
	s := k.open(t, 4)
	hot, err := bench.WorkloadNamed("hot1")
	if err != nil {
		t.Fatal(err)
	}
	var before uint64
	for range 2 {
		// The run's own check compares the commits with the hot key.
		r, err := s.Run(t.Context(), hot, bench.RunOptions{})
		if err != nil || r.Checked < before+r.Transactions {
			t.Errorf("%d commits were checked after %d and %d more, %v", r.Checked, before, r.Transactions, err)
		}
		before = r.Checked
	}
}

func (k kit) refusals(t *testing.T) {
	session, ctx := k.open(t, 1), t.Context()
	s, keys := session.Store(), session.Records().Keys()
	key, missing := keys[7], []byte("key-that-is-not!")
	if err := s.Read(ctx, [][]byte{key, missing}); err == nil {
		t.Error("Read of a missing key succeeded")
	}
	if _, err := s.Write(ctx, [][]byte{key}, []byte("short")); err != nil {
		t.Fatal(err)
	}
	if err := s.Read(ctx, [][]byte{key}); err == nil {
		t.Error("Read of a short value succeeded")
	}
	if _, err := s.ReadWrite(ctx, [][]byte{key}, keys[8], make([]byte, bench.ValueBytes)); err == nil {
		t.Error("ReadWrite of a short value succeeded")
	}
	if _, err := s.Modify(ctx, key, bench.Increment); err == nil {
		t.Error("Modify of a short value succeeded")
	}
	if _, err := s.Modify(ctx, missing, bench.Increment); err == nil {
		t.Error("Modify of a missing key succeeded")
	}
	if _, err := s.Scan(ctx, key, 1); err == nil {
		t.Error("Scan over a short value succeeded")
	}
	if rows, err := s.Scan(ctx, keys[8], 5); err != nil || rows != 5 {
		t.Errorf("Scan returned %d rows, %v", rows, err)
	}
}

func (k kit) reopening(t *testing.T) {
	dir := t.TempDir()
	s, err := bench.Open(k.driver, dir, tiny(1))
	if err != nil {
		t.Fatal(err)
	}
	value := make([]byte, bench.ValueBytes)
	binary.LittleEndian.PutUint64(value, 41)
	key := s.Records().Keys()[3]
	_, err = s.Store().Write(t.Context(), [][]byte{key}, value)
	if err == nil {
		_, err = s.Store().Modify(t.Context(), key, bench.Increment)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if counter := k.counterAfterReopening(t, dir, key); counter != 42 {
		t.Errorf("the counter is %d, want 42", counter)
	}
}

func (k kit) counterAfterReopening(t *testing.T, dir string, key []byte) (counter uint64) {
	t.Helper()
	s, err := k.driver.Open(dir, tiny(1))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Modify(context.Background(), key, func(value []byte) ([]byte, error) {
		counter = binary.LittleEndian.Uint64(value)
		return bench.Increment(value)
	})
	if err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return counter
}
