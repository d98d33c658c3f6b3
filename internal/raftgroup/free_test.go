package raftgroup

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
)

// compactedButNotFreed returns a log of several segments that ends in a
// checkpoint of everything before, as a process leaves it that is killed right
// after that: the hard state of the same compaction is torn off, and nothing was
// given up. term is that of the last hard state.
func compactedButNotFreed(t *testing.T) (fs *vfs.MemFS, term uint64) {
	t.Helper()
	fs = vfs.NewCrashableMem()
	r, err := openReplica(fs, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := r.propose(strings.Repeat("x", 8<<10)); err != nil {
			t.Fatal(err)
		}
	}
	r.group.mu.Lock()
	index, term := r.group.mu.applied, r.group.mu.hardState.GetTerm()
	r.group.mu.Unlock()
	_, conf, _ := r.group.store.InitialState()
	// A checkpoint of an earlier term than the hard state's: the term alone would
	// not bring that back.
	payload, err := encodeCheckpoint(base{index: index, term: term - 1, conf: conf, snapshot: []byte("all")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.log.Append(nil, []wal.Record{{Kind: recordCheckpoint, Index: index, Payload: payload}}, nil); err != nil {
		t.Fatal(err)
	}
	if segments := r.log.Stats().Segments; segments < 4 {
		t.Fatalf("the log has only %d segments", segments)
	}
	r.close()
	return fs, term
}

// What stands before the checkpoint that a replica starts from was given up only
// at the next checkpoint, which a short life does not come to.
func TestOpeningGivesUpWhatStandsBeforeTheCheckpoint(t *testing.T) {
	fs, _ := compactedButNotFreed(t)
	r, err := openReplica(fs, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	// The answer comes after everything that Open has written is on disk.
	if err := r.propose("next"); err != nil {
		t.Fatal(err)
	}
	if segments := r.log.Stats().Segments; segments > 2 {
		t.Errorf("G4: %d segments are left", segments)
	}
	if r.machine.restored != "all" {
		t.Errorf("restored %q", r.machine.restored)
	}
}

// moment is what is on disk when a replica says what it does not need any more.
type moment struct {
	fs   *vfs.MemFS
	keep wal.Position
}

// kept returns what the log holds at that moment from keep on.
func (m moment) kept(t *testing.T) *Replay {
	t.Helper()
	rest := NewReplay()
	log, err := wal.Open(wal.Options{
		FS: m.fs, Dir: "log", Logger: slog.New(slog.DiscardHandler),
		Replay: func(rec wal.Record, pos wal.Position) error {
			if pos.Segment < m.keep.Segment {
				return nil
			}
			return rest.Record(rec, pos)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return rest
}

// Whenever the replica says what it does not need any more, at its opening and
// at a compaction, checkpoint and hard state are on disk in the rest.
func TestTheHardStateIsOnDiskBeforeItsOldRecordIsGivenUp(t *testing.T) {
	fs, term := compactedButNotFreed(t)
	replay := NewReplay()
	quiet := slog.New(slog.DiscardHandler)
	log, err := wal.Open(wal.Options{FS: fs, Dir: "log", SegmentBytes: 16 << 10, QueueLimitBytes: LogQueueBytes, Replay: replay.Record, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	moments := make(chan moment, 10)
	r := &replica{fs: fs, log: log, machine: &machine{}}
	r.group, err = Open(context.Background(), Config{
		Replica: 1, Voters: []uint64{1}, Log: log, StateMachine: r.machine, Logger: quiet,
		Retain: func(keep wal.Position) { moments <- moment{fs.CrashClone(vfs.CrashCloneCfg{}), keep} },
	}, replay)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if rest := (<-moments).kept(t); !rest.found || rest.hardState.GetTerm() < term {
		t.Errorf("G4: after the opening the log holds a checkpoint: %v, and a hard state of term %d, it was %d", rest.found, rest.hardState.GetTerm(), term)
	}
	for range 5 {
		if err := r.propose(strings.Repeat("x", 8<<10)); err != nil {
			t.Fatal(err)
		}
	}
	r.machine.mu.Lock()
	index := r.machine.indexes[len(r.machine.indexes)-1]
	r.machine.mu.Unlock()
	if err := r.group.Compact(index, nil); err != nil {
		t.Fatal(err)
	}
	// The replica has been elected since.
	if rest := (<-moments).kept(t); !rest.found || rest.checkpoint.index != index || rest.hardState.GetTerm() <= term {
		t.Errorf("G4: after the compaction the log holds a checkpoint at %d, and a hard state of term %d, it was above %d", rest.checkpoint.index, rest.hardState.GetTerm(), term)
	}
}

// A log that holds no hard state yet, only the checkpoint that it begins with,
// starts in the checkpoint's term, with what that covers committed.
func TestACheckpointAloneMakesAHardState(t *testing.T) {
	payload, err := encodeCheckpoint(base{index: 9, term: 4, conf: &pb.ConfState{Voters: []uint64{1}}})
	if err != nil {
		t.Fatal(err)
	}
	replay := NewReplay()
	if err := replay.Record(wal.Record{Kind: recordCheckpoint, Index: 9, Payload: payload}, wal.Position{Segment: 1}); err != nil {
		t.Fatal(err)
	}
	store, err := replay.store(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if hs, conf, _ := store.InitialState(); hs.GetTerm() != 4 || hs.GetCommit() != 9 || len(conf.GetVoters()) != 1 {
		t.Errorf("hard state %v, voters %v", hs, conf)
	}
}

// What is not applied is in no snapshot.
func TestACompactionBeyondWhatIsAppliedIsRefused(t *testing.T) {
	r, err := openReplica(vfs.NewMem(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.propose("entry"); err != nil {
		t.Fatal(err)
	}
	last, _ := r.group.store.LastIndex()
	if err := r.group.Compact(last+1, nil); !errors.Is(err, wire.ErrInternal) {
		t.Errorf("compaction through entry %d of %d: %v", last+1, last, err)
	}
	if first, _ := r.group.store.FirstIndex(); first > last {
		t.Errorf("the log begins at %d", first)
	}
}
