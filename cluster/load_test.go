package cluster

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
)

// TestTheLagIsNoLongerThanTheStorageServerIsBehind draws commits and when the
// storage server has them. What is told must be true: at least that old a commit
// had not arrived at some moment of this or the last target.
func TestTheLagIsNoLongerThanTheStorageServerIsBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		delay := time.Duration(rapid.IntRange(0, 2_000_000).Draw(t, "delay")) * time.Microsecond
		var l lag
		var now time.Duration
		committed := func(at time.Duration) wire.Version { return wire.Version(max(at, 0).Microseconds()) }
		for range rapid.IntRange(1, 40).Draw(t, "looks") {
			now += time.Duration(rapid.IntRange(0, 200_000).Draw(t, "pause")) * time.Microsecond
			behind := l.observe(now, committed(now), committed(now-delay))
			switch {
			case behind > delay:
				t.Fatalf("behind for %v, but everything arrives after %v", behind, delay)
			case committed(now)-committed(now-delay) < minLagVersions && behind != 0:
				t.Fatalf("behind for %v with %d versions", behind, committed(now)-committed(now-delay))
			}
		}
	})
}

func TestALagGrowsWhileNothingArrivesAndEndsWithIt(t *testing.T) {
	var l lag
	for i, step := range []struct {
		now                time.Duration
		committed, applied wire.Version
		want               time.Duration
	}{
		{0, 2_000_000, 1_000_000, 0}, // the first commit after a pause
		{time.Millisecond, 2_000_000, 2_000_000, 0},
		{2 * time.Second, 3_000_000, 2_000_000, 0}, // and another one
		{2100 * time.Millisecond, 3_100_000, 2_000_000, 100 * time.Millisecond},
		{2400 * time.Millisecond, 3_400_000, 2_000_000, 400 * time.Millisecond},
		{2500 * time.Millisecond, 3_500_000, 3_000_000, 400 * time.Millisecond}, // the next target, as slow as the last until it proves slower
		{2600 * time.Millisecond, 3_600_000, 3_000_000, 400 * time.Millisecond},
		{3000 * time.Millisecond, 4_000_000, 3_400_000, 500 * time.Millisecond},
		{3001 * time.Millisecond, 4_000_000, 3_800_000, 0},
	} {
		if got := l.observe(step.now, step.committed, step.applied); got != step.want {
			t.Errorf("step %d: behind for %v, want %v", i, got, step.want)
		}
	}
}

func TestThousandthsAreOfTheLimitAndBounded(t *testing.T) {
	for _, c := range []struct {
		used, limit int64
		want        int
	}{{0, 10, 0}, {5, 10, 500}, {20, 10, 2000}, {1 << 62, 1, 10_000}, {0, 0, 0}, {1 << 40, 1 << 62, 0}, {1, 0, 1000}} {
		if got := thousandths(c.used, c.limit); got != c.want {
			t.Errorf("%d of %d: %d thousandths, want %d", c.used, c.limit, got, c.want)
		}
	}
}

// A store whose storage server cannot keep up takes no new batch transactions,
// says so, and takes them again when it has caught up. Others start throughout.
func TestBatchStartsWaitForAStorageServerThatIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, disk := openBehind(t, storageDir)
		defer closeStore(t, l)
		defer disk.open()
		ctx := context.Background()
		start := func(priority wire.Priority) error {
			_, err := l.ReadVersion(ctx, wire.ReadVersionRequest{Priority: priority})
			return err
		}
		disk.shut.Store(true)
		value := strings.Repeat("x", wire.MaxValueBytes)
		for l.Status().LimitedBy == wire.LimitedByWorkload {
			if _, err := l.Commit(ctx, setRequest(0, "key", value)); err != nil {
				t.Fatal(err)
			}
			<-time.After(100 * time.Millisecond)
		}
		if err := start(wire.PriorityBatch); !errors.Is(err, wire.ErrBatchThrottled) {
			t.Errorf("a batch start while the store is limited by %s: %v", l.Status().LimitedBy, err)
		}
		for _, priority := range []wire.Priority{wire.PriorityDefault, wire.PriorityImmediate} {
			if err := start(priority); err != nil {
				t.Errorf("priority %d while the store is limited by %s: %v", priority, l.Status().LimitedBy, err)
			}
		}
		disk.open()
		<-time.After(10 * time.Second)
		if err := start(wire.PriorityBatch); err != nil || l.Status().LimitedBy != wire.LimitedByWorkload {
			t.Errorf("a batch start when the storage server has caught up: %v; limited by %s", err, l.Status().LimitedBy)
		}
	})
}

func TestOpeningTellsOfARowThatIsNoLimit(t *testing.T) {
	var told strings.Builder
	config := smallConfig(vfs.NewMem())
	config.Logger = slog.New(slog.NewTextHandler(&told, nil))
	for _, want := range []bool{false, true} {
		l, err := OpenLocal(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		req := setRequest(0, wire.TagThrottlePrefix+"nonsense", "")
		req.HasSystemKeys = true
		if _, err := l.Commit(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		closeStore(t, l)
		if got := strings.Contains(told.String(), "throttledTags/tag/nonsense"); got != want {
			t.Errorf("the row is told of: %v, want %v\n%s", got, want, told.String())
		}
	}
}
