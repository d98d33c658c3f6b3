package workload

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

func TestChecksOfDirectoriesFindWhatIsWrong(t *testing.T) {
	entry := func(ops string) string { return fmt.Sprintf(`{"id":%d,"ops":[%s]}`, uint64(1)<<40, ops) }
	logged := func(env *Env, tx *kv.Transaction, ops string) {
		tx.SetVersionstampedKey(stampedKey(env.Key("log/")), []byte(entry(ops)))
	}
	for _, c := range []struct {
		name, invariant string
		change          func(env *Env, rows []kv.KeyValue, tx *kv.Transaction)
	}{
		{"a lost key", "D2", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			tx.Clear(firstBelow(t, rows, env.Key("data/")).Key)
		}},
		{"a key of another", "D2", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			tx.Set(append(firstBelow(t, rows, env.Key("data/")).Key, 'x'), nil)
		}},
		{"a node without a directory", "D2", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			tx.Set(append(env.Key("nodes/"), packed([]byte("x"), []byte("layer"))...), nil)
		}},
		{"another version", "D2", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			tx.Set(append(env.Key("nodes/"), packed(treeNodes(env), []byte("version"))...), []byte("x"))
		}},
		{"a directory that is listed and is not there", "D1", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			logged(env, tx, `{"kind":"list","path":[],"text":"x y z"}`)
		}},
		{"an error that is none", "D1", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			logged(env, tx, `{"kind":"exists","path":["x"],"text":"false","error":"not found"}`)
		}},
		{"a prefix that overlaps", "D3", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			logged(env, tx, `{"kind":"create","path":["x"],"prefixes":["eA=="]},{"kind":"create","path":["y"],"prefixes":["eHk="]}`)
		}},
		{"a prefix allocated twice", "D3", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			logged(env, tx, `{"kind":"create","path":["x"],"prefixes":["eA=="]},{"kind":"remove","path":["x"],"text":"true"},{"kind":"create","path":["y"],"prefixes":["eA=="]}`)
		}},
		{"a prefix outside its partition", "D3", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			logged(env, tx, `{"kind":"create","path":["x"],"layer":"partition","prefixes":["eA=="]},{"kind":"create","path":["x","y"],"prefixes":["eA==","eQ=="]}`)
		}},
		{"an operation that was not done", "D2", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			logged(env, tx, `{"kind":"create","path":["x"],"prefixes":["eA=="]}`)
		}},
		{"a lost transaction", "D4", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) {
			tx.ClearRange(kv.PrefixRange(env.Key("")))
		}},
		{"a damaged log", "D4", func(env *Env, rows []kv.KeyValue, tx *kv.Transaction) { tx.Set(env.Key("log/x"), []byte("x")) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			load := newDirectoryCorrectness(rand.New(rand.NewPCG(1, 1)))
			env := s.env(load.Name(), 3)
			s.play(t, load, env, func() {})
			s.keepAKey(t, load, env)
			if err := load.Check(s.ctx, env); err != nil {
				t.Fatalf("before: %v", err)
			}
			rows := s.rows(t, env)
			if got := s.checkAfter(t, load, env, func(tx *kv.Transaction) { c.change(env, rows, tx) }); got != c.invariant {
				t.Errorf("the check finds %s violated, want %s", got, c.invariant)
			}
		})
	}
}

// keepAKey puts a key into a new directory, so that there is content.
func (s *stage) keepAKey(t *testing.T, load *directoryCorrectness, env *Env) {
	t.Helper()
	c := &Client{env: env, rng: s.world.Rand("keeper")}
	entry := treeEntry{ID: load.newID(), Ops: []treeOp{
		{Kind: treeCreate, Path: []string{"kept"}}, {Kind: treePut, Path: []string{"kept"}, Key: "k"},
	}}
	outcome, err := c.Try(s.ctx, func(tx *kv.Transaction) error { return entry.commit(tx, env) })
	if load.finish(entry.ID, outcome); err != nil || outcome != Committed {
		t.Fatalf("%v: %v", outcome, err)
	}
}

func TestDirectoriesEndureKills(t *testing.T) {
	s := newStage(t)
	load := newDirectoryCorrectness(rand.New(rand.NewPCG(1, 1)))
	load.names, load.maxOps = 2, 4
	s.endure(t, load, s.env(load.Name(), 5), 2, 60)
}

// TestAPlainTreeKnowsEveryOutcome makes sure that a run meets all outcomes: a
// check of what never happens would prove nothing.
func TestAPlainTreeKnowsEveryOutcome(t *testing.T) {
	s := newStage(t)
	env := s.env("DirectoryCorrectness", 1)
	rng := rand.New(rand.NewPCG(1, 1))
	load := newDirectoryCorrectness(rng)
	load.names = 2
	root := newPlainDirectory()
	seen := make(map[string]int)
	s.tamper(t, func(tx *kv.Transaction) {
		for i := range 800 {
			op := load.draw(env, rng)
			op.Key = fmt.Sprint(i)
			if err := op.do(tx, treeLayer(env)); err != nil {
				t.Fatal(err)
			}
			if mismatch := root.apply(&op); mismatch != nil {
				t.Fatal(mismatch)
			}
			seen[op.Error]++
			if op.Error == "" {
				seen[op.Kind]++
			}
		}
	})
	for name := range treeErrors() {
		if seen[name] == 0 {
			t.Errorf("of 800 operations none gave the error %q: %v", name, seen)
		}
	}
	for _, kind := range []string{treeOpen, treeCreate, treeCreateOrOpen, treeCreatePrefix, treeExists, treeList, treeMove, treeRemove, treePut, treeClear} {
		if seen[kind] == 0 {
			t.Errorf("of 800 operations no %q came out without an error: %v", kind, seen)
		}
	}
}
