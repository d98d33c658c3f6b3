package fdb_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

func TestTransactReturnsWhatTheFunctionReturns(t *testing.T) {
	db := open(t)
	set(t, db, "foo", "bar")
	value, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		tr.Set(fdb.Key("hello"), []byte("world"))
		return tr.Get(fdb.Key("foo")).MustGet(), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, string(value.([]byte)), "bar")
	mustEqual(t, get(t, db, "hello"), "world")
}

// conflict makes tr conflict: it reads a key that another transaction then
// writes.
func conflict(t testing.TB, db fdb.Database, tr fdb.Transaction) {
	t.Helper()
	tr.Get(fdb.Key("contended")).MustGet()
	set(t, db, "contended", fmt.Sprint(tr.GetReadVersion().MustGet()))
	tr.Set(fdb.Key("mine"), nil)
}

func TestTransactRunsAgainAfterAConflict(t *testing.T) {
	db, runs := open(t), 0
	_, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		if runs++; runs < 4 {
			conflict(t, db, tr)
		}
		tr.Set(fdb.Key("runs"), fmt.Append(nil, runs))
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, get(t, db, "runs"), "4")
	mustEqual(t, get(t, db, "mine"), "<nil>")
}

func TestRetryableErrorsAreRetriedHoweverTheyCome(t *testing.T) {
	db := open(t)
	for name, fail := range map[string]func() error{
		"returned": func() error { return fdb.Error{Code: 1020} },
		"wrapped":  func() error { return fmt.Errorf("reading: %w", fdb.Error{Code: 1007}) },
		"panicked": func() error { panic(fdb.Error{Code: 1009}) },
	} {
		for _, transact := range transacts(db) {
			runs := 0
			value, err := transact(func(fdb.ReadTransaction) (interface{}, error) {
				if runs++; runs < 3 {
					return nil, fail()
				}
				return runs, nil
			})
			if err != nil || value != 3 {
				t.Errorf("%s: %v, %v", name, value, err)
			}
		}
	}
}

// transacts returns the retry loops of a database.
func transacts(db fdb.Database) []func(func(fdb.ReadTransaction) (interface{}, error)) (interface{}, error) {
	return []func(func(fdb.ReadTransaction) (interface{}, error)) (interface{}, error){
		db.ReadTransact,
		func(f func(fdb.ReadTransaction) (interface{}, error)) (interface{}, error) {
			return db.Transact(func(tr fdb.Transaction) (interface{}, error) { return f(tr) })
		},
	}
}

func TestOtherErrorsAreReturnedAsTheyAre(t *testing.T) {
	db := open(t)
	own := errors.New("own")
	for _, want := range []error{own, fdb.Error{Code: 2000}, fmt.Errorf("wrapped: %w", fdb.Error{Code: 2101})} {
		for _, transact := range transacts(db) {
			runs := 0
			value, err := transact(func(tr fdb.ReadTransaction) (interface{}, error) {
				if tr, ok := tr.(fdb.Transaction); ok {
					tr.Set(fdb.Key("k"), nil)
				}
				runs++
				return "partial", want
			})
			if err != want || runs != 1 || value != "partial" {
				t.Errorf("%v: got %v, %v after %d runs", want, value, err, runs)
			}
		}
	}
	mustEqual(t, get(t, db, "k"), "<nil>")
}

func TestAnErrorOfAFutureComesOutBare(t *testing.T) {
	db := open(t)
	for _, transact := range transacts(db) {
		_, err := transact(func(tr fdb.ReadTransaction) (interface{}, error) {
			return tr.Get(fdb.Key("\xff/secret")).MustGet(), nil
		})
		mustBeBare(t, err, 2004)
	}
	_, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		tr.Set(fdb.Key("k"), make([]byte, 100_001))
		return nil, nil
	})
	mustBeBare(t, err, 2103)
}

func TestOtherPanicsPassThroughAndCommitNothing(t *testing.T) {
	db := open(t)
	for _, transact := range transacts(db) {
		func() {
			defer func() { mustEqual(t, recover(), any("mine")) }()
			transact(func(tr fdb.ReadTransaction) (interface{}, error) {
				if tr, ok := tr.(fdb.Transaction); ok {
					tr.Set(fdb.Key("k"), nil)
				}
				panic("mine")
			})
			t.Error("the panic did not pass")
		}()
	}
	mustEqual(t, get(t, db, "k"), "<nil>")
}

func TestTheRetryLimitEndsTransactWithTheLastError(t *testing.T) {
	db, runs := open(t), 0
	_, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		runs++
		if err := tr.Options().SetRetryLimit(2); err != nil {
			return nil, err
		}
		conflict(t, db, tr)
		return nil, nil
	})
	mustBeBare(t, err, 1020)
	mustEqual(t, runs, 3)
}

func TestTransactionsNest(t *testing.T) {
	db := open(t)
	add := func(tr fdb.Transactor, key string) error {
		_, err := tr.Transact(func(tr fdb.Transaction) (interface{}, error) {
			tr.Add(fdb.Key(key), []byte{1})
			return nil, nil
		})
		return err
	}
	read := func(tr fdb.ReadTransactor, key string) (interface{}, error) {
		return tr.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
			return tr.Get(fdb.Key(key)).MustGet(), nil
		})
	}
	_, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		if err := errors.Join(add(tr, "a"), add(tr, "a")); err != nil {
			return nil, err
		}
		for _, r := range []fdb.ReadTransactor{tr, tr.Snapshot(), tr.Snapshot().Snapshot()} {
			if value, err := read(r, "a"); err != nil || text(value.([]byte)) != "\x02" {
				t.Errorf("%T: %v, %v", r, value, err)
			}
		}
		if value, err := read(db, "a"); err != nil || value.([]byte) != nil {
			t.Errorf("another transaction sees %v, %v", value, err)
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, get(t, db, "a"), "\x02")
}

func TestAnInnerTransactReturnsPanickedErrorsWithoutRetry(t *testing.T) {
	db := open(t)
	tr := begin(t, db)
	runs := 0
	fail := func() (interface{}, error) { runs++; panic(fdb.Error{Code: 1020}) }
	_, err := tr.Transact(func(fdb.Transaction) (interface{}, error) { return fail() })
	mustBeBare(t, err, 1020)
	_, err = tr.ReadTransact(func(fdb.ReadTransaction) (interface{}, error) { return fail() })
	mustBeBare(t, err, 1020)
	_, err = tr.Snapshot().ReadTransact(func(fdb.ReadTransaction) (interface{}, error) { return fail() })
	mustBeBare(t, err, 1020)
	mustEqual(t, runs, 3)
}

func TestTheFunctionMayResetItsTransaction(t *testing.T) {
	for name, cancel := range map[string]bool{"open": false, "cancelled": true} {
		t.Run(name, func(t *testing.T) {
			db, runs := open(t), 0
			set(t, db, "seen", "0")
			var kept fdb.Transaction
			_, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
				runs++
				tr.Set(fdb.Key("before"), nil)
				if cancel {
					tr.Cancel()
				}
				tr.Reset()
				tr.Get(fdb.Key("seen")).MustGet()
				if runs == 1 {
					set(t, db, "seen", "1") // a conflict, on what was read after the reset
				}
				tr.Set(fdb.Key("after"), fmt.Append(nil, runs))
				kept = tr
				return nil, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			mustEqual(t, get(t, db, "before"), "<nil>")
			mustEqual(t, get(t, db, "after"), "2")
			if version, err := kept.GetCommittedVersion(); err != nil || version <= 0 {
				t.Errorf("committed at %d, %v", version, err)
			}
		})
	}
}

func TestAFutureMayOutliveItsTransact(t *testing.T) {
	db := open(t)
	set(t, db, "a", "1", "b", "2")
	for _, transact := range transacts(db) {
		futures, err := transact(func(tr fdb.ReadTransaction) (interface{}, error) {
			return []interface{}{tr.Get(fdb.Key("a")), tr.Snapshot().Get(fdb.Key("b")), tr.GetKey(fdb.FirstGreaterThan(fdb.Key("a")))}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		f := futures.([]interface{})
		mustEqual(t, string(f[0].(fdb.FutureByteSlice).MustGet()), "1")
		mustEqual(t, string(f[1].(fdb.FutureByteSlice).MustGet()), "2")
		mustEqual(t, string(f[2].(fdb.FutureKey).MustGet()), "b")
	}
}

// What a transaction calls its database is the one that it began in.
func TestATransactionKnowsItsDatabase(t *testing.T) {
	db := open(t)
	_, err := db.Transact(func(tr fdb.Transaction) (interface{}, error) {
		set(t, tr.GetDatabase(), "k", "v")
		mustEqual(t, get(t, tr.Snapshot().GetDatabase(), "k"), "v")
		return nil, nil
	})
	accept(t, err)
	mustEqual(t, get(t, db, "k"), "v")
}
