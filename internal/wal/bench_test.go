package wal

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	benchBytes = 16 << 10
	// benchFileBytes is the part of a file that a benchmark writes over and over.
	benchFileBytes = 32 << 20
)

// BenchmarkAppend compares this log with what the disk can do and with Pebble's
// log writer: bursts of 16 KB batches by one producer, until all are on disk. The
// subjects take turns within each round and the medians are reported, in
// microseconds a batch and as ratios to the raw writes over existing blocks: so
// a noisy disk does the same to all.
//
//	go test -run ^$ -bench Append -benchtime 500x ./internal/wal
func BenchmarkAppend(b *testing.B) {
	for _, burst := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("burst-%d", burst), func(b *testing.B) { benchBursts(b, burst) })
	}
}

// subject writes a burst of batches and returns when they are on disk.
type subject struct {
	name  string
	burst func(batches int)
	took  []time.Duration
}

func benchBursts(b *testing.B, burst int) {
	payload := benchPayload()
	subjects := []*subject{
		{name: "raw", burst: benchRaw(b, payload, true)},
		{name: "raw-fresh", burst: benchRaw(b, payload, false)},
		{name: "wal", burst: benchWAL(b, payload)},
		{name: "pebble", burst: benchPebble(b, payload, true)},
		{name: "pebble-fresh", burst: benchPebble(b, payload, false)},
	}
	b.SetBytes(int64(burst * benchBytes))
	b.ResetTimer()
	for range b.N {
		for _, s := range subjects {
			start := time.Now()
			s.burst(burst)
			s.took = append(s.took, time.Since(start))
		}
	}
	b.StopTimer()
	median := func(s *subject) float64 {
		slices.Sort(s.took)
		return float64(s.took[len(s.took)/2].Nanoseconds()) / 1000 / float64(burst)
	}
	raw := median(subjects[0])
	for _, s := range subjects {
		b.ReportMetric(median(s), s.name+"-µs")
		b.ReportMetric(median(s)/raw, s.name+"/raw")
	}
}

func benchPayload() []byte {
	p := make([]byte, benchBytes)
	for i := range p {
		p[i] = byte(i*31 + i>>8)
	}
	return p
}

// benchWAL is this log in its steady state: segments are recycled.
func benchWAL(b *testing.B, payload []byte) func(int) {
	l, err := Open(Options{FS: vfs.Default, Dir: b.TempDir(), SegmentBytes: benchFileBytes, Logger: discard()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { mustClose(b, l) })
	records := []Record{{Payload: payload}}
	var positions []Position
	one := func(done func(error)) {
		if positions, err = l.Append(positions[:0], records, done); err != nil {
			b.Fatal(err)
		}
	}
	for range 3 * benchFileBytes / benchBytes {
		one(nil)
	}
	burst := func(batches int) {
		var synced sync.WaitGroup
		synced.Add(batches)
		for range batches {
			one(func(err error) {
				if err != nil {
					b.Error(err)
				}
				synced.Done()
			})
		}
		synced.Wait()
		l.DropBefore(positions[0])
	}
	burst(1)
	return burst
}

// rollingFile is a file that is written from the beginning again when it is
// full, if its blocks are to be used again.
type rollingFile struct {
	vfs.File
	offset   int64
	recycled bool
}

// newRollingFile returns a file that is new, or one whose blocks were all written.
func newRollingFile(b *testing.B, recycled bool) *rollingFile {
	f, err := vfs.Default.OpenReadWrite(b.TempDir()+"/file", writeCategory)
	if err != nil {
		b.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for off := int64(0); recycled && off < benchFileBytes+2<<20; off += 1 << 20 {
		if _, err := f.WriteAt(zeros, off); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	return &rollingFile{File: f, recycled: recycled}
}

func (f *rollingFile) Write(p []byte) (int, error) {
	n, err := f.WriteAt(p, f.offset)
	f.offset += int64(n)
	if f.recycled && f.offset >= benchFileBytes {
		f.offset = 0
	}
	return n, err
}

func (f *rollingFile) Sync() error { return f.SyncData() }

// benchRaw writes a whole burst with one call and syncs once.
func benchRaw(b *testing.B, payload []byte, recycled bool) func(int) {
	f := newRollingFile(b, recycled)
	b.Cleanup(func() { _ = f.Close() })
	return func(batches int) {
		if _, err := f.Write(slices.Repeat(payload, batches)); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// benchPebble is Pebble's log writer, with the chunks that name a synced offset.
func benchPebble(b *testing.B, payload []byte, recycled bool) func(int) {
	w := record.NewLogWriter(newRollingFile(b, recycled), 1, record.LogWriterConfig{
		WALFsyncLatency:     prometheus.NewHistogram(prometheus.HistogramOpts{}),
		WriteWALSyncOffsets: func() bool { return true },
	})
	b.Cleanup(func() {
		if err := w.Close(); err != nil {
			b.Error(err)
		}
	})
	return func(batches int) {
		var synced sync.WaitGroup
		errs := make([]error, batches)
		synced.Add(batches)
		for i := range batches {
			if _, err := w.SyncRecord(payload, &synced, &errs[i]); err != nil {
				b.Fatal(err)
			}
		}
		synced.Wait()
		for _, err := range errs {
			if err != nil {
				b.Error(err)
			}
		}
	}
}
