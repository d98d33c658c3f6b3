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

var errDisk = errors.New("the disk does not answer")

// deafLog is a write-ahead log from which nothing can be read back.
type deafLog struct{ *wal.Log }

func (deafLog) ReadAt(wal.Position, []byte) (wal.Record, error) { return wal.Record{}, errDisk }

// A read error while Raft looked for entries to apply went through the whole
// program as a panic (simulation, seeds 1, 2, 5 and 6 of 2026-11-23).
func TestEntryThatCannotBeReadEndsTheReplicaAndNotTheProgram(t *testing.T) {
	fs := vfs.NewMem()
	r, err := openReplica(fs, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := r.propose(strings.Repeat("x", 100)); err != nil {
			t.Fatal(err)
		}
	}
	r.close()

	// The new replica has to read what it replays: a cache of one byte keeps
	// nothing in memory.
	replay := NewReplay()
	log, err := wal.Open(wal.Options{FS: fs, Dir: "log", QueueLimitBytes: LogQueueBytes, Replay: replay.Record, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	g, err := Open(context.Background(), Config{
		Replica: 1, Voters: []uint64{1}, Log: deafLog{log}, StateMachine: &machine{},
		CacheBytes: 1, Logger: slog.New(slog.DiscardHandler),
	}, replay)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := g.WaitLeader(context.Background()); !errors.Is(err, errDisk) {
		t.Errorf("WaitLeader = %v, want the error of the disk", err)
	}
	done := make(chan error, 1)
	g.Propose([]byte("x"), func(_ any, err error) { done <- err })
	if err := <-done; !errors.Is(err, errDisk) {
		t.Errorf("G3: a proposal got %v, want the error of the disk", err)
	}
}

// beyond is a message of a leader that has lost its mind, or that this replica
// has lost its log for: it says that entries are committed which nobody has.
func beyond() *pb.Message {
	heartbeat, from, to, term, commit := pb.MsgHeartbeat, uint64(2), uint64(1), uint64(100), uint64(1<<40)
	return &pb.Message{Type: &heartbeat, From: &from, To: &to, Term: &term, Commit: &commit}
}

func TestRaftThatFindsItsStateBrokenEndsTheReplicaAndNotTheProgram(t *testing.T) {
	n := &network{replicas: make(map[uint64]*replica), cutOff: make(map[uint64]bool)}
	replicas := make(map[uint64]*replica)
	for id := range uint64(3) {
		replicas[id+1] = n.start(t, id+1, vfs.NewMem())
	}
	leader(t, replicas)
	g := replicas[1].group
	acknowledged := make(chan error, 1)
	g.mu.Lock()
	func() {
		defer g.recoverLocked()
		// What the same step was going to say is taken back.
		g.mu.outbox = append(g.mu.outbox, beyond())
		g.mu.answers = append(g.mu.answers, answer{done: func(_ any, err error) { acknowledged <- err }})
		t.Errorf("raft takes it: %v", g.mu.node.Step(beyond()))
	}()
	if len(g.mu.outbox) > 0 {
		t.Errorf("G5: %v is sent", g.mu.outbox)
	}
	g.unlock()
	if err := <-acknowledged; !errors.Is(err, wire.ErrInternal) {
		t.Errorf("G5: what had been applied was answered with %v", err)
	}
	if err := g.WaitLeader(t.Context()); !errors.Is(err, wire.ErrInternal) || !strings.Contains(err.Error(), "out of range") {
		t.Errorf("WaitLeader = %v, want what raft has found", err)
	}
	if err := replicas[1].propose("x"); !errors.Is(err, wire.ErrInternal) {
		t.Errorf("G3: a proposal got %v", err)
	}
	g.Step(beyond())
	delete(replicas, 1)
	if err := replicas[leader(t, replicas)].propose("y"); err != nil {
		t.Errorf("the replicas that are sound: %v", err)
	}
	for _, r := range n.replicas {
		r.close()
	}
	n.group.Wait()
}

func TestRaftThatFindsItsStateBrokenAtTheStartIsAnError(t *testing.T) {
	start := func(step func(l raftLogger)) (err error) {
		defer recoverBroken(&err)
		step(raftLogger{slog.New(slog.DiscardHandler)})
		return nil
	}
	for _, step := range []func(l raftLogger){
		func(l raftLogger) { l.Panic("commit ", 7) }, func(l raftLogger) { l.Panicf("commit %d", 7) },
		func(l raftLogger) { l.Fatal("commit ", 7) }, func(l raftLogger) { l.Fatalf("commit %d", 7) },
	} {
		if err := start(step); !errors.Is(err, wire.ErrInternal) || !strings.Contains(err.Error(), "commit 7; ") {
			t.Errorf("the start returns %v, want what raft has found", err)
		}
	}
	defer func() {
		if p := recover(); p != "a mistake" {
			t.Errorf("recovered %v, want the mistake of the program", p)
		}
	}()
	_ = start(func(raftLogger) { panic("a mistake") })
}
