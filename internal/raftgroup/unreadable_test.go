package raftgroup

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wal"
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
