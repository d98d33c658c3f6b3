//go:build unix

package storage_test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
)

const (
	benchKeys       = 200_000
	benchValueBytes = 100
	benchCacheBytes = 256 << 20
)

// benchKey is a 16-byte key, spread over the lower half of the key space.
func benchKey(i int) []byte {
	key := make([]byte, 16)
	binary.BigEndian.PutUint64(key, uint64(i)*0x9e3779b97f4a7c15>>1)
	binary.BigEndian.PutUint64(key[8:], uint64(i))
	return key
}

// benchServer returns a server whose engine holds all keys, compacted, and the
// version to read at.
func benchServer(b *testing.B) (*storage.Server, *fakeLog, wire.Version) {
	l := newFakeLog()
	s := open(b, vfs.NewMem(), l, func(cfg *storage.Config) {
		cfg.CacheBytes, cfg.FlushInterval = benchCacheBytes, 100*time.Millisecond
	})
	value := make([]byte, benchValueBytes)
	version := wire.Version(0)
	for i := 0; i < benchKeys; {
		var list []byte
		for range 1000 {
			list = wire.AppendMutation(list, wire.Mutation{Type: wire.SetValue, Param1: benchKey(i), Param2: value})
			i++
		}
		version += 10_000
		l.appendLists(version, list)
	}
	l.reach(version + 10_000_000)
	l.awaitPop(version)
	if err := s.CompactForTest(); err != nil {
		b.Fatal(err)
	}
	return s, l, version + 10_000_000
}

// benchPebble returns a Pebble store with the same content and cache.
func benchPebble(b *testing.B) *pebble.DB {
	opts := &pebble.Options{FS: vfs.NewMem(), CacheSize: benchCacheBytes, DisableWAL: true, FormatMajorVersion: pebble.FormatNewest, Logger: quietLogger{}, MemTableSize: 64 << 20}
	for i := range len(opts.Levels) - 1 {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open("raw", opts)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	value := make([]byte, benchValueBytes)
	for i := range benchKeys {
		if err := db.Set(benchKey(i), value, pebble.NoSync); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := db.Compact(context.Background(), []byte{0}, []byte{0xff, 0xff}, false); err != nil {
		b.Fatal(err)
	}
	return db
}

// reportCPU reports the processor time of an operation, of all goroutines: on
// a shared machine it says more than the time that passed.
func reportCPU(b *testing.B) func() {
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
}

// benchStores returns a raw store and servers of the same content: one with
// everything in the engine, one with writes in the window as well.
func benchStores(b *testing.B) (db *pebble.DB, servers map[string]*benchTarget) {
	db = benchPebble(b)
	s, _, version := benchServer(b)
	full, l, fullVersion := benchServer(b)
	return db, map[string]*benchTarget{
		"Server":           {s, version},
		"ServerWithWindow": {full, fillWindow(l, fullVersion, benchKeys/2)},
	}
}

type benchTarget struct {
	s       *storage.Server
	version wire.Version
}

// fillWindow writes keys that stay in the window and returns their version.
func fillWindow(l *fakeLog, version wire.Version, count int) wire.Version {
	for range count / 100 {
		version += 100
		l.appendLists(version, benchList(100))
	}
	return version
}

// benchList sets random keys.
func benchList(count int) []byte {
	value := make([]byte, benchValueBytes)
	var list []byte
	for range count {
		list = wire.AppendMutation(list, wire.Mutation{Type: wire.SetValue, Param1: benchKey(rand.IntN(benchKeys)), Param2: value})
	}
	return list
}

// BenchmarkTenPointReads compares one GetValues of ten keys with ten raw Gets.
// An operation is ten keys.
func BenchmarkTenPointReads(b *testing.B) {
	db, servers := benchStores(b)
	b.Run("Pebble", func(b *testing.B) {
		b.ReportAllocs()
		defer reportCPU(b)()
		for b.Loop() {
			for range 10 {
				value, closer, err := db.Get(benchKey(rand.IntN(benchKeys)))
				if err != nil || len(value) != benchValueBytes {
					b.Fatal(err)
				}
				closer.Close()
			}
		}
	})
	for name, target := range servers {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			defer reportCPU(b)()
			req := &wire.GetValuesRequest{Version: target.version, Keys: make([][]byte, 10)}
			for b.Loop() {
				for i := range req.Keys {
					req.Keys[i] = benchKey(rand.IntN(benchKeys))
				}
				reply, err := target.s.GetValues(b.Context(), req)
				if err != nil || len(reply.Values[9]) != benchValueBytes {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkScanOfAHundredRows compares GetRange with a raw iterator.
func BenchmarkScanOfAHundredRows(b *testing.B) {
	db, servers := benchStores(b)
	b.Run("Pebble", func(b *testing.B) {
		b.ReportAllocs()
		defer reportCPU(b)()
		for b.Loop() {
			iter, err := db.NewIter(&pebble.IterOptions{LowerBound: benchKey(rand.IntN(benchKeys))})
			if err != nil {
				b.Fatal(err)
			}
			rows, size := 0, 0
			for ok := iter.First(); ok && rows < 100; ok = iter.Next() {
				size += len(iter.Key()) + len(iter.Value())
				rows++
			}
			iter.Close()
		}
	})
	for name, target := range servers {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			defer reportCPU(b)()
			for b.Loop() {
				req := &wire.GetRangeRequest{Version: target.version, Begin: benchKey(rand.IntN(benchKeys)), End: []byte("\xff"), LimitRows: 100}
				if _, err := target.s.GetRange(b.Context(), req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWrites compares applying and advancing with raw batches, both with
// flushes and compactions. An operation is one mutation of a random key; the
// server's versions advance as at 100,000 mutations a second, so that its
// window is full.
func BenchmarkWrites(b *testing.B) {
	value := make([]byte, benchValueBytes)
	db := benchPebble(b)
	s, l, version := benchServer(b)
	b.Run("Pebble", func(b *testing.B) {
		b.ReportAllocs()
		defer reportCPU(b)()
		for i := 0; i < b.N; {
			batch := db.NewBatch()
			for range 100 {
				if err := batch.Set(benchKey(rand.IntN(benchKeys)), value, nil); err != nil {
					b.Fatal(err)
				}
				i++
			}
			if err := batch.Commit(pebble.NoSync); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Server", func(b *testing.B) {
		b.ReportAllocs()
		defer reportCPU(b)()
		for i := 0; i < b.N; i += 100 {
			version += 1000
			l.appendLists(version, benchList(100))
			if version > s.Version()+100_000 {
				if _, err := s.GetValues(b.Context(), &wire.GetValuesRequest{Version: version - 50_000}); err != nil {
					b.Fatal(err)
				}
			}
		}
		if _, err := s.GetValues(b.Context(), &wire.GetValuesRequest{Version: version}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(s.Stats().WindowBytes)/(1<<20), "window-MiB")
	})
}
