package typed_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/typed"
)

// users is a map from numbers to names, with a unique index of the names.
func users() (*typed.Map[int, string], *typed.Index[string, int, string]) {
	m := typed.NewMap(subspace.Sub("users"), typed.IntKey[int](), typed.String[string]())
	return m, typed.NewUniqueIndex(m, subspace.Sub("by name"), typed.StringKey[string](), func(_ int, name string) string { return name })
}

// TestWritersOfOneRowConflictSoThatItsEntriesStayRight checks D3: each of two
// transactions takes the entry of the old value out, and only one may.
func TestWritersOfOneRowConflictSoThatItsEntriesStayRight(t *testing.T) {
	db, _ := openModel(t)
	m, byName := users()
	a, b := db.Begin(context.Background()), db.Begin(context.Background())
	must(t, m.Set(a, 1, "Ada"))
	must(t, m.Set(b, 1, "Bo"))
	must(t, a.Commit())
	if err := b.Commit(); !errors.Is(err, kv.ErrNotCommitted) {
		t.Errorf("second writer of the row: %v", err)
	}
	checkEntries(t, db, byName, "Ada=1")
}

// TestWritersOfOneUniqueEntryConflict checks D5.
func TestWritersOfOneUniqueEntryConflict(t *testing.T) {
	db, _ := openModel(t)
	m, byName := users()
	a, b := db.Begin(context.Background()), db.Begin(context.Background())
	must(t, m.Set(a, 1, "Ada"))
	must(t, m.Set(b, 2, "Ada"))
	must(t, a.Commit())
	if err := b.Commit(); !errors.Is(err, kv.ErrNotCommitted) {
		t.Errorf("second holder of the name: %v", err)
	}
	checkEntries(t, db, byName, "Ada=1")
	err := write(db, func(tx *kv.Transaction) error { return m.Set(tx, 2, "Ada") })
	var duplicate *typed.DuplicateError
	if !errors.As(err, &duplicate) || duplicate.Error() == "" || string(duplicate.Holder) != string(subspace.Sub("users").Pack([]any{1})) {
		t.Errorf("second holder, one after the other: %v", err)
	}
}

func checkEntries(t *testing.T, db *kv.Database, x *typed.Index[string, int, string], want ...string) {
	t.Helper()
	got := []string{}
	must(t, write(db, func(tx *kv.Transaction) error {
		for e, err := range x.Range(tx, typed.All[string](), kv.RangeOptions{}) {
			must(t, err)
			got = append(got, fmt.Sprintf("%s=%d", e.Index, e.Key))
		}
		return nil
	}))
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("entries %v, want %v", got, want)
	}
}

func TestAnIndexIsFilledInManyTransactions(t *testing.T) {
	db, _ := openModel(t)
	plain := typed.NewMap(subspace.Sub("users"), typed.IntKey[int](), typed.String[string]())
	must(t, write(db, func(tx *kv.Transaction) error {
		for i, name := range []string{"Ada", "Bo", "Cy", "Di", "Ed"} {
			must(t, plain.Set(tx, i, name))
		}
		return nil
	}))
	m, byName := users()
	must(t, write(db, func(tx *kv.Transaction) error { return m.Set(tx, 4, "Flo") })) // a writer that knows the index already
	calls := 0
	for after := ""; calls == 0 || after != ""; calls++ {
		must(t, write(db, func(tx *kv.Transaction) (err error) {
			after, err = byName.Fill(tx, 2, after)
			return err
		}))
	}
	if calls != 3 {
		t.Errorf("filled in %d transactions", calls)
	}
	checkEntries(t, db, byName, "Ada=0", "Bo=1", "Cy=2", "Di=3", "Flo=4")
	must(t, write(db, func(tx *kv.Transaction) error {
		row, found, err := byName.Find(tx, "Cy")
		if row.Key != 2 || row.Value != "Cy" || !found || err != nil {
			t.Errorf("find: %v %v %v", row, found, err)
		}
		if _, found, err := byName.Find(tx, "Zoe"); found || err != nil {
			t.Errorf("find nobody: %v %v", found, err)
		}
		plain.Set(tx, 9, "Ada")
		_, err = byName.Fill(tx, 100, "")
		var duplicate *typed.DuplicateError
		if !errors.As(err, &duplicate) {
			t.Errorf("fill with a duplicate: %v", err)
		}
		return nil
	}))
}

func TestAnEntryWithoutItsRowIsAnError(t *testing.T) {
	db, _ := openModel(t)
	m, byName := users()
	behindItsBack := typed.NewMap(subspace.Sub("users"), typed.IntKey[int](), typed.String[string]())
	err := write(db, func(tx *kv.Transaction) error {
		must(t, m.Set(tx, 1, "Ada"))
		must(t, behindItsBack.Delete(tx, 1))
		_, err := collect(byName.Rows(tx, typed.All[string](), kv.RangeOptions{}))
		return err
	})
	var decode *typed.DecodeError
	if !errors.As(err, &decode) || !errors.Is(err, typed.ErrBrokenIndex) || string(decode.Key) != string(subspace.Sub("by name").Pack([]any{"Ada"})) {
		t.Errorf("error %v", err)
	}
	err = write(db, func(tx *kv.Transaction) error {
		tx.Set(subspace.Sub("by name").Pack([]any{"Ada"}), []byte("no key"))
		_, err := collect(byName.Range(tx, typed.All[string](), kv.RangeOptions{}))
		return err
	})
	if !errors.As(err, &decode) || decode.Part != "index entry" {
		t.Errorf("entry that cannot be read: %v", err)
	}
}

// Rows may be removed while they are iterated over, also those that have not
// been read yet.
func TestRowsMayBeRemovedWhileIterating(t *testing.T) {
	db, store := openModel(t)
	m, byName := users()
	must(t, write(db, func(tx *kv.Transaction) error {
		for i := range 200 {
			must(t, m.Set(tx, i, fmt.Sprintf("name %03d", i)))
		}
		return nil
	}))
	must(t, write(db, func(tx *kv.Transaction) error {
		seen := 0
		for row, err := range byName.Rows(tx, typed.All[string](), kv.RangeOptions{}) {
			must(t, err)
			must(t, m.Delete(tx, row.Key))
			must(t, m.Delete(tx, 199-row.Key))
			seen++
		}
		if seen < 100 || seen == 200 {
			t.Errorf("%d rows seen", seen)
		}
		return nil
	}))
	if rows := store.Rows(); len(rows) != 0 {
		t.Errorf("%d rows are left", len(rows))
	}
}
