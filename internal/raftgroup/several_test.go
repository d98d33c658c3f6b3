package raftgroup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/plinthdb/plinth/internal/wal"
)

// network carries messages between replicas, except those that are cut off.
type network struct {
	mu       sync.Mutex
	replicas map[uint64]*replica
	cutOff   map[uint64]bool
	group    sync.WaitGroup
}

// send implements Config.Send: each message on a goroutine of its own, so that
// they also overtake one another.
func (n *network) send(from uint64) func([]*pb.Message) {
	return func(messages []*pb.Message) {
		for _, m := range messages {
			n.group.Go(func() {
				n.mu.Lock()
				to := n.replicas[m.GetTo()]
				lost := to == nil || n.cutOff[from] || n.cutOff[m.GetTo()]
				n.mu.Unlock()
				if !lost {
					to.group.Step(m)
				}
			})
		}
	}
}

func (n *network) cut(id uint64, off bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cutOff[id] = off
}

// start opens replica id on its disk.
func (n *network) start(t *testing.T, id uint64, fs vfs.FS) *replica {
	t.Helper()
	replay := NewReplay()
	quiet := slog.New(slog.DiscardHandler)
	log, err := wal.Open(wal.Options{FS: fs, Dir: "log", SegmentBytes: 16 << 10, QueueLimitBytes: LogQueueBytes, Replay: replay.Record, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{fs: fs, log: log, machine: &machine{}}
	// Messages to a replica that is opening are lost.
	n.mu.Lock()
	delete(n.replicas, id)
	n.mu.Unlock()
	r.group, err = Open(context.Background(), Config{
		Replica: id, Voters: []uint64{1, 2, 3}, Log: log, StateMachine: r.machine, Retain: log.DropBefore,
		Send: n.send(id), Logger: quiet,
	}, replay)
	if err != nil {
		t.Fatal(err)
	}
	n.mu.Lock()
	n.replicas[id] = r
	n.mu.Unlock()
	return r
}

// leader waits until one of the replicas leads, and returns it.
func leader(t *testing.T, replicas map[uint64]*replica) (id uint64) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	leads := make(chan uint64, len(replicas))
	var group sync.WaitGroup
	for id, r := range replicas {
		group.Go(func() {
			if r.group.WaitLeader(ctx) == nil {
				leads <- id
			}
		})
	}
	id = <-leads
	cancel()
	group.Wait()
	return id
}

// Three replicas agree, while one after the other is cut off with a proposal
// that nobody else hears of. That proposal is answered when the replica hears
// that another entry took its place, and all histories are the same, also after
// restarts.
func TestThreeReplicasAgreeWhenTheLeaderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{replicas: make(map[uint64]*replica), cutOff: make(map[uint64]bool)}
		all := make(map[uint64]*replica)
		for id := range uint64(3) {
			all[id+1] = n.start(t, id+1, vfs.NewMem())
		}
		var want []string
		for round := range 4 {
			old := leader(t, all)
			text := fmt.Sprint("round ", round)
			if err := all[old].propose(text); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			want = append(want, text)
			n.cut(old, true)
			lost := make(chan error, 1)
			all[old].group.Propose([]byte("nobody hears this"), func(_ any, err error) { lost <- err })
			rest := make(map[uint64]*replica)
			for id, r := range all {
				if id != old {
					rest[id] = r
				}
			}
			next := leader(t, rest)
			text = fmt.Sprint("without ", old)
			if err := all[next].propose(text); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			want = append(want, text)
			n.cut(old, false)
			if err := <-lost; !errors.Is(err, ErrLost) {
				t.Errorf("G3: the proposal that nobody heard of: %v", err)
			}
			if err := all[old].propose("by one who does not lead"); !errors.Is(err, ErrNotLeader) {
				t.Errorf("G3: a proposal to a replica that has lost the lead: %v", err)
			}
			if round%2 == 0 {
				// A restart replays what was replaced, and what replaced it.
				all[old].close()
				all[old] = n.start(t, old, all[old].fs)
			}
		}
		last := leader(t, all)
		if err := all[last].propose("end"); err != nil {
			t.Fatal(err)
		}
		want = append(want, "end")
		for id, r := range all {
			for len(r.history()) < len(want) {
				<-time.After(time.Second)
			}
			if got := fmt.Sprint(r.history()); got != fmt.Sprint(want) {
				t.Errorf("G2: replica %d has applied %s, want %s", id, got, want)
			}
		}
		for _, r := range all {
			r.close()
		}
		n.group.Wait()
	})
}

// history returns what the state machine was given.
func (r *replica) history() []string {
	r.machine.mu.Lock()
	defer r.machine.mu.Unlock()
	return append([]string(nil), r.machine.applied...)
}
