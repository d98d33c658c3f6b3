package raftgroup

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
)

// Errors of proposals, see G3.
var (
	// ErrNotLeader says that this replica does not lead; nothing was proposed.
	ErrNotLeader = errors.New("this replica is not the leader of its group")
	// ErrLost says that another leader's entry took the proposal's place: it
	// will never be applied.
	ErrLost = errors.New("the proposal was lost in a change of leader")
)

// Log is the write-ahead log of the process, see package wal.
//
// A group appends from inside done as well, so Append must not wait for room
// there. It never has to: a group has at most maxUncommittedBytes, and one
// proposal more, that are not on disk, and the log's queue has to be larger.
type Log interface {
	// Append queues records behind everything appended before, appends their
	// positions to positions, and calls done when all of it is on disk.
	Append(positions []wal.Position, records []wal.Record, done func(error)) ([]wal.Position, error)
	// ReadAt reads a record back; its payload may use buf.
	ReadAt(pos wal.Position, buf []byte) (wal.Record, error)
}

// maxUncommittedBytes bounds what a leader has proposed and not yet committed;
// a proposal beyond that is refused.
const maxUncommittedBytes = 64 << 20

// LogQueueBytes is what the queue of the write-ahead log must hold per group.
const LogQueueBytes = 2 * maxUncommittedBytes

// StateMachine is what the group replicates.
type StateMachine interface {
	// Apply takes one committed entry (G2). Its result goes to the proposer.
	// An ErrFileCorrupt says that the entry cannot be read: it ends the
	// replica, which must not go on as if the entry were not there.
	// Apply is called under the group's lock: it must not call the group.
	Apply(index uint64, data []byte) (result any, err error)
	// Restore takes the snapshot of the checkpoint that a start begins with.
	Restore(snapshot []byte) error
}

// Config describes one replica.
type Config struct {
	// Group numbers the group among those that share the log.
	Group uint32
	// Replica is this replica's Raft id, not 0; Voters are all of them.
	Replica uint64
	Voters  []uint64

	Log          Log
	StateMachine StateMachine
	// Retain is called when the group needs nothing in the log before pos any
	// more.
	Retain func(pos wal.Position)
	// Send hands messages to the other replicas and must not block; messages
	// may be lost. Nil in a group of one.
	Send func([]*pb.Message)
	// CacheBytes bounds the entries kept in memory; 0 is 64 MiB.
	CacheBytes int
	// Tick is the unit of Raft's time-outs in a group of several replicas; 0
	// is 50 ms. Heartbeats go every tick, elections begin after ten.
	Tick   time.Duration
	Logger *slog.Logger
}

// Group is one replica. All methods are safe for concurrent use.
type Group struct {
	config Config
	store  *Store
	stop   chan struct{}
	group  sync.WaitGroup
	// leads is closed when this replica has applied an entry of its own term
	// as leader.
	leads chan struct{}

	mu struct {
		sync.Mutex
		node      *raft.RawNode
		hardState *pb.HardState // as written last
		failed    error
		applied   uint64
		// checkpointed is the index of the newest checkpoint that was written.
		checkpointed uint64
		// waiting holds the proposals that are not answered, by index.
		waiting map[uint64]*proposal
		// answers and outbox are worked off when the lock is given up.
		answers []answer
		outbox  []*pb.Message
	}
}

// answer is a proposal's outcome, which done gets.
type answer struct {
	done   func(result any, err error)
	result any
	err    error
}

type proposal struct {
	term uint64
	done func(result any, err error)
	// older is a proposal of an earlier term for the same index, nil as a rule.
	// This replica has lost it, but another may still have it.
	older *proposal
}

// Open starts a replica from what replay found; an empty replay starts a new
// group. The caller must have fed the whole log to replay. Close ends it.
func Open(ctx context.Context, config Config, replay *Replay) (*Group, error) {
	if config.CacheBytes == 0 {
		config.CacheBytes = 64 << 20
	}
	if config.Tick == 0 {
		config.Tick = 50 * time.Millisecond
	}
	g := &Group{config: config, stop: make(chan struct{}), leads: make(chan struct{})}
	g.mu.waiting = make(map[uint64]*proposal)
	fresh := replay.Empty()
	if fresh {
		if err := g.bootstrap(ctx, replay); err != nil {
			return nil, err
		}
	}
	var err error
	if g.store, err = replay.store(config.Log, config.CacheBytes); err != nil {
		return nil, err
	}
	start := g.store.mu.base
	if err := config.StateMachine.Restore(start.snapshot); err != nil {
		return nil, wire.ErrFileCorrupt.Because(err)
	}
	if err := g.startRaft(start.index); err != nil {
		return nil, err
	}
	if !fresh {
		if err := g.freeReplayed(start); err != nil {
			return nil, err
		}
	}
	if g.alone() {
		// Nobody else can lead: no time-outs, no ticks.
		g.do(func() error { return g.mu.node.Campaign() })
		return g, nil
	}
	g.group.Add(1)
	go g.tick()
	return g, nil
}

func (g *Group) alone() bool { return len(g.config.Voters) == 1 }

// bootstrap writes the checkpoint that every log begins with: all replicas of
// a new group start from index 1 of term 1, with the voters in it.
func (g *Group) bootstrap(ctx context.Context, replay *Replay) error {
	b := base{index: 1, term: 1, conf: &pb.ConfState{Voters: g.config.Voters}}
	payload, err := encodeCheckpoint(b)
	if err != nil {
		return err
	}
	rec := wal.Record{Group: g.config.Group, Kind: recordCheckpoint, Index: b.index, Payload: payload}
	done := make(chan error, 1)
	positions, err := g.config.Log.Append(nil, []wal.Record{rec}, func(err error) { done <- err })
	if err != nil {
		return err
	}
	select {
	case err := <-done:
		if err != nil {
			return err
		}
		return replay.Record(rec, positions[0])
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (g *Group) startRaft(applied uint64) (err error) {
	defer recoverBroken(&err)
	node, err := raft.NewRawNode(&raft.Config{
		ID: g.config.Replica, Storage: g.store, Applied: applied,
		ElectionTick: 10, HeartbeatTick: 1, CheckQuorum: true, PreVote: true,
		AsyncStorageWrites: true, DisableProposalForwarding: true,
		MaxSizePerMsg: 1 << 20, MaxCommittedSizePerReady: 16 << 20,
		MaxInflightMsgs: 256, MaxUncommittedEntriesSize: maxUncommittedBytes,
		Logger: raftLogger{g.config.Logger},
	})
	if err != nil {
		return err
	}
	g.mu.node = node
	g.mu.hardState, _, _ = g.store.InitialState()
	g.mu.applied, g.mu.checkpointed = applied, applied
	return nil
}

// tick drives Raft's time-outs in a group of several replicas.
func (g *Group) tick() {
	defer g.group.Done()
	ticker := time.NewTicker(g.config.Tick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			g.do(func() error { g.mu.node.Tick(); return nil })
		case <-g.stop:
			return
		}
	}
}

// Step takes a message from another replica.
func (g *Group) Step(m *pb.Message) {
	g.do(func() error { return g.mu.node.Step(m) })
}

// Propose replicates data, which is shared from then on, and calls done with
// the outcome (G3): perhaps before Propose returns, perhaps on another
// goroutine. done must not block. Proposals are replicated in the order in
// which Propose is called.
func (g *Group) Propose(data []byte, done func(result any, err error)) {
	g.mu.Lock()
	err := g.mu.failed
	if err == nil {
		err = g.proposeLocked(data, done)
	}
	if err != nil {
		g.mu.answers = append(g.mu.answers, answer{done, nil, err})
	}
	g.unlock()
}

func (g *Group) proposeLocked(data []byte, done func(any, error)) (err error) {
	waits := false
	defer func() {
		if err == nil && !waits {
			err = g.mu.failed // Raft could not go on, and nobody else answers.
		}
	}()
	defer g.recoverLocked()
	if err := g.mu.node.Propose(data); err != nil {
		if errors.Is(err, raft.ErrProposalDropped) {
			return ErrNotLeader
		}
		return err
	}
	// Raft has put the entry at the end of its unstable log: the Ready that
	// follows ends with it.
	rd := g.mu.node.Ready()
	last := rd.Entries[len(rd.Entries)-1]
	if invariants.Enabled {
		invariants.Assert(len(last.GetData()) == len(data), "G3: the proposal is not the last entry of its Ready")
	}
	index := last.GetIndex()
	g.mu.waiting[index] = &proposal{term: last.GetTerm(), done: done, older: g.mu.waiting[index]}
	waits = true
	g.handleLocked(rd)
	g.driveLocked()
	return nil
}

// WaitLeader returns once this replica leads its group and has applied
// everything committed before. It returns the reason if the replica has ended,
// or the context's cause.
func (g *Group) WaitLeader(ctx context.Context) error {
	g.mu.Lock()
	leads, failed := g.leads, g.mu.failed
	g.mu.Unlock()
	if failed != nil {
		return failed
	}
	select {
	case <-leads:
		return nil
	case <-g.stop:
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.mu.failed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Entry returns the data of one committed entry, shared; see Store.Entry.
func (g *Group) Entry(index uint64) ([]byte, error) {
	e, err := g.store.Entry(index)
	return e.GetData(), err
}

// BytesThrough returns how many bytes the entries up to index take, with what
// keeping an entry costs.
func (g *Group) BytesThrough(index uint64) int { return g.store.bytesThrough(index) }

// failLocked ends the replica for the given reason. What waits gets it.
func (g *Group) failLocked(err error) {
	if g.mu.failed != nil {
		return
	}
	g.mu.failed = err
	close(g.stop)
	for _, p := range g.mu.waiting {
		for ; p != nil; p = p.older {
			g.answerLocked(p, nil, err)
		}
	}
	clear(g.mu.waiting)
}

// unlock gives up the lock, then sends and answers what has gathered: both may
// run other people's code.
func (g *Group) unlock() {
	answers, outbox := g.mu.answers, g.mu.outbox
	g.mu.answers, g.mu.outbox = nil, nil
	g.mu.Unlock()
	if len(outbox) > 0 && g.config.Send != nil {
		g.config.Send(outbox)
	}
	for _, a := range answers {
		a.done(a.result, a.err)
	}
}

// Close ends the replica: proposals that are not answered get
// ErrDatabaseClosed. The log stays open.
func (g *Group) Close() {
	g.mu.Lock()
	g.failLocked(wire.ErrDatabaseClosed)
	g.unlock()
	g.group.Wait()
}
