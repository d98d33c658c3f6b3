package workload

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/sim/world"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// badRun makes the store, its answers or what is known of them break one
// invariant, and the workload look at it.
type badRun struct {
	name, invariant string
	options         []kv.DatabaseOption
	run             func(t *testing.T, s *stage, b *tampered, env *Env)
}

// playBadRuns plays each run on a stage of its own. Exactly its invariant must
// be found.
func playBadRuns(t *testing.T, workload string, runs []badRun) {
	t.Helper()
	for _, r := range runs {
		t.Run(r.name, func(t *testing.T) {
			s, b := newTamperedStage(t, r.options...)
			r.run(t, s, b, s.env(workload, 2))
			s.mustFind(t, workload, r.invariant)
		})
	}
}

func setKey(tx *kv.Transaction) error { tx.Set([]byte("k"), []byte("v")); return nil }

func TestWhatHoldsForAllWorkloadsIsChecked(t *testing.T) {
	early := answerWith(func(r *wire.CommitReply) { r.Version = 1 })
	playBadRuns(t, "Any", []badRun{
		{"a commit below its read version", "E2", nil, func(_ *testing.T, s *stage, b *tampered, env *Env) {
			b.with.Store(early)
			c := s.client(env)
			s.until(func() { s.do(c, setKey) })
		}},
		{"a commit below its read version, exactly once", "E2", nil, func(_ *testing.T, s *stage, b *tampered, env *Env) {
			b.with.Store(early)
			c := s.client(env)
			s.until(func() { _, _ = c.once(s.ctx, setKey) })
		}},
		{"a read version from before, exactly once", "E1", nil, func(_ *testing.T, s *stage, _ *tampered, env *Env) {
			s.shared.acknowledge(1 << 60)
			c := s.client(env)
			s.until(func() { _, _ = c.once(s.ctx, setKey) })
		}},
		{"a damaged pad", "E5", nil, func(t *testing.T, s *stage, _ *tampered, env *Env) {
			s.tamper(t, func(tx *kv.Transaction) {
				for _, key := range allPads() {
					tx.Set(key, []byte("damaged"))
				}
			})
			env.habits = Habits{PadProbability: 1, PadBytes: 10}
			s.do(s.client(env), setKey)
		}},
		{"a conflict without a reason", "E7", nil, func(_ *testing.T, s *stage, b *tampered, env *Env) {
			b.with.Store(refuse(anyCommit))
			_, _ = s.client(env).TryAlone(s.ctx, setKey)
		}},
	})
}

func allPads() (keys [][]byte) {
	rng := rand.New(rand.NewPCG(1, 1))
	for len(keys) < 1000 { // far more than there are
		keys = append(keys, padKey(rng))
	}
	return keys
}

// TestDamageIsToldByName: on a disk with a wrong bit an error that names the
// file ends the process, one that does not is a violation (E6).
func TestDamageIsToldByName(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		wrong bool
	}{
		{"with a name", kv.ErrFileCorrupt.With("file /store/x is corrupt"), false},
		{"without", kv.ErrFileCorrupt.With("something is corrupt"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStageOn(t, func(*world.World, world.Host) (*kv.Database, world.Store, error) {
				db, store, err := embedded.Open("/store", embedded.WithFS(vfs.NewMem())) // a sound disk
				return db, store, err
			})
			f, err := s.disk.Mount().Create("/rotten", vfs.WriteCategoryUnspecified)
			if err == nil {
				_, err = f.Write([]byte("some bits"))
			}
			if err := errors.Join(err, f.Sync()); err != nil {
				t.Fatal(err)
			}
			if !s.disk.Rot(func(string) bool { return false }) || !s.process.Flipped() {
				t.Fatal("nothing has rotted")
			}
			s.do(s.client(s.env("Any", 1)), func(*kv.Transaction) error { return c.err })
			if c.wrong {
				s.mustFind(t, "Any", "E6")
			} else if v := s.world.Violation(); v != nil {
				t.Errorf("found %v", v)
			}
			if c.wrong {
				return
			}
			if err := errors.Join(s.process.WaitDead(s.ctx), s.process.Boot()); err != nil {
				t.Error("the process did not end, or not begin again:", err)
			}
		})
	}
}

// TestNobodyIsRefusedWithoutAReason: each workload that knows of transactions
// that nothing can conflict with says so when one is refused (E7).
func TestNobodyIsRefusedWithoutAReason(t *testing.T) {
	for _, name := range []string{"AtomicOps", "AtomicOpsApiCorrectness", "Sideband", "Watches"} {
		t.Run(name, func(t *testing.T) {
			s, b := newTamperedStage(t)
			load, err := New(name, s.world.Rand(name))
			if err != nil {
				t.Fatal(err)
			}
			env := s.env(name, 1)
			if err := load.Setup(s.ctx, env); err != nil {
				t.Fatal(err)
			}
			b.with.Store(refuse(anyCommit))
			_ = load.Run(s.ctx, env)
			s.mustFind(t, name, "E7")
		})
	}
	playBadRuns(t, "VersionStamp", []badRun{{"VersionStamp", "E7", nil, func(_ *testing.T, s *stage, b *tampered, env *Env) {
		b.with.Store(refuse(anyCommit))
		_ = newVersionStamp(s.world.Rand("load")).trim(s.ctx, s.client(env), 0, kv.Stamp{1})
	}}})
}

func TestBadRunsOfSidebandAreFound(t *testing.T) {
	// told returns a workload, a client of it, and a message of a commit.
	told := func(t *testing.T, s *stage, env *Env) (*sideband, *Client, sidebandMessage) {
		load, c := newSideband(s.world.Rand("load")), s.client(env)
		for {
			if m, ok, err := load.mutate(s.ctx, c); err != nil {
				t.Fatal(err)
			} else if ok {
				return load, c, m
			}
		}
	}
	playBadRuns(t, "Sideband", []badRun{
		{"a commit seen too early", "S2", nil, func(t *testing.T, s *stage, b *tampered, env *Env) {
			load, c, m := told(t, s, env)
			b.with.Store(readAt(+1))
			s.beside(c, func(tx *kv.Transaction) error { return load.expectBefore(c, tx, m) })
		}},
		{"a commit not seen at its version", "S2", nil, func(t *testing.T, s *stage, b *tampered, env *Env) {
			load, c, m := told(t, s, env)
			b.with.Store(readAt(-1))
			s.beside(c, func(tx *kv.Transaction) error { return load.expectAt(c, tx, m) })
		}},
		{"a commit not seen later", "S1", nil, func(t *testing.T, s *stage, b *tampered, env *Env) {
			load, c, m := told(t, s, env)
			b.with.Store(&tampering{version: func(wire.Version) wire.Version { return m.version - 1 }})
			s.do(c, func(tx *kv.Transaction) error { return load.expectFresh(c, tx, m) })
		}},
		{"the stamp of another version", "S3", nil, func(_ *testing.T, s *stage, b *tampered, env *Env) {
			b.with.Store(answerWith(func(r *wire.CommitReply) { r.Stamp = wire.MakeStamp(r.Version+1, 0) }))
			_, _, _ = newSideband(s.world.Rand("load")).mutate(s.ctx, s.client(env))
		}},
		{"the stamp of another mutation", "S3", nil, func(t *testing.T, s *stage, _ *tampered, env *Env) {
			load, c, m := told(t, s, env)
			m.id++
			s.do(c, func(tx *kv.Transaction) error { return load.expectFresh(c, tx, m) })
		}},
	})
}

func TestBadRunsOfLongTransactionsAreFound(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	late := func(s *stage, env *Env) {
		c := s.client(env)
		s.do(c, func(*kv.Transaction) error { return newLongTransactions(s.world.Rand("load")).late(ended, c) })
	}
	playBadRuns(t, "LongTransactions", []badRun{
		{"a future version read early", "T3", nil, func(t *testing.T, s *stage, b *tampered, env *Env) {
			load, c := newLongTransactions(s.world.Rand("load")), s.client(env)
			if err := load.Setup(s.ctx, env); err != nil {
				t.Fatal(err)
			}
			_, now, err := env.ReadAll(s.ctx)
			if err != nil {
				t.Fatal(err)
			}
			b.with.Store(&tampering{version: func(wire.Version) wire.Version { return now }})
			s.until(func() { s.do(c, func(*kv.Transaction) error { return load.future(s.ctx, c) }) })
		}},
		{"a commit beyond the window", "T4", nil, func(_ *testing.T, s *stage, b *tampered, env *Env) {
			b.with.Store(answerWith(func(r *wire.CommitReply) { r.Version += wire.WindowVersions }))
			late(s, env)
		}},
		{"a commit refused without a reason", "T4", nil, func(_ *testing.T, s *stage, b *tampered, env *Env) {
			b.with.Store(refuse(anyCommit))
			late(s, env)
		}},
	})
}

func TestBadRunsOfSelectorCorrectnessAreFound(t *testing.T) {
	// look sees to it that selectors name other keys than they should.
	look := func(s *stage, b *tampered, env *Env, read func(w *selectorCorrectness, p *pending) error) {
		w, c := newSelectorCorrectness(s.world.Rand("load")), s.client(env)
		b.with.Store(&tampering{key: func([]byte) []byte { return []byte("x") }})
		s.do(c, func(tx *kv.Transaction) error { return read(w, w.ledger.begin(env, c, tx)) })
	}
	playBadRuns(t, "SelectorCorrectness", []badRun{
		{"another key at an end", "K2", nil, func(_ *testing.T, s *stage, b *tampered, env *Env) {
			look(s, b, env, (*selectorCorrectness).ends)
		}},
		{"a key beyond the ends", "K2", nil, func(_ *testing.T, s *stage, b *tampered, env *Env) {
			look(s, b, env, func(w *selectorCorrectness, p *pending) error { return w.far(p, p.keys) })
		}},
	})
}

func TestBadRunsOfWriteDuringReadAreFound(t *testing.T) {
	// late lets a read fail when the transaction has ended so often since.
	late := func(s *stage, env *Env, ends int32) {
		w, c := newWriteDuringRead(s.world.Rand("load")), s.client(env)
		s.do(c, func(tx *kv.Transaction) error {
			var crowd crowd
			crowd.ends.Store(ends)
			return w.finishLate(w.ledger.begin(env, c, tx), &crowd, 0, func() error { return kv.ErrTransactionCancelled })
		})
	}
	playBadRuns(t, "WriteDuringRead", []badRun{{"a read that fails in a transaction that goes on", "D2", nil,
		func(t *testing.T, s *stage, _ *tampered, env *Env) {
			if late(s, env, 1); s.world.Violation() != nil {
				t.Error("a read that fails after a reset is a violation")
			}
			late(s, env, 0)
		}}})
}

func TestBadRunsOfVersionStampAreFound(t *testing.T) {
	greatest := kv.Stamp(bytes.Repeat([]byte{0xff}, len(kv.Stamp{})))
	// written returns a workload with some transactions.
	written := func(t *testing.T, s *stage, env *Env) *versionStamp {
		load := newVersionStamp(s.world.Rand("load"))
		c := s.client(env)
		for c.commits.Load() < 5 {
			if err := load.write(s.ctx, c); err != nil {
				t.Fatal(err)
			}
		}
		return load
	}
	playBadRuns(t, "VersionStamp", []badRun{
		{"a stamp below an acknowledged one", "V3", nil, func(_ *testing.T, s *stage, _ *tampered, env *Env) {
			load := newVersionStamp(s.world.Rand("load"))
			load.mu.newest = greatest
			_ = load.write(s.ctx, s.client(env))
		}},
		{"an unknown outcome's stamp below an acknowledged one", "V3", nil, func(t *testing.T, s *stage, _ *tampered, env *Env) {
			load := written(t, s, env)
			for _, r := range load.mu.records {
				r.floor, r.outcome = greatest, Unknown
			}
			_ = load.Check(s.ctx, env)
		}},
		{"a stamp above the read version", "V3", nil, func(t *testing.T, s *stage, b *tampered, env *Env) {
			load := newVersionStamp(s.world.Rand("load"))
			_, before, err := env.ReadAll(s.ctx)
			if err != nil {
				t.Fatal(err)
			}
			c := s.client(env)
			for c.commits.Load() < 5 {
				_ = load.write(s.ctx, c)
			}
			rows := s.rows(t, env)
			stamped, err := load.decode(env, rows, before)
			if err != nil {
				t.Fatal(err)
			}
			for id := range stamped.stamps {
				_ = load.checkFoundLocked(env, stamped, id, nil)
			}
		}},
		{"the own stamp read before the commit", "V6", []kv.DatabaseOption{kv.WithTransactionDefaults(kv.WithReadYourWrites(false))},
			func(_ *testing.T, s *stage, _ *tampered, env *Env) {
				load, c := newVersionStamp(s.world.Rand("load")), s.client(env)
				s.until(func() { _ = load.write(s.ctx, c) })
			}},
		{"a stamp without a commit", "V6", nil, func(t *testing.T, s *stage, _ *tampered, env *Env) {
			load, c := newVersionStamp(s.world.Rand("load")), s.client(env)
			id, r := load.begin(c.Rand())
			r.asked = true
			var stamp kv.Future[kv.Stamp]
			s.do(c, func(tx *kv.Transaction) error { stamp = tx.Versionstamp(); return setKey(tx) })
			_ = load.finish(c, id, r, Aborted, stamp)
		}},
	})
}

func TestBadRunsOfBankTransfersAreFound(t *testing.T) {
	playBadRuns(t, "BankTransfers", []badRun{{"an entry with another stamp", "B4", nil, func(t *testing.T, s *stage, _ *tampered, env *Env) {
		load := newBankTransfers(s.world.Rand("load"))
		s.endure(t, load, env, 0, 40)
		s.tamper(t, func(tx *kv.Transaction) {
			row := firstBelow(t, s.rows(t, env), env.Key("journal/"))
			tx.Clear(row.Key)
			row.Key[len(env.Key("journal/"))+7]-- // the last byte of the version
			tx.Set(row.Key, row.Value)
		})
		_ = load.Check(s.ctx, env)
	}}})
}

func TestBadRunsOfConflictRangeAreFound(t *testing.T) {
	play := func(s *stage, b *tampered, env *Env, bug *tampering) {
		b.with.Store(bug)
		_ = newConflictRange(nil).Run(s.ctx, env)
	}
	playBadRuns(t, "ConflictRange", []badRun{
		{"a blind write is refused", "C2", nil, func(_ *testing.T, s *stage, b *tampered, env *Env) {
			play(s, b, env, refuse(anyCommit))
		}},
		{"a reader is refused", "C2", nil, func(_ *testing.T, s *stage, b *tampered, env *Env) {
			play(s, b, env, refuse(readingOnes))
		}},
	})
}

// firedWatch returns a watch of a committed transaction that has fired.
func firedWatch(t *testing.T, s *stage, c *Client) armed {
	t.Helper()
	var w armed
	for w.Watch == nil {
		if outcome, err := c.Try(s.ctx, func(tx *kv.Transaction) error {
			w = armed{tx.Watch([]byte("k")), c.inc}
			return nil
		}); err != nil || outcome != Committed {
			t.Fatal(outcome, err)
		}
	}
	s.tamper(t, func(tx *kv.Transaction) { tx.Set([]byte("k"), []byte("another value")) })
	if err := w.Wait(s.ctx); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestBadRunsOfWatchesAreFound(t *testing.T) {
	count := func(s *stage, env *Env, limit int) {
		env.maxWatches, env.clients = limit, 1
		c := s.client(env)
		s.beside(c, func(tx *kv.Transaction) error { return (&watcher{watches: newWatches(nil)}).countWatches(c, tx) })
	}
	three := []kv.DatabaseOption{kv.WithMaxWatches(3)}
	playBadRuns(t, "Watches", []badRun{
		{"watches that fire at once", "W2", nil, func(t *testing.T, s *stage, b *tampered, env *Env) {
			load := newWatches(nil)
			if err := load.Setup(s.ctx, env); err != nil {
				t.Fatal(err)
			}
			b.with.Store(&tampering{watch: func(r *wire.WatchRequest) (wire.WatchReply, error) {
				return wire.WatchReply{Version: r.Version}, nil
			}})
			_ = load.Run(s.ctx, env)
		}},
		{"a watch that fired though nothing was written", "W2", nil, func(t *testing.T, s *stage, _ *tampered, env *Env) {
			c := s.client(env)
			_ = c.expectPending(firedWatch(t, s, c), "the test says so")
		}},
		{"a number that is not above the one that was watched", "W2", nil, func(t *testing.T, s *stage, _ *tampered, env *Env) {
			load, c := newWatches(nil), s.client(env)
			if err := load.Setup(s.ctx, env); err != nil {
				t.Fatal(err)
			}
			s.do(c, func(tx *kv.Transaction) error {
				_, _, err := (&watcher{watches: load, fired: true}).turn(c, tx)
				return err
			})
		}},
		{"a watch that fired though its transaction was not committed", "W3", nil, func(t *testing.T, s *stage, _ *tampered, env *Env) {
			c := s.client(env)
			_ = c.expectFails(firedWatch(t, s, c), Aborted)
		}},
		{"fewer watches than the limit", "W5", three, func(_ *testing.T, s *stage, _ *tampered, env *Env) { count(s, env, 4) }},
		{"more watches than the limit", "W5", three, func(_ *testing.T, s *stage, _ *tampered, env *Env) { count(s, env, 2) }},
	})
}

// nobody is a back-end that answers reads of values only: all are absent.
type nobody struct{ kv.Backend }

func (nobody) ReadVersion(context.Context, wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	return wire.ReadVersionReply{Version: 1}, nil
}

func (nobody) GetValues(_ context.Context, r *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	return wire.GetValuesReply{Values: make([][]byte, len(r.Keys))}, nil
}

// TestAWatchThatOutlivesItsTransactionIsFound has no store, so that it can wait
// as long as a watch may take to end.
func TestAWatchThatOutlivesItsTransactionIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{}
		s.ctx, s.world = world.New(t.Context(), 1, func([]byte) {})
		db := kv.NewDatabase(nobody{})
		tx := db.Begin(s.ctx)
		c := s.client(s.env("Watches", 1))
		_ = c.expectEnds(armed{Watch: tx.Watch([]byte("k"))})
		s.mustFind(t, "Watches", "W3")
		tx.Cancel()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// Found by seed 70 at 80cee57: a watch of Unreadable was missing among those
// that Watches got.
func TestTheLimitOfWatchesIsNotSoughtWhileOthersHaveSome(t *testing.T) {
	s := newStage(t)
	env := s.env("Watches", 1)
	env.maxWatches = 10_000 // kv's default
	var other *kv.Watch
	s.tamper(t, func(tx *kv.Transaction) { other = tx.Watch([]byte("k")) })
	defer other.Cancel()
	env.shared.watching.RLock()
	m := &watcher{watches: newWatches(nil)}
	if err := m.playLimit(s.ctx, s.client(env)); err != nil || s.world.Violation() != nil {
		t.Error(err, s.world.Violation())
	}
	env.shared.watching.RUnlock()
	if err := m.playLimit(s.ctx, s.client(env)); err == nil && s.world.Violation() == nil {
		t.Error("the watch of another was not missed")
	}
}
