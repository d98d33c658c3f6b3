package cluster

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// benchKeys is how many records the benchmarks write to.
const benchKeys = 200_000

func benchKey(n int) []byte {
	key := make([]byte, 16)
	binary.BigEndian.PutUint64(key, uint64(n)*0x9e3779b97f4a7c15>>1) // below the system's keys
	return key
}

// blindWrite makes a transaction of count sets of 100 bytes.
func blindWrite(version wire.Version, count int) *wire.CommitRequest {
	req := &wire.CommitRequest{ReadVersion: version}
	value := make([]byte, 100)
	for range count {
		key := benchKey(rand.IntN(benchKeys))
		req.WriteConflicts = append(req.WriteConflicts, wire.SingleKey(key))
		req.Mutations = wire.AppendMutation(req.Mutations, wire.Mutation{Type: wire.SetValue, Param1: key, Param2: value})
	}
	return req
}

// parallel runs b.N operations on 64 goroutines.
func parallel(b *testing.B, clients int, operation func()) {
	b.ReportAllocs()
	b.ResetTimer()
	var group sync.WaitGroup
	for c := range clients {
		group.Go(func() {
			for i := c; i < b.N; i += clients {
				operation()
			}
		})
	}
	group.Wait()
	b.StopTimer()
}

// BenchmarkCommit writes blind transactions of ten sets through the pipeline,
// and the same through raw Pebble for comparison, on a real disk.
func BenchmarkCommit(b *testing.B) {
	for _, shape := range []struct {
		name           string
		clients, count int
	}{{"1client-1set", 1, 1}, {"64clients-1set", 64, 1}, {"64clients-10sets", 64, 10}} {
		b.Run("plinth/"+shape.name, func(b *testing.B) {
			l := open(b, vfs.Default, b.TempDir())
			defer closeStore(b, l)
			parallel(b, shape.clients, func() {
				if _, err := l.Commit(context.Background(), blindWrite(readVersion(b, l), shape.count)); err != nil {
					b.Error(err)
				}
			})
		})
		b.Run("pebble/"+shape.name, func(b *testing.B) {
			db, err := pebble.Open(b.TempDir(), &pebble.Options{MemTableSize: 64 << 20, Logger: quiet{}})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			value := make([]byte, 100)
			parallel(b, shape.clients, func() {
				batch := db.NewBatch()
				for range shape.count {
					_ = batch.Set(benchKey(rand.IntN(benchKeys)), value, nil)
				}
				if err := batch.Commit(pebble.Sync); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// BenchmarkReadVersion starts transactions on a store that has nothing else to
// do.
func BenchmarkReadVersion(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("%dclients", clients), func(b *testing.B) {
			l := open(b, vfs.NewMem(), "data")
			defer closeStore(b, l)
			parallel(b, clients, func() { readVersion(b, l) })
		})
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}
