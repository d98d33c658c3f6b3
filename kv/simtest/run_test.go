package simtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plinthdb/plinth/kv"
)

// brief makes native runs short.
func brief() Option { return WithLength(time.Second, 100*time.Millisecond) }

// failing is a test that is expected to fail: it keeps what Run says.
type failing struct {
	testing.TB
	said   string
	failed bool
}

// Helper implements testing.TB.
func (*failing) Helper() {}

// Failed implements testing.TB.
func (f *failing) Failed() bool { return f.failed }

// Fatal implements testing.TB.
func (f *failing) Fatal(args ...any) { f.Fatalf("%s", fmt.Sprint(args...)) }

// Fatalf implements testing.TB.
func (f *failing) Fatalf(format string, args ...any) {
	f.said, f.failed = fmt.Sprintf(format, args...), true
	runtime.Goexit()
}

// runFailing runs a test and returns what it fails with; empty if it passes.
func runFailing(t *testing.T, define func(ctx context.Context, w *World) error, options ...Option) string {
	t.Helper()
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		Run(f, define, options...)
	}()
	<-done
	return f.said
}

func set(ctx context.Context, db *kv.Database, key, value string) error {
	_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (struct{}, error) {
		tx.Set([]byte(key), []byte(value))
		return struct{}{}, nil
	})
	return err
}

func get(ctx context.Context, db *kv.Database, key string) (string, error) {
	return kv.ReadTransact(ctx, db, func(r kv.Reader) (string, error) {
		value, err := r.Get([]byte(key)).Wait()
		return string(value), err
	})
}

// tally counts what one client knows of its commits.
type tally struct{ acknowledged, unknown atomic.Int64 }

// add writes the next of the client's keys, without a retry.
func (c *tally) add(ctx context.Context, db *kv.Database, key string) error {
	tx := db.Begin(ctx)
	defer tx.Cancel()
	tx.Set([]byte(key), nil)
	err := tx.Commit()
	switch {
	case err == nil:
		c.acknowledged.Add(1)
	case kv.MaybeCommitted(err):
		c.unknown.Add(1)
	}
	return err
}

func TestNothingThatClientsWereToldIsLost(t *testing.T) {
	Run(t, func(ctx context.Context, w *World) error {
		tallies := make([]tally, 4)
		for i := range tallies {
			n := 0
			w.Client("writer", func(ctx context.Context, db *kv.Database, _ *rand.Rand) error {
				n++
				return tallies[i].add(ctx, db, fmt.Sprintf("%d/%06d", i, n))
			})
		}
		w.Check("T3", func(ctx context.Context, db *kv.Database) error {
			for i := range tallies {
				rows, err := kv.ReadTransact(ctx, db, func(r kv.Reader) ([]kv.KeyValue, error) {
					return r.Range(kv.PrefixRange(fmt.Appendf(nil, "%d/", i)), kv.RangeOptions{}).Slice()
				})
				if err != nil {
					return err
				}
				low, high := tallies[i].acknowledged.Load(), tallies[i].acknowledged.Load()+tallies[i].unknown.Load()
				if n := int64(len(rows)); n < low || n > high || low == 0 {
					return fmt.Errorf("T3: %d rows of writer %d, want %d to %d and some", n, i, low, high)
				}
			}
			return nil
		})
		return nil
	}, brief())
}

func TestEmbeddedCodeDiesWithItsProcessAndBeginsAnew(t *testing.T) {
	var databases []*kv.Database
	Run(t, func(ctx context.Context, w *World) error {
		w.Embedded("victim", func(ctx context.Context, db *kv.Database, _ *rand.Rand) error {
			databases = append(databases, db)
			if err := set(ctx, db, fmt.Sprint(len(databases)), ""); err != nil {
				return err
			}
			if len(databases) > 1 {
				return nil
			}
			w.process.Kill()
			<-ctx.Done() // or the test hangs
			if err := set(context.Background(), db, "dead", ""); err == nil {
				t.Error("a dead process has written")
			}
			return errors.New("of a dead process, which nobody hears")
		})
		w.Check("what was written", func(ctx context.Context, db *kv.Database) error {
			dead, err := get(ctx, db, "dead")
			if err == nil && dead != "" {
				err = errors.New("T3: a dead process has written")
			}
			return err
		})
		return nil
	}, WithFaults(), brief())
	if len(databases) < 2 || databases[0] == databases[1] {
		t.Errorf("%d steps, of different databases: %v", len(databases), len(databases) > 1 && databases[0] != databases[1])
	}
}

func TestSetupRunsBeforeTheFaultsAndChecksAfterARestartAgain(t *testing.T) {
	checks := 0
	Run(t, func(ctx context.Context, w *World) error {
		w.Check("restarted", func(ctx context.Context, db *kv.Database) error {
			if checks++; w.process.Boots() < checks {
				t.Errorf("check %d runs after %d boots", checks, w.process.Boots())
			}
			value, err := get(ctx, db, "a")
			if err == nil && value != "1" {
				err = fmt.Errorf("a holds %q", value)
			}
			return err
		})
		if w.process.Boots() != 1 || w.Simulated() != (runtime.GOOS == "wasip1") {
			t.Errorf("%d boots before setup, simulated: %v", w.process.Boots(), w.Simulated())
		}
		return set(ctx, w.DB(), "a", "1")
	}, brief())
	if checks != 2 {
		t.Errorf("%d checks, want 2", checks)
	}
}

func TestFailuresNameWhatFailed(t *testing.T) {
	broken := errors.New("it is broken")
	for want, define := range map[string]func(ctx context.Context, w *World) error{
		"setup: it is broken": func(context.Context, *World) error { return broken },
		`client "c": it is broken`: func(_ context.Context, w *World) error {
			w.Client("c", func(context.Context, *kv.Database, *rand.Rand) error { return broken })
			return nil
		},
		`client "e": it is broken`: func(_ context.Context, w *World) error {
			w.Embedded("e", func(context.Context, *kv.Database, *rand.Rand) error { return broken })
			return nil
		},
		`check "x": it is broken`: func(_ context.Context, w *World) error {
			w.Check("x", func(context.Context, *kv.Database) error { return broken })
			return nil
		},
	} {
		if said := runFailing(t, define, WithFaults(), brief()); !strings.Contains(said, want) {
			t.Errorf("said %q, want %q in it", said, want)
		}
	}
}

func TestACheckThatFailsAfterTheRestartOnlySaysSo(t *testing.T) {
	checks := 0
	said := runFailing(t, func(_ context.Context, w *World) error {
		w.Check("second time", func(context.Context, *kv.Database) error {
			if checks++; checks == 2 {
				return errors.New("lost")
			}
			return nil
		})
		return nil
	}, brief(), WithFaults())
	if !strings.Contains(said, `check "second time", after the store was closed and opened again: lost`) {
		t.Errorf("said %q", said)
	}
}

func TestAClientThatDoesNotGetOnFails(t *testing.T) {
	ctx, w := newWorld(t.Context(), setting{trace: func([]byte) {}}, newOptions([]Option{brief()}))
	w.healLimit = 50 * time.Millisecond
	err := w.run(ctx, func(_ context.Context, w *World) error {
		w.Client("stuck", func(context.Context, *kv.Database, *rand.Rand) error { return kv.ErrNotCommitted })
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), `client "stuck": no step got through within 50ms`) {
		t.Errorf("error %v", err)
	}
}

func TestATestThatEndsItselfInSetupLeavesNothingBehind(t *testing.T) {
	var world *World
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		Run(f, func(_ context.Context, w *World) error {
			world = w
			f.Fatal("enough")
			return nil
		})
	}()
	<-done
	if f.said != "enough" {
		t.Errorf("said %q", f.said)
	}
	if err := set(t.Context(), world.DB(), "a", ""); !errors.Is(err, kv.ErrDatabaseClosed) {
		t.Errorf("T4: the database is still open: %v", err)
	}
}

func TestDeclaringAfterTheSetupPanics(t *testing.T) {
	var once sync.Once
	Run(t, func(_ context.Context, w *World) error {
		w.Client("late", func(context.Context, *kv.Database, *rand.Rand) error {
			once.Do(func() {
				defer func() {
					if p := recover(); p == nil {
						t.Error("nothing said that it was too late")
					}
				}()
				w.Check("too late", nil)
			})
			return nil
		})
		return nil
	}, brief(), WithFaults())
}
