package txlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/raftgroup"
	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
)

// node is one log server on a log of its own.
type node struct {
	log    *wal.Log
	server *Server
}

func openNode(t *testing.T, fs vfs.FS) *node {
	t.Helper()
	replay := raftgroup.NewReplay()
	quiet := slog.New(slog.DiscardHandler)
	log, err := wal.Open(wal.Options{FS: fs, Dir: "log", SegmentBytes: 16 << 10, QueueLimitBytes: raftgroup.LogQueueBytes, Replay: replay.Record, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	server, err := Open(context.Background(), Config{
		Replica: 1, Voters: []uint64{1}, Log: log, Retain: log.DropBefore, CacheBytes: 4 << 10, CutBytes: 8 << 10, Logger: quiet,
	}, replay)
	if err != nil {
		t.Fatal(err)
	}
	return &node{log: log, server: server}
}

func (n *node) close() {
	n.server.Close()
	_ = n.log.Close()
}

// begin makes the next generation and returns it with its first version.
func (n *node) begin(t *testing.T) (wire.Generation, wire.Version) {
	t.Helper()
	ctx := context.Background()
	generation := n.server.Status().Locked + 1
	end, err := n.server.Lock(ctx, generation)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.server.Begin(ctx, generation, end, end+1000); err != nil {
		t.Fatal(err)
	}
	return generation, end + 1000
}

func (n *node) append(generation wire.Generation, prev, version wire.Version, tag wire.Tag, text string) error {
	done := make(chan error, 1)
	list := wire.AppendMutation(nil, wire.Mutation{Type: wire.SetValue, Param1: []byte("key"), Param2: []byte(text)})
	n.server.Append(&wire.AppendRequest{
		Generation: generation, Prev: prev, Version: version, Body: wire.AppendRun(nil, []wire.Tag{tag}, list),
	}, func(err error) { done <- err })
	return <-done
}

// peekAll reads the whole stream of a tag.
func (n *node) peekAll(t *testing.T, tag wire.Tag, after wire.Version) (texts []string, through wire.Version) {
	t.Helper()
	through = after
	for through < n.server.Status().KnownCommitted {
		reply, err := n.server.Peek(context.Background(), wire.PeekRequest{Tag: tag, After: through, LimitBytes: 2000})
		if err != nil {
			t.Fatal(err)
		}
		if reply.Through <= through {
			t.Fatalf("peek after %d is complete through %d", through, reply.Through)
		}
		for _, v := range reply.Versions {
			for _, list := range v.Lists {
				r := wire.ReadMutations(list)
				m, _, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, fmt.Sprintf("%d=%.8s", v.Version, m.Param2))
			}
		}
		through = reply.Through
	}
	return texts, through
}

func TestBatchesSurviveRestartsAndCrashesUntilTheyArePopped(t *testing.T) {
	fs := vfs.NewCrashableMem()
	rng := rand.New(rand.NewPCG(1, 2))
	var acked []string
	popped := wire.Version(0)
	for life := range 12 {
		n := openNode(t, fs)
		_, version := n.begin(t)
		for i := range 60 {
			generation, prev := n.server.Status().Locked, version
			version += wire.Version(1 + rng.IntN(50))
			text := fmt.Sprintf("%d.%d%0*d", life, i, rng.IntN(900), 0)
			if err := n.append(generation, prev, version, 7, text); err != nil {
				t.Fatal(err)
			}
			acked = append(acked, fmt.Sprintf("%d=%.8s", version, text))
		}
		got, _ := n.peekAll(t, 7, popped)
		if want := acked[len(acked)-len(got):]; len(got) < 60 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("life %d: peek after %d gives %d batches %v, want %d %v", life, popped, len(got), got, len(want), want)
		}
		if life%3 == 1 {
			// Pop all but the last few.
			_, err := fmt.Sscanf(acked[len(acked)-5], "%d=", &popped)
			if err != nil {
				t.Fatal(err)
			}
			if err := n.server.Pop(context.Background(), 7, popped); err != nil {
				t.Fatal(err)
			}
			acked = acked[len(acked)-4:]
			if kept := n.server.Status().UnpoppedBatches; kept > 10 {
				t.Errorf("life %d: %d batches are kept after the pop", life, kept)
			}
		}
		clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		n.close()
		if life%2 == 0 {
			fs = clone
		}
	}
}

func TestAppendsAreProposedInOrderWhateverOrderTheyArriveIn(t *testing.T) {
	n := openNode(t, vfs.NewMem())
	defer n.close()
	generation, first := n.begin(t)
	const count = 50
	results := make(chan error, count)
	for _, i := range rand.Perm(count) {
		prev := first + wire.Version(i)
		n.server.Append(&wire.AppendRequest{Generation: generation, Prev: prev, Version: prev + 1}, func(err error) { results <- err })
	}
	for range count {
		if err := <-results; err != nil {
			t.Fatalf("L1: %v", err)
		}
	}
	if end := n.server.Status().End; end != first+count {
		t.Errorf("the log ends at %d, want %d", end, first+count)
	}
}

func TestARepeatedBatchIsAcknowledgedAndStoredOnce(t *testing.T) {
	n := openNode(t, vfs.NewMem())
	defer n.close()
	generation, first := n.begin(t)
	for range 3 {
		if err := n.append(generation, first, first+5, 1, "once"); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := n.peekAll(t, 1, 0); len(got) != 1 {
		t.Errorf("L1: the batch is there as %v", got)
	}
}

func TestALockedOutGenerationIsRefused(t *testing.T) {
	n := openNode(t, vfs.NewMem())
	defer n.close()
	ctx := context.Background()
	old, first := n.begin(t)
	if err := n.server.ConfirmLive(ctx, old); err != nil {
		t.Fatal(err)
	}
	if _, err := n.server.Lock(ctx, old+1); err != nil {
		t.Fatal(err)
	}
	if err := n.append(old, first, first+1, 1, "late"); !errors.Is(err, wire.ErrGenerationEnded) {
		t.Errorf("L2: append: %v", err)
	}
	for _, generation := range []wire.Generation{old, old + 1} {
		if err := n.server.ConfirmLive(ctx, generation); !errors.Is(err, wire.ErrGenerationEnded) {
			t.Errorf("generation %d counts as live while the log is locked: %v", generation, err)
		}
	}
	if _, err := n.server.Lock(ctx, old); !errors.Is(err, wire.ErrGenerationEnded) {
		t.Errorf("lock by an older generation: %v", err)
	}
}

func TestABatchWhosePredecessorNeverComesIsReported(t *testing.T) {
	n := openNode(t, vfs.NewMem())
	defer n.close()
	generation, first := n.begin(t)
	if err := n.append(generation, first+5, first+6, 1, "orphan"); !errors.Is(err, wire.ErrChainBroken) {
		t.Errorf("L1: %v, want chain_broken", err)
	}
}

func TestCloseAnswersEverybody(t *testing.T) {
	n := openNode(t, vfs.NewMem())
	generation, first := n.begin(t)
	waiting := make(chan error, 2)
	n.server.Append(&wire.AppendRequest{Generation: generation, Prev: first + 5, Version: first + 6}, func(err error) { waiting <- err })
	go func() {
		_, err := n.server.Peek(context.Background(), wire.PeekRequest{Tag: 1, After: first})
		waiting <- err
	}()
	n.close()
	for range 2 {
		if err := <-waiting; !errors.Is(err, wire.ErrDatabaseClosed) {
			t.Errorf("after close: %v", err)
		}
	}
}

func TestAStorageServerThatLostItsDiskIsTold(t *testing.T) {
	n := openNode(t, vfs.NewMem())
	defer n.close()
	generation, first := n.begin(t)
	if err := n.append(generation, first, first+1, 1, "text"); err != nil {
		t.Fatal(err)
	}
	if err := n.server.Pop(context.Background(), 1, first+1); err != nil {
		t.Fatal(err)
	}
	if _, err := n.server.Peek(context.Background(), wire.PeekRequest{Tag: 1, After: first}); !errors.Is(err, wire.ErrFileCorrupt) {
		t.Errorf("peek below what was popped: %v, want file_corrupt", err)
	}
}

// A batch that was repeated while it waited for its predecessor took the place
// of the first one, which was never answered.
func TestABatchRepeatedWhileItWaitsIsAnsweredTwice(t *testing.T) {
	n := openNode(t, vfs.NewMem())
	defer n.close()
	generation, first := n.begin(t)
	results := make(chan error, 3)
	done := func(err error) { results <- err }
	later := &wire.AppendRequest{Generation: generation, Prev: first + 1, Version: first + 2}
	n.server.Append(later, done)
	n.server.Append(later, done)
	n.server.Append(&wire.AppendRequest{Generation: generation, Prev: first, Version: first + 1}, done)
	for range 3 {
		if err := <-results; err != nil {
			t.Errorf("L1: %v", err)
		}
	}
	if end := n.server.Status().End; end != first+2 {
		t.Errorf("the log ends at %d, want %d", end, first+2)
	}
}

// An early batch that came after Close waited for its time to be up.
func TestAnEarlyBatchAfterCloseIsAnsweredAtOnce(t *testing.T) {
	n := openNode(t, vfs.NewMem())
	generation, first := n.begin(t)
	n.close()
	if err := n.append(generation, first+5, first+6, 1, "late"); !errors.Is(err, wire.ErrDatabaseClosed) {
		t.Errorf("append after close: %v", err)
	}
}

// A log entry that cannot be read was skipped without a word when the log was
// replayed, and every batch behind it with it.
func TestAnEntryThatCannotBeReadEndsTheReplica(t *testing.T) {
	fs := vfs.NewMem()
	n := openNode(t, fs)
	n.begin(t)
	done := make(chan error, 1)
	n.server.group.Propose([]byte{99, 0, 0, 0, 0, 0}, func(_ any, err error) { done <- err })
	if err := <-done; !errors.Is(err, wire.ErrFileCorrupt) {
		t.Errorf("the proposer was told %v", err)
	}
	n.close()
	replay := raftgroup.NewReplay()
	quiet := slog.New(slog.DiscardHandler)
	log, err := wal.Open(wal.Options{FS: fs, Dir: "log", QueueLimitBytes: raftgroup.LogQueueBytes, Replay: replay.Record, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	_, err = Open(context.Background(), Config{Replica: 1, Voters: []uint64{1}, Log: log, Logger: quiet}, replay)
	if !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), "entry 5 cannot be applied") {
		t.Errorf("open: %v, want file_corrupt that names the entry", err)
	}
}

// Two pops at once may write their checkpoints in the wrong order. The log
// then ended in a checkpoint from before its first entry, and could not be
// opened again.
func TestCheckpointsWrittenInTheWrongOrderAreHarmless(t *testing.T) {
	fs := vfs.NewMem()
	n := openNode(t, fs)
	generation, version := n.begin(t)
	type cut struct {
		index    uint64
		snapshot []byte
	}
	var cuts []cut
	for range 2 {
		if err := n.append(generation, version, version+1, 1, "text"); err != nil {
			t.Fatal(err)
		}
		version++
		n.server.mu.Lock()
		n.server.mu.core.Pop(1, version)
		index, snapshot, ok := n.server.mu.core.Cut()
		n.server.mu.Unlock()
		if !ok {
			t.Fatal("nothing to cut")
		}
		cuts = append(cuts, cut{index, snapshot})
	}
	for _, c := range []cut{cuts[1], cuts[0]} {
		if err := n.server.group.Compact(c.index, c.snapshot); err != nil {
			t.Errorf("G4: checkpoint at %d: %v", c.index, err)
		}
	}
	n.close()
	n = openNode(t, fs)
	defer n.close()
	if end := n.server.Status().End; end != version {
		t.Errorf("the log ends at %d, want %d", end, version)
	}
}
