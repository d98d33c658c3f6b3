package storage_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
)

const (
	twins        = 12 // keys that always hold the same value
	twinVersions = 1500
)

// twinMutations writes the version's number to all twins, in one of several
// ways that end in the same state.
func twinMutations(version wire.Version, random *rand.Rand) []wire.Mutation {
	var list []wire.Mutation
	value := strconv.Itoa(int(version))
	switch random.IntN(3) {
	case 1:
		list = append(list, clearRange("t", "u"))
	case 2:
		list = append(list, set("t05", "gone"), clearRange("t03", "t08"))
	}
	for i := range twins {
		list = append(list, set(fmt.Sprintf("t%02d", i), value))
	}
	return list
}

// TestReadersSeeWholeVersionsWhileTheEngineAdvances runs readers of random
// versions beside the apply, advance and flush loops (S1 to S4).
func TestReadersSeeWholeVersionsWhileTheEngineAdvances(t *testing.T) {
	l := newFakeLog()
	s := open(t, vfs.NewMem(), l, func(cfg *storage.Config) {
		cfg.WindowVersions, cfg.StepVersions, cfg.FlushInterval, cfg.MemTableBytes = 300, 30, time.Millisecond, 128<<10
	})
	l.append(10, twinMutations(10, rand.New(rand.NewPCG(0, 0)))...)
	var readers sync.WaitGroup
	for seed := range uint64(4) {
		readers.Go(func() { readTwins(t, s, rand.New(rand.NewPCG(seed, 1))) })
	}
	random := rand.New(rand.NewPCG(1, 2))
	for version := wire.Version(20); version <= 10*twinVersions; version += 10 {
		l.append(version, twinMutations(version, random)...)
		if version%1000 == 0 {
			get(t, s, version-200, "t00")
		}
	}
	readers.Wait()
	l.awaitPop(20) // which on a busy machine comes after the last read
	if st := s.Stats(); st.Steps == 0 {
		t.Fatalf("the engine never advanced: %+v", st)
	}
}

// readTwins reads until the last version is there, and checks that every
// answer is of one version.
func readTwins(t *testing.T, s *storage.Server, random *rand.Rand) {
	keys := make([][]byte, twins)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "t%02d", i)
	}
	for {
		newest := s.Version()
		version := max(10, newest-wire.Version(random.IntN(400)))
		var values [][]byte
		var err error
		if random.IntN(2) == 0 {
			var reply wire.GetValuesReply
			reply, err = s.GetValues(context.Background(), &wire.GetValuesRequest{Version: version, Keys: keys})
			values = reply.Values
		} else {
			req := wire.GetRangeRequest{Version: version, Begin: []byte("t"), End: []byte("u"), Reverse: random.IntN(2) == 0}
			var reply wire.GetRangeReply
			reply, err = s.GetRange(context.Background(), &req)
			for _, row := range reply.Rows {
				values = append(values, row.Value)
			}
		}
		want := strconv.Itoa(int(version / 10 * 10))
		switch {
		case errors.Is(err, wire.ErrTransactionTooOld) && version < s.OldestReadable():
		case err != nil || len(values) != twins:
			t.Errorf("version %d: %d values, %v", version, len(values), err)
			return
		default:
			for i, v := range values {
				if string(v) != want {
					t.Errorf("version %d: value %d of %q, want %s", version, i, values, want)
					return
				}
			}
		}
		if newest >= 10*twinVersions {
			return
		}
	}
}

func TestTheWindowStaysBoundedUnderWritesWithoutEnd(t *testing.T) {
	const limit, peek = 64 << 10, 8 << 10
	l := newFakeLog()
	s := open(t, vfs.NewMem(), l, func(cfg *storage.Config) {
		cfg.WindowBytes, cfg.PeekBytes, cfg.FlushInterval = limit, peek, time.Millisecond
	})
	value := string(make([]byte, 1000))
	most := 0
	for version := wire.Version(1); version <= 3000; version++ {
		l.append(version, set(fmt.Sprintf("k%d", version%500), value))
		if version%50 == 0 {
			get(t, s, version, "k1")
			most = max(most, s.Stats().WindowBytes)
		}
	}
	// A mutation of 1,000 bytes counts for some 1,300 in the window.
	if most == 0 || most > 2*limit+2*peek {
		t.Fatalf("S7: the window reached %d bytes, limit %d", most, limit)
	}
	same(t, get(t, s, 3000, "k0", "k499"), value, value)
}

func TestReadsOutsideTheWindowGetTheirError(t *testing.T) {
	l := newFakeLog()
	s := open(t, vfs.NewMem(), l, func(cfg *storage.Config) {
		cfg.WindowVersions, cfg.StepVersions, cfg.FlushInterval, cfg.ReadWait = 100, 10, time.Millisecond, time.Millisecond
	})
	for version := wire.Version(10); version <= 1000; version += 10 {
		l.append(version, set("a", "1"))
	}
	l.awaitPop(880)
	for _, c := range []struct {
		version wire.Version
		want    error
	}{{-1, wire.ErrVersionInvalid}, {0, wire.ErrTransactionTooOld}, {870, wire.ErrTransactionTooOld}, {1001, wire.ErrFutureVersion}} {
		_, err := s.GetValues(t.Context(), &wire.GetValuesRequest{Version: c.version})
		_, rangeErr := s.GetRange(t.Context(), &wire.GetRangeRequest{Version: c.version})
		_, keyErr := s.GetKey(t.Context(), &wire.GetKeyRequest{Version: c.version})
		for _, err := range []error{err, rangeErr, keyErr} {
			if !errors.Is(err, c.want) {
				t.Errorf("version %d: got %v, want %v", c.version, err, c.want)
			}
		}
	}
	same(t, get(t, s, 1000, "a"), "1")
}

func TestRangeRequestsAreChecked(t *testing.T) {
	l := newFakeLog()
	s := open(t, vfs.NewMem(), l, nil)
	for _, c := range []struct {
		req  wire.GetRangeRequest
		want error
	}{
		{wire.GetRangeRequest{Begin: []byte("b"), End: []byte("a")}, wire.ErrInvertedRange},
		{wire.GetRangeRequest{LimitRows: -1}, wire.ErrRangeLimitsInvalid},
		{wire.GetRangeRequest{LimitBytes: -1}, wire.ErrRangeLimitsInvalid},
	} {
		if _, err := s.GetRange(t.Context(), &c.req); !errors.Is(err, c.want) {
			t.Errorf("%+v: got %v, want %v", c.req, err, c.want)
		}
	}
}

func TestWaitingReadsAreBounded(t *testing.T) {
	l := newFakeLog()
	s := open(t, vfs.NewMem(), l, func(cfg *storage.Config) { cfg.MaxWaitingReads = 1 })
	results := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := s.GetValues(context.Background(), &wire.GetValuesRequest{Version: 10})
			results <- err
		}()
	}
	if err := <-results; !errors.Is(err, wire.ErrProcessBehind) {
		t.Fatalf("one read too many: %v", err)
	}
	l.append(10, set("a", "1"))
	if err := <-results; err != nil {
		t.Fatalf("waiting read: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.GetValues(ctx, &wire.GetValuesRequest{Version: 20}); !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled read: %v", err)
	}
	if n := s.Stats().WaitingReads; n != 0 {
		t.Fatalf("%d reads wait", n)
	}
}
