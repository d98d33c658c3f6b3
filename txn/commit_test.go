package txn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/plinthdb/plinth/internal/wire"
)

type bench struct {
	sequencer *fakeSequencer
	resolver  *fakeResolver
	log       *fakeLog
	proxy     *CommitProxy
	failures  chan error
}

func newBench(gate chan struct{}, failAfter int, tune func(*CommitConfig)) *bench {
	b := &bench{sequencer: &fakeSequencer{}, resolver: &fakeResolver{}, log: newFakeLog(gate, failAfter), failures: make(chan error, 10)}
	config := CommitConfig{
		Generation: 1, Role: 1, Sequencer: b.sequencer, Resolver: b.resolver, Log: b.log, Shards: SingleTeam(0),
		OnFailure: func(err error) { b.failures <- err },
	}
	if tune != nil {
		tune(&config)
	}
	b.proxy = NewCommitProxy(config)
	return b
}

func (b *bench) close() {
	b.log.close()
	b.proxy.Close()
}

func set(key string) *wire.CommitRequest {
	return &wire.CommitRequest{Mutations: wire.AppendMutation(nil, wire.Mutation{Type: wire.SetValue, Param1: []byte(key)})}
}

// Many clients commit; some give up at any moment, some transactions are
// refused, and the log may fail on the way. Whatever a client is told must be
// true of what the log was given (T5).
func TestWhatClientsAreToldIsTrue(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		failAfter := 0
		if seed%3 == 0 {
			failAfter = 1 + rng.IntN(20)
		}
		b := newBench(nil, failAfter, func(c *CommitConfig) {
			c.MaxInFlight = 1 + rng.IntN(4)
			c.MaxBatchCount = 1 + rng.IntN(10)
		})
		type outcome struct {
			key   string
			reply wire.CommitReply
			err   error
			kind  int
		}
		outcomes := make(chan outcome, 16*20)
		var group sync.WaitGroup
		for c := range 16 {
			kinds := [20]int{}
			for i := range kinds {
				kinds[i] = rng.IntN(10)
			}
			group.Go(func() {
				for i, kind := range kinds {
					ctx, cancel := context.WithCancel(context.Background())
					req := set(fmt.Sprintf("%d/%d", c, i))
					switch kind {
					case 0:
						req.ReadVersion = -1
					case 1:
						req.ReadConflicts = []wire.KeyRange{wire.SingleKey([]byte("k"))}
					case 2:
						go cancel()
					case 3:
						cancel()
					}
					reply, err := b.proxy.Commit(ctx, req)
					cancel()
					outcomes <- outcome{fmt.Sprintf("%d/%d", c, i), reply, err, kind}
				}
			})
		}
		group.Wait()
		b.close()
		close(outcomes)
		written := b.log.keys()
		failed := b.proxy.mu.failed != nil && failAfter > 0
		for o := range outcomes {
			n := written[o.key]
			switch {
			case n > 1:
				t.Fatalf("seed %d: %s is in the log %d times", seed, o.key, n)
			case o.err == nil && (n != 1 || o.reply.Version > b.sequencer.committed):
				t.Fatalf("seed %d: T4: %s was acknowledged at %d, is in the log %d times; %d is committed", seed, o.key, o.reply.Version, n, b.sequencer.committed)
			case o.err == nil && o.kind < 2:
				t.Fatalf("seed %d: %s should have been refused", seed, o.key)
			case o.err != nil && !wire.MaybeCommitted(o.err) && n != 0:
				t.Fatalf("seed %d: T5: %s was told %v, but is in the log", seed, o.key, o.err)
			case o.kind > 3 && o.err != nil && !failed:
				t.Fatalf("seed %d: %s: %v", seed, o.key, o.err)
			}
		}
		if failed != (len(b.failures) == 1) && failAfter > 0 {
			t.Fatalf("seed %d: failed %v, reported %d times", seed, failed, len(b.failures))
		}
		if b.proxy.mu.pendingBytes != 0 || b.proxy.mu.inFlight != 0 || len(b.proxy.mu.queue) != 0 {
			t.Fatalf("seed %d: left over: %d bytes, %d batches, %d queued", seed, b.proxy.mu.pendingBytes, b.proxy.mu.inFlight, len(b.proxy.mu.queue))
		}
	}
}

// While the pipeline is full, what arrives gathers into one batch.
func TestArrivalsGatherWhileThePipelineIsFull(t *testing.T) {
	gate := make(chan struct{})
	b := newBench(gate, 0, nil)
	defer b.close()
	var group sync.WaitGroup
	commit := func(key string) {
		group.Go(func() {
			if _, err := b.proxy.Commit(context.Background(), set(key)); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		})
	}
	queued := func(n int) {
		for {
			b.proxy.mu.Lock()
			ready := len(b.proxy.mu.queue) == n && !b.proxy.mu.forming
			b.proxy.mu.Unlock()
			if ready {
				return
			}
		}
	}
	for i := range defaultMaxInFlight {
		commit(fmt.Sprint("first", i))
		queued(0)
		for {
			b.log.Lock()
			n := len(b.log.batches)
			b.log.Unlock()
			if n == i+1 {
				break
			}
		}
	}
	for i := range 20 {
		commit(fmt.Sprint("gathered", i))
	}
	queued(20)
	close(gate)
	group.Wait()
	if n := len(b.log.batches); n != defaultMaxInFlight+1 {
		t.Errorf("%d batches, want %d", n, defaultMaxInFlight+1)
	}
	if b.log.maxSeen > defaultMaxInFlight {
		t.Errorf("%d batches were in flight, the limit is %d", b.log.maxSeen, defaultMaxInFlight)
	}
}

func TestAFullProxyRefuses(t *testing.T) {
	gate := make(chan struct{})
	b := newBench(gate, 0, func(c *CommitConfig) { c.MaxPendingBytes = 100; c.MaxInFlight = 1 })
	defer b.close()
	first := make(chan error, 1)
	go func() {
		_, err := b.proxy.Commit(context.Background(), set(string(make([]byte, 90))))
		first <- err
	}()
	for {
		b.log.Lock()
		n := len(b.log.batches)
		b.log.Unlock()
		if n == 1 {
			break
		}
	}
	if _, err := b.proxy.Commit(context.Background(), set(string(make([]byte, 20)))); !errors.Is(err, wire.ErrCommitProxyMemoryLimit) {
		t.Errorf("commit beyond the limit: %v", err)
	}
	close(gate)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if _, err := b.proxy.Commit(context.Background(), set("small")); err != nil {
		t.Errorf("commit after there is room again: %v", err)
	}
}

// Transactions without a byte in them could queue without limit.
func TestEmptyTransactionsCountAgainstTheLimit(t *testing.T) {
	if n := memoryBytes(&wire.CommitRequest{}); n < 100 {
		t.Errorf("an empty transaction counts as %d bytes", n)
	}
	if n := memoryBytes(&wire.CommitRequest{ReadConflicts: make([]wire.KeyRange, 1000)}); n < 48_000 {
		t.Errorf("a thousand empty ranges count as %d bytes", n)
	}
}

func TestABatchThatCannotBeResolvedEndsTheProxy(t *testing.T) {
	b := newBench(nil, 0, nil)
	defer b.close()
	b.resolver.fail = errors.New("resolver is gone")
	_, err := b.proxy.Commit(context.Background(), set("a"))
	if !errors.Is(err, wire.ErrGenerationEnded) || !errors.Is(err, b.resolver.fail) {
		t.Errorf("T5: %v", err)
	}
	if reported := <-b.failures; !errors.Is(reported, b.resolver.fail) {
		t.Errorf("reported %v", reported)
	}
	if _, err := b.proxy.Commit(context.Background(), set("b")); !errors.Is(err, wire.ErrGenerationEnded) {
		t.Errorf("later commit: %v", err)
	}
	if n := len(b.log.batches); n != 0 {
		t.Errorf("%d batches reached the log", n)
	}
}

func TestConflictsNameTheirRanges(t *testing.T) {
	b := newBench(nil, 0, nil)
	defer b.close()
	req := set("a")
	req.ReadConflicts = []wire.KeyRange{wire.SingleKey([]byte("read"))}
	var conflict *wire.ConflictError
	if _, err := b.proxy.Commit(context.Background(), req); !errors.Is(err, wire.ErrNotCommitted) || errors.As(err, &conflict) {
		t.Errorf("a request that does not ask gets %v", err)
	}
	req.ReportConflicts = true
	if _, err := b.proxy.Commit(context.Background(), req); !errors.As(err, &conflict) || string(conflict.Ranges[0].Begin) != "read" {
		t.Errorf("a request that asks gets %v", err)
	}
}

func TestMalformedTransactionsAreRefusedAlone(t *testing.T) {
	b := newBench(nil, 0, nil)
	defer b.close()
	if _, err := b.proxy.Commit(context.Background(), set("\xff\xff/x")); !errors.Is(err, wire.ErrKeyOutsideLegalRange) {
		t.Errorf("key above all keys: %v", err)
	}
	if _, err := b.proxy.Commit(context.Background(), set("fine")); err != nil {
		t.Errorf("the next transaction: %v", err)
	}
}

// A verdict of a kind that the proxy does not know left a transaction out of
// the log and acknowledged it.
func TestAnswersThatMakeNoSenseEndTheProxy(t *testing.T) {
	for name, spoil := range map[string]func(*wire.ResolveReply){
		"unknown verdict": func(r *wire.ResolveReply) { r.Verdicts[0] = wire.TooOld + 1 },
		"too few":         func(r *wire.ResolveReply) { r.Verdicts = nil },
		"no such range":   func(r *wire.ResolveReply) { r.Verdicts[0], r.Conflicting[0] = wire.Conflict, []int{0} },
	} {
		b := newBench(nil, 0, nil)
		b.resolver.spoil = spoil
		if _, err := b.proxy.Commit(context.Background(), set("a")); !errors.Is(err, wire.ErrGenerationEnded) || !errors.Is(err, wire.ErrInternal) {
			t.Errorf("T5: %s: %v", name, err)
		}
		b.close()
		if n := len(b.log.batches); n != 0 {
			t.Errorf("T5: %s: %d batches reached the log", name, n)
		}
	}
}

// Close did not wait for a batch that a client's goroutine led: the log was
// then closed under it, and a commit of a clean shutdown ended in doubt.
func TestCloseWaitsForTheBatchesUnderWay(t *testing.T) {
	gate := make(chan struct{})
	b := newBench(gate, 0, nil)
	defer b.log.close()
	answer := make(chan error, 1)
	go func() {
		_, err := b.proxy.Commit(context.Background(), set("a"))
		answer <- err
	}()
	for {
		b.log.Lock()
		n := len(b.log.batches)
		b.log.Unlock()
		if n == 1 {
			break
		}
	}
	go func() {
		<-b.proxy.ctx.Done() // Close has begun
		close(gate)
	}()
	b.proxy.Close()
	b.proxy.mu.Lock()
	if n := b.proxy.mu.inFlight; n != 0 {
		t.Errorf("%d batches are under way after Close", n)
	}
	b.proxy.mu.Unlock()
	if err := <-answer; err != nil {
		t.Errorf("the commit under way: %v", err)
	}
}

// Who was called up to lead when the proxy ended forms no batch any more.
func TestALeaderOfAnEndedProxyFormsNoBatch(t *testing.T) {
	b := newBench(nil, 0, nil)
	defer b.close()
	t1 := &pending{req: set("a"), wake: make(chan wakeReason, 2)}
	if lead, err := b.proxy.enqueue(t1); !lead || err != nil {
		t.Fatal(lead, err)
	}
	b.proxy.mu.Lock()
	b.proxy.failLocked(wire.ErrGenerationEnded)
	b.proxy.mu.Unlock()
	b.proxy.lead(context.Background())
	if reason := <-t1.wake; reason != wakeAnswered || !errors.Is(t1.err, wire.ErrGenerationEnded) {
		t.Errorf("T5: the leader was told %v", t1.err)
	}
	if n := len(b.log.batches); n != 0 {
		t.Errorf("%d batches reached the log", n)
	}
}
