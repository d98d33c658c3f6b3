package embedded_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/kv"
)

// operation is what a worker does to a register, and what came of it.
type operation struct {
	kind     string // "get", "set" or "cas"
	key      string
	old, new string // cas sets new if the value is old
}

// outcome is the answer to an operation. One that is unknown was under way at a
// crash.
type outcome struct {
	value   string // of a get
	done    bool   // cas: the value was the old one
	unknown bool
}

// registers is one register a key, which begins absent.
func registers() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			byKey := map[string][]porcupine.Operation{}
			for _, op := range history {
				key := op.Input.(operation).key
				byKey[key] = append(byKey[key], op)
			}
			var parts [][]porcupine.Operation
			for _, part := range byKey {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() any { return "(absent)" },
		Step: func(state, input, output any) (bool, any) {
			op, out := input.(operation), output.(outcome)
			switch {
			case op.kind == "get":
				return out.unknown || out.value == state, state
			case op.kind == "set":
				return true, op.new
			case state != op.old:
				return out.unknown || !out.done, state
			default:
				return out.unknown || out.done, op.new
			}
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
	}
}

// history collects the operations of all workers in all lives of the store.
// Its clock counts calls and returns.
type history struct {
	clock atomic.Int64
	mu    sync.Mutex
	ops   []porcupine.Operation
	// fresh numbers the values, so that all differ.
	fresh atomic.Int64
}

// run performs an operation in a transaction.
func (op operation) run(db *kv.Database) (outcome, error) {
	return kv.Transact(context.Background(), db, func(tx *kv.Transaction) (outcome, error) {
		key := []byte(op.key)
		if op.kind == "set" {
			tx.Set(key, []byte(op.new))
			return outcome{}, nil
		}
		value, err := tx.Get(key).Wait()
		if err != nil {
			return outcome{}, err
		}
		current := "(absent)"
		if value != nil {
			current = string(value)
		}
		if op.kind == "get" {
			return outcome{value: current}, nil
		}
		if current == op.old {
			tx.Set(key, []byte(op.new))
		}
		return outcome{done: current == op.old}, nil
	})
}

// draw returns a random operation. seen is the values that the worker saw or
// wrote last, which its compare-and-sets expect.
func (h *history) draw(rng *rand.Rand, seen map[string]string) operation {
	op := operation{key: fmt.Sprint("register", rng.IntN(4))}
	op.new = fmt.Sprint("value", h.fresh.Add(1))
	switch rng.IntN(4) {
	case 0, 1:
		op.kind = "get"
	case 2:
		op.kind = "set"
	default:
		op.kind = "cas"
		op.old = seen[op.key]
		if op.old == "" {
			op.old = "(absent)"
		}
	}
	return op
}

// work runs operations until the worker has done enough, or the store is not
// there any more. afterEach is called after each.
func (h *history) work(db *kv.Database, client int, rng *rand.Rand, count int, afterEach func()) {
	seen := map[string]string{}
	for range count {
		op := h.draw(rng, seen)
		call := h.clock.Add(1)
		out, err := op.run(db)
		if err != nil {
			// Nobody knows whether it was done: it never returns.
			h.add(porcupine.Operation{ClientId: client, Input: op, Call: call, Output: outcome{unknown: true}, Return: math.MaxInt64})
			return
		}
		h.add(porcupine.Operation{ClientId: client, Input: op, Call: call, Output: out, Return: h.clock.Add(1)})
		switch {
		case op.kind == "get":
			seen[op.key] = out.value
		case op.kind == "set" || out.done:
			seen[op.key] = op.new
		}
		afterEach()
	}
}

func (h *history) add(op porcupine.Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, op)
}

// crash forgets what only the world before the crash knows. An operation that
// had returned when the crash began stays as it is. One that was called later
// than it ended never happened. What is between may have been done: a write
// never returns, and nobody got the answer of a read.
func (h *history) crash(from int, began, ended int64) {
	kept := h.ops[:from]
	for _, op := range h.ops[from:] {
		switch {
		case op.Return < began:
			kept = append(kept, op)
		case op.Call < ended && op.Input.(operation).kind != "get":
			op.Output, op.Return = outcome{unknown: true}, math.MaxInt64
			kept = append(kept, op)
		}
	}
	h.ops = kept
}

const registerWorkers = 6

// life opens the store and lets the workers work. With crash it returns the
// disk as a crash left it at some moment in between, else the same disk after a
// clean close.
func (h *history) life(t *testing.T, fs *vfs.MemFS, rng *rand.Rand, crash bool) *vfs.MemFS {
	t.Helper()
	const perWorker = 60
	db, store := open(t, fs, small())
	first := len(h.ops)
	crashAt := int64(1 + rng.IntN(registerWorkers*perWorker))
	next := fs
	var done, began, ended atomic.Int64
	diskRNG := rand.New(rand.NewPCG(rng.Uint64(), 1))
	unsynced := rng.IntN(101)
	var group sync.WaitGroup
	for w := range registerWorkers {
		workerRNG := rand.New(rand.NewPCG(rng.Uint64(), 2))
		group.Go(func() {
			h.work(db, w, workerRNG, perWorker, func() {
				if done.Add(1) == crashAt && crash {
					began.Store(h.clock.Add(1))
					next = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: diskRNG})
					ended.Store(h.clock.Add(1))
				}
			})
		})
	}
	group.Wait()
	closeStore(t, store)
	if crash {
		h.crash(first, began.Load(), ended.Load())
	}
	return next
}

// linearizable checks a history. Each operation of unknown outcome doubles the
// work, and a slow machine has many of them under way in a crash; so first those
// whose value nobody ever saw are taken for not done. If that explains
// the history, it is linearizable. Otherwise they may have been done after all
// (a compare-and-set that failed says so, too).
func linearizable(t *testing.T, ops []porcupine.Operation) bool {
	t.Helper()
	if porcupine.CheckOperations(registers(), seenOnly(ops)) {
		return true
	}
	// The limit keeps a test that went wrong from going on for ever; a history
	// that could not be decided is a failure too.
	return porcupine.CheckOperationsTimeout(registers(), ops, time.Minute) == porcupine.Ok
}

// seenOnly leaves out the operations of unknown outcome that wrote a value
// which no other operation saw.
func seenOnly(ops []porcupine.Operation) []porcupine.Operation {
	seen := map[string]bool{}
	kept := make([]bool, len(ops))
	for again := true; again; {
		again = false
		for i, op := range ops {
			in, out := op.Input.(operation), op.Output.(outcome)
			if kept[i] || out.unknown && !seen[in.new] {
				continue
			}
			kept[i], again = true, true
			if in.kind == "cas" && (out.done || out.unknown) {
				seen[in.old] = true
			}
			if in.kind == "get" {
				seen[out.value] = true
			}
		}
	}
	var left []porcupine.Operation
	for i, op := range ops {
		if kept[i] {
			left = append(left, op)
		}
	}
	return left
}

// Reads, writes and compare-and-sets of several goroutines, with crashes and
// restarts in between, are those of one register a key.
func TestHistoriesWithCrashesAreLinearizable(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 3))
			fs := vfs.NewCrashableMem()
			h := &history{}
			for range 4 {
				fs = h.life(t, fs, rng, rng.IntN(4) > 0)
			}
			unknown := 0
			for _, op := range h.ops {
				if op.Output.(outcome).unknown {
					unknown++
				}
			}
			t.Logf("%d operations, %d of unknown outcome", len(h.ops), unknown)
			if !linearizable(t, h.ops) {
				t.Errorf("the history of %d operations is not linearizable", len(h.ops))
			}
		})
	}
}

// The check of a history can fail: a value read after it was overwritten, a
// write that was acknowledged and is gone.
func TestTheModelRefusesWhatNoRegisterDoes(t *testing.T) {
	op := func(call, ret int64, in operation, out outcome) porcupine.Operation {
		in.key = "register"
		return porcupine.Operation{Input: in, Output: out, Call: call, Return: ret}
	}
	set := func(value string) operation { return operation{kind: "set", new: value} }
	read := operation{kind: "get"}
	lost := []porcupine.Operation{
		op(1, 2, set("a"), outcome{}), op(3, 4, read, outcome{value: "(absent)"}),
	}
	stale := []porcupine.Operation{
		op(1, 2, set("a"), outcome{}), op(3, 4, set("b"), outcome{}), op(5, 6, read, outcome{value: "a"}),
	}
	twice := []porcupine.Operation{
		op(1, 2, set("a"), outcome{}),
		op(3, 4, operation{kind: "cas", old: "a", new: "b"}, outcome{done: true}),
		op(5, 6, operation{kind: "cas", old: "a", new: "c"}, outcome{done: true}),
	}
	for name, bad := range map[string][]porcupine.Operation{"lost write": lost, "stale read": stale, "won twice": twice} {
		if porcupine.CheckOperations(registers(), bad) {
			t.Errorf("%s counts as linearizable", name)
		}
	}
	maybe := []porcupine.Operation{
		op(1, math.MaxInt64, set("a"), outcome{unknown: true}),
		op(3, 4, read, outcome{value: "(absent)"}), op(5, 6, read, outcome{value: "a"}),
	}
	if !porcupine.CheckOperations(registers(), maybe) {
		t.Error("a write of unknown outcome must be allowed to take effect late")
	}
}
