package fdb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
	"pgregory.net/rapid"
)

var allKeys = fdb.KeyRange{Begin: fdb.Key(""), End: fdb.Key("\xff")}

// modes are all streaming modes.
var modes = []fdb.StreamingMode{
	fdb.StreamingModeWantAll, fdb.StreamingModeIterator, fdb.StreamingModeExact, fdb.StreamingModeSmall,
	fdb.StreamingModeMedium, fdb.StreamingModeLarge, fdb.StreamingModeSerial,
}

// fill sets n keys, k000 and so on, to values of some length.
func fill(t testing.TB, db fdb.Database, n, valueBytes int) []string {
	var keys, pairs []string
	for i := range n {
		key := fmt.Sprintf("k%04d", i)
		keys = append(keys, key)
		pairs = append(pairs, key, strings.Repeat("v", valueBytes))
	}
	set(t, db, pairs...)
	return keys
}

// iterate returns the keys of a range, by its iterator.
func iterate(r fdb.RangeResult) (keys []string, err error) {
	for it := r.Iterator(); it.Advance(); {
		row, err := it.Get()
		if err != nil {
			return keys, err
		}
		keys = append(keys, string(row.Key))
	}
	return keys, nil
}

// Whatever the mode, limit, direction and bounds: slice and iterator give what
// a plain list does.
func TestARangeIsWhatAPlainListSays(t *testing.T) {
	db := open(t)
	keys := fill(t, db, 300, 100)
	rapid.Check(t, func(t *rapid.T) {
		from, to := rapid.IntRange(0, len(keys)-1).Draw(t, "from"), rapid.IntRange(0, len(keys)-1).Draw(t, "to")
		options := fdb.RangeOptions{
			Mode:    rapid.SampledFrom(modes).Draw(t, "mode"),
			Limit:   rapid.IntRange(0, 400).Draw(t, "limit"),
			Reverse: rapid.Bool().Draw(t, "reverse"),
		}
		shift := rapid.IntRange(-3, 3).Draw(t, "shift")
		tr, err := db.CreateTransaction()
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Cancel()
		begin, end := fdb.FirstGreaterOrEqual(fdb.Key(keys[from])), fdb.FirstGreaterThan(fdb.Key(keys[to]))
		begin.Offset, end.Offset = begin.Offset+shift, end.Offset+shift
		low, high := max(from+shift, 0), min(to+shift+1, len(keys))
		var want []string
		if low < high {
			want = slices.Clone(keys[low:high])
		}
		if options.Reverse {
			slices.Reverse(want)
		}
		if options.Limit > 0 && len(want) > options.Limit {
			want = want[:options.Limit]
		}
		var r fdb.RangeResult
		if rapid.Bool().Draw(t, "snapshot") {
			r = tr.Snapshot().GetRange(fdb.SelectorRange{Begin: begin, End: end}, options)
		} else {
			r = tr.GetRange(fdb.SelectorRange{Begin: begin, End: end}, options)
		}
		got, err := iterate(r)
		rows, sliceErr := r.GetSliceWithError()
		if options.Mode == fdb.StreamingModeExact && options.Limit == 0 {
			if err != error(fdb.Error{Code: 2210}) || sliceErr != err {
				t.Fatalf("%v, %v", err, sliceErr)
			}
			return
		}
		if err != nil || sliceErr != nil {
			t.Fatal(err, sliceErr)
		}
		var sliced []string
		for _, row := range rows {
			sliced = append(sliced, string(row.Key))
		}
		if !slices.Equal(got, want) || !slices.Equal(sliced, want) {
			t.Fatalf("iterated %q\nsliced %q\nwant %q", got, sliced, want)
		}
	})
}

func TestAdvanceMayBeCalledAgainBeforeGet(t *testing.T) {
	db := open(t)
	keys := fill(t, db, 3, 1)
	it := begin(t, db).GetRange(allKeys, fdb.RangeOptions{Mode: fdb.StreamingModeSmall}).Iterator()
	for _, key := range keys {
		for range 2 {
			if !it.Advance() {
				t.Fatal("no row", key)
			}
		}
		mustEqual(t, string(it.MustGet().Key), key)
	}
	for range 2 {
		if it.Advance() {
			t.Error("there is a row more")
		}
	}
	_, err := it.Get()
	mustBeBare(t, err, 2000)
}

func TestIteratorsOfOneRangeAreIndependent(t *testing.T) {
	db := open(t)
	fill(t, db, 50, 100)
	r := begin(t, db).GetRange(allKeys, fdb.RangeOptions{Mode: fdb.StreamingModeMedium})
	a, b := r.Iterator(), r.Iterator()
	for a.Advance() && b.Advance() {
		x, y := a.MustGet(), b.MustGet()
		mustEqual(t, string(x.Key), string(y.Key))
	}
	mustEqual(t, a.Advance(), b.Advance())
}

// As in FoundationDB the first batch is the range at the time of the call.
func TestARangeReadSeesTheWritesBeforeIt(t *testing.T) {
	db := open(t)
	keys := fill(t, db, 5, 1)
	tr := begin(t, db)
	r := tr.GetRange(allKeys, fdb.RangeOptions{})
	tr.ClearRange(allKeys)
	tr.Set(fdb.Key("own"), nil)
	mustEqual(t, len(r.GetSliceOrPanic()), len(keys))
	got, err := iterate(r)
	if err != nil || !slices.Equal(got, keys) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := iterate(tr.GetRange(allKeys, fdb.RangeOptions{})); err != nil || !slices.Equal(got, []string{"own"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// Whatever a program gets it may change and append to, and get again: by another
// iterator or as a slice, before the commit or, if it was one batch, after it.
func TestTheRowsOfARangeBelongToWhomTheyWereGiven(t *testing.T) {
	db := open(t)
	set(t, db, "a", "1", "b", "2")
	tr := begin(t, db)
	tr.Set(fdb.Key("c"), []byte("3"))
	r := tr.GetRange(allKeys, fdb.RangeOptions{})
	slice := func() string {
		rows, err := r.GetSliceWithError()
		return content(rows, err)
	}
	iterator := func() string {
		var rows []fdb.KeyValue
		for it := r.Iterator(); it.Advance(); {
			row, err := it.Get()
			if err != nil {
				return err.Error()
			}
			rows = append(rows, row)
		}
		return content(rows, nil)
	}
	const want = "a=1 b=2 c=3 "
	for _, read := range []func() string{iterator, slice, iterator, slice} {
		mustEqual(t, read(), want)
	}
	again := tr.GetRange(allKeys, fdb.RangeOptions{})
	if err := tr.Commit().Get(); err != nil {
		t.Fatal(err)
	}
	r = again // the commit has read it, nobody has changed it
	for it, n := r.Iterator(), 0; n < 3; n++ {
		it.MustGet()
	}
	mustEqual(t, slice(), want)
	mustEqual(t, get(t, db, "b"), "2")
}

// content returns rows as text, and then writes all over them.
func content(rows []fdb.KeyValue, err error) string {
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&b, "%s=%s ", row.Key, row.Value)
	}
	for _, row := range rows {
		for _, part := range [][]byte{row.Key, row.Value} {
			clear(part)
			_ = append(part, "overflow"...)
		}
	}
	return b.String()
}

// A loop may clear what it iterates over.
func TestALoopMayWriteWhatItReads(t *testing.T) {
	db := open(t)
	keys := fill(t, db, 200, 100)
	n := 0
	_, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		n = 0
		for it := tr.GetRange(allKeys, fdb.RangeOptions{Mode: fdb.StreamingModeMedium}).Iterator(); it.Advance(); n++ {
			row := it.MustGet()
			tr.Clear(row.Key)
			tr.Set(fdb.Key("j"+string(row.Key)), row.Value)
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, n, len(keys))
	mustEqual(t, get(t, db, keys[0]), "<nil>")
	mustEqual(t, get(t, db, "j"+keys[199]), strings.Repeat("v", 100))
}

func TestARangeThatCannotBeReadSaysWhy(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	for code, c := range map[int]struct {
		r       fdb.Range
		options fdb.RangeOptions
	}{
		2210: {allKeys, fdb.RangeOptions{Mode: fdb.StreamingModeExact}},
		2012: {allKeys, fdb.RangeOptions{Limit: -1}},
		2000: {allKeys, fdb.RangeOptions{Mode: 6}},
		2004: {fdb.KeyRange{Begin: fdb.Key(""), End: fdb.Key("\xff\x01")}, fdb.RangeOptions{}},
	} {
		r := tr.GetRange(c.r, c.options)
		_, err := r.GetSliceWithError()
		mustBeBare(t, err, code)
		it := r.Iterator()
		for range 2 {
			if !it.Advance() {
				t.Fatalf("%d: Advance hides the error", code)
			}
		}
		_, err = it.Get()
		mustBeBare(t, err, code)
		func() {
			defer func() { mustEqual(t, recover(), any(fdb.Error{Code: code})) }()
			it.MustGet()
		}()
		func() {
			defer func() { mustEqual(t, recover(), any(fdb.Error{Code: code})) }()
			r.GetSliceOrPanic()
		}()
	}
}

func TestARangeConflictsAsFarAsItWasRead(t *testing.T) {
	db := open(t)
	fill(t, db, 100, 100)
	for name, c := range map[string]struct {
		read    func(tr fdb.Transaction)
		write   string
		success bool
	}{
		"behind what was read": {func(tr fdb.Transaction) {
			it := tr.GetRange(allKeys, fdb.RangeOptions{Mode: fdb.StreamingModeSmall}).Iterator()
			it.Advance()
			it.MustGet()
		}, "k0050", true},
		"within what was read": {func(tr fdb.Transaction) {
			it := tr.GetRange(allKeys, fdb.RangeOptions{Mode: fdb.StreamingModeSmall}).Iterator()
			it.Advance()
			it.MustGet()
		}, "k0000", false},
		"all":      {func(tr fdb.Transaction) { tr.GetRange(allKeys, fdb.RangeOptions{}).GetSliceOrPanic() }, "z", false},
		"snapshot": {func(tr fdb.Transaction) { tr.Snapshot().GetRange(allKeys, fdb.RangeOptions{}).GetSliceOrPanic() }, "k0000", true},
		"never looked at": {func(tr fdb.Transaction) {
			tr.GetRange(allKeys, fdb.RangeOptions{Limit: 1})
		}, "k0000", false},
	} {
		t.Run(name, func(t *testing.T) {
			tr := begin(t, db)
			c.read(tr)
			tr.GetReadVersion().MustGet()
			set(t, db, c.write, "new")
			tr.Set(fdb.Key("mine"), nil)
			if err := tr.Commit().Get(); (err == nil) != c.success {
				t.Errorf("commit: %v", err)
			}
		})
	}
}

func TestPrefixRangesAndStrincRefuseWhatHasNoEnd(t *testing.T) {
	for _, prefix := range []string{"", "\xff", "\xff\xff"} {
		if _, err := fdb.PrefixRange([]byte(prefix)); err == nil {
			t.Errorf("PrefixRange(%q)", prefix)
		}
		if _, err := fdb.Strinc([]byte(prefix)); err == nil {
			t.Errorf("Strinc(%q)", prefix)
		}
	}
	r, err := fdb.PrefixRange([]byte("a\xff"))
	if err != nil || string(r.Begin.FDBKey()) != "a\xff" || string(r.End.FDBKey()) != "b" {
		t.Errorf("%v, %v", r, err)
	}
}

// The zero values stand for empty ranges before all keys.
func TestZeroRangesAreEmpty(t *testing.T) {
	db := open(t)
	fill(t, db, 3, 1)
	tr := begin(t, db)
	for _, r := range []fdb.Range{fdb.KeyRange{}, fdb.SelectorRange{}} {
		if rows := tr.GetRange(r, fdb.RangeOptions{}).GetSliceOrPanic(); len(rows) > 0 {
			t.Errorf("%T: %v", r, rows)
		}
	}
}

func TestASliceWithoutRowsIsNil(t *testing.T) {
	tr := begin(t, open(t))
	for range 2 {
		empty := tr.GetRange(fdb.KeyRange{Begin: fdb.Key("a"), End: fdb.Key("b")}, fdb.RangeOptions{})
		if rows, err := empty.GetSliceWithError(); rows != nil || err != nil {
			t.Errorf("%#v, %v", rows, err)
		}
		empty.Iterator().Advance()
		if rows := empty.GetSliceOrPanic(); rows != nil {
			t.Errorf("after an iteration: %#v", rows)
		}
	}
}

func TestARangeResultThatNobodyReadHasNoRows(t *testing.T) {
	var none fdb.RangeResult
	if rows, err := none.GetSliceWithError(); len(rows) != 0 || err != nil {
		t.Errorf("%v, %v", rows, err)
	}
	if none.Iterator().Advance() {
		t.Error("its iterator has a row")
	}
}
