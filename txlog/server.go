package txlog

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/raftgroup"
	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
)

const (
	// defaultCutBytes is how much of the log must be forgettable before a
	// checkpoint is worth writing.
	defaultCutBytes = 16 << 20
	// stallMillis is how long a batch may wait for its predecessor.
	stallMillis = 500
)

// Config describes one replica of a log group.
type Config struct {
	// Group, Replica, Voters, Log, Retain, Send, CacheBytes and Tick are those
	// of raftgroup.Config.
	Group      uint32
	Replica    uint64
	Voters     []uint64
	Log        raftgroup.Log
	Retain     func(pos wal.Position)
	Send       func([]*pb.Message)
	CacheBytes int
	Tick       time.Duration
	// CutBytes is how much of the log must be forgettable before it is cut; 0
	// is 16 MiB.
	CutBytes int
	Logger   *slog.Logger
}

// Server is one replica of a log group. All methods are safe for concurrent
// use.
type Server struct {
	config Config
	group  *raftgroup.Group
	done   chan struct{}
	// live is the generation whose appends are accepted, 0 if there is none.
	live atomic.Uint64
	// reorder says that proposals were lost: the order begins anew.
	reorder atomic.Bool

	// order puts appends in order before they are proposed. Its lock is held
	// while proposing; the answers of proposals must not take it.
	order struct {
		sync.Mutex
		orderer orderer
	}

	mu struct {
		sync.Mutex
		closed bool
		core   *Core
		// cut says that the log was cut since it was opened.
		cut bool
		// advanced is closed when more can be peeked; nil if nobody waits.
		advanced chan struct{}
	}
}

// Open starts a replica from what replay found in the log. A replica that is
// alone leads when Open returns. Close ends it.
func Open(ctx context.Context, config Config, replay *raftgroup.Replay) (*Server, error) {
	if config.CutBytes == 0 {
		config.CutBytes = defaultCutBytes
	}
	s := &Server{config: config, done: make(chan struct{})}
	s.mu.core = NewCore()
	s.reorder.Store(true)
	group, err := raftgroup.Open(ctx, raftgroup.Config{
		Group: config.Group, Replica: config.Replica, Voters: config.Voters, Log: config.Log,
		StateMachine: (*machine)(s), Retain: config.Retain, Send: config.Send,
		CacheBytes: config.CacheBytes, Tick: config.Tick, Logger: config.Logger,
	}, replay)
	if err != nil {
		return nil, err
	}
	s.group = group
	if len(config.Voters) == 1 {
		if err := group.WaitLeader(ctx); err != nil {
			group.Close()
			return nil, err
		}
	}
	return s, nil
}

// Append hands in a batch. done is called exactly once, from any goroutine,
// perhaps before Append returns: with nil when the batch is durable and
// applied (also for a repeat); ErrGenerationEnded or ErrChainBroken when it
// never will be by this request; raftgroup.ErrNotLeader when another replica
// leads. After any other error it may still be applied. done must not block.
func (s *Server) Append(req *wire.AppendRequest, done func(error)) {
	s.order.Lock()
	defer s.order.Unlock()
	o := &s.order.orderer
	if s.isClosed() {
		done(wire.ErrDatabaseClosed) // what came early would wait in vain
		return
	}
	if s.reorder.Swap(false) {
		s.mu.Lock()
		o.restart(s.mu.core.End())
		s.mu.Unlock()
	}
	a := &arrival{req: req, done: done}
	ready, err := o.arrive(a)
	if err != nil {
		done(err)
		return
	}
	if len(ready) == 0 {
		a.stall = time.AfterFunc(stallMillis*time.Millisecond, func() { s.stalled(a) })
	}
	for _, r := range ready {
		if r.stall != nil {
			r.stall.Stop()
		}
		if fault.Point("txlog.append.repeat") {
			s.propose(r.req, func(error) {}) // as a proxy does that got no answer
		}
		s.propose(r.req, r.done)
	}
}

func (s *Server) propose(req *wire.AppendRequest, done func(error)) {
	data := command{
		kind: commandAppend, generation: req.Generation, prev: req.Prev, version: req.Version,
		knownCommitted: req.KnownCommitted, body: req.Body,
	}.encode()
	s.group.Propose(data, func(_ any, err error) {
		if err != nil {
			s.reorder.Store(true)
		}
		done(err)
	})
}

// stalled ends the wait of a batch whose predecessor did not come.
func (s *Server) stalled(a *arrival) {
	s.order.Lock()
	waited := s.order.orderer.remove(a)
	s.order.Unlock()
	if waited {
		a.done(wire.ErrChainBroken.With("batch %d waited %d ms for its predecessor %d", a.req.Version, stallMillis, a.req.Prev))
	}
}

// Lock shuts out every earlier generation and returns the version at which the
// log ends. It returns ErrGenerationEnded if a newer one has locked it.
func (s *Server) Lock(ctx context.Context, generation wire.Generation) (end wire.Version, err error) {
	result, err := s.run(ctx, command{kind: commandLock, generation: generation})
	if err != nil {
		return 0, err
	}
	return result.(wire.Version), nil
}

// Begin starts a generation that has locked the log: what lies above recovery
// is removed, and first becomes the predecessor of the first batch. It returns
// ErrGenerationEnded unless the log is locked at exactly this generation.
func (s *Server) Begin(ctx context.Context, generation wire.Generation, recovery, first wire.Version) error {
	_, err := s.run(ctx, command{kind: commandBegin, generation: generation, prev: recovery, version: first})
	s.reorder.Store(true)
	return err
}

// Pop notes that the storage server of tag has everything at or below upTo on
// its disk, and cuts the log when that frees enough of it.
func (s *Server) Pop(ctx context.Context, tag wire.Tag, upTo wire.Version) error {
	if _, err := s.run(ctx, command{kind: commandPop, tag: tag, version: upTo}); err != nil {
		return err
	}
	return s.cut()
}

// run proposes a command and waits for its result.
func (s *Server) run(ctx context.Context, c command) (any, error) {
	type outcome struct {
		result any
		err    error
	}
	done := make(chan outcome, 1)
	s.group.Propose(c.encode(), func(result any, err error) { done <- outcome{result, err} })
	select {
	case o := <-done:
		return o.result, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// cut gives up what every tag has popped, if it is enough to be worth a
// checkpoint. The first time after an opening anything is: each opening begins a
// new segment, and a store that is opened often and written to little would
// keep them all.
func (s *Server) cut() error {
	s.mu.Lock()
	index := s.mu.core.Forgettable()
	if index == 0 || s.mu.cut && s.group.BytesThrough(index) < s.config.CutBytes && !fault.Point("txlog.cut.early") {
		s.mu.Unlock()
		return nil
	}
	s.mu.cut = true
	index, snapshot, _ := s.mu.core.Cut()
	s.mu.Unlock()
	return s.group.Compact(index, snapshot)
}

// ConfirmLive returns nil if generation is the one whose appends the log
// accepts, else ErrGenerationEnded. In a group of one that is known locally.
func (s *Server) ConfirmLive(_ context.Context, generation wire.Generation) error {
	if len(s.config.Voters) != 1 {
		return wire.ErrInternal.With("a log group of several replicas cannot be asked for its generation yet")
	}
	if wire.Generation(s.live.Load()) != generation || generation == 0 {
		return wire.ErrGenerationEnded
	}
	return nil
}

// Status is what a replica can say of itself.
type Status struct {
	// Locked is the newest generation that has locked the log.
	Locked wire.Generation `json:"locked"`
	// End is the version of the last batch, KnownCommitted the newest version
	// that peeks show.
	End            wire.Version `json:"end"`
	KnownCommitted wire.Version `json:"known_committed"`
	// Popped holds what each tag has popped.
	Popped map[wire.Tag]wire.Version `json:"popped"`
	// UnpoppedBatches is how many batches the log keeps for some tag.
	UnpoppedBatches int `json:"unpopped_batches"`
}

// Status returns the state of the replica now.
func (s *Server) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.mu.core
	return Status{Locked: c.Locked(), End: c.End(), KnownCommitted: c.KnownCommitted(), Popped: c.Tags(), UnpoppedBatches: len(c.items)}
}

func (s *Server) isClosed() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Close ends the replica: peeks and unanswered appends get ErrDatabaseClosed.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.mu.closed {
		s.mu.closed = true
		close(s.done)
	}
	s.mu.Unlock()
	s.order.Lock()
	early := s.order.orderer.drain()
	s.order.Unlock()
	for _, a := range early {
		a.stall.Stop()
		a.done(wire.ErrDatabaseClosed)
	}
	s.group.Close()
}
