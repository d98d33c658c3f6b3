package kv_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/tuple"
)

// mapped reads all of a mapped range.
func mapped(r kv.Reader, rows *kv.RangeResult, mapper tuple.Tuple) (out []kv.MappedRow, err error) {
	for row, err := range kv.MapRange(r, rows, mapper.Pack()) {
		if err != nil {
			return out, err
		}
		out = append(out, row)
	}
	return out, nil
}

// TestMappedRangesJoinAnIndexWithItsRecords compares with a join by hand, over
// stored rows and own writes.
func TestMappedRangesJoinAnIndexWithItsRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		db := kv.NewDatabase(load(nil))
		defer db.Close()
		records := map[int64][]string{}
		var order []int64
		write := func(tx *kv.Transaction, n int) {
			for range n {
				id := rapid.Int64Range(0, 40).Draw(t, "id")
				parts := rapid.SliceOfN(rapid.StringMatching(`[a-c\x00]{0,3}`), 0, 3).Draw(t, "parts")
				tx.ClearRange(tuple.Tuple{"record", id}.Range())
				for i, part := range parts {
					tx.Set(tuple.Tuple{"record", id, i}.Pack(), []byte(part))
				}
				tx.Set(tuple.Tuple{"index", id}.Pack(), tuple.Tuple{"ignored", id}.Pack())
				records[id] = parts
			}
		}
		first := db.Begin(background)
		defer first.Cancel()
		write(first, rapid.IntRange(0, 30).Draw(t, "stored"))
		if err := first.Commit(); err != nil {
			t.Fatal(err)
		}
		tx := db.Begin(background)
		defer tx.Cancel()
		write(tx, rapid.IntRange(0, 5).Draw(t, "own"))
		for id := range records {
			order = append(order, id)
		}
		slices.Sort(order)
		from := rapid.SampledFrom([]string{"{K[1]}", "{V[1]}"}).Draw(t, "from")
		whole := rapid.Bool().Draw(t, "whole")
		mapper := tuple.Tuple{"record", from, 0}
		if whole {
			mapper = tuple.Tuple{"record", from, "{...}"}
		}
		got, err := mapped(tx, tx.Range(tuple.Tuple{"index"}.Range(), kv.RangeOptions{}), mapper)
		if err != nil || len(got) != len(order) {
			t.Fatalf("%d rows of %d, error %v", len(got), len(order), err)
		}
		for i, id := range order {
			want := records[id]
			if !whole {
				want = want[:min(1, len(want))]
			}
			var values []string
			for j, row := range got[i].Rows {
				values = append(values, string(row.Value))
				if string(row.Key) != string(tuple.Tuple{"record", id, j}.Pack()) {
					t.Fatalf("record %d: key %q", id, row.Key)
				}
			}
			if fmt.Sprint(values) != fmt.Sprint(want) || string(got[i].Key) != string(tuple.Tuple{"index", id}.Pack()) {
				t.Fatalf("record %d: %q, want %q", id, values, want)
			}
		}
	})
}

func TestMappersSayWhatTheyCannotDo(t *testing.T) {
	db := kv.NewDatabase(load(map[string]string{
		string(tuple.Tuple{"index", "x"}.Pack()):                 string(tuple.Tuple{7}.Pack()),
		string(tuple.Tuple{"{not a reference}"}.Pack()):          "braces",
		string(tuple.Tuple{[]byte("raw"), nil, 1.5, "x"}.Pack()): "literals",
		"no tuple": "no tuple",
	}))
	defer db.Close()
	index := kv.SingleKey(tuple.Tuple{"index", "x"}.Pack())
	none := kv.SingleKey([]byte("no tuple"))
	for name, c := range map[string]struct {
		rows   kv.KeyRange
		mapper []byte
		want   error
		value  string
	}{
		"braces":          {index, tuple.Tuple{"{{not a reference}}"}.Pack(), nil, "braces"},
		"literals":        {index, tuple.Tuple{[]byte("raw"), nil, 1.5, []byte("x")}.Pack(), nil, ""},
		"types are kept":  {index, tuple.Tuple{[]byte("raw"), nil, 1.5, "{K[1]}"}.Pack(), nil, "literals"},
		"no tuple":        {index, []byte{0xf0}, kv.ErrMapperNotTuple, ""},
		"range first":     {index, tuple.Tuple{"{...}", "x"}.Pack(), kv.ErrMapperBadRange, ""},
		"no number":       {index, tuple.Tuple{"{K[x]}"}.Pack(), kv.ErrMapperBadIndex, ""},
		"beyond":          {index, tuple.Tuple{"{V[1]}"}.Pack(), kv.ErrMapperBadIndex, ""},
		"negative":        {index, tuple.Tuple{"{K[-1]}"}.Pack(), kv.ErrMapperBadIndex, ""},
		"key no tuple":    {none, tuple.Tuple{"{K[0]}"}.Pack(), kv.ErrKeyNotTuple, ""},
		"value no tuple":  {none, tuple.Tuple{"{V[0]}"}.Pack(), kv.ErrValueNotTuple, ""},
		"rows not read":   {kv.KeyRange{Begin: []byte("b"), End: []byte("a")}, tuple.Tuple{"x"}.Pack(), kv.ErrInvertedRange, ""},
		"not even parsed": {kv.KeyRange{}, tuple.Tuple{"{K[x]}"}.Pack(), nil, ""},
	} {
		tx := db.Begin(background)
		var value string
		var err error
		for row, rowErr := range kv.MapRange(tx, tx.Range(c.rows, kv.RangeOptions{}), c.mapper) {
			if err = rowErr; err == nil && len(row.Rows) > 0 {
				value = string(row.Rows[0].Value)
			}
		}
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || value != c.value {
			t.Errorf("%s: value %q, error %v; want %q, %v", name, value, err, c.value, c.want)
		}
		tx.Cancel()
	}
}

// What a mapped range leads to conflicts, unless it is read by a snapshot; the
// gets of a batch travel together.
func TestMappedRangesConflictAsTheirReadersDo(t *testing.T) {
	rows := map[string]string{}
	for i := range 8 {
		rows[string(tuple.Tuple{"index", i}.Pack())] = ""
		rows[string(tuple.Tuple{"record", i}.Pack())] = "v"
	}
	for _, snapshot := range []bool{false, true} {
		store := load(rows)
		db := kv.NewDatabase(store)
		tx := db.Begin(background)
		var r kv.Reader = tx
		if snapshot {
			r = tx.Snapshot()
		}
		got, err := mapped(r, r.Range(tuple.Tuple{"index"}.Range(), kv.RangeOptions{}), tuple.Tuple{"record", "{K[1]}"})
		if err != nil || len(got) != 8 || store.Calls("GetValues") != 1 {
			t.Fatalf("%d rows in %d calls, error %v", len(got), store.Calls("GetValues"), err)
		}
		set(t, db, string(tuple.Tuple{"record", 3}.Pack()), "theirs")
		tx.Set([]byte("mine"), nil)
		if err := tx.Commit(); errors.Is(err, kv.ErrNotCommitted) == snapshot {
			t.Errorf("snapshot %t: %v", snapshot, err)
		}
		tx.Cancel()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// FuzzMappers gives MapRange mappers, keys and values that hold anything: it
// maps the row or says which of them it cannot take.
func FuzzMappers(f *testing.F) {
	f.Add(tuple.Tuple{"record", "{K[1]}", "{...}"}.Pack(), tuple.Tuple{"index", 7}.Pack(), []byte{})
	f.Add(tuple.Tuple{"{{", []byte("}}"), "{V[0]}"}.Pack(), []byte("k"), tuple.Tuple{1.5, nil}.Pack())
	f.Add([]byte{0x33, 0xff}, []byte("k"), []byte{0x05})
	f.Fuzz(func(t *testing.T, mapper, key, value []byte) {
		if len(key) > kv.MaxKeyBytes || len(value) > kv.MaxValueBytes || len(key) > 0 && key[0] == 0xff {
			return
		}
		db := kv.NewDatabase(load(map[string]string{string(key): string(value)}))
		defer db.Close()
		tx := db.Begin(background)
		defer tx.Cancel()
		known := []error{
			kv.ErrMapperNotTuple, kv.ErrMapperBadRange, kv.ErrMapperBadIndex, kv.ErrKeyNotTuple, kv.ErrValueNotTuple,
			kv.ErrKeyOutsideLegalRange, kv.ErrKeyTooLarge, kv.ErrSpecialNoModule, kv.ErrInvertedRange,
		}
		for row, err := range kv.MapRange(tx, tx.Range(kv.SingleKey(key), kv.RangeOptions{}), mapper) {
			if err != nil && !slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) }) {
				t.Fatalf("mapper %q, row %q: %q: %v", mapper, key, value, err)
			}
			if err == nil && string(row.Key) != string(key) {
				t.Fatalf("row %q for %q", row.Key, key)
			}
		}
	})
}
