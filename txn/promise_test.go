package txn

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/plinthdb/plinth/internal/wire"
)

// gatedSequencer takes reports only when it is let to.
type gatedSequencer struct {
	fakeSequencer
	gate chan struct{}
}

func (s *gatedSequencer) ReportCommitted(ctx context.Context, role wire.RoleID, v wire.Version) error {
	<-s.gate
	return s.fakeSequencer.ReportCommitted(ctx, role, v)
}

// T4: who is told "committed" may ask for a read version at once, and must see
// its commit at it. So the sequencer knows first, also before those members of a
// batch that did not lead it.
func TestTheSequencerIsToldBeforeTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &gatedSequencer{gate: make(chan struct{})}
		b := newBench(nil, 0, func(c *CommitConfig) { c.Sequencer, c.MaxInFlight = s, 1 })
		defer b.close()
		answers := make(chan wire.CommitReply, 3)
		for _, key := range []string{"alone", "leader", "member"} {
			go func() {
				reply, err := b.proxy.Commit(context.Background(), set(key))
				if err != nil {
					t.Error(err)
				}
				answers <- reply
			}()
			synctest.Wait()
		}
		for _, batch := range []struct {
			version wire.Version
			members int
		}{{10, 1}, {20, 2}} {
			if n := len(answers); n != 0 {
				t.Errorf("T4: %d clients were told of version %d before the sequencer", n, batch.version)
			}
			s.gate <- struct{}{}
			for range batch.members {
				if reply := <-answers; reply.Version != batch.version {
					t.Errorf("committed at %d, want %d", reply.Version, batch.version)
				}
			}
			synctest.Wait()
		}
	})
}

// lockedLog says that a generation has been locked out, and when it was asked.
type lockedLog struct {
	fakeLog
	sequencer *fakeSequencer
	err       error
	asked     []wire.Generation
	// committed is what the sequencer said before the log was asked.
	newCommit wire.Version
}

func (l *lockedLog) ConfirmLive(_ context.Context, generation wire.Generation) error {
	l.asked = append(l.asked, generation)
	// A commit between the two looks.
	l.sequencer.committed += l.newCommit
	return l.err
}

// T1: a generation that was locked out hands out no read versions; whether it
// was is looked up after the committed version was, since a newer generation may
// have accepted commits by then.
func TestALockedOutGenerationHandsOutNoReadVersions(t *testing.T) {
	s := &fakeSequencer{committed: 40}
	log := &lockedLog{sequencer: s, newCommit: 5}
	p := NewReadVersionProxy(ReadVersionConfig{Generation: 7, Sequencer: s, Log: log})
	defer p.Close()
	ctx := context.Background()
	if reply, err := p.ReadVersion(ctx, wire.ReadVersionRequest{}); err != nil || reply.Version != 40 {
		t.Errorf("T1: version %d, %v; the log was asked before the sequencer", reply.Version, err)
	}
	log.err = wire.ErrGenerationEnded
	if reply, err := p.ReadVersion(ctx, wire.ReadVersionRequest{}); !errors.Is(err, wire.ErrGenerationEnded) {
		t.Errorf("T1: a generation that was locked out hands out %d, %v", reply.Version, err)
	}
	if fmt.Sprint(log.asked) != "[7 7]" {
		t.Errorf("T1: the log was asked for generations %v", log.asked)
	}
}

// A client that goes away while its batch is on its way does not take the batch
// with it (T3): the others are answered, and the client's own write is there.
func TestABatchGoesOnWithoutTheClientThatLedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		s := &contextSequencer{}
		b := newBench(gate, 0, func(c *CommitConfig) { c.Sequencer, c.MaxInFlight = s, 1 })
		defer b.close()
		ctx, cancel := context.WithCancel(context.Background())
		led := make(chan error, 1)
		go func() {
			_, err := b.proxy.Commit(ctx, set("a"))
			led <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-led; !errors.Is(err, wire.ErrCommitUnknownResult) {
			t.Errorf("T5: the client that went away was told %v", err)
		}
		if s.ctx.Err() != nil {
			t.Error("T3: the client's context reached the sequencer")
		}
		next := make(chan error, 1)
		go func() {
			_, err := b.proxy.Commit(context.Background(), set("b"))
			next <- err
		}()
		synctest.Wait()
		close(gate)
		if err := <-next; err != nil {
			t.Errorf("the next commit: %v", err)
		}
		if keys := b.log.keys(); keys["a"] != 1 || keys["b"] != 1 {
			t.Errorf("T3: the log holds %v", keys)
		}
	})
}

// contextSequencer keeps the context that it was called with.
type contextSequencer struct {
	fakeSequencer
	ctx context.Context
}

func (s *contextSequencer) NextVersion(ctx context.Context, req wire.CommitVersionRequest) (wire.CommitVersionReply, error) {
	if s.ctx == nil {
		s.ctx = ctx
	}
	return s.fakeSequencer.NextVersion(ctx, req)
}

// stampedSet is a set whose value is the stamp.
func stampedSet(key string) *wire.CommitRequest {
	value := make([]byte, wire.StampBytes+4)
	return &wire.CommitRequest{HasVersionstamps: true, Mutations: wire.AppendMutation(nil, wire.Mutation{
		Type: wire.SetVersionstampedValue, Param1: []byte(key), Param2: value,
	})}
}

// Each transaction of a batch has a stamp of its own, the one that it is told
// of, whether or not those before it in the batch have passed.
func TestEveryTransactionOfABatchHasItsOwnStamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		b := newBench(gate, 0, func(c *CommitConfig) { c.MaxInFlight = 1 })
		defer b.close()
		type result struct {
			key   string
			reply wire.CommitReply
			err   error
		}
		results := make(chan result, 10)
		commit := func(key string, req *wire.CommitRequest) {
			go func() {
				reply, err := b.proxy.Commit(context.Background(), req)
				results <- result{key, reply, err}
			}()
			synctest.Wait()
		}
		commit("alone", stampedSet("alone"))
		commit("first", stampedSet("first"))
		loser := stampedSet("loser")
		loser.ReadConflicts = []wire.KeyRange{wire.SingleKey([]byte("k"))}
		commit("loser", loser)
		commit("last", stampedSet("last"))
		close(gate)
		told := make(map[string]wire.Stamp)
		for range 4 {
			r := <-results
			if (r.err != nil) != (r.key == "loser") {
				t.Errorf("%s: %v", r.key, r.err)
			}
			told[r.key] = r.reply.Stamp
		}
		stamps := map[string]wire.Stamp{"alone": wire.MakeStamp(10, 0), "first": wire.MakeStamp(20, 0), "last": wire.MakeStamp(20, 2)}
		written := b.log.values()
		for key, stamp := range stamps {
			if told[key] != stamp || written[key] != string(stamp[:]) {
				t.Errorf("%s: told %x, written %x, want %x", key, told[key], written[key], stamp)
			}
		}
		if len(written) != len(stamps) {
			t.Errorf("%d keys are in the log", len(written))
		}
	})
}

// The generation is known to have ended before anybody is told that a commit is
// in doubt: whoever runs it again must not get into the same generation.
func TestTheFailureIsReportedBeforeTheAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reported := make(chan struct{})
		answer := make(chan error, 1)
		b := newBench(nil, 1, func(c *CommitConfig) {
			c.OnFailure = func(error) {
				synctest.Wait()
				if len(answer) > 0 {
					t.Error("the client was told first")
				}
				close(reported)
			}
		})
		defer b.close()
		if _, err := b.proxy.Commit(context.Background(), set("fine")); err != nil {
			t.Fatal(err)
		}
		go func() {
			_, err := b.proxy.Commit(context.Background(), set("doubtful"))
			answer <- err
		}()
		<-reported
		if err := <-answer; !errors.Is(err, wire.ErrCommitUnknownResult) {
			t.Errorf("T5: %v", err)
		}
	})
}

// A transaction that has to come first at its version ends the batch before it,
// and lets others follow.
func TestATransactionCanBeTheFirstOfItsBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		b := newBench(gate, 0, func(c *CommitConfig) { c.MaxInFlight = 1 })
		defer b.close()
		places := make([]uint16, 7)
		var group sync.WaitGroup
		for i := range places {
			req := set(fmt.Sprint(i))
			req.FirstInBatch = i == 3 || i == 4
			group.Go(func() {
				reply, err := b.proxy.Commit(context.Background(), req)
				if err != nil {
					t.Error(err)
				}
				places[i] = binary.BigEndian.Uint16(reply.Stamp[8:])
			})
			synctest.Wait()
		}
		close(gate)
		group.Wait()
		if fmt.Sprint(places) != "[0 0 1 0 0 1 2]" {
			t.Errorf("places in batches %v", places)
		}
	})
}

// Batches end at their limits, also where the config asks for more than a stamp
// can number, and each tells the log what is committed by then.
func TestBatchesKeepTheirLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		size := memoryBytes(set("0"))
		b := newBench(gate, 0, func(c *CommitConfig) { c.MaxInFlight, c.MaxBatchBytes, c.MaxBatchCount = 1, 2*size, 1<<20 })
		defer b.close()
		if n := b.proxy.config.MaxBatchCount; n > 1<<16 {
			t.Errorf("%d transactions may share a batch, a stamp can tell 65,536 apart", n)
		}
		var group sync.WaitGroup
		commit := func(req *wire.CommitRequest) {
			group.Go(func() {
				if _, err := b.proxy.Commit(context.Background(), req); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		commit(set("0"))
		for i := range 5 {
			commit(set(fmt.Sprint(i)))
		}
		commit(set(strings.Repeat("x", 3*size)))
		close(gate)
		group.Wait()
		var lists []int
		for i, batch := range b.log.batches {
			n := 0
			(&fakeLog{batches: []wire.AppendRequest{batch}}).each(func(wire.Mutation) { n++ })
			lists = append(lists, n)
			if want := wire.Version(10 * i); batch.KnownCommitted != want {
				t.Errorf("batch %d says that %d is committed, want %d", i, batch.KnownCommitted, want)
			}
		}
		if fmt.Sprint(lists) != "[1 2 2 1 1]" {
			t.Errorf("batches of %v transactions", lists)
		}
	})
}
