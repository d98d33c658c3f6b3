package kv_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
)

// loadSystem makes a database with two user keys and two of the system.
func loadSystem(t *testing.T) *kv.Database {
	t.Helper()
	db := kv.NewDatabase(load(map[string]string{"a": "1", "b": "2", "\xff/x": "3", "\xff/y": "4"}))
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// outside is everything that a transaction without options must not do with
// the keys of the system.
func outside() map[string]func(tx *kv.Transaction) error {
	key, all := []byte("\xff/x"), kv.KeyRange{Begin: []byte("a"), End: []byte("\xff\xff")}
	write := func(f func(tx *kv.Transaction)) func(tx *kv.Transaction) error {
		return func(tx *kv.Transaction) error {
			f(tx)
			return tx.Commit()
		}
	}
	return map[string]func(tx *kv.Transaction) error{
		"get": func(tx *kv.Transaction) error { _, err := tx.Get(key).Wait(); return err },
		"key": func(tx *kv.Transaction) error { _, err := tx.GetKey(kv.LastLessThan(key)).Wait(); return err },
		"range": func(tx *kv.Transaction) error {
			_, err := tx.Range(all, kv.RangeOptions{}).Slice()
			return err
		},
		"read conflict":    write(func(tx *kv.Transaction) { tx.AddReadConflictRange(all) }),
		"set":              write(func(tx *kv.Transaction) { tx.Set(key, nil) }),
		"add":              write(func(tx *kv.Transaction) { tx.Add(key, nil) }),
		"clear":            write(func(tx *kv.Transaction) { tx.Clear(key) }),
		"clear range":      write(func(tx *kv.Transaction) { tx.ClearRange(all) }),
		"stamped value":    write(func(tx *kv.Transaction) { tx.SetVersionstampedValue(key, stampParam("", 0)) }),
		"write conflict":   write(func(tx *kv.Transaction) { tx.AddWriteConflictKey(key) }),
		"stamped key":      write(func(tx *kv.Transaction) { tx.SetVersionstampedKey(stampParam("\xff/", 2), nil) }),
		"above all: clear": write(func(tx *kv.Transaction) { tx.ClearRange(kv.KeyRange{Begin: key, End: []byte("\xff\xff\xff")}) }),
	}
}

func TestSystemKeysTakeAnOption(t *testing.T) {
	reads := []string{"get", "key", "range", "read conflict"}
	never := []string{"stamped key", "above all: clear"}
	for name, f := range outside() {
		for option, allowed := range map[string]bool{
			"none": false,
			"read": contains(reads, name),
			"all":  !contains(never, name),
		} {
			db := loadSystem(t)
			tx := db.Begin(background)
			switch option {
			case "read":
				tx.SetOptions(kv.WithReadSystemKeys(true))
			case "all":
				tx.SetOptions(kv.WithSystemKeys(true))
			}
			err := f(tx)
			if allowed && err != nil || !allowed && !errors.Is(err, kv.ErrKeyOutsideLegalRange) {
				t.Errorf("%s with option %s: %v", name, option, err)
			}
			tx.Cancel()
		}
	}
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// With the option the keys of the system follow on those of users, for
// selectors and own writes as well.
func TestSystemKeysFollowOnUserKeys(t *testing.T) {
	db := loadSystem(t)
	for _, written := range []bool{false, true} {
		tx := db.Begin(background, kv.WithSystemKeys(true))
		want := `"a"="1" "b"="2" "\xff/x"="3" "\xff/y"="4" `
		third, last := "\xff/x", "\xff/y"
		if written {
			tx.Set([]byte("\xff/w"), []byte("5"))
			want = `"a"="1" "b"="2" "\xff/w"="5" "\xff/x"="3" "\xff/y"="4" `
			third = "\xff/w"
		}
		if got := rowsText(tx.Range(kv.KeyRange{End: []byte("\xff\xff")}, kv.RangeOptions{}).Slice()); got != want {
			t.Errorf("rows %s, want %s", got, want)
		}
		for _, c := range []struct {
			selector kv.KeySelector
			want     string
		}{
			{kv.KeySelector{Key: []byte("a"), Offset: 3}, third},
			{kv.FirstGreaterThan([]byte("b")), third},
			{kv.LastLessThan([]byte("\xff\xff")), last},
			{kv.FirstGreaterOrEqual([]byte("\xff/z")), "\xff\xff"},
			{kv.KeySelector{Key: []byte("\xff\xff"), Offset: -100}, ""},
		} {
			if key := must(tx.GetKey(c.selector).Wait())(t); string(key) != c.want {
				t.Errorf("selector %v: %q, want %q", c.selector, key, c.want)
			}
		}
		tx.Cancel()
	}
}

// TestReadsOfSystemKeysConflict checks K4 beyond the user keys.
func TestReadsOfSystemKeysConflict(t *testing.T) {
	db := loadSystem(t)
	reads := map[string]func(tx *kv.Transaction) error{
		"get": func(tx *kv.Transaction) error { _, err := tx.Get([]byte("\xff/x")).Wait(); return err },
		"range": func(tx *kv.Transaction) error {
			_, err := tx.Range(kv.SystemKeys(), kv.RangeOptions{}).Slice()
			return err
		},
		"key": func(tx *kv.Transaction) error {
			_, err := tx.GetKey(kv.FirstGreaterThan([]byte("b"))).Wait()
			return err
		},
	}
	for name, read := range reads {
		tx := db.Begin(background, kv.WithReadSystemKeys(true))
		if err := read(tx); err != nil {
			t.Fatal(err)
		}
		tx.Set([]byte("a"), nil)
		other := db.Begin(background, kv.WithSystemKeys(true))
		other.Set([]byte("\xff/x"), []byte("theirs"))
		if err := other.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); !errors.Is(err, kv.ErrNotCommitted) {
			t.Errorf("%s: %v", name, err)
		}
		tx.Cancel()
		other.Cancel()
	}
}

// TestBypassUnreadableTakesStampsForSets compares reads after versionstamped
// operations with the plain sets that they then look like.
func TestBypassUnreadableTakesStampsForSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := bases.Draw(t, "base")
		db := kv.NewDatabase(load(base))
		defer db.Close()
		stamped := db.Begin(background, kv.WithBypassUnreadable(true))
		plain := db.Begin(background)
		defer stamped.Cancel()
		defer plain.Cancel()
		for range rapid.IntRange(1, 6).Draw(t, "writes") {
			w := drawWrite(t, true)
			w.issue(stamped)
			switch m := w.mutation; m.Type {
			case kv.MutationSetVersionstampedKey:
				plain.Set(m.Param1[:len(m.Param1)-4], m.Param2)
			case kv.MutationSetVersionstampedValue:
				plain.Set(m.Param1, m.Param2[:len(m.Param2)-4])
			default:
				w.issue(plain)
			}
			r := drawRead(t)
			if got, want := r.issue(stamped)(), r.issue(plain)(); got != want {
				t.Fatalf("%s: %s, want %s", r.text, got, want)
			}
		}
		stamped.SetOptions(kv.WithBypassUnreadable(false))
		key := []byte("z")
		stamped.SetVersionstampedValue(key, stampParam("", 0))
		if _, err := stamped.Get(key).Wait(); !errors.Is(err, kv.ErrAccessedUnreadable) {
			t.Fatalf("without the option: %v", err)
		}
	})
}

// A versionstamped key cannot be read before the commit, even by a reader that
// did not write it under that very name.
func TestAVersionstampedKeyIsUnreadableBeforeTheCommit(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	tx.SetVersionstampedKey(stampParam("k", 1), nil)
	stamp := make([]byte, wire.StampBytes)
	stamp[0] = 0x70
	_, err := tx.Get(append([]byte("k"), stamp...)).Wait()
	mustBe(t, err, kv.ErrAccessedUnreadable)
	_, err = tx.Range(kv.AllKeys(), kv.RangeOptions{}).Slice()
	mustBe(t, err, kv.ErrAccessedUnreadable)
}
