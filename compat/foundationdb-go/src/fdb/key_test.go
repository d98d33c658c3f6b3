package fdb_test

import (
	"context"
	"errors"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/plinthdb/plinth/kv"
)

// named is a key of the program's own, and a range of those below it.
type named string

func (n named) FDBKey() fdb.Key { return fdb.Key(n) }

func (n named) FDBRangeKeys() (fdb.KeyConvertible, fdb.KeyConvertible) {
	return fdb.Key(n), fdb.Key(n + "\xff")
}

func (n named) FDBRangeKeySelectors() (fdb.Selectable, fdb.Selectable) {
	return fdb.FirstGreaterOrEqual(n), fdb.FirstGreaterOrEqual(named(n + "\xff"))
}

// Whatever stands for a key, a selector or a range can be read by.
func TestKeysAndRangesConvert(t *testing.T) {
	db := open(t)
	set(t, db, "a", "1", "b", "2", "c", "3")
	tr := begin(t, db)
	for _, key := range []fdb.KeyConvertible{fdb.Key("b"), named("b")} {
		mustEqual(t, text(tr.Get(key).MustGet()), "2")
		for want, selector := range map[string]fdb.Selectable{
			"a": fdb.LastLessThan(key), "b": fdb.LastLessOrEqual(key), "c": fdb.FirstGreaterThan(key),
			"\xff": fdb.KeySelector{Key: key, OrEqual: true, Offset: 2},
		} {
			mustEqual(t, string(tr.GetKey(selector).MustGet()), want)
			mustEqual(t, string(tr.GetKey(selector.FDBKeySelector()).MustGet()), want)
		}
	}
	exact := fdb.KeyRange{Begin: named("b"), End: fdb.Key("b\xff")}
	for _, r := range []fdb.Range{
		exact, named("b"), fdb.SelectorRange{Begin: fdb.FirstGreaterThan(fdb.Key("a")), End: fdb.FirstGreaterOrEqual(fdb.Key("c"))},
	} {
		rows := tr.GetRange(r, fdb.RangeOptions{}).GetSliceOrPanic()
		if len(rows) != 1 || string(rows[0].Key) != "b" || string(rows[0].Value) != "2" {
			t.Errorf("%v: %v", r, rows)
		}
		begin, end := r.FDBRangeKeySelectors()
		if again := tr.GetRange(fdb.SelectorRange{Begin: begin, End: end}, fdb.RangeOptions{}).GetSliceOrPanic(); len(again) != 1 {
			t.Errorf("%v: %v", r, again)
		}
	}
	for _, r := range []fdb.ExactRange{exact, named("b")} {
		if begin, end := r.FDBRangeKeys(); string(begin.FDBKey()) != "b" || string(end.FDBKey()) != "b\xff" {
			t.Errorf("%v to %v", begin, end)
		}
	}
	var row fdb.KeyValue = tr.GetRange(exact, fdb.RangeOptions{}).GetSliceOrPanic()[0]
	mustEqual(t, row.Key.String(), "b")
}

// wrapped is a ReadTransaction of the program's own.
type wrapped struct{ fdb.ReadTransaction }

func TestBothClientsReadInOneTransaction(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	tr.Set(fdb.Key("k"), []byte("own"))
	for _, r := range []fdb.ReadTransaction{tr, tr.Snapshot(), wrapped{tr}} {
		value, err := fdb.KVReader(r).Get([]byte("k")).Wait()
		accept(t, err)
		mustEqual(t, text(value), "own")
	}
	fdb.KVTransaction(tr).Set([]byte("other"), []byte("kv"))
	mustEqual(t, text(tr.Get(fdb.Key("other")).MustGet()), "kv")
	accept(t, tr.Commit().Get())
	_, err := kv.Transact(context.Background(), fdb.KVDatabase(db), func(tx *kv.Transaction) (int, error) {
		return 0, kv.ErrKeyTooLarge.With("this key")
	})
	mustBeBare(t, fdb.FromKV(err), 2102)
	own := errors.New("the program's own")
	if fdb.FromKV(own) != own || fdb.FromKV(nil) != nil {
		t.Error("an error without a number was changed")
	}
}
