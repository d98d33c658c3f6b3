package resolver

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// benchShape describes the transactions of a benchmark.
type benchShape struct {
	name string
	keys int // how many different keys
	// prefix is put before the random part of each key.
	prefix string
	// rangeReads makes the read a range of about a hundred of the keys;
	// rangeWritesOf10 of ten writes are such a range.
	rangeReads      bool
	rangeWritesOf10 int
	// hotOf10 of ten transactions read and write one of ten keys.
	hotOf10 int
	// lag is how far the read version is behind the batch's.
	lag wire.Version
}

const (
	benchBatch = 500
	// benchStep is the distance of batches: 500,000 transactions a second.
	benchStep wire.Version = 1000
	recently  wire.Version = 5 * benchStep
)

var benchShapes = []benchShape{
	{name: "points/keys=200k", keys: 200_000, lag: recently},
	{name: "points/keys=10M", keys: 10_000_000, lag: recently},
	{name: "points/keys=10M/prefix=20", keys: 10_000_000, lag: recently, prefix: "a prefix of 20 bytes"},
	{name: "points/keys=10M/lag=4s", keys: 10_000_000, lag: 4_000_000},
	{name: "hot/keys=10M", keys: 10_000_000, lag: recently, hotOf10: 8},
	{name: "rangereads/keys=10M", keys: 10_000_000, lag: recently, rangeReads: true},
	{name: "rangereads/keys=10M/lag=1s", keys: 10_000_000, lag: 1_000_000, rangeReads: true},
	{name: "rangewrites/keys=10M", keys: 10_000_000, lag: recently, rangeReads: true, rangeWritesOf10: 2},
	{name: "pointreads-rangewrites/keys=10M", keys: 10_000_000, lag: recently, rangeWritesOf10: 2},
}

func (b *benchShape) key(i int) []byte {
	// Multiplying by an odd number scatters the keys; the high half orders.
	key := make([]byte, len(b.prefix)+16)
	copy(key, b.prefix)
	binary.BigEndian.PutUint64(key[len(b.prefix):], uint64(i)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(key[len(b.prefix)+8:], uint64(i))
	return key
}

func (b *benchShape) keyRange(i int) wire.KeyRange {
	begin := b.key(i)
	end := append([]byte(nil), begin...)
	at := end[len(b.prefix):]
	wide := binary.BigEndian.Uint64(at)
	if width := uint64(1<<63) / uint64(b.keys) * 200; wide > ^uint64(0)-width {
		wide = ^uint64(0)
	} else {
		wide += width
	}
	binary.BigEndian.PutUint64(at, wide)
	return wire.KeyRange{Begin: begin, End: end}
}

// fill makes a batch, in place, whose read versions are set later.
func (b *benchShape) fill(rng *rand.Rand, batch []wire.ResolveTransaction) {
	pick := func() int {
		if rng.IntN(10) < b.hotOf10 {
			return rng.IntN(10)
		}
		return rng.IntN(b.keys)
	}
	for i := range batch {
		read, write := pick(), pick()
		if b.hotOf10 > 0 {
			write = read
		}
		reads, writes := wire.SingleKey(b.key(read)), wire.SingleKey(b.key(write))
		if b.rangeReads {
			reads = b.keyRange(read)
		}
		if rng.IntN(10) < b.rangeWritesOf10 {
			writes = b.keyRange(write)
		}
		batch[i] = wire.ResolveTransaction{
			ReadConflicts: []wire.KeyRange{reads}, WriteConflicts: []wire.KeyRange{writes},
		}
	}
}

// meter measures batches in processor time, the garbage collector's included.
type meter struct {
	batches, committed int
	total, longest     time.Duration
}

func (m *meter) add(took time.Duration, verdicts []wire.Verdict) {
	for _, v := range verdicts {
		if v == wire.Committed {
			m.committed++
		}
	}
	m.batches++
	m.total += took
	m.longest = max(m.longest, took)
}

func (m *meter) report(b *testing.B) {
	transactions := float64(m.batches * benchBatch)
	b.ReportMetric(transactions/m.total.Seconds(), "txn/cpu-s")
	b.ReportMetric(float64(m.longest.Microseconds()), "cpu-µs-longest")
	b.ReportMetric(float64(m.committed)/transactions, "committed")
}

// runBench fills the window, then measures batches; making them is not timed.
func runBench(b *testing.B, shape benchShape, decide func(wire.Version, []wire.ResolveTransaction) []wire.Verdict) {
	rng := rand.New(rand.NewPCG(1, 2))
	batches := make([][]wire.ResolveTransaction, 64) // that are made at a time
	for i := range batches {
		batches[i] = make([]wire.ResolveTransaction, benchBatch)
	}
	version := wire.Version(1_000_000_000)
	var m meter
	var rest [][]wire.ResolveTransaction // of batches
	next := func() {
		if len(rest) == 0 {
			b.StopTimer()
			for i := range batches {
				shape.fill(rng, batches[i])
			}
			rest = batches
			b.StartTimer()
		}
		batch := rest[0]
		rest = rest[1:]
		version += benchStep
		for i := range batch {
			batch[i].ReadVersion = version - shape.lag
		}
		begin := cpuTime()
		verdicts := decide(version, batch)
		m.add(cpuTime()-begin, verdicts)
	}
	for range (wire.WindowVersions + wire.WindowVersions/8) / benchStep {
		next()
	}
	b.ReportAllocs()
	m = meter{}
	for b.Loop() {
		next()
	}
	m.report(b)
}

func BenchmarkConflictSet(b *testing.B) {
	for _, shape := range benchShapes {
		b.Run(shape.name, func(b *testing.B) {
			s := NewConflictSet(0, 0)
			runBench(b, shape, func(v wire.Version, batch []wire.ResolveTransaction) []wire.Verdict {
				verdicts, _ := s.Decide(v, batch)
				return verdicts
			})
			st := s.Stats()
			b.ReportMetric(float64(st.Bytes)/(1<<20), "MiB")
			if st.FloorRaises > 0 {
				b.Logf("the memory limit was reached %d times", st.FloorRaises)
			}
		})
	}
}

func BenchmarkReference(b *testing.B) {
	for _, shape := range benchShapes {
		b.Run(shape.name, func(b *testing.B) {
			s := newReference(0)
			runBench(b, shape, s.Decide)
		})
	}
}

// BenchmarkResolver measures a whole resolver as an embedded store calls it:
// in order, from one goroutine.
func BenchmarkResolver(b *testing.B) {
	r := New(Config{Role: 1})
	defer r.Close()
	req := &wire.ResolveRequest{Role: 1}
	runBench(b, benchShapes[1], func(v wire.Version, batch []wire.ResolveTransaction) []wire.Verdict {
		req.Prev, req.Acknowledged = req.Version, req.Version
		req.Version, req.Transactions = v, batch
		reply, err := r.Resolve(b.Context(), req)
		if err != nil {
			b.Fatal(err)
		}
		return reply.Verdicts
	})
}
