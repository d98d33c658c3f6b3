package storage

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage/internal/window"
)

// Server is a running storage server. Its methods may be called by many
// goroutines at once.
type Server struct {
	cfg    Config
	engine *engine
	gate   *gate

	// mu guards the window. The apply loop is the only one that adds to it, in
	// short pieces; the advance loop takes the old end away.
	mu struct {
		sync.RWMutex
		win *window.Window
	}
	// applied is the newest published version (S1), advancing the version that
	// the engine stands at or is being moved to (S3), engineVersion the one it
	// stands at, durable and popped the ones in flushed tables and reported to
	// the log (S5). Each only grows.
	applied, advancing, engineVersion, durable, popped atomicVersion
	// idle is the version up to which the window may move to the engine
	// whatever its age in versions.
	idle atomicVersion
	// windowBytes is the size of the window for those who do not hold mu.
	windowBytes atomic.Int64
	// opened is where the engine stood when it was opened.
	opened   wire.Version
	counters counters

	waiting *waiters
	watches *watches

	// nextDue is the version whose publication makes the oldest step due, as
	// the advance loop last saw it.
	nextDue atomicVersion

	// closing is closed when Close begins, failed after a fatal error.
	closing, failed chan struct{}
	failure         struct {
		sync.Once
		err error // set before failed is closed
	}
	// use is held for reading by every call that touches the engine.
	use struct {
		sync.RWMutex
		closed bool
	}
	// The loops sleep on these; each holds at most one signal.
	advanceSignal, flushSignal, spaceSignal chan struct{}

	cancel context.CancelFunc
	loops  sync.WaitGroup
}

type atomicVersion struct{ n atomic.Int64 }

func (v *atomicVersion) load() wire.Version         { return wire.Version(v.n.Load()) }
func (v *atomicVersion) store(version wire.Version) { v.n.Store(int64(version)) }

// Open opens the server's directory, creating it if need be, and starts to
// follow the log from the version on disk. The context is for opening alone.
//
// It fails with ErrNewerFormat, ErrFileCorrupt, ErrDirectoryInUse, ErrDiskFull
// or ErrIO of package wire.
func Open(ctx context.Context, cfg Config) (*Server, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg:           cfg.withDefaults(),
		closing:       make(chan struct{}),
		failed:        make(chan struct{}),
		advanceSignal: make(chan struct{}, 1),
		flushSignal:   make(chan struct{}, 1),
		spaceSignal:   make(chan struct{}, 1),
	}
	s.waiting = newWaiters(s.cfg.MaxWaitingReads)
	s.watches = newWatches(s.cfg.MaxWatches)
	fatal := func(err error) { s.fail(ioError(s.cfg.Dir, err)) }
	s.gate = newGate(s.cfg.FS, s.closing, fatal)
	opts := engineOptions(&s.cfg)
	opts.FS = s.gate
	opts.Logger = &engineLogger{log: s.cfg.Logger, fatal: fatal}
	opts.EventListener = s.listener()
	version, durable, err := s.openEngine(opts)
	if err != nil {
		return nil, err
	}
	for _, v := range []*atomicVersion{&s.applied, &s.advancing, &s.engineVersion} {
		v.store(version)
	}
	s.durable.store(durable)
	s.nextDue.store(wire.MaxVersion)
	s.opened = version
	s.mu.win = window.New(version)
	s.start(context.WithoutCancel(ctx))
	return s, nil
}

// openEngine opens the engine and returns the versions at which it and its
// flushed tables stand. After an error nothing changes the directory any more.
func (s *Server) openEngine(opts *pebble.Options) (version, durable wire.Version, err error) {
	s.engine, version, err = openEngine(s.cfg.Dir, opts)
	if err == nil {
		durable, err = s.engine.durableVersion()
	}
	// Pebble does not know of what failed up to here (gate), and is to know of
	// what fails from here on.
	s.gate.opening.Store(s.Err() != nil)
	if failure := s.Err(); failure != nil {
		err = failure
	}
	if err == nil {
		return version, durable, nil
	}
	close(s.closing)
	s.gate.shut(err)
	if s.engine != nil {
		// If that fails, then with the error that shut the gate.
		_ = s.engine.db.Close()
	}
	s.gate.drain()
	return 0, 0, err
}

func (s *Server) start(ctx context.Context) {
	ctx, s.cancel = context.WithCancel(ctx)
	s.loops.Go(func() { s.applyLoop(ctx) })
	s.loops.Go(func() { s.advanceLoop(ctx) })
	s.loops.Go(func() { s.flushLoop(ctx) })
	s.loops.Go(func() {
		select {
		case <-s.failed:
			s.cancel()
			s.cfg.OnFatal(s.failure.err)
		case <-s.closing:
		}
	})
}

// Version is the newest version that can be read.
func (s *Server) Version() wire.Version { return s.applied.load() }

// Window returns how many bytes the window holds, and how many it should at
// most: at twice that the server takes nothing more from the log (S7). It may be
// called after Close.
func (s *Server) Window() (bytes, limitBytes int64) {
	return s.windowBytes.Load(), int64(s.cfg.WindowBytes)
}

// Opened is the version at which the engine stood when the server was opened:
// it needs the log from there on.
func (s *Server) Opened() wire.Version { return s.opened }

// DurableVersion is the version up to which the server needs the log no more.
func (s *Server) DurableVersion() wire.Version { return s.durable.load() }

// OldestReadable is the oldest version that can be read.
func (s *Server) OldestReadable() wire.Version { return s.advancing.load() }

// Err returns the error that ended the server's work, nil while it works.
func (s *Server) Err() error {
	select {
	case <-s.failed:
		return s.failure.err
	default:
		return nil
	}
}

// fail ends the server's work because of err (S6). It takes no lock of the
// server, so the engine's callbacks may call it.
func (s *Server) fail(err error) {
	s.failure.Do(func() {
		// Everyone who is told knows better how bad that is.
		s.cfg.Logger.Info("storage server failed", "dir", s.cfg.Dir, "error", err)
		s.failure.err = err
		s.gate.shut(err)
		close(s.failed)
	})
}

// enter begins a call that touches the engine; leave ends it.
func (s *Server) enter() error {
	s.use.RLock()
	if s.use.closed {
		s.use.RUnlock()
		return wire.ErrDatabaseClosed
	}
	if err := s.Err(); err != nil {
		s.use.RUnlock()
		return err
	}
	return nil
}

func (s *Server) leave() { s.use.RUnlock() }

// Close ends the loops, waits for reads under way, brings what the engine
// holds to disk and closes it. Reads and watches that wait get
// ErrDatabaseClosed. Close returns the fatal error if there was one. A second
// Close does nothing.
func (s *Server) Close() error {
	s.use.Lock()
	if s.use.closed {
		s.use.Unlock()
		return nil
	}
	s.use.closed = true
	close(s.closing)
	s.use.Unlock()
	s.cancel()
	s.loops.Wait()
	s.finalFlush()
	err := s.engine.db.Close()
	if failure := s.Err(); failure != nil {
		return failure
	}
	if err != nil {
		return ioError(s.cfg.Dir, err)
	}
	return nil
}

// wake puts a signal where a loop sleeps, unless one is there.
func wake(signal chan struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}

func (s *Server) wakeFlush() { wake(s.flushSignal) }
