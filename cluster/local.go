package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/raftgroup"
	"github.com/plinthdb/plinth/internal/usage"
	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/resolver"
	"github.com/plinthdb/plinth/sequencer"
	"github.com/plinthdb/plinth/storage"
	"github.com/plinthdb/plinth/txlog"
	"github.com/plinthdb/plinth/txn"
)

// localGroup, localReplica and localTag name the only ones that a Local has.
const (
	localGroup   uint32   = 0
	localReplica uint64   = 1
	localTag     wire.Tag = 0
)

// LocalConfig says where a local store lives and how large its parts may grow.
// Limits that are zero have defaults.
type LocalConfig struct {
	FS     vfs.FS
	Dir    string
	Logger *slog.Logger

	// CacheBytes and WindowBytes bound the storage server's block cache and
	// window.
	CacheBytes  int64
	WindowBytes int
	// MemTableBytes is the size of one of the engine's memtables.
	MemTableBytes int
	// LogCacheBytes bounds the recent batches that the log keeps in memory,
	// LogSegmentBytes is the size of its files, LogCutBytes how much must be
	// forgettable before it is cut.
	LogCacheBytes   int
	LogSegmentBytes int64
	LogCutBytes     int
	// ResolverBytes bounds the resolver's memory.
	ResolverBytes int64
	// MaxPendingBytes bounds the transactions that wait to be committed.
	MaxPendingBytes int
	// MaxBatchCount, MaxBatchBytes and MaxInFlight shape the commit proxy's
	// batches.
	MaxBatchCount, MaxBatchBytes, MaxInFlight int
	// MaxWaitingVersions bounds the transactions that wait for a read version,
	// MaxWaitingReads the reads that wait for theirs to arrive.
	MaxWaitingVersions, MaxWaitingReads int
	// PeekBytes and MaxRangeBytes end one reply of the log to the storage server,
	// and one of the storage server to a range read.
	PeekBytes, MaxRangeBytes int
	// StepVersions is how many versions move from the window to the engine at a
	// time, IdleAfter when all do because nothing is committed, and FlushInterval
	// how long the engine may keep them in memory; see storage.Config.
	StepVersions             wire.Version
	IdleAfter, FlushInterval time.Duration
}

// Local is a whole store in one process: every role once. Its methods are what
// a client needs; they are safe for concurrent use.
type Local struct {
	config LocalConfig
	dir    *directory
	wal    *wal.Log
	log    *txlog.Server

	// id is that of the store, which never changes (C5).
	id         wire.StoreID
	generation wire.Generation
	sequencer  *sequencer.Sequencer
	resolver   *resolver.Resolver
	storage    *storage.Server
	versions   *txn.ReadVersionProxy
	commits    *txn.CommitProxy
	load       *load
	recent     recent

	// opened says that OpenLocal has succeeded, openedAt when.
	opened   atomic.Bool
	openedAt time.Time
	closing  sync.Once
	// life ends with the store; its cause is why nothing is served any more.
	life     context.Context
	endLife  context.CancelCauseFunc
	ending   sync.Once
	closeErr error
}

// OpenLocal opens the store in config.Dir, or makes a new one there: it takes
// the directory's lock, replays the log, makes sure that the engine goes on in it
// (C4), ends the generation before and begins the next (C2). It returns when the
// storage server has what the log holds, since the proxies need to know the
// system keys, and has the id of a new store on disk. The context bounds only
// the opening.
//
// It returns ErrDirectoryInUse, ErrNewerFormat, ErrFileCorrupt, ErrDiskFull or
// ErrIO, each naming what is wrong, or the cause of ctx. What was opened by then
// is closed again, and the directory can be opened as before.
func OpenLocal(ctx context.Context, config LocalConfig) (_ *Local, err error) {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Local{config: config}
	l.life, l.endLife = context.WithCancelCause(context.Background())
	defer func() {
		if err != nil {
			if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
				err = context.Cause(ctx) // not every part below looks for it
			}
			l.end(err)
			_ = l.Close()
		}
	}()
	if l.dir, err = openDirectory(config.FS, config.Dir); err != nil {
		return nil, err
	}
	if err := l.openLog(ctx); err != nil {
		return nil, err
	}
	if err := l.openStorage(ctx); err != nil {
		return nil, err
	}
	first, err := l.recover(ctx)
	if err != nil {
		return nil, err
	}
	system, id, err := l.systemKeys(ctx, first)
	if err != nil {
		return nil, err
	}
	l.recruit(first, system)
	if err := l.settleID(ctx, first, id); err != nil {
		return nil, err
	}
	l.openedAt = time.Now()
	l.recent.begin(sample{at: l.openedAt, work: wire.Workload{CPUSeconds: usage.CPUTime().Seconds()}})
	l.opened.Store(true)
	return l, nil
}

// openLog replays the write-ahead log and starts the log group on it.
func (l *Local) openLog(ctx context.Context) (err error) {
	replay := raftgroup.NewReplay()
	l.wal, err = wal.Open(wal.Options{
		FS: l.config.FS, Dir: l.config.FS.PathJoin(l.config.Dir, logDir), Logger: l.config.Logger,
		SegmentBytes: l.config.LogSegmentBytes, QueueLimitBytes: raftgroup.LogQueueBytes, OnFatal: l.end,
		Replay: func(rec wal.Record, pos wal.Position) error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if rec.Group != localGroup {
				return wire.ErrFileCorrupt.With("the log holds records of group %d, this store has only group %d", rec.Group, localGroup)
			}
			return replay.Record(rec, pos)
		},
	})
	if err != nil {
		return err
	}
	l.log, err = txlog.Open(ctx, txlog.Config{
		Group: localGroup, Replica: localReplica, Voters: []uint64{localReplica}, Log: l.wal,
		Retain: l.wal.DropBefore, CacheBytes: l.config.LogCacheBytes, CutBytes: l.config.LogCutBytes,
		Logger: l.config.Logger,
	}, replay)
	if err != nil {
		return fmt.Errorf("log, directory %s: %w", l.config.FS.PathJoin(l.config.Dir, logDir), err)
	}
	return nil
}

// recover ends the generation before and begins the next one, as
// docs/architecture.md §8 has it for a single log group. It returns F, the
// version that the new generation starts from.
func (l *Local) recover(ctx context.Context) (first wire.Version, err error) {
	l.generation = l.log.Status().Locked + 1
	end, err := l.log.Lock(ctx, l.generation)
	if err != nil {
		return 0, err
	}
	first = end + wire.RecoveryVersionStep
	if err := l.log.Begin(ctx, l.generation, end, first); err != nil {
		return 0, err
	}
	l.config.Logger.Info("generation begins", "generation", l.generation, "recovery_version", end, "first_version", first)
	return first, nil
}

// openStorage opens the engine. This comes before the recovery, which writes to
// the log: if the two do not fit together nothing has been changed (C4).
func (l *Local) openStorage(ctx context.Context) (err error) {
	log := l.log.Status()
	closed, err := readClosed(l.config.FS, l.config.Dir)
	if err != nil {
		return err
	}
	l.storage, err = storage.Open(ctx, storage.Config{
		FS: l.config.FS, Dir: l.config.FS.PathJoin(l.config.Dir, storageDir), Tag: localTag, Log: l.log,
		CacheBytes: l.config.CacheBytes, WindowBytes: l.config.WindowBytes, MemTableBytes: l.config.MemTableBytes,
		PeekBytes: l.config.PeekBytes, MaxRangeBytes: l.config.MaxRangeBytes, MaxWaitingReads: l.config.MaxWaitingReads,
		StepVersions: l.config.StepVersions, IdleAfter: l.config.IdleAfter, FlushInterval: l.config.FlushInterval,
		Logger: l.config.Logger, OnFatal: l.end,
	})
	if err != nil {
		return err
	}
	f := fit{dir: l.config.Dir, fs: l.config.FS, end: log.End, popped: log.Popped[localTag], engine: l.storage.Opened(), closed: closed}
	return f.err()
}

// systemKeys reads what the proxies need to know of the system keys, and the id
// of the store. It waits until the storage server has what the log holds.
func (l *Local) systemKeys(ctx context.Context, first wire.Version) (_ *txn.SystemKeys, id []byte, err error) {
	request := &wire.GetValuesRequest{
		Version: first,
		Keys:    [][]byte{[]byte(wire.DatabaseLockedKey), []byte(wire.MetadataVersionKey), []byte(wire.ClusterIDKey)},
	}
	for {
		reply, err := l.storage.GetValues(ctx, request)
		if err == nil {
			system := txn.NewSystemKeys(first, reply.Values[0], reply.Values[1])
			return system, reply.Values[2], l.readTagThrottles(ctx, first, system)
		}
		if reason := l.Err(); reason != nil {
			return nil, nil, reason
		}
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		if !errors.Is(err, wire.ErrFutureVersion) && !errors.Is(err, wire.ErrProcessBehind) {
			return nil, nil, err
		}
	}
}

// recruit starts the roles of the generation, all with first as their floor.
func (l *Local) recruit(first wire.Version, system *txn.SystemKeys) {
	sequencerRole, resolverRole := wire.RoleID(rand.Uint64()), wire.RoleID(rand.Uint64())
	l.sequencer = sequencer.New(sequencer.Config{Role: sequencerRole, Floor: first})
	l.resolver = resolver.New(resolver.Config{Role: resolverRole, Floor: first, LimitBytes: l.config.ResolverBytes, OnStall: l.end})
	l.commits = txn.NewCommitProxy(txn.CommitConfig{
		Generation: l.generation, Floor: first, Role: wire.RoleID(rand.Uint64()), SequencerRole: sequencerRole, ResolverRole: resolverRole,
		Sequencer: l.sequencer, Resolver: l.resolver, Log: l.log, Shards: txn.SingleTeam(localTag), SystemKeys: system,
		OnFailure: l.end, MaxPendingBytes: l.config.MaxPendingBytes,
		MaxBatchCount: l.config.MaxBatchCount, MaxBatchBytes: l.config.MaxBatchBytes, MaxInFlight: l.config.MaxInFlight,
	})
	l.load = &load{sequencer: l.sequencer, storage: l.storage, commits: l.commits, begun: time.Now()}
	l.versions = txn.NewReadVersionProxy(txn.ReadVersionConfig{
		Generation: l.generation, SequencerRole: sequencerRole, Sequencer: l.sequencer, Log: l.log, SystemKeys: system,
		Load: l.load, MaxWaiters: l.config.MaxWaitingVersions,
	})
}

// end notes why the store serves nothing any more (C3). Only the first reason
// counts.
func (l *Local) end(reason error) {
	l.ending.Do(func() {
		l.endLife(reason)
		// Who fails to open a store is told why; there was none that could end.
		if l.opened.Load() && !errors.Is(reason, wire.ErrDatabaseClosed) {
			l.config.Logger.Error("the store has ended", "dir", l.config.Dir, "err", reason)
		}
	})
}

// Err returns why the store serves nothing any more, nil while it does.
func (l *Local) Err() error { return context.Cause(l.life) }

// Ended is closed when the store serves nothing any more; Err then says why.
func (l *Local) Ended() <-chan struct{} { return l.life.Done() }

// explain replaces what a role says after the end by the reason for it, except
// what says more about a transaction. No generation follows in this process, so
// there is nothing to run a transaction again on.
func (l *Local) explain(err error) error {
	reason := l.Err()
	switch {
	case err == nil || reason == nil || wire.MaybeCommitted(err):
		return err
	case wire.Retryable(err) && !errors.Is(err, wire.ErrGenerationEnded):
		return err
	}
	return reason
}

// ReadVersion returns a read version, see txn.ReadVersionProxy.
func (l *Local) ReadVersion(ctx context.Context, req wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	if err := l.Err(); err != nil {
		return wire.ReadVersionReply{}, err
	}
	reply, err := l.versions.ReadVersion(ctx, req)
	return reply, l.explain(err)
}

// GetValues reads many keys at one version, see storage.Server.
func (l *Local) GetValues(ctx context.Context, req *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	if err := l.Err(); err != nil {
		return wire.GetValuesReply{}, err
	}
	reply, err := l.storage.GetValues(ctx, req)
	return reply, l.explain(err)
}

// GetRange reads the rows of a range at one version, see storage.Server.
func (l *Local) GetRange(ctx context.Context, req *wire.GetRangeRequest) (wire.GetRangeReply, error) {
	if err := l.Err(); err != nil {
		return wire.GetRangeReply{}, err
	}
	reply, err := l.storage.GetRange(ctx, req)
	return reply, l.explain(err)
}

// GetKey resolves a key selector at one version, see storage.Server.
func (l *Local) GetKey(ctx context.Context, req *wire.GetKeyRequest) (wire.GetKeyReply, error) {
	if err := l.Err(); err != nil {
		return wire.GetKeyReply{}, err
	}
	reply, err := l.storage.GetKey(ctx, req)
	return reply, l.explain(err)
}

// EstimateBytes returns about how many bytes the rows with begin <= key < end
// take, see storage.Server. That does not wait, so the context is only looked at.
func (l *Local) EstimateBytes(ctx context.Context, begin, end []byte) (int64, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if err := l.Err(); err != nil {
		return 0, err
	}
	n, err := l.storage.EstimateBytes(begin, end)
	return n, l.explain(err)
}

// Watch returns when a key's value has changed, see storage.Server, or when the
// store ends: the storage server does not hear of every reason for that.
func (l *Local) Watch(ctx context.Context, req *wire.WatchRequest) (wire.WatchReply, error) {
	if err := l.Err(); err != nil {
		return wire.WatchReply{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(l.life, func() { cancel(context.Cause(l.life)) })
	defer stop()
	reply, err := l.storage.Watch(ctx, req)
	return reply, l.explain(err)
}

// Commit commits a transaction, see txn.CommitProxy.
func (l *Local) Commit(ctx context.Context, req *wire.CommitRequest) (wire.CommitReply, error) {
	if err := l.Err(); err != nil {
		return wire.CommitReply{}, err
	}
	if err := l.keepPace(ctx); err != nil {
		return wire.CommitReply{}, l.explain(err)
	}
	reply, err := l.commits.Commit(ctx, req)
	return reply, l.explain(err)
}

// maxLagVersions is how far the storage server may fall behind the commits
// before they wait for it: half a second.
const maxLagVersions = wire.VersionsPerSecond / 2

// keepPace makes a commit wait while the storage server is behind, so that the
// log cannot outgrow the disk: readers wait for it anyway, blind writers would
// not. It returns ErrProcessBehind, with nothing committed, if the storage
// server does not catch up. A version that the storage server has left behind
// already is fine.
func (l *Local) keepPace(ctx context.Context) error {
	if fault.Point("cluster.pace.behind") {
		return wire.ErrProcessBehind
	}
	pace := l.sequencer.Committed() - maxLagVersions
	if l.storage.Version() >= pace {
		return nil
	}
	_, err := l.storage.GetValues(ctx, &wire.GetValuesRequest{Version: pace})
	switch {
	case errors.Is(err, wire.ErrFutureVersion):
		return wire.ErrProcessBehind
	case errors.Is(err, wire.ErrTransactionTooOld):
		return nil
	}
	return err
}

// Close ends the store: the roles in the order of the pipeline, then what is
// on disk. It returns the error that ended the store before, if one did.
func (l *Local) Close() error {
	l.closing.Do(func() {
		l.end(wire.ErrDatabaseClosed)
		l.closeErr = l.close()
	})
	return l.closeErr
}

func (l *Local) close() error {
	var errs []error
	if l.commits != nil {
		l.commits.Close()
		l.versions.Close()
		l.sequencer.Close()
		l.resolver.Close()
	}
	if l.storage != nil {
		errs = append(errs, l.storage.Close())
	}
	if l.log != nil {
		l.log.Close()
	}
	if l.wal != nil {
		errs = append(errs, l.wal.Close())
	}
	if l.commits != nil && errors.Join(errs...) == nil && errors.Is(l.Err(), wire.ErrDatabaseClosed) {
		errs = append(errs, l.dir.noteClosed(l.log.Status().End))
	}
	if l.dir != nil {
		errs = append(errs, l.dir.close())
	}
	if reason := l.Err(); !errors.Is(reason, wire.ErrDatabaseClosed) {
		return reason
	}
	return errors.Join(errs...)
}
