package fdb_test

import (
	"errors"
	"fmt"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// conflicting returns a transaction whose commit will fail with 1020. It has read
// and written.
func conflicting(db fdb.Database) fdb.Transaction {
	tr, err := db.CreateTransaction()
	if err != nil {
		panic(err)
	}
	tr.Get(fdb.Key("contended")).MustGet()
	tr.Set(fdb.Key("before"), nil)
	inTransaction(db, func(other fdb.Transaction) interface{} { other.Set(fdb.Key("contended"), nil); return nil })
	return tr
}

// andWithoutConflict looks whether an And conflicts that must not, and one after
// another write that took the option.
func andWithoutConflict(db fdb.Database) string {
	text := ""
	for _, first := range []fdb.Key{nil, fdb.Key("first")} {
		tr, err := db.CreateTransaction()
		if err != nil {
			return err.Error()
		}
		tr.Get(fdb.Key("and")).MustGet()
		tr.Set(fdb.Key("other"), nil)
		inTransaction(db, func(writer fdb.Transaction) interface{} {
			if err := writer.Options().SetNextWriteNoWriteConflictRange(); err != nil {
				return err
			}
			if first != nil {
				writer.Set(first, nil)
			}
			writer.BitAnd(fdb.Key("and"), []byte{1})
			return nil
		})
		switch err := tr.Commit().Get(); {
		case err == nil:
			text += "none, then "
		case codeOf(err) == 1020:
			text += "one"
		default:
			return err.Error()
		}
	}
	return text
}

// codeOf returns the number of an error, or what else it is.
func codeOf(err error) interface{} {
	var e fdb.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return err
}

// afterFailedCommit looks at what a commit that failed makes of its transaction,
// and whether OnError and the retry limit still work behind it.
func afterFailedCommit(db fdb.Database) interface{} {
	tr := conflicting(db)
	if err := tr.Options().SetRetryLimit(1); err != nil {
		return err
	}
	if err := tr.Commit().Get(); codeOf(err) != 1020 {
		return fmt.Sprint("the commit ended with ", err)
	}
	var state interface{} = "reset"
	if value, err := tr.Get(fdb.Key("before")).Get(); err != nil {
		state = codeOf(err)
	} else if value != nil {
		state = "the writes are there"
	}
	if err := tr.OnError(fdb.Error{Code: 1020}).Get(); err != nil {
		return fmt.Sprint(state, ", ends with ", err)
	}
	tr.Set(fdb.Key("after"), nil)
	if err := tr.Commit().Get(); err != nil {
		return fmt.Sprint(state, ", cannot be committed: ", err)
	}
	return fmt.Sprint(state, ", goes on as it was")
}

// versionAfterCommit compares the read versions before and after a commit.
func versionAfterCommit(db fdb.Database, fails bool) interface{} {
	tr := conflicting(db)
	if !fails {
		tr.Reset()
		tr.Set(fdb.Key("before"), nil)
	}
	before := tr.GetReadVersion().MustGet()
	if err := tr.Commit().Get(); (err != nil) != fails {
		return err
	}
	inTransaction(db, func(other fdb.Transaction) interface{} { other.Set(fdb.Key("later"), nil); return nil })
	after, err := tr.GetReadVersion().Get()
	switch again := tr.GetReadVersion().MustGet(); {
	case err != nil:
		return err
	case again != after && fdb.MustGetAPIVersion() >= 410:
		return "another one each time"
	case after == before:
		return "the same"
	case after > before:
		return "a new one"
	}
	return "an older one"
}

func got(db fdb.Database, key string) interface{} {
	value, err := db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) { return tr.Get(fdb.Key(key)).Get() })
	switch {
	case err != nil:
		return codeOf(err)
	case len(value.([]byte)) == 0:
		return "nothing"
	}
	return "got"
}

// specialKeys gets one of the newer special keys, and reads a range of them.
func specialKeys(db fdb.Database) string {
	_, rangeErr := db.ReadTransact(func(tr fdb.ReadTransaction) (interface{}, error) {
		keys := fdb.KeyRange{Begin: fdb.Key("\xff\xff/transaction/conflicting_keys/"), End: fdb.Key("\xff\xff/transaction/conflicting_keys0")}
		return tr.GetRange(keys, fdb.RangeOptions{}).GetSliceWithError()
	})
	return fmt.Sprint(got(db, "\xff\xff/cluster_id"), " ", codeOf(rangeErr))
}

// addresses returns the address of a key: as it is, with an option of the
// transaction, and with that of the database.
func addresses(db fdb.Database) string {
	text := ""
	for i := range 3 {
		tr, err := db.CreateTransaction()
		switch {
		case err == nil && i == 1:
			err = tr.Options().SetIncludePortInAddress()
		case err == nil && i == 2:
			err = db.Options().SetTransactionIncludePortInAddress()
		}
		if err != nil {
			return err.Error()
		}
		text += tr.LocalityGetAddressesForKey(fdb.Key("k")).MustGet()[0] + " "
	}
	return text[:len(text)-1]
}
