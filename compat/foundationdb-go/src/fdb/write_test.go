package fdb_test

import (
	"bytes"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

func TestAtomicOperationsDoAsTheySay(t *testing.T) {
	db := open(t)
	for name, c := range map[string]struct {
		do                     func(tr fdb.Transaction, key fdb.KeyConvertible, param []byte)
		before, param          string
		present, absent, owned string
	}{
		"Add":             {fdb.Transaction.Add, "\xff\x01", "\x02\x00", "\x01\x02", "\x02\x00", "\x04\x00"},
		"BitAnd":          {fdb.Transaction.BitAnd, "\x0f\x01", "\x3c", "\x0c", "\x3c", "\x3c"},
		"And":             {fdb.Transaction.And, "\x0f", "\x3c", "\x0c", "\x3c", "\x3c"},
		"BitOr":           {fdb.Transaction.BitOr, "\x0f", "\x30", "\x3f", "\x30", "\x30"},
		"Or":              {fdb.Transaction.Or, "\x0f", "\x30\x01", "\x3f\x01", "\x30\x01", "\x30\x01"},
		"BitXor":          {fdb.Transaction.BitXor, "\x0f", "\x3c", "\x33", "\x3c", "\x00"},
		"Xor":             {fdb.Transaction.Xor, "\x0f", "\x3c", "\x33", "\x3c", "\x00"},
		"AppendIfFits":    {fdb.Transaction.AppendIfFits, "a", "b", "ab", "b", "bb"},
		"Max":             {fdb.Transaction.Max, "\x01\x02", "\x02\x01", "\x01\x02", "\x02\x01", "\x02\x01"},
		"Min":             {fdb.Transaction.Min, "\x01\x02", "\x02\x01", "\x02\x01", "\x02\x01", "\x02\x01"},
		"ByteMax":         {fdb.Transaction.ByteMax, "a\x02", "b", "b", "b", "b"},
		"ByteMin":         {fdb.Transaction.ByteMin, "a\x02", "b", "a\x02", "b", "b"},
		"CompareAndClear": {fdb.Transaction.CompareAndClear, "a", "a", "<nil>", "<nil>", "<nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			present, absent, owned := fdb.Key(name+"present"), fdb.Key(name+"absent"), fdb.Key(name+"owned")
			set(t, db, string(present), c.before)
			if _, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
				c.do(tr, present, []byte(c.param))
				c.do(tr, absent, []byte(c.param))
				c.do(tr, owned, []byte(c.param))
				c.do(tr, owned, []byte(c.param))
				mustEqual(t, text(tr.Get(present).MustGet()), c.present)
				return nil, nil
			}); err != nil {
				t.Fatal(err)
			}
			mustEqual(t, get(t, db, string(present)), c.present)
			mustEqual(t, get(t, db, string(absent)), c.absent)
			mustEqual(t, get(t, db, string(owned)), c.owned)
		})
	}
}

func TestAValueThatWouldNotFitStaysAsItIs(t *testing.T) {
	db := open(t)
	long := string(bytes.Repeat([]byte("x"), 99_999))
	set(t, db, "k", long)
	if _, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		tr.AppendIfFits(fdb.Key("k"), []byte("yz"))
		return nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, get(t, db, "k"), long)
}

func TestClearsAreClears(t *testing.T) {
	db := open(t)
	set(t, db, "a", "1", "b", "2", "c", "3")
	if _, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		tr.Clear(fdb.Key("a"))
		tr.ClearRange(fdb.KeyRange{Begin: fdb.Key("b"), End: fdb.Key("c")})
		return nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"a": "<nil>", "b": "<nil>", "c": "3"} {
		mustEqual(t, get(t, db, key), want)
	}
	_, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		tr.ClearRange(fdb.KeyRange{Begin: fdb.Key("c"), End: fdb.Key("b")})
		return nil, nil
	})
	mustBeBare(t, err, 2005)
}

func TestTheApproximateSizeGrowsWithWrites(t *testing.T) {
	tr := begin(t, open(t))
	empty := tr.GetApproximateSize().MustGet()
	tr.Set(fdb.Key("k"), make([]byte, 1000))
	if size := tr.GetApproximateSize().MustGet(); empty < 0 || size < empty+1000 || size > empty+1100 {
		t.Errorf("%d bytes, then %d", empty, size)
	}
}

func TestConflictRangesStandForReadsAndWrites(t *testing.T) {
	db := open(t)
	k := fdb.Key("k")
	r := fdb.KeyRange{Begin: k, End: fdb.Key("l")}
	for name, c := range map[string]struct {
		read, write func(tr fdb.Transaction) error
		conflict    bool
	}{
		"keys":       {func(tr fdb.Transaction) error { return tr.AddReadConflictKey(k) }, func(tr fdb.Transaction) error { return tr.AddWriteConflictKey(k) }, true},
		"ranges":     {func(tr fdb.Transaction) error { return tr.AddReadConflictRange(r) }, func(tr fdb.Transaction) error { return tr.AddWriteConflictRange(r) }, true},
		"a set":      {func(tr fdb.Transaction) error { return tr.AddReadConflictRange(r) }, func(tr fdb.Transaction) error { tr.Set(k, nil); return nil }, true},
		"a get":      {func(tr fdb.Transaction) error { _, err := tr.Get(k).Get(); return err }, func(tr fdb.Transaction) error { return tr.AddWriteConflictKey(k) }, true},
		"snapshot":   {func(tr fdb.Transaction) error { _, err := tr.Snapshot().Get(k).Get(); return err }, func(tr fdb.Transaction) error { tr.Set(k, nil); return nil }, false},
		"other keys": {func(tr fdb.Transaction) error { return tr.AddReadConflictKey(k) }, func(tr fdb.Transaction) error { return tr.AddWriteConflictKey(fdb.Key("k2")) }, false},
		"a selected key": {func(tr fdb.Transaction) error {
			_, err := tr.GetKey(fdb.LastLessThan(fdb.Key("l"))).Get()
			return err
		}, func(tr fdb.Transaction) error { tr.Set(fdb.Key("k5"), nil); return nil }, true},
		"two that only read": {func(tr fdb.Transaction) error { return tr.AddReadConflictKey(k) }, func(tr fdb.Transaction) error { return tr.AddReadConflictKey(k) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			set(t, db, "k", "v")
			reader, writer := begin(t, db), begin(t, db)
			reader.GetReadVersion().MustGet()
			if err := c.read(reader); err != nil {
				t.Fatal(err)
			}
			reader.Set(fdb.Key("mine"), nil)
			if err := c.write(writer); err != nil {
				t.Fatal(err)
			}
			writer.Commit().MustGet()
			err := reader.Commit().Get()
			if c.conflict {
				mustBeBare(t, err, 1020)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	tr := begin(t, db)
	inverted := fdb.KeyRange{Begin: fdb.Key("l"), End: k}
	mustBeBare(t, tr.AddReadConflictRange(inverted), 2005)
	mustBeBare(t, tr.AddWriteConflictRange(inverted), 2005)
	tr.Set(k, nil)
	tr.Commit().MustGet() // the transaction did not suffer
}

func TestVersionsOfATransaction(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	if version, err := tr.GetCommittedVersion(); err != nil || version != -1 {
		t.Errorf("before the commit: %d, %v", version, err)
	}
	read := tr.GetReadVersion().MustGet()
	tr.Commit().MustGet()
	if version, err := tr.GetCommittedVersion(); err != nil || version != -1 {
		t.Errorf("nothing written: %d, %v", version, err)
	}
	tr.Reset()
	tr.Set(fdb.Key("k"), []byte("new"))
	tr.Commit().MustGet()
	committed, err := tr.GetCommittedVersion()
	if err != nil || committed <= read {
		t.Errorf("read at %d, committed at %d, %v", read, committed, err)
	}
	old := begin(t, db)
	old.SetReadVersion(read)
	mustEqual(t, text(old.Get(fdb.Key("k")).MustGet()), "<nil>")
	old.SetReadVersion(committed)
	mustBeBare(t, old.Commit().Get(), 2010)
	_, err = tr.Get(fdb.Key("k")).Get()
	mustBeBare(t, err, 2017)
}

func TestOnErrorDecidesAndResets(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	conflict(t, db, tr)
	var e fdb.Error
	mustBeBare(t, tr.Commit().Get(), 1020)
	e.Code = 1020
	tr.OnError(e).MustGet()
	if tr.Get(fdb.Key("mine")).MustGet() != nil {
		t.Error("the transaction has kept its writes")
	}
	for _, code := range []int{1025, 2000, 2101, 4100} {
		mustBeBare(t, tr.OnError(fdb.Error{Code: code}).Get(), code)
		_, err := tr.Get(fdb.Key("k")).Get()
		mustBeBare(t, err, 1025)
		tr.Reset()
		tr.Get(fdb.Key("k")).MustGet()
	}
	tr.Cancel()
	_, err := tr.Get(fdb.Key("k")).Get()
	mustBeBare(t, err, 1025)
	tr.Reset()
	tr.Get(fdb.Key("k")).MustGet()
	tr.Snapshot().Cancel()
	mustBeBare(t, tr.Commit().Get(), 1025)
}

// TestOnErrorTreatsEveryNumberAsFoundationDB goes over all numbers, also those
// that Plinth does not return: a program may pass what it likes.
func TestOnErrorTreatsEveryNumberAsFoundationDB(t *testing.T) {
	db := open(t)
	if err := db.Options().SetTransactionMaxRetryDelay(0); err != nil {
		t.Fatal(err)
	}
	retryable := map[int]bool{
		1007: true, 1009: true, 1020: true, 1021: true, 1037: true, 1038: true, 1039: true, 1042: true, 1051: true,
		1078: true, 1079: true, 1213: true, 1223: true, 1235: true, 1242: true, 9005: true, 9006: true,
	}
	for _, code := range append(documented, -1, 12345) {
		tr := begin(t, db)
		err := tr.OnError(fdb.Error{Code: code}).Get()
		_, cancelled := tr.Get(fdb.Key("k")).Get()
		switch {
		case retryable[code]:
			if err != nil || cancelled != nil {
				t.Errorf("%d: %v, then %v", code, err, cancelled)
			}
		case code == 0: // not an error
			mustBeBare(t, err, 2000)
		default:
			mustBeBare(t, err, code)
		}
		if !retryable[code] {
			mustBeBare(t, cancelled, 1025)
		}
	}
}

func TestWhatIsNotThereIsRefused(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	mustBeBare(t, db.CreateTenant(fdb.Key("t")), 2136)
	mustBeBare(t, db.DeleteTenant(fdb.Key("t")), 2136)
	_, err := db.ListTenants()
	mustBeBare(t, err, 2136)
	tenant, err := db.OpenTenant(fdb.Key("t"))
	mustBeBare(t, err, 2136)
	_, err = tenant.CreateTransaction()
	mustBeBare(t, err, 2136)
	_, err = tenant.Transact(nil)
	mustBeBare(t, err, 2136)
	_, err = tenant.ReadTransact(nil)
	mustBeBare(t, err, 2136)
	mustBeBare(t, tr.CreateTenant(fdb.Key("t")), 2136)
	mustBeBare(t, tr.DeleteTenant(fdb.Key("t")), 2136)
	_, err = tr.ListTenants()
	mustBeBare(t, err, 2136)
	mustBeBare(t, db.RebootWorker("127.0.0.1:4500", false, 0), 2108)
	if _, err := db.GetClientStatus(); err != fdb.ErrMultiVersionClientUnavailable {
		t.Error(err)
	}
}
