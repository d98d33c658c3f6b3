package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"
)

// tiny is big enough for every workload.
func tiny(clients int) settings {
	return settings{Records: 1000, CacheBytes: 4 << 20, Clients: clients, Seconds: 0.01}
}

// forEachDriver runs f on a loaded store of each kind.
func forEachDriver(t *testing.T, clients int, f func(t *testing.T, d driver, s *session)) {
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			s, err := openSession(d, t.TempDir(), tiny(clients))
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.store.Close(); err != nil {
					t.Error(err)
				}
			}()
			if _, err := s.load(t.Context()); err != nil {
				t.Fatal(err)
			}
			f(t, d, s)
		})
	}
}

func TestLoadWritesEveryRecordOnce(t *testing.T) {
	forEachDriver(t, 3, func(t *testing.T, _ driver, s *session) {
		if err := s.store.Read(t.Context(), s.records.keys); err != nil {
			t.Error(err)
		}
		// All records and, behind them, the hot key.
		rows, err := s.store.Scan(t.Context(), s.records.keys[0], 10*len(s.records.keys))
		if err != nil || rows != len(s.records.keys)+1 {
			t.Errorf("%d rows, %v", rows, err)
		}
	})
}

func TestEveryWorkloadRunsOnEveryStoreThatCan(t *testing.T) {
	forEachDriver(t, 4, func(t *testing.T, d driver, s *session) {
		for _, w := range workloads() {
			if w.isolated && !d.isolated {
				continue
			}
			var commits atomic.Uint64
			err := s.each(func(_ int, c *client) error {
				for range 20 {
					if _, err := w.once(t.Context(), s.store, c); err != nil {
						return err
					}
					commits.Add(1)
				}
				return nil
			})
			if err != nil {
				t.Fatalf("%s: %v", w.name, err)
			}
			if w.check == nil {
				continue
			}
			if err := w.check(t.Context(), s.store, s.clients[0], commits.Load()); err != nil {
				t.Errorf("%s: %v", w.name, err)
			}
			if err := w.check(t.Context(), s.store, s.clients[0], commits.Load()+1); err == nil {
				t.Errorf("%s: the check did not notice a lost update", w.name)
			}
		}
	})
}

func TestMeasuredRunCountsTheCommitsOfAllPhases(t *testing.T) {
	forEachDriver(t, 4, func(t *testing.T, d driver, s *session) {
		if !d.isolated {
			return
		}
		hot, err := workloadNamed("hot1")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			// The run's own check compares the commits with the hot key.
			if _, err := s.run(t.Context(), hot, ""); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestReadsRefuseMissingKeysAndWrongValues(t *testing.T) {
	forEachDriver(t, 1, func(t *testing.T, _ driver, s *session) {
		ctx := t.Context()
		key := s.records.keys[7]
		missing := []byte("key-that-is-not!")
		if err := s.store.Read(ctx, [][]byte{key, missing}); err == nil {
			t.Error("Read of a missing key succeeded")
		}
		if _, err := s.store.Write(ctx, [][]byte{key}, []byte("short")); err != nil {
			t.Fatal(err)
		}
		if err := s.store.Read(ctx, [][]byte{key}); err == nil {
			t.Error("Read of a short value succeeded")
		}
		if _, err := s.store.ReadWrite(ctx, [][]byte{key}, s.records.keys[8], make([]byte, valueBytes)); err == nil {
			t.Error("ReadWrite of a short value succeeded")
		}
		if _, err := s.store.Modify(ctx, key, increment); err == nil {
			t.Error("Modify of a short value succeeded")
		}
		if _, err := s.store.Modify(ctx, missing, increment); err == nil {
			t.Error("Modify of a missing key succeeded")
		}
		if _, err := s.store.Scan(ctx, key, 1); err == nil {
			t.Error("Scan over a short value succeeded")
		}
		if rows, err := s.store.Scan(ctx, s.records.keys[8], 5); err != nil || rows != 5 {
			t.Errorf("Scan returned %d rows, %v", rows, err)
		}
	})
}

func TestWhatIsWrittenIsThereAfterReopening(t *testing.T) {
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := openSession(d, dir, tiny(1))
			if err != nil {
				t.Fatal(err)
			}
			value := make([]byte, valueBytes)
			binary.LittleEndian.PutUint64(value, 41)
			key := s.records.keys[3]
			_, err = s.store.Write(t.Context(), [][]byte{key}, value)
			if err == nil {
				_, err = s.store.Modify(t.Context(), key, increment)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := s.store.Close(); err != nil {
				t.Fatal(err)
			}
			if counter := counterAfterReopening(t, d, dir, key); counter != 42 {
				t.Errorf("the counter is %d, want 42", counter)
			}
		})
	}
}

func counterAfterReopening(t *testing.T, d driver, dir string, key []byte) (counter uint64) {
	t.Helper()
	s, err := d.open(dir, tiny(1))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Modify(context.Background(), key, func(value []byte) ([]byte, error) {
		counter = binary.LittleEndian.Uint64(value)
		return increment(value)
	})
	if err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return counter
}

func TestKeysHaveTheirLengthAndOrder(t *testing.T) {
	r := makeRecords(1000)
	for i, key := range r.keys {
		if len(key) != keyBytes || (i > 0 && string(r.keys[i-1]) >= string(key)) {
			t.Fatalf("key %d is %q", i, key)
		}
	}
	if last := string(r.keys[len(r.keys)-1]); string(hotKey()) <= last || len(hotKey()) != keyBytes {
		t.Errorf("the hot key %q is not behind %q", hotKey(), last)
	}
	first, second := newClient(r, 1), newClient(r, 1)
	if fmt.Sprint(first.pick(5)) != fmt.Sprint(second.pick(5)) {
		t.Error("the same seed picks different keys")
	}
}
