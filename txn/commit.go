package txn

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

// Limits of a commit proxy where its config is silent.
const (
	// defaultMaxPendingBytes bounds the transactions that a proxy holds,
	// queued or under way.
	defaultMaxPendingBytes = 64 << 20
	// defaultMaxInFlight is how many batches may be between their version and
	// their answer. Two keep the disk busy, since one gathers in the log's
	// queue while the other is being synced; more only make batches smaller.
	defaultMaxInFlight = 2
	// defaultMaxBatchBytes ends a batch; a larger transaction travels alone.
	defaultMaxBatchBytes = 4 << 20
	// defaultMaxBatchCount ends a batch. A stamp has 16 bits for a
	// transaction's place in its batch.
	defaultMaxBatchCount = 10_000
	// maxFaultDelay is how long a fault site holds things up at most.
	maxFaultDelay = 50 * time.Millisecond
)

// CommitConfig is what a commit proxy is recruited with.
type CommitConfig struct {
	Generation wire.Generation
	// Floor is the version that the generation starts from.
	Floor wire.Version
	// Role is this recruitment's id, the others are those of the roles behind
	// the proxy.
	Role, SequencerRole, ResolverRole wire.RoleID

	Sequencer Sequencer
	Resolver  Resolver
	Log       Log
	Shards    *ShardMap
	// SystemKeys is shared with the read-version proxy; nil means that nobody
	// locks the database, changes its metadata version or limits tags.
	SystemKeys *SystemKeys

	// OnFailure is called once, from any goroutine, when a batch could not be
	// carried through (T3), before anybody gets an answer: the generation has
	// to end. It must not block.
	OnFailure func(error)

	// Limits; 0 is a default.
	MaxPendingBytes, MaxBatchBytes, MaxBatchCount, MaxInFlight int
}

// CommitProxy takes transactions through the pipeline in batches.
//
// There is no goroutine of its own. Whoever commits while there is room in the
// pipeline leads: it forms a batch of all that is queued, hands it to the log,
// waits, and spreads the answers. When a batch is done its leader first calls
// up the next leader from the queue, then wakes the members of its own.
type CommitProxy struct {
	config CommitConfig
	ctx    context.Context
	cancel context.CancelCauseFunc
	// group counts those who lead a batch, from the call to lead to its answers.
	group  sync.WaitGroup
	former former // belongs to who is forming a batch
	// pendingBytes is mu.pendingBytes for those who do not hold the lock.
	pendingBytes atomic.Int64

	mu struct {
		sync.Mutex
		// failed is why no batch is formed any more, nil while all is well.
		failed error
		// forming says that a leader is at work or has been called up (T2).
		forming      bool
		inFlight     int
		pendingBytes int
		queue        []*pending
		// committed is the newest version known to be durable.
		committed wire.Version
	}
}

// pending is one transaction on its way.
type pending struct {
	req   *wire.CommitRequest
	bytes int
	// wake gets one value when the transaction is to lead the next batch
	// (lead), and one when it is answered (err, reply).
	wake  chan wakeReason
	reply wire.CommitReply
	err   error
}

type wakeReason uint8

const (
	wakeLead wakeReason = iota
	wakeAnswered
)

// NewCommitProxy starts a proxy; Close ends it.
func NewCommitProxy(config CommitConfig) *CommitProxy {
	config.MaxPendingBytes = cmp.Or(config.MaxPendingBytes, defaultMaxPendingBytes)
	config.MaxBatchBytes = cmp.Or(config.MaxBatchBytes, defaultMaxBatchBytes)
	config.MaxBatchCount = cmp.Or(config.MaxBatchCount, defaultMaxBatchCount)
	config.MaxInFlight = cmp.Or(config.MaxInFlight, defaultMaxInFlight)
	config.MaxBatchCount = min(config.MaxBatchCount, 1<<16)
	p := &CommitProxy{config: config}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	p.former = former{config: &p.config, ids: idKeeper{floor: config.Floor}}
	return p
}

// Commit takes one transaction through the pipeline and returns where it was
// committed.
//
// It returns what wire.CommitRequest.Validate does,
// ErrNotCommitted (as a *ConflictError if the request asks for
// that), ErrDatabaseLocked, ErrTransactionTooOld, ErrCommitProxyMemoryLimit or ErrGenerationEnded
// if nothing of it will ever be applied; ErrCommitUnknownResult if it may be.
// When the context ends first the answer is its cause while the transaction is
// still queued (it is then taken out), else ErrCommitUnknownResult.
func (p *CommitProxy) Commit(ctx context.Context, req *wire.CommitRequest) (wire.CommitReply, error) {
	if err := req.Validate(); err != nil {
		return wire.CommitReply{}, err
	}
	if len(req.IdempotencyID) > 0 && fault.Point("txn.commit.late") {
		return wire.CommitReply{}, p.commitLate(req)
	}
	return p.take(ctx, req)
}

// take takes a valid transaction through the pipeline.
func (p *CommitProxy) take(ctx context.Context, req *wire.CommitRequest) (wire.CommitReply, error) {
	t := &pending{req: req, bytes: memoryBytes(req), wake: make(chan wakeReason, 2)}
	lead, err := p.enqueue(t)
	if err != nil {
		return wire.CommitReply{}, err
	}
	if lead {
		p.lead(ctx)
	}
	for {
		select {
		case reason := <-t.wake:
			if reason == wakeAnswered {
				return t.reply, t.err
			}
			p.lead(ctx)
		case <-ctx.Done():
			return p.abandon(ctx, t)
		}
	}
}

// What a transaction takes in memory beyond its bytes: itself, and each
// conflict range, whose key may be empty.
const (
	transactionOverheadBytes = 512
	rangeOverheadBytes       = 48
)

// memoryBytes is what a waiting transaction takes in memory.
func memoryBytes(req *wire.CommitRequest) int {
	ranges := len(req.ReadConflicts) + len(req.WriteConflicts)
	return req.Bytes() + transactionOverheadBytes + ranges*rangeOverheadBytes
}

// enqueue admits a transaction, or says why not. With lead true the caller has
// to lead a batch.
func (p *CommitProxy) enqueue(t *pending) (lead bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.failed != nil {
		return false, p.mu.failed
	}
	if p.mu.pendingBytes > 0 && (p.mu.pendingBytes+t.bytes > p.config.MaxPendingBytes || fault.Point("txn.commit.memoryLimit")) {
		return false, wire.ErrCommitProxyMemoryLimit
	}
	p.addPendingLocked(t.bytes)
	p.mu.queue = append(p.mu.queue, t)
	return p.takeLeadLocked(), nil
}

// takeLeadLocked reports whether the pipeline has room for another batch, and
// if so reserves the right to form it.
func (p *CommitProxy) takeLeadLocked() bool {
	if p.mu.forming || p.mu.failed != nil || len(p.mu.queue) == 0 || p.mu.inFlight >= p.config.MaxInFlight {
		return false
	}
	p.mu.forming = true
	p.group.Add(1) // under mu: Close does not wait yet
	return true
}

func (p *CommitProxy) addPendingLocked(bytes int) {
	p.mu.pendingBytes += bytes
	p.pendingBytes.Store(int64(p.mu.pendingBytes))
}

// Pending returns how many bytes the transactions take that the proxy holds,
// queued or under way, and the limit at which it refuses others.
func (p *CommitProxy) Pending() (bytes, limitBytes int64) {
	return p.pendingBytes.Load(), int64(p.config.MaxPendingBytes)
}

// callLeaderLocked calls up the first of the queue to lead, if there is room.
func (p *CommitProxy) callLeaderLocked() {
	if p.takeLeadLocked() {
		p.mu.queue[0].wake <- wakeLead
	}
}

// lead forms one batch and sees it through. Only the waiting heeds ctx: when
// it ends the batch goes on without this goroutine (T3).
func (p *CommitProxy) lead(ctx context.Context) {
	members := p.takeBatch()
	if len(members) == 0 {
		// The proxy has ended since this goroutine was called up.
		p.stopForming()
		p.group.Done()
		return
	}
	b := p.former.form(p.ctx, members)
	if b.err != nil {
		// The proxy ends before anybody can form a batch behind this one.
		p.finish(b, b.err)
		p.stopForming()
		p.group.Done()
		return
	}
	done := make(chan error, 1)
	p.config.Log.Append(&b.append, func(err error) { done <- err })
	p.stopForming()
	select {
	case err := <-done:
		p.finish(b, err)
		p.group.Done()
	case <-ctx.Done():
		go func() {
			defer p.group.Done()
			p.finish(b, <-done)
		}()
	}
}

// takeBatch takes the transactions of the next batch from the queue; none if
// the proxy has ended.
func (p *CommitProxy) takeBatch() (members []*pending) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.failed != nil {
		return nil
	}
	count, bytes := 0, 0
	for _, t := range p.mu.queue {
		if count > 0 && (t.req.FirstInBatch || count == p.config.MaxBatchCount || bytes+t.bytes > p.config.MaxBatchBytes || fault.Point("txn.batch.short")) {
			break
		}
		count++
		bytes += t.bytes
	}
	members = p.mu.queue[:count:count]
	p.mu.queue = p.mu.queue[count:]
	if len(p.mu.queue) == 0 {
		p.mu.queue = nil // or it would hold on to what it held
	}
	p.mu.inFlight++
	p.former.committed = p.mu.committed
	return members
}

// finish answers everyone in the batch. The next leader is called up before
// that, so that the pipeline does not wait for the answers.
func (p *CommitProxy) finish(b *batch, err error) {
	if err == nil {
		err = p.config.Sequencer.ReportCommitted(p.ctx, p.config.SequencerRole, b.append.Version) // T4
	}
	p.mu.Lock()
	p.mu.inFlight--
	done := 0
	for _, t := range b.members {
		done += t.bytes
	}
	p.addPendingLocked(-done)
	first := false
	var refused []*pending
	if err != nil {
		first, refused = p.failLocked(wire.ErrGenerationEnded.Because(err))
	} else {
		p.mu.committed = max(p.mu.committed, b.append.Version)
		p.callLeaderLocked()
	}
	p.mu.Unlock()
	if first && p.config.OnFailure != nil {
		p.config.OnFailure(err)
	}
	if fault.Point("txn.commit.answerLate") {
		time.Sleep(rand.N(maxFaultDelay))
	}
	for i, t := range b.members {
		t.reply, t.err = b.answer(i, err)
		t.wake <- wakeAnswered
	}
	refuse(refused)
}

// failLocked ends the proxy for good, for the given reason. first says that it
// had not ended before; refused are the transactions to refuse.
func (p *CommitProxy) failLocked(err error) (first bool, refused []*pending) {
	if p.mu.failed != nil {
		return false, nil
	}
	p.mu.failed = err
	return true, p.refusedLocked()
}

// stopForming gives the right to form batches back, or on to the head of the
// queue.
func (p *CommitProxy) stopForming() {
	p.mu.Lock()
	refused := p.stopFormingLocked()
	p.mu.Unlock()
	refuse(refused)
}

func (p *CommitProxy) stopFormingLocked() (refused []*pending) {
	p.mu.forming = false
	p.callLeaderLocked()
	return p.refusedLocked()
}

// refusedLocked empties the queue of a proxy that has ended: what is in it is
// in no batch (T5). While somebody leads, or has been called up to, the queue
// is that one's, who comes back here with stopFormingLocked.
func (p *CommitProxy) refusedLocked() (refused []*pending) {
	if p.mu.failed == nil || p.mu.forming {
		return nil
	}
	refused, p.mu.queue = p.mu.queue, nil
	for _, t := range refused {
		p.addPendingLocked(-t.bytes)
		t.err = p.mu.failed
	}
	return refused
}

func refuse(refused []*pending) {
	for _, t := range refused {
		t.wake <- wakeAnswered
	}
}

// abandon gives up waiting for a transaction whose context has ended.
func (p *CommitProxy) abandon(ctx context.Context, t *pending) (wire.CommitReply, error) {
	p.mu.Lock()
	for i, q := range p.mu.queue {
		if q == t {
			return wire.CommitReply{}, p.leaveQueue(ctx, t, i)
		}
	}
	p.mu.Unlock()
	select {
	case reason := <-t.wake:
		if reason == wakeAnswered {
			return t.reply, t.err
		}
	default:
	}
	return wire.CommitReply{}, wire.ErrCommitUnknownResult.Because(context.Cause(ctx))
}

// leaveQueue takes t, at place i, out of the queue and unlocks the proxy. If t
// was called up to lead, the next in the queue leads in its place.
func (p *CommitProxy) leaveQueue(ctx context.Context, t *pending, i int) error {
	p.mu.queue = slices.Delete(slices.Clone(p.mu.queue), i, i+1)
	p.addPendingLocked(-t.bytes)
	var refused []*pending
	select {
	case <-t.wake: // to lead: what is queued has not been answered
		refused = p.stopFormingLocked()
		p.group.Done()
	default:
	}
	p.mu.Unlock()
	refuse(refused)
	return context.Cause(ctx)
}

// Close ends the proxy: what is queued, and what comes later, gets
// ErrGenerationEnded. It waits for the batches under way, so the log has to
// answer until then.
func (p *CommitProxy) Close() {
	p.mu.Lock()
	_, refused := p.failLocked(wire.ErrGenerationEnded)
	p.mu.Unlock()
	refuse(refused)
	p.cancel(wire.ErrGenerationEnded)
	p.group.Wait()
}
