package typed_test

import (
	"context"
	"encoding/base64"
	"errors"
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/kv/typed"
)

// TestBadDataGivesAnErrorThatNamesTheKey checks D2.
func TestBadDataGivesAnErrorThatNamesTheKey(t *testing.T) {
	db, _ := openModel(t)
	space := subspace.Sub("numbers")
	numbers := typed.NewMap(space, typed.IntKey[int8](), typed.Int64[int64]())
	for _, bad := range []struct {
		key   []byte
		value string
		part  string
		is    error
	}{
		{space.Pack(tuple.Tuple{5}), "short", "value", typed.ErrLength},
		{space.Pack(tuple.Tuple{"five"}), "12345678", "key", tuple.ErrWrongType},
		{space.Pack(tuple.Tuple{500}), "12345678", "key", typed.ErrOutOfRange},
		{space.Pack(tuple.Tuple{5, 5}), "12345678", "key", typed.ErrLeftover},
		{append(space.Bytes(), 0x16, 1), "12345678", "key", tuple.ErrTruncated},
	} {
		err := write(db, func(tx *kv.Transaction) error {
			tx.ClearRange(kv.AllKeys())
			tx.Set(bad.key, []byte(bad.value))
			_, err := collect(numbers.Range(tx, typed.All[int8](), kv.RangeOptions{}))
			return err
		})
		var decode *typed.DecodeError
		if !errors.As(err, &decode) || decode.Part != bad.part || string(decode.Key) != string(bad.key) || !errors.Is(err, bad.is) {
			t.Errorf("%q: error %v", bad.key, err)
		}
		if err == nil || !strings.Contains(err.Error(), tuple.Printable(bad.key)) {
			t.Errorf("%q: %v does not name the key", bad.key, err)
		}
	}
	err := write(db, func(tx *kv.Transaction) error {
		tx.Set(space.Pack(tuple.Tuple{5}), nil)
		_, _, err := numbers.Get(tx, 5).Wait()
		return err
	})
	var decode *typed.DecodeError
	if !errors.As(err, &decode) || string(decode.Key) != string(space.Pack(tuple.Tuple{5})) {
		t.Errorf("get: %v", err)
	}
}

func TestWhatCannotBeEncodedIsNotWritten(t *testing.T) {
	db, store := openModel(t)
	m := typed.NewMap(subspace.Sub("m"), typed.TupleKey(1), typed.JSON[float64]())
	indexed := typed.NewMap(subspace.Sub("n"), typed.StringKey[string](), typed.JSON[float64]())
	typed.NewIndex(indexed, subspace.Sub("i"), typed.VersionstampKey(), func(_ string, v float64) tuple.Versionstamp {
		return tuple.IncompleteVersionstamp(0)
	})
	must(t, write(db, func(tx *kv.Transaction) error {
		var encode *typed.EncodeError
		if err := m.Set(tx, tuple.Tuple{1}, math.NaN()); !errors.As(err, &encode) || encode.Part != "value" {
			t.Errorf("value: %v", err)
		}
		if err := m.Set(tx, tuple.Tuple{struct{}{}}, 1); !errors.As(err, &encode) || encode.Part != "key" || !errors.Is(err, tuple.ErrUnsupportedType) {
			t.Errorf("key: %v", err)
		}
		if err := indexed.Set(tx, "a", 1); !errors.As(err, &encode) || !errors.Is(err, tuple.ErrIncomplete) {
			t.Errorf("index: %v", err)
		}
		if _, _, err := m.Get(tx, tuple.Tuple{struct{}{}}).Wait(); !errors.As(err, &encode) {
			t.Errorf("get: %v", err)
		}
		return nil
	}))
	if rows := store.Rows(); len(rows) != 0 {
		t.Errorf("rows %v", rows)
	}
}

func TestContinuationsFromElsewhereAreRefused(t *testing.T) {
	db, _ := openModel(t)
	all := newTowns()
	token := func(parts ...string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "")))
	}
	tx := db.Begin(context.Background())
	defer tx.Cancel()
	for _, bad := range []string{"!", token(), token("\x02"), token("\x01"), token("\x01", "\x15\x01"), token("\x01", string(tuple.Tuple{"a", 1, 2}.Pack()))} {
		options := typed.PageOptions{Limit: 1, After: bad}
		if bad == "" {
			continue // the first page
		}
		if _, err := all.rows.Page(tx, typed.All[place](), options); !errors.Is(err, typed.ErrToken) {
			t.Errorf("map, %q: %v", bad, err)
		}
		if _, err := all.byTag.Page(tx, typed.All[string](), options); !errors.Is(err, typed.ErrToken) {
			t.Errorf("index, %q: %v", bad, err)
		}
	}
	if _, err := all.rows.Page(tx, typed.All[place](), typed.PageOptions{}); !errors.Is(err, kv.ErrRangeLimitsInvalid) {
		t.Errorf("no limit: %v", err)
	}
}

// A continuation of one span, used with another, must not show rows outside of
// that.
func TestAContinuationDoesNotLeadOutOfTheSpan(t *testing.T) {
	db, _ := openModel(t)
	m := typed.NewMap(subspace.Sub("m"), typed.IntKey[int](), typed.None())
	must(t, write(db, func(tx *kv.Transaction) error {
		for i := range 10 {
			must(t, m.Set(tx, i, struct{}{}))
		}
		page, err := m.Page(tx, typed.All[int](), typed.PageOptions{Limit: 2})
		must(t, err)
		for _, reverse := range []bool{false, true} {
			rest, err := m.Page(tx, typed.From(5).To(7), typed.PageOptions{Limit: 9, After: page.Next, Reverse: reverse})
			must(t, err)
			for _, row := range rest.Rows {
				if row.Key != 5 && row.Key != 6 {
					t.Errorf("reverse %v: row %d", reverse, row.Key)
				}
			}
		}
		return nil
	}))
}

func TestCountersCountWithoutReading(t *testing.T) {
	db, store := openModel(t)
	visits := typed.NewCounters(subspace.Sub("visits"), typed.StringKey[string]())
	total := typed.NewCounter(subspace.Sub("total"))
	first := db.Begin(context.Background())
	second := db.Begin(context.Background())
	for i, tx := range []*kv.Transaction{first, second} {
		must(t, visits.Add(tx, "home", int64(5-8*i)))
		total.Add(tx, 1)
	}
	must(t, first.Commit())
	must(t, second.Commit())
	if n := store.Calls("GetValues") + store.Calls("GetRange"); n != 0 {
		t.Errorf("%d reads", n)
	}
	must(t, write(db, func(tx *kv.Transaction) error {
		if n, found, err := visits.Get(tx, "home").Wait(); n != 2 || !found || err != nil {
			t.Errorf("home: %d %v %v", n, found, err)
		}
		if n, found, err := visits.Get(tx, "away").Wait(); n != 0 || found || err != nil {
			t.Errorf("away: %d %v %v", n, found, err)
		}
		if n, err := total.Get(tx); n != 2 || err != nil {
			t.Errorf("total: %d %v", n, err)
		}
		rows, err := collect(visits.Map().Range(tx, typed.All[string](), kv.RangeOptions{}))
		if len(rows) != 1 || rows[0].Key != "home" || err != nil {
			t.Errorf("rows %v, error %v", rows, err)
		}
		return nil
	}))
}

func TestValuesReadBack(t *testing.T) {
	type text string
	checkValue(t, typed.String[text](), "a\x00b", func(a, b text) bool { return a == b })
	checkValue(t, typed.Bytes[[]byte](), []byte{0, 1}, func(a, b []byte) bool { return string(a) == string(b) })
	checkValue(t, typed.Int64[int64](), -2, func(a, b int64) bool { return a == b })
	checkValue(t, typed.JSON[town](), town{Mayor: "Ada", Code: 3}, func(a, b town) bool { return a.Mayor == b.Mayor && a.Code == b.Code })
	checkValue(t, typed.Binary[netip.Addr](), netip.MustParseAddr("10.0.0.1"), func(a, b netip.Addr) bool { return a == b })
	checkValue(t, typed.TupleValue(placeKey()), place{"a", 1}, func(a, b place) bool { return a == b })
	checkValue(t, typed.None(), struct{}{}, func(a, b struct{}) bool { return true })
	if _, err := typed.TupleValue(placeKey()).DecodeValue(tuple.Tuple{"a", 1, 2}.Pack()); !errors.Is(err, typed.ErrLeftover) {
		t.Errorf("leftover: %v", err)
	}
	if _, err := typed.None().DecodeValue([]byte{1}); !errors.Is(err, typed.ErrLength) {
		t.Errorf("none: %v", err)
	}
	if _, err := typed.Binary[netip.Addr]().DecodeValue([]byte{1}); err == nil {
		t.Error("address of one byte: no error")
	}
}

func checkValue[V any](t *testing.T, codec typed.Codec[V], value V, equal func(a, b V) bool) {
	t.Helper()
	b, err := codec.AppendValue([]byte("before"), value)
	must(t, err)
	if !strings.HasPrefix(string(b), "before") {
		t.Fatalf("%v: %q has lost what was before", value, b)
	}
	if back, err := codec.DecodeValue(b[len("before"):]); err != nil || !equal(back, value) {
		t.Errorf("%v reads back as %v, error %v", value, back, err)
	}
}
