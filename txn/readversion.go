package txn

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/txn/internal/admission"
)

// Limits of a read-version proxy.
const (
	// defaultMaxWaiters bounds how many requests may wait for a read version,
	// where the config is silent.
	defaultMaxWaiters = 100_000
	// defaultStartWait is how long a transaction of default priority is held
	// back at most: while the storage server is behind it would wait at its
	// first read instead, so this costs little.
	defaultStartWait = 100 * time.Millisecond
	// batchStartWait is how long one of batch priority is.
	batchStartWait = time.Second
	// tagStartWait is how long a transaction is held back for the limit of a tag.
	tagStartWait = time.Second
	// maxCountedTags is how many tags starts are counted by.
	maxCountedTags = 100
	// batchRelease is how many of them go on together, every holdCheck, while
	// the load is hardly below the one that they were held for.
	batchRelease = 64
)

// Load says how full the store behind a proxy is.
type Load interface {
	// LoadThousandths is the fullest of the store's queues, in thousandths of
	// its limit; it may be above 1000. It is asked with each start, and must
	// cost next to nothing.
	LoadThousandths() int
}

// ReadVersionConfig is what a read-version proxy is recruited with.
type ReadVersionConfig struct {
	Generation wire.Generation
	// SequencerRole is the id of the sequencer of this generation.
	SequencerRole wire.RoleID
	Sequencer     Sequencer
	// Log is any one log group of the generation.
	Log Log
	// SystemKeys is shared with the commit proxy; nil means that nobody locks
	// the database, nor limits a tag.
	SystemKeys *SystemKeys
	// Load is what starts are held back for; nil means that they never are.
	Load Load
	// MaxWaiters bounds the requests that wait; 0 is a default.
	MaxWaiters int
}

// ReadVersionProxy hands out read versions. Requests that arrive while a look
// at sequencer and log is under way share the next one: a look that began
// before a request arrived could miss a commit that the client knows of (T1).
//
// While the store is loaded, requests are held back by their priority, see
// package admission.
type ReadVersionProxy struct {
	config ReadVersionConfig
	ctx    context.Context
	cancel context.CancelCauseFunc
	group  sync.WaitGroup
	begun  time.Time

	mu struct {
		sync.Mutex
		closed  bool
		running bool
		// waiters counts the requests that wait, for a look or held back.
		waiters int
		next    *flight
		gate    *admission.Gate[chan<- error]
		// throttles is the limits on tags that gate has.
		throttles *[]wire.TagThrottle
		// checks runs the next check of those who are held; nil while none is.
		checks *time.Timer
		stats  ReadVersionStats
	}
}

// flight is one look, shared by those who wait for it.
type flight struct {
	done  chan struct{}
	reply wire.ReadVersionReply
	err   error
}

// NewReadVersionProxy starts a proxy; Close ends it.
func NewReadVersionProxy(config ReadVersionConfig) *ReadVersionProxy {
	if config.MaxWaiters == 0 {
		config.MaxWaiters = defaultMaxWaiters
	}
	p := &ReadVersionProxy{config: config, begun: time.Now()}
	p.mu.gate = admission.New[chan<- error](admission.Config{
		MaxWaiting: config.MaxWaiters, DefaultWait: defaultStartWait, BatchWait: batchStartWait, BatchRelease: batchRelease,
		TagWait: tagStartWait, MaxTags: maxCountedTags,
	})
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	return p
}

// ReadVersion returns a version that satisfies T1. It returns
// ErrGRVProxyMemoryLimit if too many requests wait already, ErrBatchThrottled if
// the store is too loaded for one of batch priority, ErrTagThrottled if one of
// its tags has a limit that is used up, ErrGenerationEnded if the generation is
// over, and the context's cause if that ends first.
func (p *ReadVersionProxy) ReadVersion(ctx context.Context, req wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	load := p.load()
	p.mu.Lock()
	if p.mu.closed {
		p.mu.Unlock()
		return wire.ReadVersionReply{}, wire.ErrGenerationEnded
	}
	if p.mu.running {
		// It is to wait in any case. Without room it must not spend what a limit
		// on one of its tags leaves.
		if err := p.roomLocked(req.Priority); err != nil {
			p.mu.Unlock()
			return wire.ReadVersionReply{}, err
		}
	}
	passes, err := p.passesLocked(&req, load)
	if err != nil {
		p.mu.stats.refused(err)
		p.mu.Unlock()
		return wire.ReadVersionReply{}, err
	}
	if passes {
		return p.join(ctx, req.Priority)
	}
	return p.hold(ctx, &req, load)
}

// join takes part in a look that begins from now on; if one is under way, the
// caller has made sure that there is room. It is called with the lock held, which
// it releases.
func (p *ReadVersionProxy) join(ctx context.Context, priority wire.Priority) (wire.ReadVersionReply, error) {
	if p.mu.running {
		p.mu.waiters++
		f := p.nextFlightLocked(priority)
		p.mu.Unlock()
		defer p.leave()
		return f.wait(ctx)
	}
	// Nobody is looking: look at once, on this goroutine.
	p.mu.running = true
	p.mu.stats.started(priority)
	p.mu.Unlock()
	reply, err := p.look(ctx)
	p.land()
	return reply, err
}

// roomLocked returns why no other request of this priority may wait, nil if one
// may.
func (p *ReadVersionProxy) roomLocked(priority wire.Priority) error {
	if fault.Point("txn.readVersion.memoryLimit") {
		return wire.ErrGRVProxyMemoryLimit
	}
	err := p.mu.gate.Room(priority, p.mu.waiters)
	if err != nil {
		p.mu.stats.refused(err)
	}
	return err
}

// nextFlightLocked returns the look after the one under way.
func (p *ReadVersionProxy) nextFlightLocked(priority wire.Priority) *flight {
	if p.mu.next == nil {
		p.mu.next = &flight{done: make(chan struct{})}
	}
	p.mu.stats.started(priority)
	return p.mu.next
}

// wait returns the answer of the look, or the cause of ctx if that ends first.
func (f *flight) wait(ctx context.Context) (wire.ReadVersionReply, error) {
	select {
	case <-f.done:
		return f.reply, f.err
	case <-ctx.Done():
		return wire.ReadVersionReply{}, context.Cause(ctx)
	}
}

func (p *ReadVersionProxy) leave() {
	p.mu.Lock()
	p.mu.waiters--
	p.mu.Unlock()
}

// look asks the sequencer for the committed version and the log whether the
// generation is still the one that may commit. The order matters: a newer
// generation that accepts a commit after the check cannot have acknowledged it
// before this request began.
func (p *ReadVersionProxy) look(ctx context.Context) (wire.ReadVersionReply, error) {
	version, system, err := p.committed(ctx)
	if err != nil {
		return wire.ReadVersionReply{}, err
	}
	if fault.Point("txn.readVersion.late") {
		time.Sleep(rand.N(maxFaultDelay))
	}
	if err := p.config.Log.ConfirmLive(ctx, p.config.Generation); err != nil {
		return wire.ReadVersionReply{}, err
	}
	return wire.ReadVersionReply{Version: version, Locked: system.lock != nil, MetadataVersion: system.metadataVersion}, nil
}

// committed returns the newest committed version, and the system keys at it.
func (p *ReadVersionProxy) committed(ctx context.Context) (version wire.Version, system systemState, err error) {
	for {
		version, err = p.config.Sequencer.CommittedVersion(ctx, p.config.SequencerRole)
		if err != nil {
			return 0, system, err
		}
		// Not kept only if more than a thousand changes came after version: a newer
		// one is committed by then.
		if system, ok := p.config.SystemKeys.at(version); ok {
			return version, system, nil
		}
	}
}

// land ends a look. If others arrived meanwhile, their look begins, on a
// goroutine that the proxy owns: the one who looked first has its answer.
func (p *ReadVersionProxy) land() {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.mu.next
	p.mu.next = nil
	if f == nil || p.mu.closed {
		p.mu.running = false
		if f != nil {
			f.err = wire.ErrGenerationEnded
			close(f.done)
		}
		return
	}
	p.group.Add(1)
	go func() {
		defer p.group.Done()
		f.reply, f.err = p.look(p.ctx)
		close(f.done)
		p.land()
	}()
}

// Close ends the proxy and waits for the look under way. Requests that still
// wait, and later ones, get ErrGenerationEnded.
func (p *ReadVersionProxy) Close() {
	p.mu.Lock()
	p.mu.closed = true
	p.endHoldsLocked()
	p.mu.Unlock()
	p.cancel(wire.ErrGenerationEnded)
	p.group.Wait()
}
