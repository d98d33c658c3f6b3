package txn

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// testLoad is a load that tests set.
type testLoad struct{ atomic.Int64 }

func (l *testLoad) LoadThousandths() int { return int(l.Load()) }

// answer is what a request was told, and when.
type answer struct {
	name  string
	reply wire.ReadVersionReply
	err   error
	after time.Duration
}

// starts is a proxy over a sequencer and a load that tests set, and requests to
// it.
type starts struct {
	*ReadVersionProxy
	load      testLoad
	sequencer fakeSequencer
	begun     time.Time
	answers   chan answer
}

func newStarts(maxWaiters int) *starts {
	s := &starts{answers: make(chan answer, 100), begun: time.Now()}
	s.ReadVersionProxy = NewReadVersionProxy(ReadVersionConfig{Sequencer: &s.sequencer, Log: liveLog{}, Load: &s.load, MaxWaiters: maxWaiters})
	return s
}

// ask starts a request and waits until it is answered or held.
func (s *starts) ask(ctx context.Context, name string, req wire.ReadVersionRequest) {
	go func() {
		reply, err := s.ReadVersion(ctx, req)
		s.answers <- answer{name, reply, err, time.Since(s.begun)}
	}()
	synctest.Wait()
}

func (s *starts) askAll() {
	ctx := context.Background()
	s.ask(ctx, "batch", wire.ReadVersionRequest{Priority: wire.PriorityBatch})
	s.ask(ctx, "default", wire.ReadVersionRequest{})
	s.ask(ctx, "immediate", wire.ReadVersionRequest{Priority: wire.PriorityImmediate})
}

// expect says who must have been answered by now, without errors.
func (s *starts) expect(t *testing.T, when string, names ...string) {
	t.Helper()
	synctest.Wait()
	for _, name := range names {
		select {
		case a := <-s.answers:
			if a.name != name || a.err != nil {
				t.Errorf("%s: %s was told %v, want an answer to %s", when, a.name, a.err, name)
			}
		default:
			t.Errorf("%s: %s was not answered", when, name)
		}
	}
	select {
	case a := <-s.answers:
		t.Errorf("%s: %s was answered", when, a.name)
	default:
	}
}

func pass(d time.Duration) { <-time.After(d) }

// Immediate requests go on whatever the load, default ones once it is below the
// limit, batch ones once it is below half of it.
func TestUnderLoadImmediateStartsComeBeforeDefaultBeforeBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStarts(0)
		defer s.Close()
		s.askAll()
		s.expect(t, "without load", "batch", "default", "immediate")
		s.load.Store(1000)
		s.askAll()
		pass(5 * holdCheck)
		s.expect(t, "under full load", "immediate")
		s.load.Store(999)
		pass(holdCheck)
		s.expect(t, "below full load", "default")
		s.ask(context.Background(), "default", wire.ReadVersionRequest{})
		s.expect(t, "below full load", "default")
		s.load.Store(499)
		pass(holdCheck)
		s.expect(t, "below half the load", "batch")
		if got := s.Stats(); got.StartsBatch != 2 || got.StartsDefault != 3 || got.StartsImmediate != 2 || got.Held != 2 || got.Holding != 0 {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestABatchStartIsRefusedUnderLoadAndGoesOnAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStarts(0)
		defer s.Close()
		s.load.Store(500)
		s.askAll()
		s.expect(t, "under half the load", "default", "immediate")
		pass(batchStartWait)
		if a := <-s.answers; !errors.Is(a.err, wire.ErrBatchThrottled) || a.after > batchStartWait+holdCheck {
			t.Errorf("batch start under load: %v after %v", a.err, a.after)
		}
		s.load.Store(0)
		s.askAll()
		s.expect(t, "after the load", "batch", "default", "immediate")
		if got := s.Stats(); got.RefusedBatch != 1 || got.StartsBatch != 1 {
			t.Errorf("stats %+v", got)
		}
	})
}

// Who only reads must not starve because the store is full of writes.
func TestADefaultStartIsHeldForABoundedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStarts(0)
		defer s.Close()
		s.load.Store(2000)
		s.ask(context.Background(), "default", wire.ReadVersionRequest{})
		if a := <-s.answers; a.err != nil || a.after < defaultStartWait || a.after > defaultStartWait+holdCheck {
			t.Errorf("default start under full load: %v after %v", a.err, a.after)
		}
	})
}

// Half of the queue is closed to batch starts, its last part to default ones.
func TestAFullQueueIsForImmediateStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStarts(8)
		defer s.Close()
		looks := &slowSequencer{looks: make(chan chan wire.Version)}
		s.config.Sequencer = looks
		ctx := context.Background()
		for range 1 + 4 {
			s.ask(ctx, "default", wire.ReadVersionRequest{})
		}
		for _, next := range []struct {
			priority wire.Priority
			want     error
		}{
			{wire.PriorityBatch, wire.ErrBatchThrottled},
			{wire.PriorityDefault, nil},
			{wire.PriorityDefault, nil},
			{wire.PriorityDefault, nil},
			{wire.PriorityDefault, wire.ErrGRVProxyMemoryLimit},
			{wire.PriorityImmediate, nil},
			{wire.PriorityImmediate, wire.ErrGRVProxyMemoryLimit},
		} {
			s.ask(ctx, "next", wire.ReadVersionRequest{Priority: next.priority})
			select {
			case a := <-s.answers:
				if next.want == nil || !errors.Is(a.err, next.want) {
					t.Errorf("priority %d was told %v, want %v", next.priority, a.err, next.want)
				}
			default:
				if next.want != nil {
					t.Errorf("priority %d waits, want %v", next.priority, next.want)
				}
			}
		}
		for version := range wire.Version(2) {
			<-looks.looks <- version
		}
		for range 9 {
			if a := <-s.answers; a.err != nil {
				t.Error(a.err)
			}
		}
		if got := s.Stats(); got.RefusedBatch != 1 || got.RefusedFull != 2 {
			t.Errorf("stats %+v", got)
		}
	})
}

// T9: a look that was under way when a request was let go is not its look.
func TestAHeldStartSeesWhatIsCommittedBeforeItIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStarts(0)
		defer s.Close()
		looks := &slowSequencer{looks: make(chan chan wire.Version)}
		s.config.Sequencer = looks
		s.load.Store(1000)
		ctx := context.Background()
		s.ask(ctx, "held", wire.ReadVersionRequest{})
		s.ask(ctx, "early", wire.ReadVersionRequest{Priority: wire.PriorityImmediate})
		early := <-looks.looks
		s.load.Store(0)
		pass(holdCheck)
		early <- 1
		if a := <-s.answers; a.name != "early" || a.reply.Version != 1 {
			t.Errorf("the first look answered %s with %d", a.name, a.reply.Version)
		}
		<-looks.looks <- 2
		if a := <-s.answers; a.name != "held" || a.reply.Version != 2 {
			t.Errorf("T9: the second look answered %s with %d", a.name, a.reply.Version)
		}
	})
}

func TestAHeldStartEndsWithItsContextAndWithTheProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStarts(0)
		s.load.Store(1000)
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(context.Background())
		s.ask(ctx, "cancelled", wire.ReadVersionRequest{Priority: wire.PriorityBatch})
		s.ask(context.Background(), "held", wire.ReadVersionRequest{Priority: wire.PriorityBatch})
		cancel(why)
		if a := <-s.answers; a.name != "cancelled" || !errors.Is(a.err, why) {
			t.Errorf("%s was told %v", a.name, a.err)
		}
		if got := s.Stats(); got.Holding != 1 {
			t.Errorf("%d starts are held", got.Holding)
		}
		s.Close()
		if a := <-s.answers; a.name != "held" || !errors.Is(a.err, wire.ErrGenerationEnded) {
			t.Errorf("%s was told %v", a.name, a.err)
		}
		synctest.Wait()
		if s.mu.waiters != 0 || s.mu.checks != nil {
			t.Errorf("left over: %d waiters, checks %v", s.mu.waiters, s.mu.checks)
		}
	})
}

// While the load is hardly below the one that batch starts are held for, few of
// them go on at once.
func TestBatchStartsThatWereHeldDoNotAllComeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStarts(0)
		defer s.Close()
		s.load.Store(500)
		for i := range 10 {
			s.ask(context.Background(), fmt.Sprint("batch", i), wire.ReadVersionRequest{Priority: wire.PriorityBatch})
		}
		s.load.Store(499)
		pass(holdCheck)
		s.expect(t, "at first", "batch0")
		pass(holdCheck)
		s.expect(t, "then", "batch1")
		s.load.Store(0)
		pass(holdCheck)
		synctest.Wait()
		if got := s.Stats(); len(s.answers) != 8 || got.StartsBatch != 10 {
			t.Errorf("%d answers without load, stats %+v", len(s.answers), got)
		}
	})
}

// A start that is refused for want of room has not taken what a limit on its tag
// leaves, and one that was held keeps its place, however full the queue is by
// then.
func TestNoStartIsLimitedByATagAndThenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStarts(8)
		defer s.Close()
		looks := &slowSequencer{looks: make(chan chan wire.Version)}
		s.config.Sequencer, s.config.SystemKeys = looks, NewSystemKeys(0, nil, nil)
		s.config.SystemKeys.SetTagThrottles([]wire.KeyValue{wire.TagThrottle{Tag: "busy", StartsPerSecond: 2}.Row()})
		ctx := context.Background()
		tagged := wire.ReadVersionRequest{Priority: wire.PriorityBatch, Tags: []string{"busy"}}
		look := func(version wire.Version, answers int) {
			t.Helper()
			<-looks.looks <- version
			for range answers {
				if a := <-s.answers; a.err != nil || a.reply.Version != version {
					t.Errorf("look %d: %s was told %d, %v", version, a.name, a.reply.Version, a.err)
				}
			}
		}
		for range 1 + 4 {
			s.ask(ctx, "default", wire.ReadVersionRequest{})
		}
		s.ask(ctx, "without room", tagged)
		if a := <-s.answers; !errors.Is(a.err, wire.ErrBatchThrottled) || len(s.Stats().Tags) != 0 {
			t.Errorf("beside a full queue: %v, and started were %+v", a.err, s.Stats().Tags)
		}
		look(1, 1)
		look(2, 4)
		s.ask(ctx, "passes", tagged)
		s.ask(ctx, "held", tagged)
		if got := s.Stats(); got.Holding != 1 || got.StartsBatch != 1 {
			t.Errorf("the first start should go on, the second be held: %+v", got)
		}
		for range 5 {
			s.ask(ctx, "default", wire.ReadVersionRequest{})
		}
		pass(time.Second)
		look(3, 1)
		look(4, 6)
		if got := s.Stats(); got.RefusedBatch != 1 || got.StartsBatch != 2 || got.Tags[0].Starts != 2 {
			t.Errorf("stats %+v", got)
		}
		synctest.Wait()
		if s.mu.waiters != 0 {
			t.Errorf("%d waiters are left", s.mu.waiters)
		}
	})
}
