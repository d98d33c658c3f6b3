package txlog

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
)

// modelLog says in the plainest way what a log group holds.
type modelLog struct {
	locked, begun wire.Generation
	end, recovery wire.Version
	batches       []modelBatch
	popped        map[wire.Tag]wire.Version
	// chain holds the predecessor of each version applied since the last cut, ends
	// where the log ended after each entry, and cut where it ended at the cut.
	chain map[wire.Version]wire.Version
	ends  map[uint64]wire.Version
	cut   wire.Version
}

type modelBatch struct {
	index   uint64
	version wire.Version
	tags    []wire.Tag
}

func (m *modelLog) append(index uint64, gen wire.Generation, prev, version wire.Version, tags []wire.Tag) error {
	if gen == 0 || gen != m.locked || gen != m.begun {
		return wire.ErrGenerationEnded
	}
	if before, ok := m.chain[version]; version > m.recovery && (version <= m.cut || ok && before == prev) {
		return nil
	}
	if prev != m.end || version <= prev {
		return wire.ErrChainBroken
	}
	m.chain[version] = prev
	m.end = version
	for _, tag := range tags {
		if _, ok := m.popped[tag]; !ok {
			m.popped[tag] = 0
		}
	}
	m.batches = append(m.batches, modelBatch{index, version, tags})
	return nil
}

func (m *modelLog) lock(gen wire.Generation) error {
	if gen < m.locked || gen <= m.begun {
		return wire.ErrGenerationEnded
	}
	m.locked = gen
	return nil
}

func (m *modelLog) begin(gen wire.Generation, recovery, first wire.Version) error {
	if gen == m.begun && gen == m.locked && recovery == m.recovery {
		return nil
	}
	if gen != m.locked || gen <= m.begun {
		return wire.ErrGenerationEnded
	}
	m.begun, m.recovery, m.end = gen, recovery, first
	m.batches = slices.DeleteFunc(m.batches, func(b modelBatch) bool { return b.version > recovery })
	clear(m.chain) // what an earlier generation applied nobody may repeat
	return nil
}

func (m *modelLog) after(tag wire.Tag, after wire.Version) (versions []wire.Version) {
	for _, b := range m.batches {
		if b.version > after && slices.Contains(b.tags, tag) {
			versions = append(versions, b.version)
		}
	}
	return versions
}

func sameKind(a, b error) bool {
	var x, y *wire.Error
	return errors.As(a, &x) == errors.As(b, &y) && (x == nil || x.Code == y.Code)
}

// TestCoreMatchesModel applies random entries to the core and to the model, cuts
// the log on the way, and now and then starts over from the cut (L6).
func TestCoreMatchesModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		core, model := NewCore(), &modelLog{popped: map[wire.Tag]wire.Version{}, chain: map[wire.Version]wire.Version{}, ends: map[uint64]wire.Version{}}
		type entry struct {
			index uint64
			apply func(*Core) error
		}
		var entries []entry // all since the last cut
		var snapshot []byte
		index := uint64(0)
		tagGen := rapid.SliceOfNDistinct(rapid.Map(rapid.IntRange(0, 3), func(i int) wire.Tag { return wire.Tag(i) }), 0, 3, rapid.ID[wire.Tag])
		genGen := rapid.Map(rapid.Uint64Range(0, 5), func(g uint64) wire.Generation { return wire.Generation(g) })
		for range rapid.IntRange(1, 120).Draw(t, "entries") {
			index++
			var apply func(*Core) error
			var want error
			switch rapid.SampledFrom([]string{"append", "append", "append", "lock", "begin", "pop", "cut", "restart"}).Draw(t, "what") {
			case "append":
				gen := model.begun
				if rapid.IntRange(0, 9).Draw(t, "stranger") == 0 {
					gen = genGen.Draw(t, "generation")
				}
				prev := max(0, model.end+wire.Version(rapid.SampledFrom([]int64{0, 0, 0, 0, -1, -2, -4, 1}).Draw(t, "gap")))
				version := prev + wire.Version(rapid.Int64Range(1, 3).Draw(t, "step"))
				if before, ok := model.chain[version]; ok && rapid.Bool().Draw(t, "repeat") {
					prev = before
				}
				tags := tagGen.Draw(t, "tags")
				at := index
				apply = func(c *Core) error {
					err := c.Append(at, &wire.AppendRequest{Generation: gen, Prev: prev, Version: version}, slices.Clone(tags))
					c.LearnCommitted(gen, version)
					return err
				}
				want = model.append(index, gen, prev, version, tags)
			case "lock":
				gen := genGen.Draw(t, "generation") + model.locked/2
				at := index
				apply = func(c *Core) error { _, err := c.Lock(at, gen); return err }
				want = model.lock(gen)
			case "begin":
				gen, recovery, first := model.locked, model.end, model.end+1000
				if rapid.IntRange(0, 4).Draw(t, "stranger") == 0 {
					gen = genGen.Draw(t, "generation")
				}
				at := index
				apply = func(c *Core) error { return c.Begin(at, gen, recovery, first) }
				want = model.begin(gen, recovery, first)
			case "pop":
				tag := wire.Tag(rapid.IntRange(0, 3).Draw(t, "tag"))
				upTo := wire.Version(rapid.Int64Range(0, int64(model.end)).Draw(t, "version"))
				apply = func(c *Core) error { c.Pop(tag, upTo); return nil }
				model.popped[tag] = max(model.popped[tag], upTo)
			case "cut":
				if cut, snap, ok := core.Cut(); ok {
					for _, b := range model.batches {
						for _, tag := range b.tags {
							if b.index <= cut && model.popped[tag] < b.version {
								t.Fatalf("L5: cut at %d loses batch %d, which tag %d has not popped", cut, b.version, tag)
							}
						}
					}
					snapshot, model.cut = snap, model.ends[cut]
					entries = slices.DeleteFunc(entries, func(e entry) bool { return e.index <= cut })
				}
				continue
			case "restart":
				fresh := NewCore()
				if snapshot != nil {
					if err := fresh.Restore(snapshot); err != nil {
						t.Fatal(err)
					}
				}
				for _, e := range entries {
					_ = e.apply(fresh)
				}
				fresh.state.knownCommitted = core.state.knownCommitted // a hint, not replicated
				if fresh.state != core.state || !reflect.DeepEqual(fresh.popped, core.popped) {
					t.Fatalf("L6: after the restart %+v %v, want %+v %v", fresh.state, fresh.popped, core.state, core.popped)
				}
				core = fresh
				continue
			}
			entries = append(entries, entry{index, apply})
			if got := apply(core); !sameKind(got, want) {
				t.Fatalf("entry %d: %v, model says %v", index, got, want)
			}
			model.ends[index] = model.end
			core.checkOrder()
			compare(t, core, model)
		}
	})
}

func compare(t *rapid.T, core *Core, model *modelLog) {
	if core.End() != model.end || core.Locked() != model.locked || core.Live(model.begun) != (model.begun == model.locked && model.begun != 0) {
		t.Fatalf("core ends at %d, locked %d; model %d, %d", core.End(), core.Locked(), model.end, model.locked)
	}
	for tag := range wire.Tag(4) {
		after := max(model.popped[tag], wire.Version(rapid.Int64Range(0, int64(model.end)).Draw(t, "after")))
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		want := model.after(tag, after)
		batches, through := core.BatchesAfter(nil, tag, after, limit)
		var got []wire.Version
		for _, b := range batches {
			got = append(got, b.Version)
		}
		if len(want) > limit {
			if want = want[:limit]; through != want[limit-1] {
				t.Fatalf("L4: tag %d after %d: complete through %d, but %v is all that was returned", tag, after, through, got)
			}
		} else if through != core.KnownCommitted() {
			t.Fatalf("L4: tag %d after %d: complete through %d, want %d", tag, after, through, core.KnownCommitted())
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("tag %d after %d: %v, model says %v", tag, after, got, want)
		}
	}
}

// With several log groups a group may hold more than the recovery version.
func TestBeginRemovesWhatLiesAboveTheRecoveryVersion(t *testing.T) {
	c := NewCore()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.Lock(1, 1)
	must(err)
	must(c.Begin(2, 1, 0, 100))
	must(c.Append(3, &wire.AppendRequest{Generation: 1, Prev: 100, Version: 110}, []wire.Tag{0}))
	must(c.Append(4, &wire.AppendRequest{Generation: 1, Prev: 110, Version: 120}, []wire.Tag{0}))
	_, err = c.Lock(5, 2)
	must(err)
	if err := c.Append(6, &wire.AppendRequest{Generation: 1, Prev: 120, Version: 130}, nil); !errors.Is(err, wire.ErrGenerationEnded) {
		t.Errorf("L2: append of a locked-out generation: %v", err)
	}
	if err := c.Begin(7, 3, 110, 1000); !errors.Is(err, wire.ErrGenerationEnded) {
		t.Errorf("L3: begin of a generation that has not locked: %v", err)
	}
	must(c.Begin(8, 2, 110, 1000))
	batches, through := c.BatchesAfter(nil, 0, 0, 10)
	if len(batches) != 1 || batches[0].Version != 110 || through != 1000 {
		t.Errorf("L3: after begin at 110: %v through %d", batches, through)
	}
	if err := c.Append(9, &wire.AppendRequest{Generation: 2, Prev: 110, Version: 1010}, nil); !errors.Is(err, wire.ErrChainBroken) {
		t.Errorf("L3: the first batch must follow F: %v", err)
	}
	must(c.Append(10, &wire.AppendRequest{Generation: 2, Prev: 1000, Version: 1010}, nil))
}

// L4: what an append says of the known-committed version is believed no
// further than what stood before it.
func TestKnownCommittedIsBoundedByWhatIsThere(t *testing.T) {
	c := NewCore()
	if _, err := c.Lock(1, 1); err != nil {
		t.Fatal(err)
	}
	if err := c.Begin(2, 1, 0, 100); err != nil {
		t.Fatal(err)
	}
	if err := c.Append(3, &wire.AppendRequest{Generation: 1, Prev: 100, Version: 110, KnownCommitted: 500}, []wire.Tag{0}); err != nil {
		t.Fatal(err)
	}
	if c.KnownCommitted() != 100 {
		t.Errorf("known committed %d, want 100", c.KnownCommitted())
	}
	c.LearnCommitted(2, 110) // a generation that has not begun
	if c.KnownCommitted() != 100 {
		t.Errorf("a hint of another generation was believed: %d", c.KnownCommitted())
	}
	c.LearnCommitted(1, 900)
	if c.KnownCommitted() != 110 {
		t.Errorf("known committed %d, want 110", c.KnownCommitted())
	}
}

// L1: every version up to the end of the log passed for a repeat, whatever its
// predecessor: a batch that is not in the log was acknowledged.
func TestABatchThatTheChainHasPassedByIsRefused(t *testing.T) {
	c := NewCore()
	if _, err := c.Lock(1, 1); err != nil {
		t.Fatal(err)
	}
	if err := c.Begin(2, 1, 0, 100); err != nil {
		t.Fatal(err)
	}
	add := func(index uint64, prev, version wire.Version) error {
		return c.Append(index, &wire.AppendRequest{Generation: 1, Prev: prev, Version: version}, []wire.Tag{0})
	}
	for i, step := range []struct {
		prev, version wire.Version
		want          error
	}{
		{100, 110, nil},
		{110, 120, nil},
		{100, 110, nil}, // a repeat
		{110, 120, nil},
		{100, 120, wire.ErrChainBroken}, // there is another batch at 120
		{100, 115, wire.ErrChainBroken},
		{110, 115, wire.ErrChainBroken},
		{50, 60, wire.ErrChainBroken}, // before the generation's first
		{50, 100, wire.ErrChainBroken},
	} {
		if err := add(uint64(i+3), step.prev, step.version); !errors.Is(err, step.want) {
			t.Errorf("L1: batch %d after %d: %v, want %v", step.version, step.prev, err, step.want)
		}
	}
	c.Pop(0, 110)
	if _, _, ok := c.Cut(); !ok {
		t.Fatal("nothing to cut")
	}
	for prev, version := range map[wire.Version]wire.Version{100: 110, 110: 120} {
		if err := add(20, prev, version); err != nil {
			t.Errorf("L1: repeat of batch %d, partly behind the cut: %v", version, err)
		}
	}
}
