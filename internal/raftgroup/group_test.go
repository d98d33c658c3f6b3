package raftgroup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
)

// machine is a state machine that remembers what it was given.
type machine struct {
	mu       sync.Mutex
	restored string
	applied  []string
	indexes  []uint64
}

func (m *machine) Apply(index uint64, data []byte) (any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.applied = append(m.applied, string(data))
	m.indexes = append(m.indexes, index)
	return len(m.applied), nil
}

func (m *machine) Restore(snapshot []byte) error {
	m.restored = string(snapshot)
	return nil
}

// replica is a group of one on a log of its own.
type replica struct {
	fs      vfs.FS
	log     *wal.Log
	group   *Group
	machine *machine
}

func openReplica(fs vfs.FS, cacheBytes int) (*replica, error) {
	replay := NewReplay()
	log, err := wal.Open(wal.Options{FS: fs, Dir: "log", SegmentBytes: 16 << 10, QueueLimitBytes: LogQueueBytes, Replay: replay.Record, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	r := &replica{fs: fs, log: log, machine: &machine{}}
	r.group, err = Open(context.Background(), Config{
		Replica: 1, Voters: []uint64{1}, Log: log, StateMachine: r.machine, Retain: log.DropBefore,
		CacheBytes: cacheBytes, Logger: slog.New(slog.DiscardHandler),
	}, replay)
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	if err := r.group.WaitLeader(context.Background()); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return r, nil
}

func (r *replica) close() {
	r.group.Close()
	_ = r.log.Close()
}

func (r *replica) propose(data string) error {
	done := make(chan error, 1)
	r.group.Propose([]byte(data), func(_ any, err error) { done <- err })
	return <-done
}

func TestProposalsAreAppliedInOrderAndSurviveARestart(t *testing.T) {
	fs := vfs.NewMem()
	r, err := openReplica(fs, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprint("entry ", i))
		if err := r.propose(want[i]); err != nil {
			t.Fatal(err)
		}
	}
	r.close()
	r, err = openReplica(fs, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if got := fmt.Sprint(r.machine.applied); got != fmt.Sprint(want) {
		t.Errorf("G2: after the restart applied %s", got)
	}
}

func TestProposalsOfManyGoroutinesAreAnsweredOnceEach(t *testing.T) {
	r, err := openReplica(vfs.NewMem(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	var group sync.WaitGroup
	results := make(chan any, 400)
	for g := range 8 {
		group.Go(func() {
			for i := range 50 {
				r.group.Propose(fmt.Append(nil, g, i), func(result any, err error) {
					if err != nil {
						result = err
					}
					results <- result
				})
			}
		})
	}
	group.Wait()
	seen := make(map[any]bool)
	for range 400 {
		result := <-results
		if _, isCount := result.(int); !isCount || seen[result] {
			t.Fatalf("G3: answer %v, seen before: %v", result, seen[result])
		}
		seen[result] = true
	}
}

// A random history of proposals, compactions, crashes and restarts loses
// nothing that was answered, and keeps the order.
func TestCrashesLoseNothingThatWasAnswered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fs := vfs.NewCrashableMem()
		var acked []string // the proposals that were answered
		number := 0
		for range rapid.IntRange(1, 6).Draw(t, "lives") {
			r, err := openReplica(fs, rapid.SampledFrom([]int{1, 500, 1 << 20}).Draw(t, "cache"))
			if err != nil {
				t.Fatalf("open: %v", err)
			}
			history := append(restoredHistory(r.machine.restored), r.machine.applied...)
			if len(history) < len(acked) {
				t.Fatalf("only %d of %d answered proposals are there", len(history), len(acked))
			}
			for i := range acked {
				if history[i] != acked[i] {
					t.Fatalf("proposal %d is %q, want %q", i, history[i], acked[i])
				}
			}
			acked = history
			for range rapid.IntRange(0, 40).Draw(t, "proposals") {
				number++
				data := fmt.Sprintf("%d-%0*d", number, rapid.SampledFrom([]int{0, 10, 3000}).Draw(t, "size"), 0)
				if err := r.propose(data); err != nil {
					t.Fatalf("propose: %v", err)
				}
				acked = append(acked, data)
			}
			if n := len(r.machine.indexes); n > 0 && rapid.Bool().Draw(t, "compact") {
				keep := rapid.IntRange(1, n).Draw(t, "through")
				cut := len(acked) - n + keep
				if err := r.group.Compact(r.machine.indexes[keep-1], encodeHistory(acked[:cut])); err != nil {
					t.Fatalf("compact: %v", err)
				}
				if err := r.log.Sync(); err != nil {
					t.Fatal(err)
				}
			}
			checkEntries(t, r)
			if rapid.Bool().Draw(t, "crash") {
				percent := rapid.IntRange(0, 100).Draw(t, "kept")
				clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(uint64(number), 1))})
				r.close()
				fs = clone
				continue
			}
			r.close()
		}
	})
}

// checkEntries reads every entry that the machine was given back from the
// Raft log, whether it is in memory or on disk.
func checkEntries(t *rapid.T, r *replica) {
	first, _ := r.group.store.FirstIndex()
	for i, index := range r.machine.indexes {
		data, err := r.group.Entry(index)
		if index < first {
			continue
		}
		if err != nil || string(data) != r.machine.applied[i] {
			t.Fatalf("entry %d reads %q, %v; applied was %q", index, data, err, r.machine.applied[i])
		}
	}
}

func encodeHistory(history []string) []byte {
	var buf []byte
	for _, h := range history {
		buf = append(buf, h...)
		buf = append(buf, '|')
	}
	return buf
}

func restoredHistory(snapshot string) (history []string) {
	for snapshot != "" {
		for i := range snapshot {
			if snapshot[i] == '|' {
				history, snapshot = append(history, snapshot[:i]), snapshot[i+1:]
				break
			}
		}
	}
	return history
}

func TestAClosedGroupRefusesProposals(t *testing.T) {
	r, err := openReplica(vfs.NewMem(), 0)
	if err != nil {
		t.Fatal(err)
	}
	r.close()
	if err := r.propose("late"); !errors.Is(err, wire.ErrDatabaseClosed) {
		t.Errorf("proposal after close: %v", err)
	}
	if err := r.group.WaitLeader(context.Background()); !errors.Is(err, wire.ErrDatabaseClosed) {
		t.Errorf("wait for the leader after close: %v", err)
	}
}

// A proposal for an index that an earlier term's proposal still waits for took
// its place, and the earlier one was never answered.
func TestProposalsForOneIndexAreAllAnswered(t *testing.T) {
	r, err := openReplica(vfs.NewMem(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	older := make(chan error, 1)
	r.group.mu.Lock()
	next, _ := r.group.store.LastIndex()
	next++
	r.group.mu.waiting[next] = &proposal{term: 0, done: func(_ any, err error) { older <- err }}
	r.group.mu.Unlock()
	if err := r.propose("newer"); err != nil {
		t.Errorf("G3: the newer proposal: %v", err)
	}
	if err := <-older; !errors.Is(err, ErrLost) {
		t.Errorf("G3: the older proposal: %v", err)
	}
}

// The cache counted the data of entries alone, so that tiny entries took many
// times its limit.
func TestTinyEntriesKeepTheLimitOfTheCache(t *testing.T) {
	const limit = 10_000
	r, err := openReplica(vfs.NewMem(), limit)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for range 200 {
		if err := r.propose("x"); err != nil {
			t.Fatal(err)
		}
	}
	cached := 0
	for _, s := range r.group.store.mu.slots {
		if s.entry != nil {
			cached++
		}
	}
	if cached > limit/entryOverheadBytes+1 {
		t.Errorf("%d entries are in memory, for a limit of %d bytes", cached, limit)
	}
}
