package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// transact runs f and commits.
func transact(db *kv.Database, f func(tx *kv.Transaction) error) error {
	_, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) (struct{}, error) { return struct{}{}, f(tx) })
	return err
}

// show returns a value as the tables below have it.
func show(value []byte) string {
	if value == nil {
		return "(absent)"
	}
	return string(value)
}

// The outcome of each operation, by its comment. It is the same whether the
// transaction itself or a later one reads it, and whether the old value was
// stored before or set in the same transaction.
func TestAtomicOperationsDoWhatTheirCommentsSay(t *testing.T) {
	const absent = "(absent)"
	db, store := open(t, vfs.NewMem())
	defer closeStore(t, store)
	for _, c := range []struct {
		name               string
		op                 func(tx *kv.Transaction, key, operand []byte)
		old, operand, want string
	}{
		{"Add", (*kv.Transaction).Add, absent, "\x05\x01", "\x05\x01"},
		{"Add", (*kv.Transaction).Add, "\xff", "\x05\x01", "\x04\x02"},
		{"Add", (*kv.Transaction).Add, "\x03\x02\x01", "\xff\xff", "\x02\x02"},
		{"BitAnd", (*kv.Transaction).BitAnd, absent, "\x05\x01", "\x05\x01"},
		{"BitAnd", (*kv.Transaction).BitAnd, "\x03", "\x05\x01", "\x01\x00"},
		{"BitAnd", (*kv.Transaction).BitAnd, "\x03\x03\x03", "\x05\x01", "\x01\x01"},
		{"BitOr", (*kv.Transaction).BitOr, absent, "\x05\x01", "\x05\x01"},
		{"BitOr", (*kv.Transaction).BitOr, "\x02\x02\x02", "\x05\x01", "\x07\x03"},
		{"BitXor", (*kv.Transaction).BitXor, absent, "\x05\x01", "\x05\x01"},
		{"BitXor", (*kv.Transaction).BitXor, "\x03", "\x05\x01", "\x06\x01"},
		{"AppendIfFits", (*kv.Transaction).AppendIfFits, absent, "x", "x"},
		{"AppendIfFits", (*kv.Transaction).AppendIfFits, "ab", "cd", "abcd"},
		{"AppendIfFits", (*kv.Transaction).AppendIfFits, strings.Repeat("v", kv.MaxValueBytes-1), "x", strings.Repeat("v", kv.MaxValueBytes-1) + "x"},
		{"AppendIfFits", (*kv.Transaction).AppendIfFits, strings.Repeat("v", kv.MaxValueBytes-1), "xy", strings.Repeat("v", kv.MaxValueBytes-1)},
		{"Max", (*kv.Transaction).Max, absent, "\x05\x01", "\x05\x01"},
		{"Max", (*kv.Transaction).Max, "\xff", "\x05\x01", "\x05\x01"},
		{"Max", (*kv.Transaction).Max, "\x03\x02\x01", "\x05\x01", "\x03\x02"},
		{"Min", (*kv.Transaction).Min, absent, "\x05\x01", "\x05\x01"},
		{"Min", (*kv.Transaction).Min, "\xff", "\x05\x01", "\xff\x00"},
		{"Min", (*kv.Transaction).Min, "\x03\x02\x01", "\x05\x01", "\x05\x01"},
		{"ByteMin", (*kv.Transaction).ByteMin, absent, "b", "b"},
		{"ByteMin", (*kv.Transaction).ByteMin, "ab", "b", "ab"},
		{"ByteMin", (*kv.Transaction).ByteMin, "bb", "b", "b"},
		{"ByteMax", (*kv.Transaction).ByteMax, absent, "b", "b"},
		{"ByteMax", (*kv.Transaction).ByteMax, "ab", "b", "b"},
		{"ByteMax", (*kv.Transaction).ByteMax, "bb", "b", "bb"},
		{"CompareAndClear", (*kv.Transaction).CompareAndClear, absent, "a", absent},
		{"CompareAndClear", (*kv.Transaction).CompareAndClear, "a", "a", absent},
		{"CompareAndClear", (*kv.Transaction).CompareAndClear, "ab", "a", "ab"},
	} {
		key := []byte("key")
		put := func(tx *kv.Transaction) {
			tx.Clear(key)
			if c.old != absent {
				tx.Set(key, []byte(c.old))
			}
		}
		for _, together := range []bool{true, false} {
			if err := transact(db, func(tx *kv.Transaction) error { put(tx); return nil }); err != nil {
				t.Fatal(err)
			}
			var own []byte
			err := transact(db, func(tx *kv.Transaction) (err error) {
				if together {
					put(tx)
				}
				c.op(tx, key, []byte(c.operand))
				own, err = tx.Get(key).Wait()
				return err
			})
			stored, getErr := get(db, "key")
			if err != nil || getErr != nil || show(own) != c.want || stored != c.want {
				t.Errorf("%s of %.20q to %.20q: %.20q in the transaction (%v), %.20q after it (%v), want %.20q",
					c.name, c.operand, c.old, show(own), err, stored, getErr, c.want)
			}
		}
	}
}

func TestSelectorsNameKeysByTheirPlace(t *testing.T) {
	db, store := open(t, vfs.NewMem())
	defer closeStore(t, store)
	for _, key := range []string{"a", "c", "e"} {
		mustSet(t, db, key, key)
	}
	shift := func(s kv.KeySelector, by int) kv.KeySelector { s.Offset += by; return s }
	for _, c := range []struct {
		text     string
		selector kv.KeySelector
		want     string
	}{
		{"last < c", kv.LastLessThan([]byte("c")), "a"},
		{"last <= c", kv.LastLessOrEqual([]byte("c")), "c"},
		{"first > c", kv.FirstGreaterThan([]byte("c")), "e"},
		{"first >= c", kv.FirstGreaterOrEqual([]byte("c")), "c"},
		{"last < d", kv.LastLessThan([]byte("d")), "c"},
		{"last <= d", kv.LastLessOrEqual([]byte("d")), "c"},
		{"first > d", kv.FirstGreaterThan([]byte("d")), "e"},
		{"first >= d", kv.FirstGreaterOrEqual([]byte("d")), "e"},
		{"first > c, and one on", shift(kv.FirstGreaterThan([]byte("b")), 1), "e"},
		{"last <= e, and two back", shift(kv.LastLessOrEqual([]byte("e")), -2), "a"},
		{"last < a", kv.LastLessThan([]byte("a")), ""},
		{"first > e", kv.FirstGreaterThan([]byte("e")), "\xff"},
	} {
		for _, snapshot := range []bool{true, false} {
			key, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) ([]byte, error) {
				if snapshot {
					return tx.Snapshot().GetKey(c.selector).Wait()
				}
				tx.Set([]byte("zz"), nil) // own writes count too
				tx.Clear([]byte("zz"))
				return tx.GetKey(c.selector).Wait()
			})
			if err != nil || string(key) != c.want {
				t.Errorf("%s: %q (%v), want %q", c.text, key, err, c.want)
			}
		}
	}
	rows, err := kv.ReadTransact(context.Background(), db, func(r kv.Reader) ([]kv.KeyValue, error) {
		return r.RangeSelectors(kv.FirstGreaterThan([]byte("a")), kv.FirstGreaterThan([]byte("c")), kv.RangeOptions{}).Slice()
	})
	if err != nil || len(rows) != 1 || string(rows[0].Key) != "c" {
		t.Errorf("the range after a, up to and with c: %q (%v)", rows, err)
	}
}

func TestAWriteConflictRangeStopsReadersOfIt(t *testing.T) {
	db, store := open(t, vfs.NewMem())
	defer closeStore(t, store)
	for key, conflicts := range map[string]bool{"a": false, "b": true, "c": true, "d": false} {
		reader := db.Begin(context.Background())
		if _, err := reader.Get([]byte(key)).Wait(); err != nil {
			t.Fatal(err)
		}
		err := transact(db, func(tx *kv.Transaction) error {
			tx.AddWriteConflictRange(kv.KeyRange{Begin: []byte("b"), End: []byte("d")})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		reader.Set([]byte("x"), nil)
		if err := reader.Commit(); errors.Is(err, kv.ErrNotCommitted) != conflicts || (err != nil) != conflicts {
			t.Errorf("a reader of %s: %v", key, err)
		}
		reader.Cancel()
	}
}

func TestSnapshotsShareTheVersionOfTheirTransaction(t *testing.T) {
	db, store := open(t, vfs.NewMem())
	defer closeStore(t, store)
	mustSet(t, db, "a", "1")
	tx := db.Begin(context.Background())
	defer tx.Cancel()
	version, err := tx.Snapshot().Snapshot().ReadVersion()
	if err != nil {
		t.Fatal(err)
	}
	mustSet(t, db, "a", "2")
	own, ownErr := tx.ReadVersion()
	value, getErr := tx.Snapshot().Get([]byte("a")).Wait()
	if own != version || ownErr != nil || string(value) != "1" || getErr != nil {
		t.Errorf("read versions %d and %d (%v), a is %q (%v)", version, own, ownErr, value, getErr)
	}
}

// A queue whose keys hold the stamps of their commits, as FoundationDB's users
// build one: the order of the keys is the order of the commits.
func TestVersionstampedKeysSortByCommit(t *testing.T) {
	db, store := open(t, vfs.NewMem())
	defer closeStore(t, store)
	var stamps []kv.Stamp
	for i := range 5 {
		var stamp kv.Future[kv.Stamp]
		err := transact(db, func(tx *kv.Transaction) error {
			for j := range 2 {
				key := append([]byte("queue/..........!"), byte(j), byte(len("queue/")), 0, 0, 0)
				tx.SetVersionstampedKey(key, fmt.Append(nil, i, "/", j))
			}
			tx.SetVersionstampedValue([]byte("last"), append([]byte("..........!"), 0, 0, 0, 0))
			stamp = tx.Versionstamp()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s, err := stamp.Wait()
		if err != nil {
			t.Fatal(err)
		}
		stamps = append(stamps, s)
		expect(t, db, "last", string(s[:])+"!")
	}
	rows, err := kv.ReadTransact(context.Background(), db, func(r kv.Reader) ([]kv.KeyValue, error) {
		return r.Range(kv.PrefixRange([]byte("queue/")), kv.RangeOptions{}).Slice()
	})
	if err != nil || len(rows) != 10 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows {
		want := fmt.Sprintf("queue/%s!%c", stamps[i/2][:], i%2)
		if string(row.Key) != want || string(row.Value) != fmt.Sprint(i/2, "/", i%2) {
			t.Errorf("row %d is %q = %q, want the key %q", i, row.Key, row.Value, want)
		}
	}
}

// Several databases are several stores, whatever one of them is told.
func TestOptionsOfOneStoreAreNotAnothers(t *testing.T) {
	limited := embedded.WithDatabaseOptions(kv.WithTransactionDefaults(kv.WithSizeLimit(50)))
	small, first := open(t, vfs.NewMem(), limited)
	defer closeStore(t, first)
	large, second := open(t, vfs.NewMem())
	defer closeStore(t, second)
	if err := set(small, "a", strings.Repeat("v", 100)); !errors.Is(err, kv.ErrTransactionTooLarge) {
		t.Errorf("the limited store: %v", err)
	}
	mustSet(t, large, "a", strings.Repeat("v", 100))
}
