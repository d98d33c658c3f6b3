package kv_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// spy is a store that remembers the last commit.
type spy struct {
	*model.Store
	last *wire.CommitRequest
}

func (s *spy) Commit(ctx context.Context, r *wire.CommitRequest) (wire.CommitReply, error) {
	s.last = r
	return s.Store.Commit(ctx, r)
}

func covers(ranges []kv.KeyRange, key string) bool {
	for _, r := range ranges {
		if r.Contains([]byte(key)) {
			return true
		}
	}
	return false
}

// allKeys are all keys that the drawn ones can be, and some between them.
func allKeys() (all []string) {
	level := []string{""}
	for range 3 {
		var next []string
		for _, prefix := range level {
			for _, c := range "abc" {
				next = append(next, prefix+string(c))
			}
		}
		all = append(all, level...)
		level = next
	}
	all = append(all, level...)
	for _, key := range all {
		all = append(all, key+"\x00", key+"zz")
	}
	return all
}

// TestReadConflictsAreExactlyWhatReadsDependOn (K4) does random reads and writes and
// compares the read conflicts with brute force: a key must be among them if
// and only if a change of it in the store would change the outcome of a read.
func TestReadConflictsAreExactlyWhatReadsDependOn(t *testing.T) {
	universe := allKeys()
	rapid.Check(t, func(t *rapid.T) {
		base := bases.Draw(t, "base")
		store := &spy{Store: load(base)}
		store.MaxRows = rapid.SampledFrom([]int{0, 1, 2}).Draw(t, "max rows")
		db := kv.NewDatabase(store)
		defer db.Close()
		tx := db.Begin(background)
		defer tx.Cancel()
		var writes []write
		reads := map[int][]read{} // by the number of writes before them
		var texts []string
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "is write") {
				w := drawWrite(t, false)
				w.issue(tx)
				writes = append(writes, w)
				texts = append(texts, w.text)
				continue
			}
			r := drawRead(t)
			texts = append(texts, r.text)
			if rapid.Bool().Draw(t, "snapshot") {
				r.issue(tx.Snapshot())()
				continue
			}
			r.issue(tx)()
			reads[len(writes)] = append(reads[len(writes)], r)
		}
		tx.AddWriteConflictKey([]byte("w")) // so that something is sent
		if err := tx.Commit(); err != nil {
			t.Fatalf("commit: %v", err)
		}

		outcome := func(base map[string]string) (all string) {
			w := oracle.New(base)
			for n := range len(writes) + 1 {
				for _, r := range reads[n] {
					if r.depends == nil {
						r.depends = r.expect
					}
					all += r.depends(w) + "\n"
				}
				if n < len(writes) {
					writes[n].apply(w)
				}
			}
			return all
		}
		before := outcome(base)
		for _, key := range universe {
			matters := false
			for _, value := range []string{"", "fresh", "\x99\x99\x99\x99\x99", "fresher than all others that there are"} {
				changed := maps.Clone(base)
				changed[key] = value
				matters = matters || outcome(changed) != before
			}
			changed := maps.Clone(base)
			delete(changed, key)
			matters = matters || outcome(changed) != before
			if key == "" && !matters {
				continue // a selector's result cannot tell the empty key from none
			}
			if covered := covers(store.last.ReadConflicts, key); covered != matters {
				t.Fatalf("%q: outcome depends on key %q: %t, but it is among the conflicts %q: %t",
					texts, key, matters, store.last.ReadConflicts, covered)
			}
		}
	})
}

// possibleKeys are those that a versionstamped key can become after read.
func possibleKeys(param []byte, read wire.Version) kv.KeyRange {
	content, offset, _ := wire.SplitStampOffset(param)
	least := wire.MakeStamp(read, 0)
	begin, end := bytes.Clone(content), append(bytes.Clone(content), 0)
	copy(begin[offset:], least[:])
	copy(end[offset:], bytes.Repeat([]byte{0xff}, wire.StampBytes))
	return kv.KeyRange{Begin: begin, End: end}
}

// TestWriteConflictsAreWhatIsWritten (K5, K6) compares write conflicts with the keys of
// the mutations.
func TestWriteConflictsAreWhatIsWritten(t *testing.T) {
	universe := allKeys()
	rapid.Check(t, func(t *rapid.T) {
		store := &spy{Store: load(nil)}
		db := kv.NewDatabase(store)
		defer db.Close()
		tx := db.Begin(background)
		defer tx.Cancel()
		tx.Set([]byte("a"), nil)
		silent := []bool{false}
		for range rapid.IntRange(1, 20).Draw(t, "writes") {
			without := rapid.IntRange(0, 4).Draw(t, "without conflict") == 0
			if without {
				tx.NextWriteWithoutConflict()
			}
			before := tx.ApproximateSize()
			drawWrite(t, true).issue(tx)
			if tx.ApproximateSize() > before { // else it was an empty range
				silent = append(silent, without)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatalf("commit: %v", err)
		}
		if size := store.last.Bytes(); tx.ApproximateSize() != size {
			t.Fatalf("approximate size %d, sent %d", tx.ApproximateSize(), size)
		}
		var changed []kv.KeyRange
		list := wire.ReadMutations(store.last.Mutations)
		for i := 0; ; i++ {
			m, ok, err := list.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if silent[i] {
				continue
			}
			switch m.Type {
			case wire.ClearRange:
				changed = append(changed, kv.KeyRange{Begin: m.Param1, End: m.Param2})
			case wire.SetVersionstampedKey:
				changed = append(changed, possibleKeys(m.Param1, store.last.ReadVersion))
			default:
				changed = append(changed, kv.SingleKey(m.Param1))
			}
		}
		for _, row := range store.Rows() {
			if !slices.Contains(silent, true) {
				changed = append(changed, kv.SingleKey(row.Key))
				if !covers(store.last.WriteConflicts, string(row.Key)) {
					t.Fatalf("row %q is no write conflict in %q", row.Key, store.last.WriteConflicts)
				}
			}
		}
		for _, key := range universe {
			if got, want := covers(store.last.WriteConflicts, key), covers(changed, key); got != want {
				t.Fatalf("key %q written: %t, among the write conflicts: %t", key, want, got)
			}
		}
	})
}
